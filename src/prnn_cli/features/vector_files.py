"""Files of vectors made elsewhere -> item ids and a matrix. Nothing in them can run: no pickle is read."""

import contextlib
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from tokenize import TokenError

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.lib.format import open_memmap, read_array
from safetensors import SafetensorError, safe_open

from prnn_cli.data.formats.column_values import as_text
from prnn_cli.data.formats.log_files import open_file
from prnn_cli.data.formats.session_lists import is_list
from prnn_cli.data.formats.text_options import TextOptions
from prnn_cli.errors import UserError, first_line
from prnn_cli.features.vector_lengths import odd_length

ITEM_ID, VECTOR, VECTORS = "item_id", "vector", "vectors"

UNREADABLE = (OSError, ValueError, EOFError, SafetensorError, pa.ArrowException)
BROKEN_HEADER = (TokenError, SyntaxError, TypeError, MemoryError, OverflowError, RecursionError)  # of a .npy


def read_matrix(path: Path, id_column: str = ITEM_ID) -> tuple[np.ndarray, list[str] | None]:
    """Reads a matrix (num_rows, F) of floats or integers, and the item ids where the file has them (Parquet).

    .npy: the array; it may stay on disk. .safetensors: the tensor `vectors`, or the only one of two dimensions.
    .parquet: item_id or else `id_column`, and the only column of lists, or `vector` of several, or else all other
        numeric columns.
    Raises `UserError` for what is no such file.
    """
    read = MATRIX_READERS[_kind(path, MATRIX_READERS, "path")]
    with _explained(path, "path"):
        return read(path, id_column)


def read_ids(path: Path, id_column: str = ITEM_ID) -> list[str]:
    """Reads the item ids of a matrix's rows, as text.

    They are the lines of a .txt, a .npy array, or a column of a .csv, .tsv or .parquet: item_id, the only one, or else
    `id_column`.
    Raises `UserError` for what is no such file.
    """
    read = ID_READERS[_kind(path, ID_READERS, "item_ids")]
    with _explained(path, "item_ids"):
        return read(path, id_column)


def needs_id_column(path: Path) -> bool:
    """Whether the file is a table in which it takes the name of the ids' column to find it."""
    if path.suffix.lower() not in (".parquet", ".csv", ".tsv") or not path.is_file():
        return False
    columns = open_file(path, TextOptions("utf-8"), [ITEM_ID]).columns
    return ITEM_ID not in columns and len(columns) > 1


def _matrix_of_npy(path: Path, id_column: str) -> tuple[np.ndarray, None]:
    matrix: np.ndarray = open_memmap(path, mode="r")  # np.load would take a ZIP too
    if matrix.ndim != 2 or matrix.dtype.kind not in "fiu":
        raise ValueError(f"it holds {matrix.dtype} of shape {matrix.shape}, not a matrix of numbers")
    return matrix, None


def _matrix_of_safetensors(path: Path, id_column: str) -> tuple[np.ndarray, None]:
    with safe_open(path, framework="pt") as file:  # numpy knows no bfloat16
        shapes = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118 (no mapping)
        names = [name for name, shape in shapes.items() if len(shape) == 2]
        if VECTORS not in names and len(names) != 1:
            raise ValueError(f"it has the tensors {shapes}, but needs a matrix {VECTORS!r}")
        return file.get_tensor(VECTORS if VECTORS in names else names[0]).float().numpy(), None


def _matrix_of_parquet(path: Path, id_column: str) -> tuple[np.ndarray, list[str]]:
    table = pq.ParquetFile(path).read()
    id_column = _id_column(table.column_names, id_column)
    ids = _texts(table[id_column])
    lists = [name for name in table.column_names if is_list(table[name].type)]
    if VECTOR in table.column_names or len(lists) == 1:
        name = VECTOR if VECTOR in table.column_names else lists[0]
        return _stacked(table[name], name, ids), ids
    numeric = [name for name in table.column_names if name != id_column and _is_numeric(table[name].type)]
    if not numeric:
        raise ValueError(f"it needs a list column {VECTOR!r} or numeric columns beside {id_column}")
    columns = [table[name].cast(pa.float32(), safe=False).to_numpy() for name in numeric]  # null becomes NaN
    return np.column_stack(columns), ids


