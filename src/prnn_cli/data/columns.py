"""Arrow columns -> text, numbers, and seconds since 1970 (UTC)."""

import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from prnn_cli.errors import UserError

LATEST = 1e11  # seconds, the year 5138: larger numbers are milliseconds (from 1973 on) or no times


def as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whole numbers become their digits, also where missing values made them floats in Parquet.

    Raises `pa.ArrowException` for what has no plain text: fractional numbers, lists, structures.
    """
    if pa.types.is_floating(column.type):
        column = column.cast(pa.int64())
    return column.cast(pa.string())


def as_numbers(column: pa.ChunkedArray) -> np.ndarray:
    """float64; NaN where the column has no finite number."""
    try:
        numbers = column.cast(pa.float64()).to_numpy()
    except pa.ArrowInvalid:
        numbers = pd.to_numeric(column.to_pandas(), errors="coerce").to_numpy(
            dtype=np.float64, na_value=np.nan
        )
    return np.where(np.isfinite(numbers), numbers, np.nan)


def as_seconds(column: pa.ChunkedArray, time_format: str) -> np.ndarray:
    """float64 seconds since 1970, UTC; NaN where a value cannot be read; times without a zone are UTC.

    `time_format`: seconds, milliseconds, iso, a strptime pattern, or auto, which tells the first three
    apart. Parquet timestamps and dates need no format.
    """
    if not len(column):
        return np.empty(0)
    seconds = _seconds(column, time_format)
    return np.where(abs(seconds) < LATEST, seconds, np.nan)


def _seconds(column: pa.ChunkedArray, time_format: str) -> np.ndarray:
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        return _since_1970(column.cast(pa.timestamp("us"), safe=False).to_numpy())
    if time_format == "auto":
        return _guessed(column)
    if time_format == "seconds":
        return as_numbers(column)
    if time_format == "milliseconds":
        return as_numbers(column) / 1000
    if time_format == "iso":
        return _parsed(column, "ISO8601")
    if "%" in time_format:
        return _parsed(column, time_format)
    raise UserError(
        f"dataset.time_format={time_format} does not exist; choose auto, seconds, milliseconds, iso "
        'or a pattern such as "%d/%m/%Y %H:%M"'
    )


def _guessed(column: pa.ChunkedArray) -> np.ndarray:
    if column.null_count == len(column):
        return np.full(len(column), np.nan)
    first = pc.first(column).as_py()  # the first that is not null
    if re.fullmatch(r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(\d{4}|\d{6})?", str(first)):
        return np.full(len(column), np.nan)  # 20240305 or 20240305090400 is a date and no number of seconds
    if np.isnan(as_numbers(pa.chunked_array([[first]], column.type))[0]):
        return _parsed(column, "ISO8601")
    numbers = as_numbers(column)
    in_milliseconds = abs(numbers) >= LATEST
    # a log has one unit: what differs from its first time (a 0 for "unknown", say) is no time
    numbers[in_milliseconds != in_milliseconds[0]] = np.nan
    return numbers / 1000 if in_milliseconds[0] else numbers


def _parsed(column: pa.ChunkedArray, pattern: str) -> np.ndarray:
    """Each distinct text is parsed once: logs with times by the second or the day repeat them a lot."""
    encoded = as_text(column).combine_chunks().dictionary_encode()
    try:
        distinct = pd.to_datetime(encoded.dictionary.to_pandas(), format=pattern, utc=True, errors="coerce")
    except ValueError as error:
        raise UserError(
            f'dataset.time_format="{pattern}" is no strptime pattern ({error}); '
            'a valid one is "%d/%m/%Y %H:%M"'
        ) from error
    seconds = _since_1970(distinct.dt.tz_localize(None).to_numpy(dtype="datetime64[us]"))
    missing = -1
    codes = encoded.indices.fill_null(missing).to_numpy()
    return np.where(codes == missing, np.nan, seconds[codes])


def _since_1970(times: np.ndarray) -> np.ndarray:
    return (times - np.datetime64(0, "us")) / np.timedelta64(1, "s")
