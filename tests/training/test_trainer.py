from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from prnn_cli.batching import SessionParallelPlan
from prnn_cli.data.sessions import Sessions
from prnn_cli.errors import RunError
from prnn_cli.evaluation.candidates import Candidates
from prnn_cli.evaluation.replay import replay
from prnn_cli.networks.scorer import NetworkScorer
from prnn_cli.training import ticks
from prnn_cli.training.checkpoint import load_checkpoint, save_checkpoint
from prnn_cli.training.executors import EagerExecutor
from prnn_cli.training.losses import top1
from prnn_cli.training.negatives import NegativeSampler
from prnn_cli.training.optim import LearningSettings
from prnn_cli.training.state import TrainState
from prnn_cli.training.step import Step
from prnn_cli.training.strategies import alternating, interleaving, residual, simultaneous
from prnn_cli.training.ticks import TickMaker
from prnn_cli.training.trainer import Progress, Trainer
from small import CPU, id_network, random_sessions, sessions_of


def trainer_of(
    sessions: Sessions,
    num_slots: int = 4,
    epochs: int = 3,
    num_sampled: int = 2,
    dropout: float = 0.3,
    settings: dict[str, LearningSettings] | None = None,
) -> Trainer:
    network = id_network(sessions.num_items, dropout=dropout)
    settings = settings or {"id": LearningSettings(0.1, 0.2)}
    support = np.bincount(sessions.items, minlength=sessions.num_items)
    sampler = NegativeSampler(support, 0.5, num_sampled, CPU)
    plan = SessionParallelPlan.build(sessions, num_slots)
    return Trainer(
        network=network,
        executor=EagerExecutor(Step(network, top1, settings)),
        phases=simultaneous(("id",), epochs),
        ticks=TickMaker(network, plan, sampler, seed=1, device=CPU),
        state=TrainState.initial(network, settings, num_slots, seed=1, device=CPU),
    )


def train(trainer: Trainer) -> list[Progress]:
    seen: list[Progress] = []
    trainer.run(at_tick=seen.append, at_epoch=lambda record: None)
    return seen


@pytest.fixture
def short_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ticks, "STEPS", 5)


def test_a_predictable_log_is_learned() -> None:
    """Each item is always followed by the next one, so the right one can always stand first."""
    sessions = sessions_of(*([start, start + 1, start + 2] for start in [0, 3, 5, 1] * 30))
    trainer = trainer_of(sessions, epochs=30, num_sampled=8, dropout=0)
    train(trainer)
    losses = [record.loss for record in trainer.state.history]
    assert losses[-1] < losses[0]
    scorer = NetworkScorer(trainer.network, trainer.state.parameters)
    ranks = replay(scorer, sessions, Candidates.choose("all", np.ones(8)))
    assert (ranks.better == 0).mean() > 0.8


@pytest.mark.usefixtures("short_ticks")
def test_records_count_every_event_and_progress_reaches_the_end() -> None:
    sessions = random_sessions(seed=0)
    trainer = trainer_of(sessions)
    seen = train(trainer)
    events = sessions.num_events - sessions.num_sessions
    assert [(r.phase, r.epoch, r.learning, r.events) for r in trainer.state.history] == [
        (1, 1, "id", events),
        (1, 2, "id", events),
        (1, 3, "id", events),
    ]
    assert seen[-1].events_done == seen[-1].events_total == 3 * events
    assert seen[-1].seconds_left == 0
    assert trainer.state.totals()["events"] == 3 * events


def test_the_same_seed_gives_the_same_bits() -> None:
    first, second = trainer_of(random_sessions(seed=0)), trainer_of(random_sessions(seed=0))
    train(first)
    train(second)
    for name, value in first.state.parameters.items():
        assert torch.equal(value, second.state.parameters[name])


