"""training.select=best keeps, of each phase, the epoch that ranks the validation part best."""

import copy
import json
import re
from collections.abc import Callable, Sequence
from itertools import count, pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from commands.conftest import SMALL, Result, refusal
from prnn_cli import schema
from prnn_cli.batching import SessionParallelPlan
from prnn_cli.errors import RunError, UserError
from prnn_cli.experiment import supervisor as supervising
from prnn_cli.experiment.selecting import affordable_events, check_selection, drawn_sessions
from prnn_cli.experiment.settings import composed
from prnn_cli.experiment.supervisor import Supervisor
from prnn_cli.networks.inputs import OneHot
from prnn_cli.networks.network import Network
from prnn_cli.networks.readouts import Separate
from prnn_cli.networks.subnet import Subnet
from prnn_cli.run_folder import RunFolder
from prnn_cli.schema import TrainCommand
from prnn_cli.system.progress import Meter
from prnn_cli.training import ticks
from prnn_cli.training.checkpoint import load_checkpoint
from prnn_cli.training.executors import EagerExecutor
from prnn_cli.training.losses import top1
from prnn_cli.training.negatives import NegativeSampler
from prnn_cli.training.optim import LearningSettings
from prnn_cli.training.selection import Selection
from prnn_cli.training.state import TENSOR_GROUPS, TrainState
from prnn_cli.training.step import Step
from prnn_cli.training.strategies import STRATEGIES
from prnn_cli.training.ticks import TickMaker
from prnn_cli.training.trainer import Progress, Trainer
from small import CPU, random_sessions, sessions_of
from training.test_trainer import train

Prnn = Callable[..., Result]
pytest_plugins = ["commands.conftest"]

RUN = "hydra.run.dir=runs/mine"
BEST = ["dataset.validation_days=1", "training.select=best"]


class CutOffError(BaseException):
    """What nothing expects, as little as a kill."""


# What the validation part says after each epoch of two phases of three.
VALUES = (0.1, 0.3, 0.2, 0.5, 0.4, 0.3)


def two_subnets(strategy: str, epochs: int) -> Trainer:
    """A trainer of two subnets that both read the ID."""
    sessions, num_slots = random_sessions(seed=0, num_sessions=12), 4
    subnets = tuple(Subnet(name, (OneHot(8),), 5, weight=1.0, dropout=0.3) for name in ("id", "twin"))
    network = Network(subnets, Separate(subnets), "tanh", 8)
    settings = {name: LearningSettings(0.1, 0.2) for name in ("id", "twin")}
    sampler = NegativeSampler(np.bincount(sessions.items, minlength=8), 0.5, 2, CPU)
    plan = SessionParallelPlan.build(sessions, num_slots)
    return Trainer(
        network=network,
        executor=EagerExecutor(Step(network, top1, settings)),
        phases=STRATEGIES[strategy](("id", "twin"), epochs),
        ticks=TickMaker(network, plan, sampler, seed=1, device=CPU),
        state=TrainState.initial(network, settings, num_slots, seed=1, device=CPU),
    )


def supervisor_of(
    trainer: Trainer, folder: Path, values: Sequence[float] = VALUES, patience: int | None = None
) -> Supervisor:
    run = RunFolder(folder)
    run.write_status("running", command="train")

    def measure(_: int) -> dict[str, float]:
        return {"mrr@20": values[len(trainer.state.history) - 1]}

    selection = Selection("mrr@20", patience)
    return Supervisor(trainer, run, {}, 0, Meter("training", 1, None), measure, (), selection)


def run_to_the_end(trainer: Trainer, supervisor: Supervisor) -> None:
    trainer.run(supervisor.at_tick, supervisor.at_epoch, supervisor.save_checkpoint)


def assert_same_bits(left: TrainState, right: TrainState) -> None:
    for group in TENSOR_GROUPS:
        for name, value in getattr(left, group).items():
            assert torch.equal(value, getattr(right, group)[name]), (group, name)


@pytest.mark.parametrize(
    ("strategy", "values"),
    [
        ("simultaneous", (0.1, 0.3, 0.2)),
        ("interleaving", (0.1, 0.3, 0.2)),
        ("alternating", (0.9, 0.1, 0.9, 0.3, 0.9, 0.2)),
    ],
)
def test_the_state_of_the_best_epoch_is_that_of_a_run_of_so_many_epochs(
    strategy: str, values: Sequence[float], tmp_path: Path
) -> None:
    """The parameters, and the optimiser's memory of them. Of alternating training whole rounds count."""
    best, fixed = two_subnets(strategy, 3), two_subnets(strategy, 2)
    run_to_the_end(best, supervisor_of(best, tmp_path, values))
    train(fixed)
    assert len(best.state.history) == len(values)
    assert_same_bits(best.state, fixed.state)
    epochs = pd.read_csv(tmp_path / "epochs.csv")
    assert epochs.loc[epochs["selected"], "mrr@20"].tolist() == [0.3]


