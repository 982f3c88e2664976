"""A dataset's log -> events sorted by time; where the log holds users, these are cut into sessions."""

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from prnn_cli.data.bad_rows import BadRows
from prnn_cli.data.counting_sort import counting_argsort
from prnn_cli.data.event_keys import keys_of_events
from prnn_cli.data.formats.column_values import as_codes, as_numbers, as_text, value_text
from prnn_cli.data.formats.rows import FileRows
from prnn_cli.data.formats.time_units import format_advice
from prnn_cli.data.formats.times import TimeParser
from prnn_cli.data.id_forms import warn_of_odd_ids, with_one_number_form
from prnn_cli.data.log_rows import KEPT, ROW_NUMBER, RowCounts, read_log, session_columns
from prnn_cli.data.repeated_events import check_no_repeats
from prnn_cli.data.repeated_rows import warn_of_repeated_rows
from prnn_cli.data.seen_ids import SeenIds
from prnn_cli.data.stray_times import without_stray_times
from prnn_cli.errors import UserError
from prnn_cli.schema import DatasetConfig

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Events:
    """A log, sorted by time, then by the order column, then as in the files.

    Each row that was read is an event or is counted in `dropped`.

    session, item: (num_events,) int32, codes of session_ids and item_ids, which are distinct texts (also where
        Parquet holds numbers)
    time: (num_events,) float64, seconds since 1970, UTC
    dropped: rows that were bad or that a filter took out, by reason
    rows_of_files: rows read of each file
    is_test: (num_sessions,) bool, the sessions, by code, of a test log that was given; None where none was
    is_kept: (num_events,) bool, whether the filters keep the event; None where all that are here are kept
    """

    session: np.ndarray
    item: np.ndarray
    time: np.ndarray
    session_ids: pa.Array
    item_ids: pa.Array
    dropped: dict[str, int]
    rows_of_files: list[int]
    is_test: np.ndarray | None = None
    is_kept: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.time)


def read_events(dataset: DatasetConfig) -> Events:
    """Reads the log at `dataset.path`; where `dataset.session_gap_s` is set, its users are cut into sessions.

    Raises `UserError` with file, line and column for what is no log.
    """
    events = _in_sessions(_events_as_written(dataset), dataset)
    if dataset.split != "given":
        return events
    test = read_events(replace(dataset, path=dataset.test_path, files=None, test_path=None, split="days"))
    return with_test_log(events, test, dataset)


def with_test_log(events: Events, test: Events, dataset: DatasetConfig) -> Events:
    """The events of both logs, sorted by time; `is_test` tells the sessions of the second.

    Raises `UserError` where a session's id stands in both.
    """
    ids = test.session_ids
    # Numbers of rows, and of a user's sessions, begin anew in each log.
    if dataset.columns.session_id is None or dataset.session_gap_s is not None:
        ids = pc.binary_join_element_wise("test", ids, "#")
    in_both = pc.filter(ids, pc.is_in(ids, events.session_ids))
    if len(in_both):
        raise UserError(
            f"{len(in_both)} sessions, such as {in_both[0].as_py()!r}, stand in dataset.path={dataset.path} and in "
            f"dataset.test_path={dataset.test_path}; a session belongs to one of the two"
        )
    items = pa.chunked_array([events.item_ids, test.item_ids]).dictionary_encode().combine_chunks()
    codes = items.indices.to_numpy()[len(events.item_ids) :]
    time = np.concatenate([events.time, test.time])
    order = np.argsort(time, kind="stable")
    num_sessions = len(events.session_ids)
    return Events(
        session=np.concatenate([events.session, test.session + np.int32(num_sessions)])[order],
        item=np.concatenate([events.item, codes[test.item].astype(np.int32)])[order],
        time=time[order],
        session_ids=pa.concat_arrays([events.session_ids, ids]),
        item_ids=items.dictionary,
        dropped=dict(Counter(events.dropped) + Counter(test.dropped)),
        rows_of_files=events.rows_of_files + test.rows_of_files,
        is_test=np.arange(num_sessions + len(ids)) >= num_sessions,
    )


