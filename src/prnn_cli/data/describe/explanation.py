"""What was read of a log, as tables for a person: files, columns, times, a few sessions."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from prnn_cli.data.events import time_columns
from prnn_cli.data.formats.log_files import find_files, open_file
from prnn_cli.data.prepare import PreparedData
from prnn_cli.schema import DatasetConfig

FILES_SHOWN = 6
SESSIONS_SHOWN = 5
ITEMS_SHOWN = 8


def explanation(dataset: DatasetConfig, data: PreparedData) -> dict[str, pd.DataFrame]:
    """By title. `dataset` names its files (`prepare.with_files`)."""
    return {
        "Files": files_table(find_files(dataset.path), data.summary["rows_of_files"]),
        "Columns": columns_table(dataset, data),
        "Example sessions": example_sessions(data),
    }


def files_table(files: list[Path], rows: list[int]) -> pd.DataFrame:
    """The first files, the number of the others, and the total where there are several."""
    lines = [(str(path), count) for path, count in zip(files, rows, strict=True)]
    if len(lines) > FILES_SHOWN:
        others = lines[FILES_SHOWN - 1 :]
        lines = [*lines[: FILES_SHOWN - 1], (f"{len(others)} more files", sum(count for _, count in others))]
    if len(files) > 1:
        lines.append((f"{len(files)} files", sum(rows)))
    return pd.DataFrame(lines, columns=["File", "rows"])


def columns_table(dataset: DatasetConfig, data: PreparedData) -> pd.DataFrame:
    """What each column was read as, and how."""
    columns, items = dataset.columns, dataset.items
    first = open_file(find_files(dataset.path)[0], dataset.separator, dataset.encoding, _named(dataset))
    gap = (
        ""
        if dataset.session_gap_s is None
        else f"cut where {dataset.session_gap_s:g} s pass without an event"
    )
    begin, end = (datetime.fromtimestamp(data.summary[key], UTC) for key in ("first", "last"))
    listed = "" if dataset.list_separator is None else f"lists separated by {dataset.list_separator!r}"
    lines = [
        ("session", columns.session_id or "(each row)", gap),
        ("item", columns.item_id, listed),
        (
            "time",
            ", ".join(time_columns(dataset).values()),
            f"{begin:%Y-%m-%d %H:%M:%S} to {end:%Y-%m-%d %H:%M:%S} UTC",
        ),
    ]
    if columns.order is not None:
        lines.append(("order", columns.order, ""))
    source = "" if items.path is None else f"of {items.path}"
    lines += [("text", name, source) for name in items.text]
    if items.image or items.image_pattern:
        lines.append(("image", items.image or str(items.image_pattern), source))
    unused = [name for name in first.columns if name not in _named(dataset)]
    lines.append(("not used", ", ".join(unused) or "none", ""))
    return pd.DataFrame(lines, columns=["What", "column", "note"])


def example_sessions(data: PreparedData) -> pd.DataFrame:
    """Spread evenly over the prepared log."""
    path = data.folder / "events.parquet"
    num_sessions = sum(
        data.summary[part]["sessions"] for part in ("train", "validation", "test") if part in data.summary
    )
    chosen = sorted({n * (num_sessions - 1) // (SESSIONS_SHOWN - 1) for n in range(SESSIONS_SHOWN)})
    events = pq.read_table(path, filters=[("session_index", "in", chosen)]).to_pandas()
    lines = []
    for _, session in events.groupby("session_index"):
        items = data.item_ids[session["item_index"].iloc[:ITEMS_SHOWN]].tolist()
        more = "" if len(session) <= ITEMS_SHOWN else f" … {len(session)} in all"
        begin = datetime.fromtimestamp(session["time"].iloc[0], UTC)
        lines.append(
            (
                session["session_id"].iloc[0],
                session["part"].iloc[0],
                f"{begin:%Y-%m-%d %H:%M:%S}",
                " ".join(items) + more,
            )
        )
    return pd.DataFrame(lines, columns=["Session", "part", "begins (UTC)", "items"])


def _named(dataset: DatasetConfig) -> set[str]:
    columns, items = dataset.columns, dataset.items
    named = {columns.session_id, columns.item_id, columns.order, *time_columns(dataset).values()}
    named |= {each.column for each in dataset.filters}
    if items.path is None:
        named |= {*items.text, items.image}
    return {name for name in named if name is not None}
