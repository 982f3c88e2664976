"""Arrow columns of any type -> text, codes of ids, and numbers."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

# how programs write that an id is missing
NO_ID = pa.array(["", "nan", "NaN", "<NA>", "null", "NULL", "None", r"\N"])


def as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column as strings; whole numbers become their digits, also where missing values made them floats in Parquet.

    Raises `pa.ArrowException` for what has no plain text: fractional numbers, lists, structures.
    """
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), None, column).cast(pa.int64())
    return column.cast(pa.string())


def as_codes(column: pa.ChunkedArray) -> tuple[pa.DictionaryArray, int]:
    """(the ids of a column as int32 codes of distinct texts, the number of rows with space around their id).

    Space around an id is no part of it; where an id is missing the code is null. Raises like `as_text`.
    """
    encoded = column.combine_chunks().dictionary_encode()
    written = as_text(pa.chunked_array([encoded.dictionary])).combine_chunks()
    indices = pc.cast(encoded.indices, pa.int32())
    texts = pc.utf8_trim_whitespace(written)
    is_missing = pc.fill_null(pc.is_in(texts, NO_ID), False)
    if texts.null_count == 0 and texts.equals(written) and not pc.any(is_missing).as_py():
        return pa.DictionaryArray.from_arrays(indices, texts), 0
    num_trimmed = pc.sum(pc.not_equal(texts, written).take(indices)).as_py() or 0
    texts = pc.if_else(is_missing, None, texts)
    return texts.take(indices).dictionary_encode(), num_trimmed


def as_numbers(column: pa.ChunkedArray) -> np.ndarray:
    """The column as float64, (num_rows,); NaN where it has no finite number. Of dates it is that of the day."""
    if pa.types.is_nested(column.type):
        return np.full(len(column), np.nan)
    if pa.types.is_date(column.type):
        column = column.cast(pa.date32()).cast(pa.int32())
    try:
        numbers = column.cast(pa.float64()).to_numpy()
    except pa.ArrowException:
        parsed = pd.to_numeric(column.to_pandas(), errors="coerce")
        numbers = parsed.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def value_text(column: pa.ChunkedArray, row: int) -> str:
    """A value as a person reads it in a message; empty where it is missing."""
    try:
        value = column[row].as_py()
    except (ValueError, OverflowError):
        return "a date that no calendar has"
    return "" if value is None else str(value)