def _in_sessions(events: Events, dataset: DatasetConfig) -> Events:
    """The events, users cut into sessions if need be, without those that the filters drop."""
    if dataset.session_gap_s is not None:
        events = cut_at_gaps(events, dataset.session_gap_s)
    if (kept := events.is_kept) is None:
        return events
    columns = {name: getattr(events, name)[kept] for name in ("session", "item", "time")}
    return replace(events, **columns, is_kept=None)


def cut_at_gaps(events: Events, gap_s: float) -> Events:
    """Sessions USER#1, USER#2, …: one begins where the user's last event is more than `gap_s` seconds ago."""
    order = counting_argsort(events.session)
    user, time = events.session[order], events.time[order]
    is_new_user = np.diff(user, prepend=-1) != 0
    begins = is_new_user | (np.diff(time, prepend=0) > gap_s)
    session = np.empty(len(order), dtype=np.int32)
    session[order] = np.cumsum(begins) - 1
    users = user[begins]
    first = np.flatnonzero(is_new_user[begins])
    number = np.arange(len(users)) - np.repeat(first, np.diff(first, append=len(users))) + 1
    names = pc.binary_join_element_wise(
        events.session_ids.take(pa.array(users)), pa.array(number).cast(pa.string()), "#"
    )
    return replace(events, session=session, session_ids=names)


def time_columns(dataset: DatasetConfig) -> dict[str, str]:
    """The columns that tell the time, config key (below `dataset.columns`) -> name: one, or year, month and day; none
    of a log without times."""
    time = dataset.columns.time
    if time is None:
        return {}
    if isinstance(time, str):
        return {"time": time}
    if isinstance(time, list) and len(time) == 3:
        return {f"time[{n}]": str(name) for n, name in enumerate(time)}
    raise UserError(f"dataset.columns.time={time} must be one column, three as [year, month, day], or null")


def _events_as_written(dataset: DatasetConfig) -> Events:
    """The events of the log, whose `session` is what `dataset.columns.session_id` holds, be it a session or a user."""
    counts = RowCounts()
    blocks = []
    num_events = Counter[Path]()
    for path, block in _blocks_of(dataset, counts):
        blocks.append(block)
        if len(block):
            num_events[path] += len(block)
    counts.bad.check_share(counts.total, dataset.max_bad_share)
    counts.warn_of_trimmed()
    if not sum(map(len, blocks)):
        raise UserError(_why_empty(dataset, counts))
    table = pa.concat_tables(blocks).unify_dictionaries()
    del blocks  # as large as the log
    for place, name in enumerate(("session_id", "item_id")):
        table = table.set_column(place, name, with_one_number_form(table[name].combine_chunks(), name))
    warn_of_odd_ids(table["item_id"].combine_chunks(), "item_id", dataset.list_separator is not None)
    _look_for_repeats(num_events, table, dataset)
    table = without_stray_times(table, dataset, counts.bad, counts.total)
    return _sorted_events(table, dict(counts.bad.counts + counts.dropped), counts.rows_of_files)


def _look_for_repeats(num_events: dict[Path, int], table: pa.Table, dataset: DatasetConfig) -> None:
    columns = dataset.columns
    has_sessions = columns.session_id is not None
    keys = keys_of_events(list(num_events.values()), table, has_sessions)
    check_no_repeats(num_events, keys, has_sessions)
    tells_clicks_apart = has_sessions and columns.time is not None and columns.tells_apart is None
    warn_of_repeated_rows(num_events, keys, judges_shares=tells_clicks_apart)


def event_blocks(dataset: DatasetConfig, counts: RowCounts) -> Iterator[pa.Table]:
    """The events of a log whose sessions stand one after another, as tables of whole sessions.

    Of a log that is larger than memory, no more is held than a block of the file and the session that it ends with.
    Columns as in `events_of_block`. Raises `UserError` for what is no log, and where clicks of a session that ended
    come later.
    """
    ended = SeenIds()
    rest: pa.Table | None = None
    for _, block in _blocks_of(dataset, counts):
        together = pa.concat_tables([rest, block]).unify_dictionaries() if rest is not None else block
        if not len(together):
            continue
        session = together["session_id"].combine_chunks().indices.to_numpy()
        start = int(np.flatnonzero(session != session[-1])[-1]) + 1 if (session != session[-1]).any() else 0
        rest = _with_own_ids(together.slice(start))
        if start:
            yield ended.checked(together.slice(0, start), "session_id")
    if rest is not None:
        yield ended.checked(rest, "session_id")
    counts.bad.check_share(counts.total, dataset.max_bad_share)


