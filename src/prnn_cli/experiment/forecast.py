"""What a run of prnn train will take on this machine, from steps of each of its phases that are timed, and dropped."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from prnn_cli.data.prepare import PreparedData, prepare
from prnn_cli.evaluation.methods import extension_explained, sessions_to_rank
from prnn_cli.evaluation.rank_cache import RankCache
from prnn_cli.evaluation.replay import evaluate
from prnn_cli.experiment.build import (
    baselines_of,
    build_trainer,
    extract_used,
    features_used,
    multiplications_per_batch,
)
from prnn_cli.experiment.memory import memory_needs, refuse_too_large, tell_memory
from prnn_cli.experiment.pace import TIMED_EVENTS, Pace, pace_of
from prnn_cli.experiment.ranked_alone import method_searched
from prnn_cli.experiment.selecting import drawn_sessions, selection_of, sessions_to_validate
from prnn_cli.experiment.validation import seconds_of_ranking
from prnn_cli.features.extract import fetch_needed
from prnn_cli.features.table import FeatureTable
from prnn_cli.schema import TrainCommand
from prnn_cli.system.durations import shown_duration, timed
from prnn_cli.system.hardware import peak_bytes, select_device, threads_for_training
from prnn_cli.training.selection import stages
from prnn_cli.training.strategies import Phase, Update
from prnn_cli.training.trainer import Trainer

# The seconds of baselines that earlier forecasts of the same sweep have timed, by the file that each will leave.
timed_before: dict[str, float] = {}

ASSUMED_EPOCHS = 10  # of a stage, where a hold-out chooses how many; patience comes on top


@dataclass(frozen=True)
class StageForecast:
    """Phases that choose their epochs together. learning: the subnets; rounds: of which `round_s` is the time of one"""

    learning: str
    rounds: int
    round_s: float


@dataclass(frozen=True)
class Forecast:
    """The parts of a run's time, in seconds, and its peak of memory, in bytes.

    made_in_s: that the forecast itself took; preparing_s: once the data and features are in the cache, as they are now
    baselines: the file of ranks that each baseline will leave, and its seconds, of those that left none yet
    validating_s: of one round; ranking_s: of the network, at the end; chosen: whether a hold-out chooses the rounds, of
    which so many are assumed; patience: rounds after the best one; refit: whether it then trains anew
    """

    preparing_s: float
    compiling_s: float
    stages: list[StageForecast]
    validating_s: float
    ranking_s: float
    peak_bytes: int
    chosen: bool
    patience: int
    refit: bool
    made_in_s: float
    baselines: dict[str, float] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """Of the whole run."""
        return self.own_s + sum(self.baselines.values())

    @property
    def own_s(self) -> float:
        """Of the whole run but for the baselines, which the runs on the same data share."""
        training = 0.0
        for stage in self.stages:
            rounds = stage.rounds + self.patience
            training += rounds * (stage.round_s + self.validating_s)
            training += stage.rounds * stage.round_s if self.refit else 0
        return self.preparing_s + self.compiling_s * (1 + self.refit) + training + self.ranking_s

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"seconds": self.seconds, "own_s": self.own_s}


def forecast(settings: TrainCommand) -> Forecast:
    """The forecast of a run with these settings: prepares data and features, as the run would, and trains nothing.

    Raises `UserError` for what cannot be trained.
    """
    started, device, all_threads = (
        time.perf_counter(),
        select_device(settings.hardware),
        torch.get_num_threads(),
    )
    if (method := method_searched(settings)) is not None:
        return _forecast_alone(settings, method, device)
    _read(settings, device)
    with timed() as preparing:
        data, features = _read(settings, device)
    needs = memory_needs(settings, data.train.num_items, features, device)
    refuse_too_large(needs, device)
    tell_memory(needs)
    with threads_for_training(settings.hardware, multiplications_per_batch(settings, data.train.num_items)):
        trainer = build_trainer(settings, data, features, device)
        compiling_s, epoch_s = _seconds_of_phases(trainer)
    ranked, validated = (
        sessions_to_rank(data, settings.evaluation.part),
        sessions_to_validate(settings, data),
    )
    ranking_s = seconds_of_ranking(trainer, data, settings.evaluation, device, all_threads)
    baselines = seconds_of_baselines(settings, data, features, device)
    selection = selection_of(settings)
    return Forecast(
        preparing.seconds,
        compiling_s,
        [
            _stage(trainer.phases[stage.first : stage.stop], len(stage.ends), epoch_s, selection is not None)
            for stage in stages(trainer.phases)
        ],
        ranking_s * validated.num_ranked / ranked.num_ranked if validated else 0.0,
        ranking_s,
        peak_bytes(),
        selection is not None,
        (selection.patience if selection else 0) or 0,
        bool(settings.training.refit),
        time.perf_counter() - started,
        baselines,
    )


def _read(settings: TrainCommand, device: torch.device) -> tuple[PreparedData, dict[str, FeatureTable]]:
    """The data and the features, from the cache where they are in it; else they are made, and kept there."""
    fetch_needed(features_used(settings), Path(settings.cache_dir))
    data = prepare(settings.dataset, Path(settings.cache_dir))
    return data, extract_used(settings, data, device)


def _forecast_alone(settings: TrainCommand, method: str, device: torch.device) -> Forecast:
    """The forecast of a trial that ranks a baseline, and trains nothing."""
    with timed() as all_of_it:
        prepare(settings.dataset, Path(settings.cache_dir))
        with timed() as preparing:
            data = prepare(settings.dataset, Path(settings.cache_dir))
        tell_memory()
        baselines = seconds_of_baselines(settings, data, {}, device, [method])
    return Forecast(
        preparing.seconds, 0, [], 0, 0, peak_bytes(), False, 0, False, all_of_it.seconds, baselines
    )


def seconds_of_baselines(
    settings: TrainCommand,
    data: PreparedData,
    features: Mapping[str, FeatureTable],
    device: torch.device,
    names: Sequence[str] | None = None,
) -> dict[str, float]:
    """The seconds that fitting and ranking each baseline will take, by the file that it will leave.

    Those that have left theirs take none, and are left out. names: of those that are asked for, or None for all
    """
    cache_dir, config, found = Path(settings.cache_dir), settings.evaluation, {}
    sessions = sessions_to_rank(data, config.part)
    sample = drawn_sessions(sessions, TIMED_EVENTS)
    for baseline in baselines_of(settings).chosen(data, features, cache_dir, device):
        file = RankCache.of(cache_dir, data.data_hash, baseline.name, baseline.settings, config).file
        if file.exists() or (names is not None and baseline.name not in names):
            continue
        if file.name in timed_before:
            found[file.name] = timed_before[file.name]
            continue
        with extension_explained(baseline.name):
            with timed() as fitting:
                scorer = baseline.fit(data)
            with timed() as ranking:
                evaluate(scorer, sample, data.support, config, device)
        found[file.name] = fitting.seconds + ranking.seconds * sessions.num_ranked / sample.num_ranked
    return found


def _stage(
    phases: Sequence[Phase], rounds: int, epoch_s: Mapping[Phase, float], is_chosen: bool
) -> StageForecast:
    seconds = sum(epoch_s[phase] * phase.epochs for phase in phases)
    kept = min(ASSUMED_EPOCHS, rounds) if is_chosen else rounds
    learning = ", ".join(dict.fromkeys("+".join(phase.learning) for phase in phases))
    return StageForecast(learning, kept, seconds / rounds)


def _seconds_of_phases(trainer: Trainer) -> tuple[float, dict[Phase, float]]:
    """The seconds of compiling all kinds of phases, and those of an epoch of each phase."""
    paces: dict[tuple[Update, ...], Pace] = {}
    for number, phase in enumerate(trainer.phases):
        if phase.updates not in paces:
            paces[phase.updates] = pace_of(trainer, number, trainer.state)
    steps = trainer.ticks.num_updating_steps
    return (
        sum(pace.compiling_s for pace in paces.values()),
        {phase: paces[phase.updates].step_s * steps for phase in trainer.phases},
    )


def told(forecast: Forecast) -> list[str]:
    """The forecast in words, a line a part."""
    lines = [
        f"{stage.learning}: {stage.rounds} epochs of {shown_duration(stage.round_s)}"
        + (f", and {forecast.patience} of patience" if forecast.chosen else "")
        for stage in forecast.stages
    ]
    if forecast.chosen:
        lines.append(f"a hold-out chooses the epochs; {ASSUMED_EPOCHS} are assumed")
    if forecast.validating_s:
        lines.append(f"ranking the hold-out after each epoch: {shown_duration(forecast.validating_s)}")
    lines.append(
        f"preparing {shown_duration(forecast.preparing_s)}, compiling {shown_duration(forecast.compiling_s)}, ranking "
        f"{shown_duration(forecast.ranking_s)}"
        + (f", baselines {shown_duration(sum(forecast.baselines.values()))}" if forecast.baselines else "")
    )
    lines.append(f"{shown_duration(forecast.seconds)} in all; peak memory {forecast.peak_bytes / 1e9:.1f} GB")
    return lines