def _stacked(column: pa.ChunkedArray, name: str, ids: list[str]) -> np.ndarray:
    """(num_rows, F) float32 from lists of equal length."""
    if pa.types.is_fixed_size_list(column.type):
        column = column.cast(pa.list_(column.type.value_type))
    if not (pa.types.is_list(column.type) or pa.types.is_large_list(column.type)):
        raise ValueError(f"its column {name!r} is of type {column.type}, not lists of numbers")
    column = column.combine_chunks()
    sizes = column.value_lengths().fill_null(0).to_numpy()
    if odd := odd_length(sizes):
        row, what = odd
        raise ValueError(f"the vector of item {ids[row]!r}, row {row + 1}, {what}")
    values = column.flatten().cast(pa.float32(), safe=False).to_numpy(zero_copy_only=False)
    matrix: np.ndarray = values.reshape(len(sizes), -1)
    return matrix


def _ids_of_text(path: Path, id_column: str) -> list[str]:
    lines = path.read_text(encoding="utf-8-sig").removesuffix("\n").split("\n")
    return _texts(pa.chunked_array([lines]))


def _ids_of_npy(path: Path, id_column: str) -> list[str]:
    with path.open("rb") as file:
        ids = read_array(file, allow_pickle=False)
    if ids.ndim != 1:
        raise ValueError(f"it has the shape {ids.shape}, not one id a row")
    return _texts(pa.chunked_array([pa.array(ids.tolist())]))


def _ids_of_table(path: Path, id_column: str) -> list[str]:
    file = open_file(path, TextOptions("utf-8"), [ITEM_ID, id_column])
    name = file.columns[0] if len(file.columns) == 1 else _id_column(file.columns, id_column)
    return _texts(file.read([name])[name])


def _id_column(columns: Sequence[str], otherwise: str) -> str:
    for name in (ITEM_ID, otherwise):
        if name in columns:
            return name
    needed = " or ".join(dict.fromkeys([ITEM_ID, otherwise]))
    raise ValueError(f"it has the columns {', '.join(columns)}, but needs {needed}")


def _texts(column: pa.ChunkedArray) -> list[str]:
    ids: list[str | None] = pc.utf8_trim_whitespace(as_text(column)).to_pylist()
    texts = [each for each in ids if each]
    if len(texts) < len(ids):
        row = next(row for row, each in enumerate(ids) if not each)
        raise ValueError(f"row {row + 1} has no item id")
    return texts


def _is_numeric(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind))


def _kind(path: Path, kinds: Collection[str], option: str) -> str:
    kind = path.suffix.lower()
    if kind not in kinds:
        raise UserError(f"features.precomputed.{option}={path} must end in {', '.join(kinds)}")
    return kind


@contextlib.contextmanager
def _explained(path: Path, option: str) -> Iterator[None]:
    try:
        yield
    except (*UNREADABLE, *BROKEN_HEADER) as error:
        reason = first_line(error)
        raise UserError(f"features.precomputed.{option}={path} cannot be used: {reason}") from error


MATRIX_READERS: dict[str, Callable[[Path, str], tuple[np.ndarray, list[str] | None]]] = {
    ".npy": _matrix_of_npy,
    ".safetensors": _matrix_of_safetensors,
    ".parquet": _matrix_of_parquet,
}
ID_READERS: dict[str, Callable[[Path, str], list[str]]] = {
    ".txt": _ids_of_text,
    ".npy": _ids_of_npy,
    ".csv": _ids_of_table,
    ".tsv": _ids_of_table,
    ".parquet": _ids_of_table,
}
