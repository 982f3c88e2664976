"""Units in which times are written as numbers, and which of them would make more sense of a log."""

import re
from datetime import UTC, datetime
from typing import Any, TypeVar

import numpy as np

UNITS = {
    "seconds": 1.0,
    "milliseconds": 1e3,
    "microseconds": 1e6,
    "nanoseconds": 1e9,
}  # how many a second has
EXCEL = "excel_days"  # with fractions, as spreadsheets hold times
NUMERIC = (*UNITS, EXCEL)
EXCEL_DAYS_OF_1970 = 25_569
DATE_OF_DIGITS = re.compile(r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(\d{4}|\d{6})?")
# Seconds, 1990 to 2050: when a log of clicks is likely to be from.
LIKELY_FROM, LIKELY_UNTIL = 631_152_000, 2_524_608_000

Numbers = TypeVar("Numbers", float, np.ndarray)


def is_likely(seconds: Numbers) -> Any:
    """Whether a log of clicks is likely to be from a time, or from each of several."""
    return (seconds >= LIKELY_FROM) & (seconds < LIKELY_UNTIL)


def shown_time(seconds: float) -> str:
    """A time as text for a person, UTC."""
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat(" ", "seconds")


def seconds_of(numbers: Numbers, unit: str) -> Numbers:
    """Numbers of one of the units `NUMERIC` as seconds since 1970; spreadsheets' to the millisecond."""
    if unit == EXCEL:
        with np.errstate(over="ignore"):
            return np.round((numbers - EXCEL_DAYS_OF_1970) * 86_400, 3)  # type: ignore[no-any-return]
    return numbers / UNITS[unit]


def likely_unit(first: float, last: float, but: str | None = None) -> str | None:
    """The unit, other than `but`, in which both numbers are times that a log of clicks is likely to be from."""
    for unit in NUMERIC:
        if unit != but and all(is_likely(seconds_of(each, unit)) for each in (first, last)):
            return unit
    return None


def unit_advice(first: float, last: float, time_format: str) -> str:
    """A sentence where a log's times, read in `time_format`, would make more sense in another unit; else empty.

    first, last: seconds since 1970
    """
    if is_likely(last) or time_format not in ("auto", *NUMERIC):
        return ""
    read_as = (
        "seconds" if time_format == "auto" else time_format
    )  # no other unit that is guessed gives early times
    begin, end = _numbers_of(first, read_as), _numbers_of(last, read_as)
    if (unit := likely_unit(begin, end, but=read_as)) is None:
        return ""
    return (
        f"the times, such as {begin:.15g}, were read as {read_as}, from {shown_time(first)} to {shown_time(last)}; "
        f"as {unit} they are from {shown_time(seconds_of(begin, unit))} to {shown_time(seconds_of(end, unit))}: "
        f"set dataset.time_format={unit}"
    )


def format_advice(value: str, option: str = "dataset.time_format") -> str:
    """What to do about a value that is no time in the format that `option` set, or none that could be guessed."""
    if found := DATE_OF_DIGITS.fullmatch(value):
        clock = {0: "", 4: "%H%M", 6: "%H%M%S"}[len(found[4] or "")]
        return f'set {option}="%Y%m%d{clock}"'
    try:
        number = float(value)
    except ValueError:
        return "mend it or set another format"
    if unit := likely_unit(number, number):
        return f"as {unit} it is {shown_time(seconds_of(number, unit))}: set {option}={unit}"
    return "mend it or set another format"


def _numbers_of(seconds: float, unit: str) -> float:
    return seconds / 86_400 + EXCEL_DAYS_OF_1970 if unit == EXCEL else seconds * UNITS[unit]
