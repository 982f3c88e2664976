"""Files of one log that hold each other's events, in whatever bytes."""

import gzip
import io
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from data.conftest import HEADER, delimited
from prnn_cli.data import event_keys
from prnn_cli.data.events import Events, read_events
from prnn_cli.errors import UserError
from prnn_cli.schema import DatasetConfig

LINES = [f"s{n // 4},i{n % 10},{1700000000 + n}\n" for n in range(200)]


@pytest.fixture
def read_folder(dataset_config: Callable[..., DatasetConfig], tmp_path: Path) -> Callable[..., Events]:
    """read_folder({name: lines}): the log of files of these lines, below a header line."""

    def read(files: dict[str, list[str]], **options: object) -> Events:
        for name, lines in files.items():
            (tmp_path / name).write_text(HEADER + "".join(lines))
        return read_events(dataset_config(path=str(tmp_path), **options))

    return read


@pytest.mark.parametrize("other", ["clicks.csv.gz", "clicks.parquet", "shuffled.csv"])
def test_the_same_events_in_other_bytes_are_refused(
    read_folder: Callable[..., Events], tmp_path: Path, other: str
) -> None:
    frame = pd.read_csv(io.BytesIO(delimited(",")))
    if other == "clicks.csv.gz":
        (tmp_path / other).write_bytes(gzip.compress(delimited(",")))
    elif other == "clicks.parquet":
        frame.to_parquet(tmp_path / other)
    else:
        frame[::-1].to_csv(tmp_path / other, index=False)
    (tmp_path / "clicks.csv").write_bytes(delimited(","))
    with pytest.raises(UserError, match=r"clicks\.csv and .* hold the same events; leave one of them out"):
        read_folder({})


def test_lists_without_sessions_are_compared_as_a_whole(
    read_folder: Callable[..., Events], tmp_path: Path
) -> None:
    (tmp_path / "a.jsonl").write_text('{"item_id": ["x", "y"], "time": 5}\n')
    (tmp_path / "b.jsonl").write_text('{"item_id": ["x", "y"],  "time": 5}\n')
    with pytest.raises(UserError, match="hold the same events"):
        read_folder({}, columns={"session_id": None})


@pytest.mark.parametrize("sample", [1_000_000, 60])
def test_a_file_beside_its_parts_is_told_with_the_path_that_reads_it_once(
    read_folder: Callable[..., Events],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    sample: int,
) -> None:
    """Of a large log the events of some sessions are compared."""
    monkeypatch.setattr(event_keys, "SAMPLE", sample)
    files = {"train.csv": LINES[:160], "train_1.csv": LINES[:80], "train_2.csv": LINES[80:160]}
    read_folder(files | {"test.csv": LINES[160:]})
    assert "events of train_1.csv (100% of it) also stand in train.csv" in caplog.text
    assert "events of train_2.csv (100% of it) also stand in train.csv" in caplog.text
    assert "test.csv" not in caplog.text
    assert ("80 events of train_1.csv" in caplog.text) == (sample == 1_000_000)
    assert (
        "each counts twice; read one of them alone" in caplog.text
    )  # no pattern matches test and train alone


def test_of_a_whole_and_its_parts_the_whole_is_proposed(
    read_folder: Callable[..., Events], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    read_folder({"all.csv": LINES, "part_1.csv": LINES[:99], "part_2.csv": LINES[99:]})
    assert f"dataset.path={tmp_path}/all.csv reads what holds the others" in caplog.text


def test_files_that_overlap_a_little_are_told_and_separate_ones_are_not(
    read_folder: Callable[..., Events], caplog: pytest.LogCaptureFixture
) -> None:
    read_folder({"a.csv": LINES[:100], "b.csv": LINES[100:]})
    assert not caplog.records
    read_folder({"a.csv": LINES[:110], "b.csv": LINES[100:]})
    assert "10 events of b.csv (10% of it) also stand in a.csv" in caplog.text
