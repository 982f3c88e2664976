"""Files -> events: one log, sorted by time, with the rows that the dataset's filters keep."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from prnn_cli.data.columns import as_numbers, as_seconds, as_text
from prnn_cli.data.log_files import LogFile, find_files, open_file
from prnn_cli.errors import UserError
from prnn_cli.schema import DatasetConfig, FilterConfig


@dataclass(frozen=True)
class Events:
    """A log: rows read = len(frame) + the sum of `dropped`.

    frame: session_id and item_id (categories of text, also where Parquet holds numbers), time (float64,
        seconds since 1970, UTC), sorted by time, then by the order column, then as in the files
    dropped: rows that each filter took out, by reason
    """

    frame: pd.DataFrame
    dropped: dict[str, int]

    @property
    def rows(self) -> int:
        return len(self.frame) + sum(self.dropped.values())


def read_events(dataset: DatasetConfig) -> Events:
    """Reads the log at `dataset.path`; raises `UserError` with file, line and column for what is no log."""
    dropped: Counter[str] = Counter()
    files = read_log(dataset, _event_columns(dataset), dropped)
    log = pa.concat_tables([_events_of(rows, dataset) for rows in files])
    if not len(log):
        raise UserError(_why_empty(dataset, dropped))
    return Events(_sorted_frame(log.unify_dictionaries()), {k: n for k, n in dropped.items() if n})


def read_log(dataset: DatasetConfig, columns: dict[str, str], dropped: Counter[str]) -> Iterator["Rows"]:
    """For each file of the log the rows that the dataset's filters keep, with at least the named columns.

    columns: config key -> name of the column that it asks for
    """
    wanted = columns | {f"filters[{n}].column": each.column for n, each in enumerate(dataset.filters)}
    for path in find_files(dataset.path):
        rows = read_rows(open_file(path, dataset.separator, dataset.encoding, wanted.values()), wanted)
        yield _filtered(rows, dataset.filters, dropped)


def read_rows(file: LogFile, columns: dict[str, str]) -> "Rows":
    """All rows of a file, with the columns that `columns` names as in `read_log`."""
    _check_columns(file, columns)
    table = file.read(set(columns.values()))
    return Rows(file, table, np.arange(len(table)))


@dataclass(frozen=True)
class Rows:
    """Rows of one file that are still in, with their row numbers in it, so that errors can say where."""

    file: LogFile
    table: pa.Table
    numbers: np.ndarray

    def filter(self, keep: np.ndarray) -> "Rows":
        return Rows(self.file, self.table.filter(pa.array(keep)), self.numbers[keep])

    def refuse(self, bad: np.ndarray, name: str, column: pa.ChunkedArray, what: str) -> None:
        """Raises `UserError` for the first bad value of `column`, if there is one."""
        if bad.any():
            first = int(bad.argmax())
            value = column[first].as_py()
            shown = "" if value is None else f" {str(value)!r}"
            raise UserError(f"{self.file.place(int(self.numbers[first]))}, column {name!r}:{shown} {what}")


def _event_columns(dataset: DatasetConfig) -> dict[str, str]:
    """Config key -> name of the column that it asks for."""
    columns = dataset.columns
    wanted = {"columns.session_id": columns.session_id, "columns.item_id": columns.item_id}
    wanted |= {f"columns.{key}": name for key, name in _time_columns(dataset).items()}
    if columns.order is not None:
        wanted["columns.order"] = columns.order
    return wanted


def _time_columns(dataset: DatasetConfig) -> dict[str, str]:
    time = dataset.columns.time
    if isinstance(time, str):
        return {"time": time}
    if isinstance(time, list) and len(time) == 3:
        return {f"time[{n}]": str(name) for n, name in enumerate(time)}
    raise UserError(f"dataset.columns.time={time} must be one column, or three as [year, month, day]")


def _check_columns(file: LogFile, wanted: dict[str, str]) -> None:
    for key, name in wanted.items():
        if name not in file.columns:
            raise UserError(
                f"{file.path} has no column {name!r}; it has {', '.join(map(repr, file.columns))}"
                f"{file.layout and f' (read {file.layout})'}; set dataset.{key}"
            )
        if file.columns.count(name) > 1:
            raise UserError(f"{file.path} has more than one column {name!r}; rename one of them")


def _filtered(rows: Rows, filters: list[FilterConfig], dropped: Counter[str]) -> Rows:
    for each in filters:
        reason = _reason(each)
        keep = _keeps(each, rows)
        dropped[reason] += int((~keep).sum())
        rows = rows.filter(keep)
    return rows


def _reason(each: FilterConfig) -> str:
    reasons = []
    if each.keep is not None:
        reasons.append(f"{each.column} does not match {each.keep}")
    if each.exclude is not None:
        reasons.append(f"{each.column} matches {each.exclude}")
    if each.above is not None:
        reasons.append(f"{each.column} not above {each.above:g}")
    if each.present:
        reasons.append(f"{each.column} missing")
    if len(reasons) != 1:
        raise UserError(
            f"dataset.filters: the filter of column {each.column!r} must have exactly one of "
            "keep: PATTERN, exclude: PATTERN, above: NUMBER and present: true"
        )
    return reasons[0]


def _keeps(each: FilterConfig, rows: Rows) -> np.ndarray:
    column = rows.table[each.column]
    present: np.ndarray = column.is_valid().to_numpy()
    if each.above is not None:
        numbers = as_numbers(column)
        what = f"is not a number, which the filter above={each.above:g} needs"
        rows.refuse(np.isnan(numbers) & present, each.column, column, what)
        return numbers > each.above
    if each.keep is not None:
        return _matches(each.keep, "keep", column)
    if each.exclude is not None:
        return ~_matches(each.exclude, "exclude", column)
    return present


def _matches(pattern: str, option: str, column: pa.ChunkedArray) -> np.ndarray:
    try:
        matches = pc.match_substring_regex(column.cast(pa.string()), pattern)
    except pa.ArrowException as error:
        raise UserError(
            f"dataset.filters: {option}={pattern!r} cannot be applied ({error}); write an RE2 pattern, "
            "which has no look-around, for a column of text"
        ) from error
    return np.asarray(matches.fill_null(False).to_numpy())


def _events_of(rows: Rows, dataset: DatasetConfig) -> pa.Table:
    """session_id, item_id (dictionaries of text), time, order (float64)."""
    return pa.table(
        {
            "session_id": _ids(dataset.columns.session_id, rows),
            "item_id": _ids(dataset.columns.item_id, rows),
            "time": _times(dataset, rows),
            "order": _order(dataset.columns.order, rows),
        }
    )


def _ids(name: str, rows: Rows) -> pa.DictionaryArray:
    column = rows.table[name]
    hint = f"fill it in, or drop such rows with the filter {{column: {name}, present: true}}"
    rows.refuse(~column.is_valid().to_numpy(), name, column, f"is empty; {hint}")
    try:
        # one chunk a file: to unify dictionaries costs their length for every chunk
        return as_text(column).dictionary_encode().combine_chunks()
    except pa.ArrowException as error:
        raise UserError(
            f"{rows.file.path}, column {name!r} is of type {column.type}; ids must be text or whole numbers"
        ) from error


def _times(dataset: DatasetConfig, rows: Rows) -> np.ndarray:
    names = list(_time_columns(dataset).values())
    if len(names) == 1:
        column, time_format = rows.table[names[0]], dataset.time_format
    else:
        column = pc.binary_join_element_wise(*[as_text(rows.table[name]) for name in names], "-")
        time_format = "%Y-%m-%d"
    seconds = as_seconds(column, time_format)
    what = f"cannot be read as a time with dataset.time_format={time_format}; mend it or set another format"
    rows.refuse(np.isnan(seconds), ", ".join(names), column, what)
    return seconds


def _order(name: str | None, rows: Rows) -> np.ndarray:
    if name is None:
        return np.zeros(len(rows.table))
    column = rows.table[name]
    numbers = as_numbers(column)
    rows.refuse(np.isnan(numbers), name, column, "is not a number to order by")
    return numbers


def _sorted_frame(log: pa.Table) -> pd.DataFrame:
    order = np.lexsort((log["order"].to_numpy(), log["time"].to_numpy()))  # stable
    ids = {name: _categories(log[name]).take(order) for name in ("session_id", "item_id")}
    return pd.DataFrame(ids | {"time": log["time"].to_numpy()[order]})


def _categories(column: pa.ChunkedArray) -> pd.Categorical:
    encoded = column.combine_chunks()
    return pd.Categorical.from_codes(encoded.indices.to_numpy(), encoded.dictionary.to_pandas())


def _why_empty(dataset: DatasetConfig, dropped: Counter[str]) -> str:
    if not dropped.total():
        return f"dataset.path={dataset.path} has a header but no rows; give a log with events"
    reason, count = dropped.most_common(1)[0]
    return (
        f"dataset.path={dataset.path} has {dropped.total()} rows and dataset.filters dropped all of them "
        f"({count}: {reason}); loosen the filters"
    )
