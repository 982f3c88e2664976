"""Generated tables of columns of any type, and texts put together from what breaks readers."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

NUM_ROWS = 3

ODD_TEXTS = ["a", "1", "1.0", " a", "a\n", "", "nan", '"', "[1 2]", "['a'\n 'b']", "é", "9999-12-31", "1e400"]
TEXTS = st.sampled_from([*ODD_TEXTS, "2024-05-01", "soon"])
WHOLE = st.integers(-(2**63), 2**63 - 1)
SMALL = st.integers(-3, 3)
FLOATS = st.sampled_from([0.0, 1.0, 1.5, -1.0, 1e300, float("inf"), float("nan")])
NUMPY_HALF = st.builds(np.float16, st.sampled_from([0.0, 1.5, float("inf")]))

# type: values of it
KINDS: list[tuple[pa.DataType, st.SearchStrategy[Any]]] = [
    (pa.null(), st.none()),
    (pa.bool_(), st.booleans()),
    (pa.int8(), st.integers(-128, 127)),
    (pa.int64(), WHOLE),
    (pa.uint64(), st.integers(0, 2**64 - 1)),
    (pa.float16(), NUMPY_HALF),
    (pa.float32(), FLOATS.filter(lambda value: abs(value) < 1e38 or value != value)),
    (pa.float64(), FLOATS),
    (pa.decimal128(10, 2), st.sampled_from([Decimal("1.50"), Decimal("2")])),
    (pa.string(), TEXTS),
    (pa.large_string(), TEXTS),
    (pa.binary(), st.sampled_from([b"", b"a", b"\xff"])),
    (pa.binary(2), st.sampled_from([b"ab", b"\xff\xfe"])),
    (pa.date32(), st.integers(-(2**31), 2**31 - 1)),
    (pa.date64(), st.sampled_from([date(1, 1, 1), date(2024, 5, 1), date(9999, 12, 31)])),
    *((pa.timestamp(unit), WHOLE) for unit in ("ms", "us", "ns")),
    (pa.timestamp("us", "Asia/Tokyo"), st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1))),
    (pa.time32("s"), st.integers(0, 86_399)),
    (pa.time64("us"), st.integers(0, 86_399_999_999)),
    (pa.duration("s"), st.builds(timedelta, seconds=SMALL)),
    (pa.dictionary(pa.int32(), pa.string()), TEXTS),
    (pa.map_(pa.string(), pa.int64()), st.lists(st.tuples(TEXTS, SMALL), max_size=2)),
]


def _arrays(kind: pa.DataType, values: st.SearchStrategy[Any]) -> st.SearchStrategy[pa.Array]:
    rows = st.lists(st.one_of(st.none(), values, values), min_size=NUM_ROWS, max_size=NUM_ROWS)
    return rows.map(lambda chosen: pa.array(chosen, kind))


FLAT = st.sampled_from(KINDS).flatmap(lambda kind: _arrays(*kind))


def _in_lists(values: pa.Array, lengths: list[int]) -> pa.Array:
    """Lists of these lengths, null for −1, of the values over and over."""
    starts = np.concatenate([[0], np.cumsum(np.maximum(lengths, 0))])
    taken = values.take(pa.array(np.arange(starts[-1]) % len(values)))
    return pa.ListArray.from_arrays(
        pa.array(starts, pa.int32()), taken, mask=pa.array([length < 0 for length in lengths])
    )


LENGTHS = st.lists(st.integers(-1, 3), min_size=NUM_ROWS, max_size=NUM_ROWS)
LISTS = st.builds(_in_lists, FLAT, LENGTHS)
STRUCTURES = st.builds(lambda inner: pa.StructArray.from_arrays([inner], ["a"]), st.one_of(FLAT, LISTS))
COLUMNS = st.one_of(FLAT, LISTS, STRUCTURES, st.builds(_in_lists, STRUCTURES, LENGTHS))

ARRAYS = st.builds(
    lambda dtype, shape: np.zeros(shape).astype(dtype),
    st.sampled_from(["f2", "f8", "i1", "u8", "?", "U2", "S2", "O", "M8[s]", "c8", ">f4"]),
    st.sampled_from([(), (3,), (3, 2), (0, 2), (3, 0), (3, 1, 2)]),
)

# Lines of delimited text, one piece after the other.
WORDS = ["a", "b c", "1", "7.0", "2024-05-01", "1714550000", "é", "nan", "session_id", "item_id", "time"]
SIGNS = [",", ",", "\t", ";", "::", "|", " ", "\n", "\n", "\r\n", "\r", '"', '""', "'", "#", "[", "]", "{"]
CONTROLS = ["\u2028", "\ufeff", "\x1f", "\x00", "\x85"]
PIECES = st.sampled_from([*WORDS, *SIGNS, *CONTROLS])
TEXT_OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "separator": st.sampled_from([",", "\t", "::", "→", " ", "|", "\x1f"]),
        "header": st.sampled_from(
            [["session_id", "item_id", "time"], ["time", "item_id", "session_id", "x"]]
        ),
        "comment": st.sampled_from(["#", "a", "é"]),
        "quoting": st.sampled_from(["auto", "double", "none"]),
        "encoding": st.sampled_from(
            ["utf-8", "cp1252", "utf-16", "latin-1", "utf-7", "shift_jis", "utf-8-sig"]
        ),
        "list_separator": st.sampled_from([" ", ",", "::"]),
        "columns": st.sampled_from([{"session_id": None}, {"order": "time"}, {"next_item_id": "session_id"}]),
        "time_format": st.sampled_from(["auto", "iso", "seconds", "milliseconds", "%Y-%m-%d", "%Y-%Y"]),
        "filters": st.sampled_from([[{"column": "time", "above": 0}], [{"column": "item_id", "keep": "a"}]]),
    },
)

JSON_VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        SMALL,
        st.sampled_from([2**70, 2**60 + 1, 1714550000, 1e400, 1.0]),
        TEXTS,
        st.just("\ud83d"),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["a", "b", "a.b", "\ud83d"]), inner, max_size=2),
    ),
    max_leaves=6,
)
