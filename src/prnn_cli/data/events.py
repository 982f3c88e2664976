"""Files -> events: one log, sorted by time, with the rows that the dataset's filters keep."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from prnn_cli.data.bad_rows import BadRows
from prnn_cli.data.formats.columns import Clock, as_codes, as_numbers, as_text
from prnn_cli.data.formats.data_file import DataFile
from prnn_cli.data.formats.log_files import find_files, open_file, refuse_copies
from prnn_cli.data.formats.rows import FileRows, check_columns
from prnn_cli.data.formats.session_lists import is_list, one_row_an_event
from prnn_cli.data.row_filters import filtered
from prnn_cli.errors import UserError
from prnn_cli.schema import DatasetConfig
from prnn_cli.system.prefetch import prefetch
from prnn_cli.system.progress import meter

ROW_NUMBER = "(row)"  # the session_id of lists that have none
ID_COLUMNS = ("columns.session_id", "columns.item_id", "items.item_id")


@dataclass(frozen=True)
class Events:
    """A log, sorted by time, then by the order column, then as in the files: rows read = len + the sum of `dropped`.

    session, item: (num_events,) int32, codes of session_ids and item_ids, which are distinct texts (also where
        Parquet holds numbers)
    time: (num_events,) float64, seconds since 1970, UTC
    dropped: rows that were bad or that a filter took out, by reason
    rows_of_files: rows read of each file
    """

    session: np.ndarray
    item: np.ndarray
    time: np.ndarray
    session_ids: pa.Array
    item_ids: pa.Array
    dropped: dict[str, int]
    rows_of_files: list[int]

    def __len__(self) -> int:
        return len(self.time)


@dataclass
class Tally:
    """What reading a log counts beside the rows that it yields."""

    dropped: Counter[str] = field(default_factory=Counter)
    bad: BadRows = field(default_factory=BadRows)
    rows_of_files: list[int] = field(default_factory=list)


def read_events(dataset: DatasetConfig) -> Events:
    """Reads the log at `dataset.path`; raises `UserError` with file, line and column for what is no log."""
    tally = Tally()
    blocks, clock, file = [], Clock(dataset.time_format), None
    for rows in read_log(dataset, _event_columns(dataset), tally):
        if rows.file is not file:
            file, clock = rows.file, Clock(dataset.time_format)
        blocks.append(_events_of(rows, dataset, clock, tally.bad))
    num_rows = sum(tally.rows_of_files)
    tally.bad.judge(num_rows, dataset.max_bad_share)
    if not sum(map(len, blocks)):
        raise UserError(_why_empty(dataset, tally, num_rows))
    log = pa.concat_tables(blocks).unify_dictionaries()
    del blocks
    return _sorted_events(log, dict(tally.bad.counts + tally.dropped), tally.rows_of_files)


def read_log(dataset: DatasetConfig, columns: dict[str, str], tally: Tally) -> Iterator[FileRows]:
    """Block by block the rows that the dataset's filters keep, with at least the named columns.

    columns: config key -> name of the column that it asks for
    """
    wanted = columns | {f"filters[{n}].column": each.column for n, each in enumerate(dataset.filters)}
    files = find_files(dataset.path)
    sizes = [path.stat().st_size for path in files]
    with meter("reading", sum(sizes)) as progress:
        for number, path in enumerate(files):
            for rows in prefetch(_rows_of(path, dataset, wanted, tally)):
                yield filtered(rows, dataset.filters, tally.dropped, tally.bad)
                progress.update(sum(sizes[:number]) + rows.file.position, path.name)
    refuse_copies([path for path, num_rows in zip(files, tally.rows_of_files, strict=True) if num_rows])


def read_rows(file: DataFile, columns: dict[str, str]) -> FileRows:
    """All rows of a file, with the columns that `columns` names as in `read_log`; each must parse."""
    check_columns(file, columns)
    table = file.read(set(columns.values()))
    return FileRows(file, table, np.arange(len(table)))


def _rows_of(path: Path, dataset: DatasetConfig, wanted: dict[str, str], tally: Tally) -> Iterator[FileRows]:
    """The rows of one file block by block, counted, each a single event."""
    file = open_file(path, dataset.separator, dataset.encoding, wanted.values())
    check_columns(file, wanted)
    ids = {name for key, name in wanted.items() if key in ID_COLUMNS}
    rows_before, first = sum(tally.rows_of_files), 0
    tally.rows_of_files.append(0)
    for table in file.blocks(set(wanted.values()), ids):
        numbers = np.arange(first, first + len(table))
        first += len(table)
        if dataset.columns.session_id is None:
            table = table.append_column(ROW_NUMBER, pa.array(numbers + rows_before + 1))
        rows = _single_events(FileRows(file, table, numbers), dataset)
        tally.rows_of_files[-1] += len(rows.table)
        yield rows
    tally.rows_of_files[-1] += file.num_unparsed
    tally.bad.note_unparsed(file)


def _single_events(rows: FileRows, dataset: DatasetConfig) -> FileRows:
    columns = dataset.columns
    if dataset.list_separator is None and not is_list(rows.table[columns.item_id].type):
        if columns.session_id is None:
            raise UserError(
                f"dataset.columns.session_id=null makes each row a session, but {rows.file.path} holds single items "
                f"in the column {columns.item_id!r}; name the column of the sessions, or set dataset.list_separator"
            )
        return rows
    table, index = one_row_an_event(rows.table, columns.item_id, dataset.list_separator)
    return FileRows(rows.file, table, rows.numbers[index])


def _event_columns(dataset: DatasetConfig) -> dict[str, str]:
    """Config key -> name of the column that it asks for."""
    columns = dataset.columns
    wanted = {"columns.session_id": columns.session_id, "columns.item_id": columns.item_id}
    wanted |= {f"columns.{key}": name for key, name in time_columns(dataset).items()}
    wanted["columns.order"] = columns.order
    return {key: name for key, name in wanted.items() if name is not None}


def time_columns(dataset: DatasetConfig) -> dict[str, str]:
    time = dataset.columns.time
    if isinstance(time, str):
        return {"time": time}
    if isinstance(time, list) and len(time) == 3:
        return {f"time[{n}]": str(name) for n, name in enumerate(time)}
    raise UserError(f"dataset.columns.time={time} must be one column, or three as [year, month, day]")


def _events_of(rows: FileRows, dataset: DatasetConfig, clock: Clock, bad_rows: BadRows) -> pa.Table:
    """session_id, item_id (dictionaries of text), time, order (float64): of the rows that can be read."""
    columns = dataset.columns
    session, item = columns.session_id or ROW_NUMBER, columns.item_id
    values = {"session_id": _ids(session, rows), "item_id": _ids(item, rows)}
    good = np.ones(len(rows.table), dtype=bool)
    for name, codes in zip((session, item), values.values(), strict=True):
        hint = f"fill it in, or drop such rows with the filter {{column: {name}, present: true}}"
        missing = codes.is_null().to_numpy(zero_copy_only=False)
        bad_rows.note(rows, missing & good, name, rows.table[name], "is empty", hint)
        good &= ~missing

    time_name, times = _times(dataset, rows)
    values["time"] = clock.seconds(times)
    what = f"cannot be read as a time with dataset.time_format={dataset.time_format}"
    unknown = np.isnan(values["time"])
    bad_rows.note(rows, unknown & good, time_name, times, what, "mend it or set another format")
    good &= ~unknown

    if columns.order is not None:
        values["order"] = as_numbers(rows.table[columns.order])
        unknown = np.isnan(values["order"])
        what = "is not a number to order by"
        bad_rows.note(rows, unknown & good, columns.order, rows.table[columns.order], what, "mend it")
        good &= ~unknown
    table = pa.table(values)
    return table if good.all() else table.filter(pa.array(good))


def _ids(name: str, rows: FileRows) -> pa.DictionaryArray:
    column = rows.table[name]
    try:
        return as_codes(column)
    except pa.ArrowException as error:
        raise UserError(
            f"{rows.file.path}, column {name!r} is of type {column.type}; ids must be text or whole numbers"
        ) from error


def _times(dataset: DatasetConfig, rows: FileRows) -> tuple[str, pa.ChunkedArray]:
    """(name, column); a date in three columns is put together."""
    names = list(time_columns(dataset).values())
    if len(names) == 1:
        return names[0], rows.table[names[0]]
    parts = [as_text(rows.table[name]) for name in names]
    return ", ".join(names), pc.binary_join_element_wise(*parts, "-")


def _sorted_events(log: pa.Table, dropped: dict[str, int], rows_of_files: list[int]) -> Events:
    time = log["time"].to_numpy()
    session, item = (log[name].combine_chunks() for name in ("session_id", "item_id"))
    order: np.ndarray | slice
    if "order" in log.column_names:
        order = np.lexsort((log["order"].to_numpy(), time))  # stable
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
    )


def _why_empty(dataset: DatasetConfig, tally: Tally, num_rows: int) -> str:
    if not num_rows:
        return f"dataset.path={dataset.path} has a header but no rows; give a log with events"
    reason, count = (tally.dropped + tally.bad.counts).most_common(1)[0]
    return (
        f"dataset.path={dataset.path} has {num_rows} rows and dataset.filters dropped all of them "
        f"({count}: {reason}); loosen the filters"
    )
