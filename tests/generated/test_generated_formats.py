"""Whatever a file holds, it is read with counts that add up, or refused with a sentence."""

import io
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save

from generated.cases import EDITS, cases, edited
from generated.tables import ARRAYS, COLUMNS, JSON_VALUES, NUM_ROWS, PIECES, TEXT_OPTIONS
from generated.test_generated_logs import dataset_of
from prnn_cli.data.describe.proposal import describe
from prnn_cli.data.events import read_events
from prnn_cli.errors import UserError
from prnn_cli.features.vector_files import read_ids, read_matrix

ROLES = ["session_id", "item_id", "time", "order", "next_item_id"]
GOOD = {"session_id": ["1", "1", "2"], "item_id": ["a", "b", "a"], "time": [10, 11, 12]}
GOOD_ROW = {"session_id": "1", "item_id": "a", "time": 10}
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "list_separator": st.sampled_from([" ", ","]),
        "time_format": st.sampled_from(["auto", "iso", "seconds", "nanoseconds", "%Y-%m-%d"]),
        "session_gap_s": st.just(5),
        "filters": st.sampled_from([[{"column": "item_id", "keep": "a"}], [{"column": "time", "above": 1}]]),
    },
)


def check(path: Path, options: dict[str, Any]) -> None:
    try:
        events = read_events(dataset_of(path, **{"max_bad_share": 1.0} | options))
    except UserError as error:
        assert len(str(error).splitlines()) == 1  # noqa: PT017
        return
    assert sum(events.rows_of_files) == len(events) + sum(events.dropped.values())
    assert np.isfinite(events.time).all()
    assert None not in (events.item_ids.take(events.item).to_pylist() + events.session_ids.to_pylist())


@cases(60)
@given(st.dictionaries(st.sampled_from(ROLES), COLUMNS, min_size=1, max_size=3), OPTIONS)
def test_parquet_columns_of_any_type(columns: dict[str, pa.Array], options: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "clicks.parquet")
        table = pa.table({name: pa.array(values) for name, values in GOOD.items()} | columns)
        try:
            pq.write_table(table, path)
        except pa.ArrowException:  # a type that Parquet has not, or a value out of its range
            return
        # what lies within a structure is a column by its path
        leaves = {name: f"{name}.a" if holds_structures(table[name]) else name for name in table.column_names}
        check(path, {"columns": leaves} | options)


def holds_structures(column: pa.ChunkedArray) -> bool:
    kind = column.type
    return pa.types.is_struct(kind.value_type if pa.types.is_list(kind) else kind)


@cases(60)
@given(
    st.lists(st.dictionaries(st.sampled_from([*ROLES, "more"]), JSON_VALUES), min_size=1, max_size=4),
    st.sampled_from(["item_id", "item_id.a", "item_id.a.b"]),
    OPTIONS,
    EDITS | st.just([]),
)
def test_json_of_any_shape(
    rows: list[dict[str, Any]], item: str, options: dict[str, Any], edits: list[tuple[str, float, bytes]]
) -> None:
    lines = "".join(f"{json.dumps(GOOD_ROW | row)}\n" for row in rows)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "clicks.jsonl")
        path.write_bytes(edited(lines.encode(), edits))
        check(path, {"columns": {"item_id": item}} | options)


@cases(80)
@given(st.lists(PIECES, max_size=60), st.booleans(), TEXT_OPTIONS)
def test_text_of_any_kind(pieces: list[str], has_header: bool, options: dict[str, Any]) -> None:
    text = "session_id,item_id,time\n1,a,10\n" * has_header + "".join(pieces)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "clicks.csv")
        path.write_bytes(text.encode(options.get("encoding", "utf-8"), "replace"))
        check(path, options)


@cases(30)
@given(st.lists(PIECES, max_size=40), COLUMNS, EDITS | st.just([]))
def test_any_file_is_described_or_refused(
    pieces: list[str], column: pa.Array, edits: list[tuple[str, float, bytes]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        text = ("session_id,item_id,time\n" + "".join(pieces)).encode()
        Path(folder, "a.csv").write_bytes(edited(text, edits))
        try:
            pq.write_table(pa.table(GOOD | {"x": column}), Path(folder, "b.parquet"))
        except pa.ArrowException:
            return
        for path in (f"{folder}/a.csv", f"{folder}/b.parquet", folder):
            try:
                assert "columns:" in describe(path, set()).yaml
            except UserError as error:
                assert str(error)  # noqa: PT017


@cases(60)
@given(COLUMNS, st.sampled_from(["item_id", "vector", "x"]), ARRAYS, EDITS | st.just([]))
def test_vectors_of_any_type(
    column: pa.Array, role: str, array: np.ndarray, edits: list[tuple[str, float, bytes]]
) -> None:
    table = pa.table({"item_id": ["a", "b", "c"], "x": [1.0, 2.0, 3.0]} | {role: column})
    parquet, npy = io.BytesIO(), io.BytesIO()
    try:
        pq.write_table(table, parquet)
    except pa.ArrowException:
        return
    np.save(npy, array, allow_pickle=True)
    tensors = save({"vectors": np.ones((NUM_ROWS, 2), np.float32)})
    with tempfile.TemporaryDirectory() as folder:
        for name, content in (
            ("m.parquet", parquet.getvalue()),
            ("m.npy", npy.getvalue()),
            ("m.safetensors", tensors),
        ):
            path = Path(folder, name)
            path.write_bytes(edited(content, edits))
            for read in (read_matrix, read_ids):
                try:
                    read(path)
                except UserError as error:
                    assert str(error)  # noqa: PT017
