"""Recommendations as a table: (session_id, rank, item_id, score), its files, and what is printed of it."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from rich.cells import cell_len
from rich.text import Text

from prnn_cli.data.new_sessions import NewSessions
from prnn_cli.errors import UserError
from prnn_cli.reporting.table_formats import TextTable
from prnn_cli.reporting.terminal import GAP
from prnn_cli.system.files import atomic_write

WIDTH = 80  # characters of a printed line
SHOWN_SESSIONS = 5
SHOWN_ID = 20  # characters


def recommendations(
    sessions: NewSessions,
    items: np.ndarray,
    scores: np.ndarray,
    item_ids: np.ndarray,
    shares: Mapping[str, np.ndarray] | None = None,
) -> pa.Table:
    """A line for each item of each session, best first; rank counts from 1.

    items, scores: (sessions with known clicks, n), where those at −inf are left out. A session without any item has
    one line, with null for rank, item_id and score: none vanishes. shares: of the score by subnet, (…, n) each, columns
    share_NAME
    """
    num_known, n = items.shape
    kept = np.isfinite(scores.ravel())
    place = np.repeat(sessions.known.session_index, n)[kept]
    without = np.setdiff1d(np.arange(len(sessions.ids)), place)
    ranks = np.tile(np.arange(1, n + 1, dtype=np.int32), num_known)[kept]
    table = pa.table(
        {
            "session_id": sessions.ids.take(pa.array(np.append(place, without))),
            "rank": _followed_by_nulls(pa.array(ranks), len(without)),
            "item_id": _followed_by_nulls(
                pa.array(item_ids).take(pa.array(items.ravel()[kept])), len(without)
            ),
            "score": _followed_by_nulls(pa.array(scores.ravel()[kept]), len(without)),
        }
        | {
            f"share_{name}": _followed_by_nulls(pa.array(share.ravel()[kept]), len(without))
            for name, share in (shares or {}).items()
        }
    )
    return table.take(pa.array(np.argsort(np.append(place, without), kind="stable")))


def _followed_by_nulls(values: pa.Array, number: int) -> pa.Array:
    return pa.concat_arrays([values, pa.nulls(number, values.type)])


class _JsonLinesWriter:
    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8")

    def write_table(self, table: pa.Table) -> None:
        frame = table.to_pandas(types_mapper=pd.ArrowDtype)  # whole numbers stay such beside null
        frame.to_json(self._file, orient="records", lines=True, force_ascii=False, double_precision=15)

    def close(self) -> None:
        self._file.close()


WRITERS: dict[str, Callable[[Path, pa.Schema], Any]] = {
    ".parquet": pq.ParquetWriter,
    ".csv": pa_csv.CSVWriter,
    ".jsonl": lambda path, _: _JsonLinesWriter(path),
}


class RecommendationsFile:
    """A file of recommendations that grows table by table, in the format of its ending, one of `WRITERS`.

    It is there when the context is left, whole, or not at all where it is left by an error.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._written = ExitStack()
        self._writer: Any = None

    def __enter__(self) -> "RecommendationsFile":
        self._temporary = self._written.enter_context(atomic_write(self.path))
        return self

    def write(self, table: pa.Table) -> None:
        if self._writer is None:
            self._writer = WRITERS[self.path.suffix.lower()](self._temporary, table.schema)
        self._writer.write_table(table)

    def __exit__(self, *error: Any) -> None:
        if self._writer is not None:
            self._writer.close()
        self._written.__exit__(*error)


def check_output(path: str) -> None:
    """Raises `UserError` where output=PATH has no known ending, is there already, or has no folder to lie in."""
    file = Path(path).expanduser()
    if file.suffix.lower() not in WRITERS:
        raise UserError(f"output={path} has an unknown ending; it must be one of {', '.join(WRITERS)}")
    if file.exists():
        raise UserError(f"output={path} is there already; remove it, or give another name")
    if not file.parent.is_dir():
        raise UserError(f"output={path} lies in no folder; make {file.parent} first")


def lines_of_sessions(table: pa.Table) -> TextTable:
    """The first sessions, a line of `WIDTH` each, with the best of their items."""
    rows = zip(table["session_id"].to_pylist(), table["item_id"].to_pylist(), strict=True)
    sessions = islice(groupby(rows, key=itemgetter(0)), SHOWN_SESSIONS)
    found = [
        (cut(name, SHOWN_ID), [item for _, item in items if item is not None]) for name, items in sessions
    ]
    room = WIDTH - GAP - max(cell_len(name) for name, _ in [("Session", []), *found])
    return TextTable(
        ["Session", "Best next items"], [[name, cut(", ".join(items), room)] for name, items in found], "ll"
    )


def lines_of_one_session(table: pa.Table, texts: Sequence[str] | None) -> TextTable:
    """The items of a single session, in lines of `WIDTH` unless ids are long, with their texts where there are any."""
    named = {"rank": "Rank", "item_id": "Item", "score": "score"}
    shares = {name: name.replace("_", " ") for name in table.column_names if name.startswith("share_")}
    named |= shares
    shown = table.select(list(named)).drop_null().to_pandas().rename(columns=named)
    if texts is not None:
        longest = max(map(cell_len, ["Item", *shown["Item"]]))
        of_shares = sum(len(name) + GAP for name in shares.values())
        room = max(WIDTH - len("Rank") - longest - len("-0.0000") - 3 * GAP - of_shares, len("Text"))
        shown["Text"] = [cut(" ".join(text.split()), room) for text in texts]
    return TextTable.from_frame(shown, dict.fromkeys(("score", *shares.values()), ".4f"))


def cut(text: str, width: int) -> str:
    """The text, or as much of it as fits into `width` cells of a terminal, with … at its end."""
    shown = Text(text)
    shown.truncate(width, overflow="ellipsis")
    return shown.plain
