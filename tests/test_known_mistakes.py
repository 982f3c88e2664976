"""What reimplementations of GRU4Rec got wrong (Hidasi & Czapp, 2023), one test each, in their order."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from prnn_cli.batching import SessionParallelPlan
from prnn_cli.data.prepare import prepare
from prnn_cli.data.sessions import Sessions
from prnn_cli.evaluation.candidates import Candidates
from prnn_cli.evaluation.replay import replay
from prnn_cli.experiment.settings import register_schemas
from prnn_cli.extensions import own_configs
from prnn_cli.networks.scorer import NetworkScorer
from prnn_cli.system.tree import unbind
from prnn_cli.training.losses import top1
from prnn_cli.training.negatives import NegativeSampler
from prnn_cli.training.optim import LearningSettings
from prnn_cli.training.state import Cursor, TrainState
from prnn_cli.training.step import Step, forward, gather
from prnn_cli.training.strategies import Update, simultaneous
from prnn_cli.training.ticks import TickMaker
from small import CPU, batches_of, id_network, parameters_of, random_sessions, sessions_of

UPDATE = Update(scores=("id",), learns=("id",))
SETTINGS = {"id": LearningSettings(learning_rate=0.1, momentum=0.0)}


def tick_maker(sessions: Sessions, num_slots: int, num_sampled: int = 0, rate: float = 0.0) -> TickMaker:
    support = np.bincount(sessions.items, minlength=sessions.num_items)
    return TickMaker(
        id_network(sessions.num_items, dropout=rate),
        SessionParallelPlan.build(sessions, num_slots),
        NegativeSampler(support, 0.5, num_sampled, CPU),
        seed=0,
        device=CPU,
    )


def test_1_state_is_reset_between_test_sessions() -> None:
    network = id_network()
    scorer = NetworkScorer(network, parameters_of(network))
    everything = Candidates.choose("all", np.ones(8))
    together = replay(scorer, random_sessions(seed=4), everything, num_slots=3)
    sessions = random_sessions(seed=4)
    for number in range(sessions.num_sessions):
        start, stop = sessions.offsets[number : number + 2]
        alone = replay(scorer, sessions_of(sessions.items[start:stop].tolist()), everything, num_slots=1)
        np.testing.assert_array_equal(together.better[together.session == number], alone.better)


def test_2_state_is_reset_at_exactly_the_first_event_of_a_session_and_in_its_slot_alone() -> None:
    network = id_network()
    parameters = parameters_of(network)
    carry = {"id": torch.full((2, 5), 0.5)}
    batches = batches_of(network, sessions_of([0, 1, 2], [3, 4], [5, 6]), num_slots=2)
    second = batches[1]  # slot 0 goes on, slot 1 begins a session
    leaves = gather(network, parameters, second, UPDATE)
    from_half = forward(network, leaves, carry, second, UPDATE)[1]["id"]
    from_zero = forward(network, leaves, {"id": torch.zeros(2, 5)}, second, UPDATE)[1]["id"]
    assert torch.equal(from_half[1], from_zero[1])
    assert not torch.equal(from_half[0], from_zero[0])


def test_3_the_final_activation_is_applied_once_and_to_the_sampled_scores() -> None:
    network, linear = id_network(), id_network(activation="linear")
    parameters = parameters_of(network)
    batch = batches_of(network, sessions_of([0, 1], [2, 3]), num_slots=2)[0]
    leaves = gather(network, parameters, batch, UPDATE)
    carry = network.initial_carry(2, CPU)
    scores = forward(network, leaves, carry, batch, UPDATE)[0]
    logits = forward(linear, leaves, carry, batch, UPDATE)[0]
    assert torch.equal(scores, torch.tanh(logits))


def test_4_scores_exist_for_the_steps_targets_and_samples_only() -> None:
    """A catalogue of 10,000 items of which all others are NaN costs and changes nothing."""
    network = id_network(num_items=10_000)
    parameters = parameters_of(network)
    batch = batches_of(network, sessions_of([0, 1], [2, 3], num_items=10_000), 2, torch.tensor([4, 5, 6]))[0]
    parameters["readout.id"][7:] = torch.nan
    leaves = gather(network, parameters, batch, UPDATE)
    scores = forward(network, leaves, network.initial_carry(2, CPU), batch, UPDATE)[0]
    assert scores.shape == (2, 2 + 3)
    assert torch.isfinite(scores).all()


def test_5_negatives_scores_are_regularised_and_nothing_overflows() -> None:
    """Far below the target the pairwise term is flat: what pulls a negative score to zero is regularisation."""
    scores = torch.tensor([[20.0, -1.0], [-1.0, 20.0]], requires_grad=True)
    top1(scores, torch.ones(2)).sum().backward()
    pull = 2 * -1.0 * (1 / (1 + math.exp(-1))) * (1 - 1 / (1 + math.exp(-1))) / 2
    assert scores.grad[0, 1].item() == pytest.approx(pull, rel=1e-4)


def test_6_dropout_drops_with_its_rate_scales_the_rest_and_is_off_in_evaluation() -> None:
    batches = tick_maker(random_sessions(seed=1), num_slots=8, rate=0.2).make(0, 0, 0, 17).batches
    assert batches.keep_masks["id"].float().mean().item() == pytest.approx(0.8, abs=0.04)

    network = id_network(dropout=0.2)
    parameters = parameters_of(network)
    batch = unbind(batches)[0]
    carry = network.initial_carry(8, CPU)
    leaves = gather(network, parameters, batch, UPDATE)
    trained = forward(network, leaves, carry, batch, UPDATE)[1]["id"]
    assert torch.equal(trained != 0, batch.keep_masks["id"])  # on h', and carried on so

    scorer = NetworkScorer(network, parameters)
    scorer.reset(8)
    scorer.advance(batch.clicks.items, batch.new_session)
    torch.testing.assert_close(scorer.carry["id"] * batch.keep_masks["id"] * 1.25, trained)


def test_7_momentum_moves_a_row_on_by_its_last_step() -> None:
    moved = []
    for momentum in (0.0, 0.5):
        network = id_network()
        settings = {"id": LearningSettings(0.1, momentum)}
        state = TrainState.initial(network, settings, 2, seed=0, device=CPU)
        for batch in batches_of(network, sessions_of([0, 1, 0, 1, 0], [2, 3, 2, 3, 2]), 2):
            Step(network, top1, settings)(state, batch, simultaneous(["id"], 1)[0])
        moved.append(state.parameters["readout.id"])
    assert not torch.allclose(moved[0], moved[1])


def test_8_each_gate_block_is_initialised_within_its_own_bound() -> None:
    network = id_network(num_items=400, hidden_size=6)
    parameters = network.initial_parameters(seed=0)
    bounds = {
        "subnets.id.input.id": math.sqrt(6 / (400 + 6)),
        "subnets.id.recurrent_gates": math.sqrt(6 / (6 + 6)),
        "subnets.id.recurrent_candidate": math.sqrt(6 / (6 + 6)),
    }
    for name, bound in bounds.items():
        for block in parameters[name].split(6, dim=1):
            assert 0.75 * bound < block.abs().max().item() <= bound, name
    readout = parameters["readout.id"]
    assert 0.95 * bounds["subnets.id.input.id"] < readout[:, :6].abs().max().item()
    assert (readout[:, 6] == 0).all()
    assert (parameters["subnets.id.bias"] == 0).all()


def test_9_adagrad_starts_from_nothing_and_the_learning_rate_does_not_decay() -> None:
    """The first step of any gradient has about the length of the learning rate, at whatever step it comes."""
    network = id_network()
    state = TrainState.initial(network, SETTINGS, 2, seed=0, device=CPU)
    state.tally["steps"].fill_(5_000)
    assert all((value == 0).all() for value in state.accumulators.values())
    before = state.parameters["readout.id"].clone()
    batch = batches_of(network, sessions_of([0, 1], [2, 3]), num_slots=2)[0]
    Step(network, top1, SETTINGS)(state, batch, simultaneous(["id"], 1)[0])
    step = (state.parameters["readout.id"] - before)[[1, 3], 5]  # the biases, whose gradients are large
    assert step.abs().tolist() == pytest.approx([0.1, 0.1], rel=0.06)  # ε takes a little of it


@pytest.mark.parametrize(("num_items", "hidden_size", "num_slots"), [(2, 1, 2), (13, 7, 3), (50, 33, 11)])
def test_10_no_size_is_built_in(num_items: int, hidden_size: int, num_slots: int) -> None:
    network = id_network(num_items, hidden_size)
    state = TrainState.initial(network, SETTINGS, num_slots, seed=0, device=CPU)
    sessions = random_sessions(seed=0, num_items=num_items)
    for batch in batches_of(network, sessions, num_slots)[:3]:
        Step(network, top1, SETTINGS)(state, batch, simultaneous(["id"], 1)[0])
    assert state.parameters["readout.id"].shape == (num_items, hidden_size + 1)
    assert state.carry["id"].shape == (num_slots, hidden_size)


def test_11_the_epoch_goes_on_when_the_batch_cannot_be_refilled() -> None:
    sessions = sessions_of([0, 1], [2, 3], [4, 5, 6, 7, 0, 1, 2])
    maker = tick_maker(sessions, num_slots=3, num_sampled=1)
    batches = [batch for tick in maker.from_cursor(Cursor()) for batch in unbind(tick.batches)]
    assert sum(int(batch.active.sum()) for batch in batches) == 1 + 1 + 6


def test_12_a_test_item_unknown_in_training_is_left_out_instead_of_crashing(tmp_path: Path) -> None:
    day = 86_400
    rows = [("s1", "a", 0), ("s1", "b", 1), ("s2", "b", 2), ("s2", "a", 3)]
    rows += [("s3", "a", day), ("s3", "new", day + 1), ("s3", "b", day + 2)]
    log = tmp_path / "clicks.csv"
    log.write_text("session_id,item_id,time\n" + "".join(f"{s},{i},{t}\n" for s, i, t in rows))
    register_schemas()
    with initialize_config_dir(str(own_configs()), version_base="1.3"):
        options = ["dataset=generic", f"dataset.path={log}", "dataset.min_item_support=1"]
        config = OmegaConf.to_object(compose("preprocess", options))
    data = prepare(config.dataset, tmp_path / "cache")
    assert data.item_ids.tolist() == ["a", "b"]
    assert data.test.items.tolist() == [0, 1]
    network = id_network(num_items=2)
    scorer = NetworkScorer(network, parameters_of(network))
    assert replay(scorer, data.test, Candidates.choose("all", data.support)).target.tolist() == [1]


def test_13_sampled_negatives_join_those_of_the_batch() -> None:
    maker = tick_maker(random_sessions(seed=0), num_slots=4, num_sampled=6)
    first, second, *_ = unbind(maker.make(0, 0, 0, 4).batches)
    assert first.outputs.index.shape == (4 + 6,)
    assert not torch.equal(first.outputs.index[4:], second.outputs.index[4:])


def test_14_each_event_is_fed_once_instead_of_once_for_each_prefix() -> None:
    sessions = random_sessions(seed=0)
    plan = SessionParallelPlan.build(sessions, num_slots=4)
    assert plan.num_active.sum() == sessions.num_events - sessions.num_sessions
