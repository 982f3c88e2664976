"""Columns of times in any format -> seconds since 1970 (UTC)."""

import re
from collections import Counter

import numpy as np
import pandas as pd
import pyarrow as pa

from prnn_cli.data.formats.column_values import as_numbers, as_text
from prnn_cli.data.formats.time_units import DATE_OF_DIGITS, NUMERIC, UNITS, seconds_of
from prnn_cli.errors import UserError

EARLIEST = -62_135_596_800  # seconds, the year 1
LATEST = 1e11  # seconds, the year 5138: what lies later is of another unit, or no time
GUESSED_FROM = 1000  # values at the beginning of a file


class TimeParser:
    """Parses the times of one file, block by block, as float64 seconds since 1970, UTC.

    time_format: seconds, milliseconds, microseconds, nanoseconds, excel_days, iso, a strptime pattern, or auto,
        which tells all but the days and the pattern by the first times of the file. Parquet timestamps and dates need
        no format.

    option: what sets the format, for messages

    Raises `UserError` for a format that does not exist.
    """

    def __init__(self, time_format: str, option: str = "dataset.time_format") -> None:
        if time_format not in ("auto", "iso", *NUMERIC) and "%" not in time_format:
            raise UserError(
                f"{option}={time_format} does not exist; choose auto, {', '.join(NUMERIC)}, iso "
                'or a pattern such as "%d/%m/%Y %H:%M"'
            )
        self.time_format, self.option = time_format, option
        self.guesses = time_format == "auto"

    def seconds(self, column: pa.ChunkedArray) -> np.ndarray:
        """The times as (num_rows,) float64, NaN where a value cannot be read; times without a zone are UTC.

        Raises `pa.ArrowException` for a column of a type that holds no times.
        """
        if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
            return _in_range(_of_timestamps(column))
        if self.time_format == "auto":
            self.time_format = guessed_format(column)
        if self.time_format == "auto":
            return np.full(len(column), np.nan)
        if self.time_format in NUMERIC:
            return self._of_numbers(as_numbers(column))
        pattern = "ISO8601" if self.time_format == "iso" else self.time_format
        return _in_range(_parsed(column, pattern, self.option))

    def _of_numbers(self, numbers: np.ndarray) -> np.ndarray:
        seconds = _in_range(seconds_of(numbers, self.time_format))
        if self.guesses and self.time_format != "seconds":
            # a log has one unit: what is smaller (a 0 for "unknown", say) is no time
            seconds[abs(seconds) < LATEST / 1000] = np.nan
        return seconds


def guessed_format(column: pa.ChunkedArray) -> str:
    """The format that most of the first values have: one of `UNITS` or iso, or auto where they tell nothing."""
    first = column.slice(0, GUESSED_FROM).drop_null()
    formats = Counter(_format_of(str(value)) for value in first.to_pylist())
    return formats.most_common(1)[0][0] if formats else "auto"


def _format_of(value: str) -> str:
    if DATE_OF_DIGITS.fullmatch(value):
        return "auto"  # 20240305 or 20240305090400 is a date and no number of seconds
    try:
        number = abs(float(value))
    except ValueError:
        return "iso"
    return next((unit for unit, per_second in UNITS.items() if number < LATEST * per_second), "seconds")


def _in_range(seconds: np.ndarray) -> np.ndarray:
    return np.where((seconds >= EARLIEST) & (seconds < LATEST), seconds, np.nan)


def _of_timestamps(column: pa.ChunkedArray) -> np.ndarray:
    if pa.types.is_date(column.type):
        column = column.cast(pa.timestamp("ms"))
    per_second = {"s": 1, "ms": 1e3, "us": 1e6, "ns": 1e9}[column.type.unit]
    counts: np.ndarray = column.cast(pa.int64()).to_numpy().astype(np.float64)
    return counts / per_second


def _parsed(column: pa.ChunkedArray, pattern: str, option: str) -> np.ndarray:
    texts = as_text(column)
    if pattern == "ISO8601":
        try:
            return _of_timestamps(texts.cast(pa.timestamp("us")))
        except pa.ArrowException:
            pass  # with zones, or not all of them times
    # each distinct text is parsed once: logs with times by the second or the day repeat them a lot
    encoded = texts.combine_chunks().dictionary_encode()
    if not len(encoded.dictionary):
        return np.full(len(column), np.nan)
    try:
        distinct = pd.to_datetime(encoded.dictionary.to_pandas(), format=pattern, utc=True, errors="coerce")
    except (ValueError, re.error) as error:
        raise UserError(
            f'{option}="{pattern}" is no strptime pattern ({error}); a valid one is "%d/%m/%Y %H:%M"'
        ) from error
    times = distinct.dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
    seconds = (times - np.datetime64(0, "us")) / np.timedelta64(1, "s")
    missing = -1
    codes = encoded.indices.fill_null(missing).to_numpy()
    return np.where(codes == missing, np.nan, seconds[codes])
