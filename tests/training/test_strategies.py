"""Each strategy's schedule as a table: (epochs, [(who scores, who learns), …]) of each phase."""

import pytest

from prnn_cli.training import strategies

A, B, C = "id", "image", "text"
SCHEDULES = {
    "simultaneous": [(2, [("id image text", "id image text")])],
    "alternating": [
        (1, [("id image text", "id")]),
        (1, [("id image text", "image")]),
        (1, [("id image text", "text")]),
        (1, [("id image text", "id")]),
        (1, [("id image text", "image")]),
        (1, [("id image text", "text")]),
    ],
    "residual": [(2, [("id", "id")]), (2, [("id image", "image")]), (2, [("id image text", "text")])],
    "interleaving": [(2, [("id", "id"), ("id image", "image"), ("id image text", "text")])],
}


@pytest.mark.parametrize("strategy", SCHEDULES)
def test_schedule(strategy: str) -> None:
    phases = getattr(strategies, strategy)([A, B, C], epochs=2)
    assert [
        (phase.epochs, [(" ".join(update.scores), " ".join(update.learns)) for update in phase.updates])
        for phase in phases
    ] == SCHEDULES[strategy]


@pytest.mark.parametrize("strategy", SCHEDULES)
def test_each_subnet_learns_for_as_many_epochs(strategy: str) -> None:
    phases = getattr(strategies, strategy)([A, B, C], epochs=5)
    for name in (A, B, C):
        assert sum(phase.epochs for phase in phases if name in phase.learning) == 5


@pytest.mark.parametrize("strategy", SCHEDULES)
def test_with_one_subnet_all_strategies_are_simultaneous(strategy: str) -> None:
    phases = getattr(strategies, strategy)([A], epochs=3)
    assert sum(phase.epochs for phase in phases) == 3
    assert all(phase.updates == (strategies.Update((A,), (A,)),) for phase in phases)


def test_simultaneous_is_one_phase_in_which_everything_learns() -> None:
    everything = ("id", "text")
    assert strategies.simultaneous(everything, 10) == [
        strategies.Phase(10, (strategies.Update(scores=everything, learns=everything),))
    ]
