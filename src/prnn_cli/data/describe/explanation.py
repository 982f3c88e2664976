"""A prepared log -> tables for a person that show how it was read: files, columns, times, a few sessions."""

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from prnn_cli.data.events import time_columns
from prnn_cli.data.formats.log_files import open_file
from prnn_cli.data.formats.text_options import TextOptions
from prnn_cli.data.formats.time_units import shown_time
from prnn_cli.data.log_rows import session_columns
from prnn_cli.data.parts import PARTS
from prnn_cli.data.prepare import PreparedData, log_files
from prnn_cli.schema import DatasetConfig

FILES_SHOWN = 6
SESSIONS_SHOWN = 5
ITEMS_SHOWN = 8
LONG_ID = 24  # characters, as of a hash: of longer ids the ends are shown


def explanation(dataset: DatasetConfig, data: PreparedData) -> dict[str, pd.DataFrame]:
    """The tables that explain how a log was read, title -> table. `dataset` names its files (`prepare.with_files`)."""
    tables = {
        "Files": files_table(log_files(dataset), data.summary["rows_of_files"]),
        "Columns": columns_table(dataset, data),
        "Last days": days_table(data.summary["last_days"]),
        "Example sessions": example_sessions(data),
    }
    if dataset.columns.time is None:  # all times are 0
        del tables["Last days"], tables["Example sessions"]["begins (UTC)"]
    return tables


def files_table(files: list[Path], rows: list[int]) -> pd.DataFrame:
    """A line for each of the first files, one for the others, and the total where there are several."""
    lines = [(str(path), count) for path, count in zip(files, rows, strict=True)]
    if len(lines) > FILES_SHOWN:
        others = lines[FILES_SHOWN - 1 :]
        lines = [*lines[: FILES_SHOWN - 1], (f"{len(others)} more files", sum(count for _, count in others))]
    if len(files) > 1:
        lines.append((f"{len(files)} files", sum(rows)))
    return pd.DataFrame(lines, columns=["File", "rows"])


def columns_table(dataset: DatasetConfig, data: PreparedData) -> pd.DataFrame:
    """A line for each role of a column (session, item, time, …): the column's name, and how it was read."""
    columns, items = dataset.columns, dataset.items
    files = zip(log_files(dataset), data.summary["rows_of_files"], strict=True)
    with_rows = next(file for file, count in files if count)
    first = open_file(with_rows, TextOptions.of_log(dataset), _named(dataset))
    gap_s, separator = dataset.session_gap_s, dataset.list_separator
    gap = "" if gap_s is None else f"cut where {gap_s:g} s pass without an event"
    listed = "" if separator is None else f"lists separated by {separator!r}"
    if dataset.list_item is not None:
        listed += f"{listed and ', '}the item in an element is {dataset.list_item}"
    begin, end = (shown_time(data.summary[key]) for key in ("first", "last"))
    lines = [
        ("session", ", ".join(session_columns(dataset)) or "(each row)", gap),
        ("item", columns.item_id, listed),
        ("time", ", ".join(time_columns(dataset).values()), f"{begin} to {end} UTC")
        if columns.time is not None
        else ("time", "none", "rows are in order"),
    ]
    if columns.milliseconds is not None:
        lines.append(("milliseconds", columns.milliseconds, "added to the time"))
    if columns.next_item_id is not None:
        lines.append(("next item", columns.next_item_id, "after those of the list"))
    if columns.order is not None:
        lines.append(("order", columns.order, ""))
    source = "" if items.path is None else f"of {items.path}"
    lines += [("text", name, source) for name in items.text]
    lines += [(f"{name}'s vectors", column, source) for name, column in items.vector_columns.items()]
    if items.has_properties:
        named = (items.properties.property, items.properties.value, items.properties.time)
        lines.append(("properties", ", ".join(filter(None, named)), source))
    if items.image or items.image_pattern:
        lines.append(("image", items.image or str(items.image_pattern), source))
    unused = [name for name in first.columns if name not in _named(dataset)]
    lines.append(("not used", ", ".join(unused) or "none", ""))
    return pd.DataFrame(lines, columns=["What", "column", "note"])


def days_table(days: list[dict[str, Any]]) -> pd.DataFrame:
    """A line for each of the last days that hold sessions (`part_sizes.about_days`)."""
    lines = [(each["day"], each["sessions"], each["ranked"]) for each in days]
    return pd.DataFrame(lines, columns=["Day (UTC)", "sessions", "events to rank"])


def example_sessions(data: PreparedData) -> pd.DataFrame:
    """A line for each of a few sessions, spread evenly over the prepared log."""
    path = data.folder / "events.parquet"
    num_sessions = sum(data.summary[part]["sessions"] for part in PARTS if part in data.summary)
    chosen = sorted({n * (num_sessions - 1) // (SESSIONS_SHOWN - 1) for n in range(SESSIONS_SHOWN)})
    events = pq.read_table(path, filters=[("session_index", "in", chosen)]).to_pandas()
    lines = []
    for _, session in events.groupby("session_index"):
        items = data.item_ids[session["item_index"].iloc[:ITEMS_SHOWN]].tolist()
        more = "" if len(session) <= ITEMS_SHOWN else f" … {len(session)} in all"
        first = session.iloc[0]
        begin = shown_time(first["time"])
        lines.append(
            (_shortened(first["session_id"]), first["part"], begin, " ".join(map(_shortened, items)) + more)
        )
    return pd.DataFrame(lines, columns=["Session", "part", "begins (UTC)", "items"])


def _shortened(name: str) -> str:
    """The name, or the ends of one that would fill the line."""
    return name if len(name) <= LONG_ID else f"{name[: LONG_ID // 2]}…{name[-LONG_ID // 4 :]}"


def _named(dataset: DatasetConfig) -> set[str]:
    """The columns of the log that the settings name."""
    columns, items = dataset.columns, dataset.items
    named = {
        *session_columns(dataset),
        columns.item_id,
        columns.next_item_id,
        columns.milliseconds,
        columns.order,
        *time_columns(dataset).values(),
    }
    named |= {each.column for each in dataset.filters}
    if items.path is None:
        named |= {*items.text, items.image}
    return {name for name in named if name is not None}