@pytest.mark.usefixtures("short_ticks")
@pytest.mark.parametrize("stop_at", [1, 4, 9])
def test_a_run_resumed_from_any_tick_ends_with_the_same_bits(tmp_path: Path, stop_at: int) -> None:
    sessions = random_sessions(seed=0)
    whole = trainer_of(sessions)
    train(whole)

    class TrainingStoppedError(Exception):
        pass

    interrupted = trainer_of(sessions)
    ticks_seen = []

    def stop(progress: Progress) -> None:
        ticks_seen.append(progress)
        if len(ticks_seen) == stop_at:
            save_checkpoint(tmp_path / "state.safetensors", interrupted.state, {"threads": 1})
            raise TrainingStoppedError

    with pytest.raises(TrainingStoppedError):
        interrupted.run(at_tick=stop, at_epoch=lambda record: None)
    state, decisions = load_checkpoint(tmp_path / "state.safetensors", CPU)
    assert decisions == {"threads": 1}
    resumed = replace(trainer_of(sessions), state=state)
    train(resumed)

    for group in ("parameters", "accumulators", "velocities", "carry"):
        for name, value in getattr(whole.state, group).items():
            assert torch.equal(value, getattr(resumed.state, group)[name]), (group, name)
    losses = [record.loss for record in whole.state.history]
    assert [record.loss for record in resumed.state.history] == losses


def test_a_target_without_any_negative_does_not_update() -> None:
    """One long session beside short ones: once it is alone, in-batch negatives are none. Its events count."""
    sessions = sessions_of([0, 1], [2, 3], [4, 5, 6, 7, 0, 1])
    trainer = trainer_of(sessions, num_slots=3, epochs=1, num_sampled=0)
    train(trainer)
    record = trainer.state.history[0]
    assert (record.steps, record.events) == (5, 7)
    assert record.loss > 0
    with_sampled = trainer_of(sessions, num_slots=3, epochs=1, num_sampled=2)
    train(with_sampled)
    assert with_sampled.state.history[0].steps == 5


def test_a_loss_that_is_not_finite_stops_with_what_to_change() -> None:
    trainer = trainer_of(random_sessions(seed=0))
    trainer.state.parameters["subnets.id.bias"][0] = torch.nan
    with pytest.raises(RunError, match=r"step 0 of phase 1, epoch 1.*lower subnets\.id\.learning_rate"):
        train(trainer)


def test_loss_and_saturation_are_means_over_the_epoch() -> None:
    """With all parameters 0 each score is 0: TOP1 of M columns is 1 − σ(0)/M, and no score is saturated."""
    sessions = sessions_of([0, 1, 2], [3, 4, 5])
    still = {"id": LearningSettings(0.0, 0.0)}
    trainer = trainer_of(sessions, num_slots=2, epochs=1, num_sampled=2, settings=still)
    for value in trainer.state.parameters.values():
        value.zero_()
    train(trainer)
    (record,) = trainer.state.history
    assert record.loss == pytest.approx(1 - 0.5 / 4)
    assert record.saturated == 0

    saturated = trainer_of(sessions, num_slots=2, epochs=1, num_sampled=2, settings=still)
    saturated.state.parameters["readout.id"][:, -1] = 9  # the bias: tanh(9) is 1 in single precision
    train(saturated)
    assert saturated.state.history[0].saturated == 1


def test_the_length_of_training_is_said_in_passes_and_updates() -> None:
    """Residual training passes twice, once for each subnet; interleaving makes two updates of each mini-batch."""
    trainer = trainer_of(sessions_of([0, 1, 2], [3, 4, 5], [6, 7]), num_slots=2, epochs=3)
    steps = trainer.ticks.num_updating_steps
    assert trainer.length() == {"epochs": {"id": 3}, "updates": 3 * steps}
    trainer.phases = residual(("id", "text"), 3)
    assert trainer.length() == {"epochs": {"id": 3, "text": 3}, "updates": 6 * steps}
    trainer.phases = alternating(("id", "text"), 3)
    assert trainer.length() == {"epochs": {"id": 3, "text": 3}, "updates": 6 * steps}
    trainer.phases = interleaving(("id", "text"), 3)
    assert trainer.length() == {"epochs": {"id+text": 3}, "updates": 6 * steps}