def _with_own_ids(table: pa.Table) -> pa.Table:
    """The table without those ids in its dictionaries that no row has."""
    for place, name in enumerate(("session_id", "item_id")):
        column = table[name].combine_chunks().dictionary_decode().dictionary_encode()
        table = table.set_column(place, name, column)
    return table


def events_of_block(table: pa.Table, dataset: DatasetConfig) -> Events:
    """The events of some whole sessions, session by session, each by time."""
    return _in_sessions(_sorted_events(table.unify_dictionaries(), {}, []), dataset)


def _blocks_of(dataset: DatasetConfig, counts: RowCounts) -> Iterator[tuple[Path, pa.Table]]:
    """The events of each block of the log, as `_events_of` tells them, with their file."""
    parser, file = TimeParser(dataset.time_format), None
    for rows in read_log(dataset, event_columns(dataset), counts):
        if rows.file is not file:
            file, parser = rows.file, TimeParser(dataset.time_format)
        yield rows.file.path, _events_of(rows, dataset, parser, counts)


def event_columns(dataset: DatasetConfig) -> dict[str, str]:
    """The columns of an event, config key -> name."""
    columns = dataset.columns
    wanted: dict[str, str | None] = {
        f"columns.session_id[{n}]" if n else "columns.session_id": name
        for n, name in enumerate(session_columns(dataset))
    }
    wanted |= {"columns.item_id": columns.item_id}
    wanted |= {f"columns.{key}": name for key, name in time_columns(dataset).items()}
    wanted |= {"columns.milliseconds": columns.milliseconds, "columns.order": columns.order}
    return {key: name for key, name in wanted.items() if name is not None}


def _events_of(rows: FileRows, dataset: DatasetConfig, parser: TimeParser, counts: RowCounts) -> pa.Table:
    """Columns session_id, item_id (dictionaries of text), time and, if asked for, order (float64) of the good rows."""
    columns, bad_rows = dataset.columns, counts.bad
    of_session = {name: _ids(name, rows, counts) for name in session_columns(dataset) or [ROW_NUMBER]}
    of_item = _ids(columns.item_id, rows, counts)
    values = {"session_id": _joined(list(of_session.values())), "item_id": of_item}
    good = np.ones(len(rows.table), dtype=bool)
    for name, codes in [*of_session.items(), (columns.item_id, of_item)]:
        hint = f"fill it in, or drop such rows with the filter {{column: {name}, present: true}}"
        missing = codes.is_null().to_numpy(zero_copy_only=False)
        bad_rows.add(rows, missing & good, name, rows.table[name], "is empty", hint)
        good &= ~missing

    values["time"] = np.zeros(len(good))
    if columns.time is not None:
        time_name, times = _times(dataset, rows)
        values["time"] = _seconds(parser, times, time_name, rows)
        what = f"cannot be read as a time with dataset.time_format={dataset.time_format}"
        unknown = np.isnan(values["time"])
        unknown &= good
        hint = format_advice(value_text(times, int(unknown.argmax()))) if unknown.any() else ""
        bad_rows.add(rows, unknown, time_name, times, what, hint)
        good &= ~unknown

    if columns.milliseconds is not None:
        more, is_number = _numbers(columns.milliseconds, "is no number of milliseconds", rows, good, bad_rows)
        values["time"] = values["time"] + more / 1000
        good &= is_number
    if columns.order is not None:
        what = "is not a number to order by"
        values["order"], is_number = _numbers(columns.order, what, rows, good, bad_rows)
        good &= is_number
    if KEPT in rows.table.column_names:
        values["is_kept"] = rows.table[KEPT]
    table = pa.table(values)
    return table if good.all() else table.filter(pa.array(good))


