"""Guesses what the columns of a table hold, by their names and by the first rows."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from prnn_cli.data.formats.column_values import as_numbers, as_text
from prnn_cli.data.formats.session_lists import explode_lists, is_list
from prnn_cli.data.formats.time_units import EXCEL, UNITS, likely_unit
from prnn_cli.data.formats.times import TimeParser, guessed_format

SESSION = r"session|visit(?!or)|basket|cart|invoice|trip|playlist|(^|_)sid$|order_?(id|no|num)"
USER = r"user|visitor|customer|client|member|account|cookie|viewer|reader|shopper|(^|_)uid$"
ITEM = (
    r"item|product|sku|stock_?code|article|asin|isbn|video|track|song|movie|film|listing|offer|content|hotel|city|page"
    r"|clicks?$|(^|_)[ip]id$"
)
TIME = r"time|date|stamp|when|_at$|^(ts|t|at)$"
# Told from afar: web server's logs name visitors by their addresses, and items by theirs.
ADDRESS = r"(^|_)ip(_|$)|ip_?addr|remote_?(addr|host)"
PAGE = r"(^|_)ur[li]$|(^|_)path$|request"
# Never ids, however often they repeat.
MEASURE = (
    r"price|amount|bytes|size|count|qty|quantity|rating|score|status|duration|dwell|seconds|weight|revenue|total|discount"
    r"|latency|(^|_)(lat|lon|lng|ms|sec|took|method|agent|ua|version|type|event|action)$"
)
ORDER = r"^(order|position|pos|seq|sequence|step|nr|index|click_?(no|num|number|order))$"
# Of an event within its day, where times are days alone; and what lasts, which is no such time.
MILLISECONDS = r"milli|(^|_)ms$"
LASTING = r"dwell|duration|latency|load|response|spent|took|watch|play|read"
TEXT = r"title|name|desc|text|summary|caption|headline"
# seconds, 1979 to 2103: numbers of this size are times whatever their column is called
SINCE, UNTIL = 3e8, 4.2e9
PATTERNS = [
    f"{date}{clock}"
    for date in ("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%Y/%m/%d", "%Y%m%d", "%d-%m-%Y", "%d %b %Y", "%d/%b/%Y")
    for clock in ("", " %H:%M", " %H:%M:%S", "%H%M%S", "%H%M", ":%H:%M:%S")
]
LIST_SEPARATORS = "|;, "
MOST = 0.95  # of the values must fit what a column is said to hold


@dataclass(frozen=True)
class LogColumns:
    """The columns of a log by what they hold.

    session: None where each row is a session
    time: one column, or three of year, month and day
    session_is_user: `session` names users, whose clicks are still to be cut into sessions
    guessed: the roles session_id and item_id that no column's name tells, and the column that is guessed by its values
    is_by_day: times are days alone, and no column is called like one that orders events
    within_day: the role milliseconds or order, and the column that is guessed to be it, where is_by_day holds
    """

    session: str | None
    item: str
    time: str | list[str]
    time_format: str
    order: str | None
    session_is_user: bool
    list_separator: str | None
    guessed: dict[str, str]
    is_by_day: bool
    within_day: dict[str, str]

    @property
    def time_names(self) -> list[str]:
        return [self.time] if isinstance(self.time, str) else self.time

    def item_values(self, sample: pa.Table) -> set[str]:
        """The distinct item ids of some rows of the log."""
        if self.list_separator or is_list(sample[self.item].type):
            sample, _ = explode_lists(sample.select([self.item]), self.item, self.list_separator)
        return set(as_text(sample[self.item]).to_pylist()) - {None}


def find_log_columns(sample: pa.Table) -> LogColumns | None:
    """Guesses the roles of a log's columns from its first rows.

    Returns None where no time, no item, or nothing that holds clicks together is found.
    """
    names = sample.column_names
    if not len(sample) or not (found := find_time(sample)):
        return None
    time, time_format = found
    free = [name for name in names if name not in ([time] if isinstance(time, str) else time)]
    session = _named(sample, free, SESSION) or _named(sample, free, USER) or _named(sample, free, ADDRESS)
    free = [name for name in free if name != session]
    lists = (name for name in free if is_list(sample[name].type))
    named = _named(sample, free, ITEM) or next(lists, None)
    item = named or _named(sample, free, PAGE)
    separator = _list_separator(sample, session, item) if item else None
    is_listed = item is not None and (separator is not None or is_list(sample[item].type))
    if session is None and not is_listed:
        session = _most_distinct(sample, [name for name in free if name != item])  # more sessions than items
    item = item or _most_distinct(sample, [name for name in free if name != session])
    if item is None or (session is None and not is_listed):
        return None
    users = f"{USER}|{ADDRESS}"
    by_user = session is not None and not fits(session, SESSION) and fits(session, users) and not is_listed
    order = next(
        (
            name
            for name in free
            if fits(name, ORDER) and name != item and _are_all_numbers(as_numbers(sample[name]))
        ),
        None,
    )
    is_told = session is None or fits(session, f"{SESSION}|{USER}")
    guessed = {} if is_told else {"session_id": str(session)}
    guessed |= {} if named else {"item_id": item}
    is_by_day = order is None and not is_listed and _are_days(sample, time, time_format)
    within_day = _within_day(sample, [name for name in free if name != item]) if is_by_day else {}
    return LogColumns(
        session, item, time, time_format, order, by_user, separator, guessed, is_by_day, within_day
    )


def same_ids(sample: pa.Table, ids: Collection[str]) -> str | None:
    """The column that names items as `ids` do: at least half of its values, or of the ids, are found."""
    names: list[str] = sample.column_names
    for name in sorted(names, key=lambda each: not fits(each, ITEM)):
        values = distinct_texts(sample[name])
        shared = len(values & set(ids))
        if values and shared >= 0.5 * min(len(values), len(ids)):
            return name
    return None


def text_columns(sample: pa.Table, names: Sequence[str], is_log: bool) -> list[str]:
    """The columns that hold text about items, titles first.

    They are told by their names; in a table that is no log, if none is called so, by holding several words.
    """
    named = named_text(sample, names)
    if named or is_log:
        return named
    texts = [name for name in names if pa.types.is_string(sample[name].type)]
    return [
        name
        for name in texts
        if np.mean([value.count(" ") for value in distinct_texts(sample[name])] or [0]) >= 1
    ]


def named_text(sample: pa.Table, names: Sequence[str]) -> list[str]:
    """The columns of text that are called like text about items, titles first."""
    named = [name for name in names if pa.types.is_string(sample[name].type) and fits(name, TEXT)]
    return sorted(named, key=lambda name: not fits(name, "title|name"))


def distinct_values(sample: pa.Table) -> dict[str, int]:
    """How many different values each column has."""
    return {name: len(distinct_texts(sample[name])) for name in sample.column_names}


def image_column(sample: pa.Table, names: Sequence[str], suffixes: tuple[str, ...]) -> str | None:
    """The first column that mostly names image files, not addresses of the web."""
    for name in names:
        values = distinct_texts(sample[name])
        files = [value.lower().endswith(suffixes) and "://" not in value for value in values]
        if files and np.mean(files) > 0.5:
            return name
    return None


def find_time(sample: pa.Table) -> tuple[str | list[str], str] | None:
    """(the column of times, or three of year, month and day, and their format), by names and values; None of none."""
    names = sorted(sample.column_names, key=lambda name: not fits(name, TIME))
    # numbers that are called times count where no column holds likely ones, as those since a session's start do not
    for trusts_names in (False, True):
        for name in names:
            if time_format := _time_format(sample[name], trusts_names and fits(name, TIME)):
                return name, time_format
    lower = {name.lower(): name for name in names}
    if {"year", "month", "day"} <= lower.keys():
        return [lower["year"], lower["month"], lower["day"]], "auto"
    return None


def _time_format(column: pa.ChunkedArray, is_called_so: bool) -> str | None:
    if is_list(column.type):
        column = pa.chunked_array([column.combine_chunks().flatten()])
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        return "auto"
    if not (
        pa.types.is_string(column.type)
        or pa.types.is_integer(column.type)
        or pa.types.is_floating(column.type)
    ):
        return None
    column = column.drop_null()
    if is_called_so and _is_days_of_a_spreadsheet(column):
        return EXCEL
    guess = guessed_format(column)
    if guess in UNITS or guess == "iso":
        seconds = TimeParser(guess).seconds(column)
        known = ~np.isnan(seconds)
        plausible = (
            known & (seconds > SINCE) & (seconds < UNTIL) if guess in UNITS and not is_called_so else known
        )
        if plausible.mean() >= MOST:
            return guess
    # a few values refuse most patterns; it takes all of them to tell days from months
    fitting = [pattern for pattern in PATTERNS if _share(column.slice(0, 50), pattern) >= MOST]
    return next((pattern for pattern in fitting if _share(column, pattern) >= MOST), None)


def _is_days_of_a_spreadsheet(column: pa.ChunkedArray) -> bool:
    """Whether the numbers are days with fractions, of dates that a log is likely to be from."""
    days = as_numbers(column)
    if not len(days) or np.isnan(days).mean() > 1 - MOST:
        return False
    first, last = np.nanquantile(days, [0.02, 0.98])
    return likely_unit(float(first), float(last)) == EXCEL and bool((days % 1 > 0).mean() > 0.5)


def _are_all_numbers(values: np.ndarray) -> bool:
    """Whether (nearly) all rows have a number, as in a column that orders events."""
    return bool(np.isnan(values).mean() <= 1 - MOST)


def _are_days(sample: pa.Table, time: str | list[str], time_format: str) -> bool:
    if isinstance(time, list):
        return True
    seconds = TimeParser(time_format).seconds(sample[time])
    known = seconds[~np.isnan(seconds)]
    return bool(len(known)) and not (known % 86_400).any()


def _within_day(sample: pa.Table, names: Sequence[str]) -> dict[str, str]:
    """The column that is guessed to tell the time of an event within its day, by its role.

    Milliseconds are called so, or are more than a day has seconds. What may be of another unit orders events, too.
    """
    for name in names:
        if not fits(name, f"{TIME}|{MILLISECONDS}") or fits(name, LASTING):
            continue
        numbers = as_numbers(sample[name])
        if not _are_all_numbers(numbers) or not np.nanmin(numbers) < np.nanmax(numbers) < SINCE * 10:
            continue
        is_long = np.nanmax(numbers) > 86_400
        return {"milliseconds" if is_long or fits(name, MILLISECONDS) else "order": name}
    return {}


def _share(column: pa.ChunkedArray, pattern: str) -> float:
    return float((~np.isnan(TimeParser(pattern).seconds(column))).mean()) if len(column) else 0.0


def _named(sample: pa.Table, names: Sequence[str], pattern: str) -> str | None:
    """The column with the most distinct values among those called so; of equal ones the first."""
    called = [name for name in names if fits(name, pattern)]
    counts = {name: len(distinct_texts(sample[name])) for name in called}
    return max(called, key=lambda name: counts[name]) if called else None


def _most_distinct(sample: pa.Table, names: Sequence[str]) -> str | None:
    """The column with the most distinct values among those whose values repeat, but are not almost all the same."""
    names = [
        name for name in names if not fits(name, MEASURE) and not pa.types.is_floating(sample[name].type)
    ]
    counts = {name: len(distinct_texts(sample[name])) for name in names}
    repeated = [
        name for name in names if 2 <= counts[name] <= 0.9 * len(sample) or is_list(sample[name].type)
    ]
    return max(repeated, key=lambda name: (is_list(sample[name].type), counts[name]), default=None)


def _list_separator(sample: pa.Table, session: str | None, item: str) -> str | None:
    """The character that separates items in the cells, if each row is a session."""
    column = sample[item]
    if not pa.types.is_string(column.type):
        return None
    if session is not None and len(distinct_texts(sample[session])) < MOST * len(sample):
        return None
    shares = {
        each: pc.mean(pc.match_substring(column, each).cast(pa.int8())).as_py() or 0
        for each in LIST_SEPARATORS
    }
    return next((each for each, share in shares.items() if share >= 0.5), None)


def distinct_texts(column: pa.ChunkedArray) -> set[str]:
    """The different values of a column, as text; none of one that has no plain text."""
    try:
        return set(as_text(column).unique().to_pylist()) - {None}
    except pa.ArrowException:
        return set()


def fits(name: str, pattern: str) -> bool:
    """Whether a column's name holds what a pattern finds, in any case."""
    return re.search(pattern, name.strip(), re.IGNORECASE) is not None
