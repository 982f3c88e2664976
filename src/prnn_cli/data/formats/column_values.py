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


def as_codes(column: pa.ChunkedArray) -> pa.DictionaryArray:
    """The ids of a column as int32 codes of distinct texts, null where an id is missing. Raises like `as_text`."""
    encoded = column.combine_chunks().dictionary_encode()
    texts = as_text(pa.chunked_array([encoded.dictionary]))
    indices = pc.cast(encoded.indices, pa.int32())
    if texts.null_count or pc.any(pc.is_in(texts, NO_ID)).as_py():
        texts = pc.if_else(pc.is_in(texts, NO_ID), None, texts)
        decoded = texts.take(indices).combine_chunks()
        return decoded.dictionary_encode()
    return pa.DictionaryArray.from_arrays(indices, texts.combine_chunks())


def as_numbers(column: pa.ChunkedArray) -> np.ndarray:
    """The column as float64, (num_rows,); NaN where it has no finite number."""
    try:
        numbers = column.cast(pa.float64()).to_numpy()
    except pa.ArrowException:
        parsed = pd.to_numeric(column.to_pandas(), errors="coerce")
        numbers = parsed.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(numbers), numbers, np.nan)