def _numbers(
    name: str, what: str, rows: FileRows, good: np.ndarray, bad_rows: BadRows
) -> tuple[np.ndarray, np.ndarray]:
    """A column as (num_rows,) float64, and whether each is a number; where one of the good rows has none, it is bad."""
    numbers = as_numbers(rows.table[name])
    is_number = ~np.isnan(numbers)
    bad_rows.add(rows, ~is_number & good, name, rows.table[name], what, "mend it")
    return numbers, is_number


def _ids(name: str, rows: FileRows, counts: RowCounts) -> pa.DictionaryArray:
    column = rows.table[name]
    try:
        codes, num_trimmed = as_codes(column)
    except pa.ArrowException as error:
        raise UserError(
            f"{rows.file.path}, column {name!r} is of type {column.type}; ids must be text or whole numbers"
        ) from error
    if num_trimmed:
        counts.trimmed[name] += num_trimmed
    return codes


def _joined(ids: list[pa.DictionaryArray]) -> pa.DictionaryArray:
    """The ids of several columns as one, `A/B`; null where one is missing."""
    if len(ids) == 1:
        return ids[0]
    texts = [each.dictionary_decode() for each in ids]
    return pc.binary_join_element_wise(*texts, "/").dictionary_encode()


def _times(dataset: DatasetConfig, rows: FileRows) -> tuple[str, pa.ChunkedArray]:
    """The name and the values of the time's column; a date in three columns is put together."""
    names = list(time_columns(dataset).values())
    if len(names) == 1:
        return names[0], rows.table[names[0]]
    try:
        parts = [as_text(rows.table[name]) for name in names]
    except pa.ArrowException as error:
        kinds = ", ".join(str(rows.table[name].type) for name in names)
        raise UserError(
            f"{rows.file.path}, columns {names} are of types {kinds}; a date in three columns must be whole numbers"
        ) from error
    return ", ".join(names), pc.binary_join_element_wise(*parts, "-")


def _seconds(parser: TimeParser, times: pa.ChunkedArray, name: str, rows: FileRows) -> np.ndarray:
    try:
        if pa.types.is_nested(times.type):
            raise pa.ArrowTypeError
        return parser.seconds(times)
    except pa.ArrowException as error:
        raise UserError(
            f"{rows.file.path}, column {name!r} is of type {times.type}, which holds no times of "
            f"dataset.time_format={parser.time_format}; times must be numbers, text or timestamps"
        ) from error


def _sorted_events(table: pa.Table, dropped: dict[str, int], rows_of_files: list[int]) -> Events:
    time = table["time"].to_numpy()
    session, item = (table[name].combine_chunks() for name in ("session_id", "item_id"))
    order: np.ndarray | slice
    if "order" in table.column_names:
        order = np.lexsort((table["order"].to_numpy(), time))  # stable
    elif (time[1:] >= time[:-1]).all():
        order = slice(None)
    else:
        order = np.argsort(time, kind="stable")
    return Events(
        session=session.indices.to_numpy()[order],
        item=item.indices.to_numpy()[order],
        time=time[order],
        session_ids=session.dictionary,
        item_ids=item.dictionary,
        dropped=dropped,
        rows_of_files=rows_of_files,
        is_kept=table["is_kept"].to_numpy()[order] if "is_kept" in table.column_names else None,
    )


def _why_empty(dataset: DatasetConfig, counts: RowCounts) -> str:
    if not counts.total:
        return f"dataset.path={dataset.path} has a header but no rows; give a log with events"
    reason, count = (counts.dropped + counts.bad.counts).most_common(1)[0]
    if not counts.dropped.total():
        return (
            f"dataset.path={dataset.path} has {counts.total} rows, none of which can be read ({count}: {reason}); "
            "look at them, or name other columns in dataset.columns"
        )
    return (
        f"dataset.path={dataset.path} has {counts.total} rows and dataset.filters dropped all of them "
        f"({count}: {reason}); loosen the filters"
    )
