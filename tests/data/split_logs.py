"""A split log by session, to be checked by eye."""

from collections.abc import Callable

from prnn_cli.data.sessions import sessions_of
from prnn_cli.data.split import SplitLog

Split = Callable[..., SplitLog]


def part(log: SplitLog, name: str) -> dict[str, str]:
    """session_id -> its item_ids, sessions in their order."""
    sessions = sessions_of(log.events, name, len(log.items))
    item_ids = log.items["item_id"].to_numpy()
    ids = log.session_ids.to_pylist()
    return {
        ids[sessions.session_index[s]]: "".join(item_ids[sessions.items[first:last]])
        for s, (first, last) in enumerate(zip(sessions.offsets[:-1], sessions.offsets[1:], strict=True))
    }