def test_a_phase_of_residual_training_begins_with_the_bits_of_the_best_state_before_it(
    tmp_path: Path,
) -> None:
    trainer, two_epochs = two_subnets("residual", 3), two_subnets("residual", 2)
    two_epochs.phases = two_epochs.phases[:1]
    train(two_epochs)
    supervisor, phase = supervisor_of(trainer, tmp_path), count(1)

    def at_phase() -> None:
        if next(phase) == 1:
            assert_same_bits(trainer.state, two_epochs.state)
        supervisor.save_checkpoint()

    trainer.run(supervisor.at_tick, supervisor.at_epoch, at_phase)
    assert next(phase) == 3
    epochs = pd.read_csv(tmp_path / "epochs.csv")
    assert epochs["selected"].tolist() == [False, True, False, True, False, False]


def test_patience_ends_a_phase_before_its_last_epoch(tmp_path: Path) -> None:
    trainer = two_subnets("residual", 9)
    progress: list[Progress] = []
    supervisor = supervisor_of(trainer, tmp_path, patience=1)
    trainer.run(progress.append, supervisor.at_epoch)
    assert [(each.phase, each.epoch) for each in trainer.state.history] == [
        (1, 1),
        (1, 2),
        (1, 3),
        (2, 1),
        (2, 2),
    ]
    assert supervisor.bar.total == trainer.events_total == sum(each.events for each in trainer.state.history)
    assert progress[-1].events_total == trainer.events_total + 7 * trainer.state.history[0].events


