"""Where a run with more epochs goes on."""

import pytest

from prnn_cli.training.resumption import continued
from prnn_cli.training.state import Cursor
from prnn_cli.training.strategies import STRATEGIES, Phase


@pytest.mark.parametrize(
    ("strategy", "stands", "epochs", "goes_on"),
    [
        ("residual", Cursor(0, 1, 3), 3, Cursor(0, 1, 3)),  # still in the phase that gets longer
        ("residual", Cursor(1, 0, 0), 3, None),
        ("residual", Cursor(2, 0, 0), 3, None),
        ("simultaneous", Cursor(1, 0, 0), 3, Cursor(0, 2, 0)),
        ("simultaneous", Cursor(0, 1, 0), 1, None),
        ("alternating", Cursor(4, 0, 0), 3, Cursor(4, 0, 0)),
        ("alternating", Cursor(1, 0, 0), 1, Cursor(1, 0, 0)),
        ("interleaving", Cursor(0, 1, 5), 9, Cursor(0, 1, 5)),
    ],
)
def test_more_epochs_are_taken_where_they_change_nothing_that_is_over(
    strategy: str, stands: Cursor, epochs: int, goes_on: Cursor | None
) -> None:
    """A run of two epochs for each of two subnets that asks for another number."""

    def schedule(epochs: int) -> list[Phase]:
        return STRATEGIES[strategy](("id", "text"), epochs)

    assert continued(stands, schedule(2), schedule(epochs)) == goes_on
