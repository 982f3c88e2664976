"""Which epochs are kept, on lists that can be checked by eye."""

import pytest

from prnn_cli.training.selection import Decision, Selection, decide, lasting, selected, shortened, stages
from prnn_cli.training.state import EpochRecord
from prnn_cli.training.strategies import STRATEGIES, Phase, Update

ID, TEXT = Update(("id", "text"), ("id",)), Update(("id", "text"), ("text",))
BEST = Selection("mrr@20", patience=None)


def history(*values: tuple[int, int, float]) -> list[EpochRecord]:
    """A record for each (phase, epoch, mrr@20)."""
    return [
        EpochRecord(phase, epoch, "id", 1.0, 0.0, 10, 1.0, 10.0, 5, {"mrr@20": value})
        for phase, epoch, value in values
    ]


def phases_of(strategy: str, epochs: int) -> list[Phase]:
    return STRATEGIES[strategy](("id", "text"), epochs)


@pytest.mark.parametrize(
    ("strategy", "rounds"),
    [("simultaneous", [3]), ("interleaving", [3]), ("residual", [3, 3]), ("alternating", [3])],
)
def test_a_phase_of_several_epochs_is_a_stage_and_turns_of_one_epoch_are_the_rounds_of_one(
    strategy: str, rounds: list[int]
) -> None:
    assert [len(stage.ends) for stage in stages(phases_of(strategy, 3))] == rounds


def test_the_rounds_of_alternating_training_end_with_its_last_subnet() -> None:
    (stage,) = stages(phases_of("alternating", 3))
    assert (stage.first, stage.stop) == (0, 6)
    assert stage.ends == ((2, 1), (4, 1), (6, 1))


def test_phases_of_an_extension_are_stages_of_their_own_unless_they_repeat() -> None:
    """A warm start of two epochs, two turns, an epoch of all."""
    both = Update(("id", "text"), ("id", "text"))
    turns = [Phase(1, (ID,)), Phase(1, (TEXT,))]
    found = stages([Phase(2, (ID,)), *turns, *turns, Phase(1, (both,))])
    assert [stage.ends for stage in found] == [((1, 1), (1, 2)), ((3, 1), (5, 1)), ((6, 1),)]


def test_the_best_epoch_is_kept_and_the_first_of_equal_ones() -> None:
    phases = phases_of("simultaneous", 4)
    told = [(1, 1, 0.1), (1, 2, 0.3), (1, 3, 0.3), (1, 4, 0.2)]
    decisions = [decide(BEST, phases, history(*told[:number])) for number in range(1, 5)]
    assert [each and (each.is_best, each.is_over, each.best) for each in decisions] == [
        (True, False, 0),
        (True, False, 1),
        (False, False, 1),
        (False, True, 1),
    ]
    assert selected(BEST, phases, history(*told)) == [(2, 1)]
    assert selected(None, phases, history(*told)) == [(4, 3)]


def test_patience_counts_epochs_without_a_better_one() -> None:
    phases = phases_of("simultaneous", 10)
    told = [(1, 1, 0.1), (1, 2, 0.3), (1, 3, 0.2), (1, 4, 0.25)]
    ends = {patience: decide(Selection("mrr@20", patience), phases, history(*told)) for patience in (1, 2, 3)}
    assert {patience: each and each.is_over for patience, each in ends.items()} == {
        1: True,
        2: True,
        3: False,
    }


def test_within_a_round_of_alternating_training_nothing_is_decided() -> None:
    """What the metric says after the ID's turn does not count."""
    phases, told = phases_of("alternating", 2), [(1, 1, 0.9), (2, 1, 0.2), (3, 1, 0.8), (4, 1, 0.1)]
    decisions = [decide(BEST, phases, history(*told[:number])) for number in range(1, 5)]
    assert [each and (each.is_best, each.is_over) for each in decisions] == [
        None,
        (True, False),
        None,
        (False, True),
    ]
    assert selected(BEST, phases, history(*told)) == [(1, 1)]


def test_each_phase_of_residual_training_keeps_its_own_best() -> None:
    phases = phases_of("residual", 3)
    told = history((1, 1, 0.1), (1, 2, 0.5), (1, 3, 0.2), (2, 1, 0.4), (2, 2, 0.3), (2, 3, 0.3))
    first = decide(BEST, phases, told[:3])
    assert first == Decision(is_best=False, is_over=True, best=1, next_phase=1)
    assert selected(BEST, phases, told) == [(2, 1), (1, 3)]
    assert [(record.phase, record.epoch) for record in lasting(BEST, phases, told)] == [
        (1, 1),
        (1, 2),
        (2, 1),
    ]
    assert lasting(None, phases, told) == told


@pytest.mark.parametrize(
    ("strategy", "rounds"), [("simultaneous", [2]), ("alternating", [2]), ("interleaving", [2])]
)
def test_a_shortened_schedule_is_that_of_fewer_epochs(strategy: str, rounds: list[int]) -> None:
    assert shortened(phases_of(strategy, 3), rounds) == phases_of(strategy, 2)


def test_a_shortened_residual_schedule_may_have_unequal_phases() -> None:
    assert [phase.epochs for phase in shortened(phases_of("residual", 3), [3, 1])] == [3, 1]
