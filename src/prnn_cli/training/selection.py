"""The choice of epochs: of each stage of training, the state is kept that ranked the validation part best.

Pure functions of the phases and of the epochs so far, so that a resumed run decides as it would have. A stage is
trained in rounds: a phase of several epochs is a stage whose rounds are its epochs; phases of one epoch that repeat, as
in alternating training, are one stage whose rounds are the turns of all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from prnn_cli.training.state import EpochRecord
from prnn_cli.training.strategies import Phase


@dataclass(frozen=True)
class Selection:
    """How epochs are chosen. metric: the higher the better; patience: the rounds without a better one that end a
    stage, None: all are trained"""

    metric: str
    patience: int | None


@dataclass(frozen=True)
class Stage:
    """A stretch of phases, `first` up to `stop`, both from 0, of which one state is kept.

    ends: of each round, the phase and the epoch, both from 1, that end it
    """

    first: int
    stop: int
    ends: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Decision:
    """What follows from a round that has ended.

    is_best: the state after the last epoch is the best of its stage so far
    is_over: its stage ends here
    best: the index, in the history, of the best epoch of the stage so far
    next_phase: the phase, from 0, that follows the stage
    """

    is_best: bool
    is_over: bool
    best: int
    next_phase: int


def stages(phases: Sequence[Phase]) -> list[Stage]:
    """The stages of a schedule, in their order."""
    found: list[Stage] = []
    start = 0
    while start < len(phases):
        period, turns = _turns(phases[start:])
        if turns > 1:
            stop = start + period * turns
            ends = tuple((phase, 1) for phase in range(start + period, stop + 1, period))
        else:
            stop = start + 1
            ends = tuple((stop, epoch) for epoch in range(1, phases[start].epochs + 1))
        found.append(Stage(start, stop, ends))
        start = stop
    return found


def _turns(phases: Sequence[Phase]) -> tuple[int, int]:
    """The length of the shortest round of phases of one epoch that the phases begin with and repeat, and how often it
    comes; (1, 1) where none repeats."""
    turns_of_one = [*takewhile(lambda phase: phase.epochs == 1, phases)]
    for period in range(1, len(turns_of_one) // 2 + 1):
        times = 1
        while turns_of_one[times * period : (times + 1) * period] == turns_of_one[:period]:
            times += 1
        if times > 1:
            return period, times
    return 1, 1


def decide(selection: Selection, phases: Sequence[Phase], history: Sequence[EpochRecord]) -> Decision | None:
    """What follows from the last of the epochs so far; None where it ends no round."""
    stage = next(each for each in stages(phases) if history[-1].phase <= each.stop)
    rounds = _rounds(stage, history)
    if not rounds or rounds[-1] != len(history) - 1:
        return None
    best = _best(selection, rounds, history)
    waited = len(rounds) - 1 - rounds.index(best)
    is_exhausted = selection.patience is not None and waited >= selection.patience
    return Decision(
        is_best=waited == 0,
        is_over=is_exhausted or len(rounds) == len(stage.ends),
        best=best,
        next_phase=stage.stop,
    )


def selected(
    selection: Selection | None, phases: Sequence[Phase], history: Sequence[EpochRecord]
) -> list[tuple[int, int]]:
    """Of each stage that has ended a round: the round, from 1, whose state is kept, and the index of the epoch, in
    the history, that ends it. Without a selection the last one is kept."""
    kept = []
    for stage in stages(phases):
        if rounds := _rounds(stage, history):
            best = _best(selection, rounds, history) if selection else rounds[-1]
            kept.append((rounds.index(best) + 1, best))
    return kept


def lasting(
    selection: Selection | None, phases: Sequence[Phase], history: Sequence[EpochRecord]
) -> list[EpochRecord]:
    """The epochs that made the state which is kept: those of each stage up to the chosen one."""
    ends = zip(stages(phases), selected(selection, phases, history), strict=False)
    return [
        record for stage, (_, last) in ends for record in history[: last + 1] if record.phase > stage.first
    ]


def shortened(phases: Sequence[Phase], rounds: Sequence[int]) -> list[Phase]:
    """The schedule with so many rounds of each stage."""
    kept: list[Phase] = []
    for stage, number in zip(stages(phases), rounds, strict=True):
        phase, epoch = stage.ends[number - 1]
        kept += [*phases[stage.first : phase - 1], replace(phases[phase - 1], epochs=epoch)]
    return kept


def _rounds(stage: Stage, history: Sequence[EpochRecord]) -> list[int]:
    """The indices, in the history, of the epochs that have ended the stage's rounds so far."""
    ends = set(stage.ends)
    return [index for index, record in enumerate(history) if (record.phase, record.epoch) in ends]


def _best(selection: Selection, rounds: Sequence[int], history: Sequence[EpochRecord]) -> int:
    """The index of the best epoch, the first of equal ones."""
    return max(rounds, key=lambda index: history[index].measured[selection.metric])