def test_a_run_that_is_cut_off_after_every_write_ends_with_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every tick, between the writing of the best state and that of the checkpoint, and before it is taken up."""
    monkeypatch.setattr(ticks, "STEPS", 8)
    monkeypatch.setattr(supervising, "WRITING_SHARE", float("inf"))
    whole = two_subnets("residual", 3)
    run_to_the_end(whole, supervisor_of(whole, tmp_path / "whole"))
    writes = 0

    def dying(write: Callable[..., None]) -> Callable[..., None]:
        def then_die(*arguments: Any) -> None:
            nonlocal writes
            write(*arguments)
            writes += 1
            if writes % 2:
                raise CutOffError

        return then_die

    for name in ("save_checkpoint", "link_or_copy"):
        monkeypatch.setattr(supervising, name, dying(getattr(supervising, name)))
    for _ in range(100):
        trainer = two_subnets("residual", 3)
        if files := RunFolder(tmp_path / "mine").checkpoint_files:
            trainer.state, _ = load_checkpoint(files[0], CPU)
        try:
            run_to_the_end(trainer, supervisor_of(trainer, tmp_path / "mine"))
            break
        except CutOffError:
            continue
    assert writes > 12
    assert_same_bits(trainer.state, whole.state)
    told = [
        [(each.phase, each.epoch, each.loss, each.measured) for each in run.state.history]
        for run in (trainer, whole)
    ]
    assert told[0] == told[1]


@pytest.mark.parametrize("damage", ["absent", "other", "cut"])
def test_a_best_state_that_is_lost_is_a_sentence(damage: str, tmp_path: Path) -> None:
    trainer = two_subnets("residual", 3)
    supervisor = supervisor_of(trainer, tmp_path)
    file = RunFolder(tmp_path).best_file

    def at_tick(progress: Progress) -> None:
        if (progress.phase, progress.epoch) != (1, 3):
            return
        if damage == "absent":
            file.unlink()
        elif damage == "cut":
            file.write_bytes(file.read_bytes()[:-9])
        else:
            supervising.save_checkpoint(file, trainer.state, {})

    with pytest.raises(
        RunError, match=r"best\.safetensors no longer holds the state of the best epoch, phase 1, epoch 2"
    ):
        trainer.run(at_tick, supervisor.at_epoch)


def test_sessions_are_drawn_whole_and_the_same_each_time() -> None:
    sessions = random_sessions(seed=3, num_sessions=40)
    drawn = drawn_sessions(sessions, 50)
    assert 42 < drawn.num_ranked <= 50
    assert (drawn.session_index[1:] > drawn.session_index[:-1]).all()
    ids = dict(zip(sessions.session_index, sessions_in(sessions), strict=True))
    assert sessions_in(drawn) == [ids[index] for index in drawn.session_index]
    assert drawn_sessions(sessions, 50).items.tolist() == drawn.items.tolist()
    assert drawn_sessions(sessions, 10_000).items.tolist() == sessions.items.tolist()
    assert drawn_sessions(sessions_of([1, 2, 3]), 1).num_sessions == 1


def sessions_in(sessions: Any) -> list[list[int]]:
    bounds = sessions.offsets.tolist()
    return [sessions.items[a:b].tolist() for a, b in pairwise(bounds)]


def test_epochs_are_not_chosen_by_a_handful_of_events(prnn: Prnn) -> None:
    told = refusal(prnn("train", *SMALL, *BEST, "training.validation_events=19", RUN))
    assert "training.validation_events=19 would have 1" in told
    assert "give all, or a number well above dataset.min_ranked_events=20" in told


def test_a_run_says_which_epochs_it_kept(prnn: Prnn) -> None:
    """Of two epochs the second is better; 100 events of the validation part are ranked."""
    own = [*SMALL, *BEST, "training.validation_events=100", RUN]
    done = prnn("train", *own)
    assert done.exit_code == 0
    metrics = json.loads(Path("runs/mine/metrics.json").read_text())
    assert metrics["selected_epochs"] == [2]
    assert metrics["select"]["select"] == "best"
    assert metrics["train"]["epochs"] == metrics["selecting"]["epochs"] == {"id": 2}
    assert 50 < metrics["validation"]["events"] <= 100
    assert metrics["validation"]["of"] == 449
    assert f"epochs are chosen by mrr@20 on {metrics['validation']['events']} of 449 events" in done.err
    assert [file.name for file in Path("runs/mine/checkpoint").iterdir()] == ["state.safetensors"]
    more = refusal(prnn("train", *own, "epochs=3", "resume=true"))
    assert (
        "runs/mine with epochs=3 instead of 2: with training.select=best the epochs are chosen among" in more
    )


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"dataset.validation_days": 0}, "training.select=best ranks a validation part, and there is none"),
        (
            {"training.metric": "mrr@7"},
            "training.metric=mrr@7 is not measured; choose one of recall@20, mrr@20",
        ),
        ({"training.patience": 3}, "training.patience=3 is more than the 2 epochs that are trained at most"),
        (
            {"training.select": "last", "training.refit": True},
            "training.refit=true trains anew for the epochs that training.select=best has chosen",
        ),
        (
            {"evaluation.part": "validation", "training.refit": True},
            "trains on the validation part too, which evaluation.part=validation ranks",
        ),
        ({"evaluation.each_epoch": False}, "which evaluation.each_epoch=false forbids"),
        (
            {"training.patience": 0},
            "training.patience=0 cannot be used; give auto, null, or a whole number from 1",
        ),
        (
            {"training.validation_events": "few"},
            "training.validation_events=few cannot be used; give auto, all",
        ),
        ({"training.select": "first"}, "training.select=first does not exist; choose one of last, best"),
    ],
)
def test_settings_that_cannot_choose_are_refused(
    settings: dict[str, Any], sentence: str, small: TrainCommand
) -> None:
    changed = copy.deepcopy(small)
    for key, value in settings.items():
        group, name = key.split(".")
        setattr(getattr(changed, group), name, value)
    with pytest.raises(UserError, match=re.escape(sentence)):
        check_all(changed)


def check_all(settings: TrainCommand) -> None:
    schema.check(settings)
    check_selection(settings)


@pytest.fixture(scope="module")
def small() -> TrainCommand:
    settings: TrainCommand = composed("train", [*SMALL, *BEST])
    return settings


@pytest.mark.parametrize(
    ("overrides", "events"),
    [
        (["recipe=paper"], 3_000),  # 100,000 x 30 / 1,000
        (["recipe=paper", "evaluation.candidates=500"], 6_000),
        (["recipe=paper", "evaluation.candidates=5000"], 3_000),  # there are no more than 1,000
        (["recipe=cross_entropy"], 64_440),  # 30 + 0.3 for each of 2,048 negatives
        (["recipe=cross_entropy", "recipe.num_sampled=all"], 29_160),  # 30 + 0.3 x (1,000 - 128)
    ],
)
def test_more_events_are_affordable_where_an_epoch_costs_more(overrides: list[str], events: int) -> None:
    data: Any = SimpleNamespace(item_ids=range(1_000), train=SimpleNamespace(num_ranked=100_000))
    assert affordable_events(composed("train", overrides), data) == events
