"""The dataset's filters, which say what rows of a file are events at all."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from prnn_cli.data.bad_rows import BadRows
from prnn_cli.data.formats.column_values import as_numbers
from prnn_cli.data.formats.rows import FileRows
from prnn_cli.errors import UserError
from prnn_cli.schema import FilterConfig


def filter_rows(
    rows: FileRows, filters: list[FilterConfig], dropped: Counter[str], bad_rows: BadRows
) -> FileRows:
    """The rows that all filters keep.

    The others are counted in `dropped` for the first filter that drops them, or in `bad_rows` where that filter needs
    a number and there is none. Raises `UserError` for a filter without exactly one condition, or a wrong pattern.
    """
    for each in filters:
        reason = _reason(each)
        rows = _drop_non_numbers(each, rows, bad_rows)
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
    if each.below is not None:
        reasons.append(f"{each.column} not below {each.below:g}")
    if each.present:
        reasons.append(f"{each.column} missing")
    if len(reasons) != 1:
        raise UserError(
            f"dataset.filters or dataset.items.filters: the filter of column {each.column!r} must have exactly one of "
            "keep: PATTERN, exclude: PATTERN, above: NUMBER, below: NUMBER and present: true"
        )
    return reasons[0]


def _drop_non_numbers(each: FilterConfig, rows: FileRows, bad_rows: BadRows) -> FileRows:
    if each.above is None and each.below is None:
        return rows
    column = rows.table[each.column]
    bad = np.isnan(as_numbers(column)) & column.is_valid().to_numpy()
    bound = f"below={each.below:g}" if each.above is None else f"above={each.above:g}"
    what = f"is not a number, which the filter {bound} needs"
    bad_rows.add(rows, bad, each.column, column, what, "mend it")
    return rows.filter(~bad)


def _keeps(each: FilterConfig, rows: FileRows) -> np.ndarray:
    column = rows.table[each.column]
    present: np.ndarray = column.is_valid().to_numpy()
    if each.above is not None:
        return as_numbers(column) > each.above
    if each.below is not None:
        return as_numbers(column) < each.below
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
            f"dataset.filters or dataset.items.filters: {option}={pattern!r} cannot be applied ({error}); write an "
            "RE2 pattern, which has no look-around, for a column of text"
        ) from error
    return np.asarray(matches.fill_null(False).to_numpy())
