"""Where a run that goes on with more epochs stands in its new schedule."""

from collections.abc import Sequence

from prnn_cli.training.state import Cursor
from prnn_cli.training.strategies import Phase


def continued(cursor: Cursor, before: Sequence[Phase], now: Sequence[Phase]) -> Cursor | None:
    """The place in `now` of a run that has followed `before` up to `cursor`.

    None where a run that had followed `now` from its beginning would never have stood there.
    """
    done, current = cursor.phase, list(now[cursor.phase : cursor.phase + 1])
    if list(now[:done]) == list(before[:done]):
        if done == len(before):
            return cursor
        same = [phase.updates for phase in current] == [before[done].updates]
        return cursor if same and current[0].epochs > cursor.epoch else None
    # All phases are done, and the last of them is the one that now has more epochs.
    last = done - 1
    goes_on = (
        done == len(before)
        and list(now[:last]) == list(before[:last])
        and now[last].updates == before[last].updates
        and now[last].epochs > before[last].epochs
    )
    return Cursor(last, before[last].epochs, 0) if goes_on else None
