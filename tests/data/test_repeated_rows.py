"""Events that stand in one file again: copies of a block are told, double clicks are not."""

from collections.abc import Callable
from pathlib import Path

import pytest

from data.conftest import HEADER
from prnn_cli.data import event_keys
from prnn_cli.data.events import read_events
from prnn_cli.schema import DatasetConfig

LINES = [f"s{n // 4},i{n % 10},{1700000000 + n}\n" for n in range(200)]
Warned = Callable[..., str]


@pytest.fixture
def warned(
    dataset_config: Callable[..., DatasetConfig], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> Warned:
    """warned(lines, option=…): the warnings about a file of these lines, below a header line."""

    def read(lines: list[str], header: str = HEADER, **options: object) -> str:
        caplog.clear()
        (tmp_path / "clicks.csv").write_text(header + "".join(lines))
        read_events(dataset_config(path=str(tmp_path), **options))
        return caplog.text

    return read


@pytest.mark.parametrize("sample", [1_000_000, 100])
def test_an_export_that_was_appended_to_itself_is_told(
    warned: Warned, monkeypatch: pytest.MonkeyPatch, sample: int
) -> None:
    """Of a large log the events of some sessions are compared."""
    monkeypatch.setattr(event_keys, "SAMPLE", sample)
    told = "clicks.csv repeats 50% of its events, 200 rows below the first time"
    assert told in warned(LINES + LINES)


def test_three_copies_and_the_copy_of_a_part_are_told(warned: Warned) -> None:
    assert "repeats 67% of its events, 200 rows below" in warned(LINES * 3)
    assert "repeats 20% of its events, 50 rows below" in warned(LINES + LINES[150:])  # 50 of 250
    assert "repeats 20% of its events, 200 rows below" in warned(LINES + LINES[:50])


def test_of_several_files_each_is_looked_at(warned: Warned, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HEADER + "".join(line.replace("s", "t") for line in LINES))
    told = warned(LINES + LINES)
    assert "clicks.csv repeats 50% of its events" in told
    assert "a.csv" not in told


def test_double_clicks_are_not_told(warned: Warned) -> None:
    """Each fourth click is written twice, at once or after those that others made meanwhile."""
    assert not warned([line for n, line in enumerate(LINES) for line in [line] * (1 + (n % 4 == 0))])
    late = {n + n % 7: line for n, line in enumerate(LINES) if n % 4 == 0}
    assert not warned([line for n, line in enumerate(LINES) for line in (line, late.get(n, ""))])


def test_a_doubled_export_that_was_sorted_is_told_by_its_share(warned: Warned) -> None:
    told = "100% of the events of clicks.csv stand there more than once"
    doubled = [line for line in LINES for _ in range(2)]
    assert told in warned(doubled)
    assert told not in warned(doubled, columns={"time": None}, split="share")
    ordered = [f"{n},{line}" for n, line in enumerate(doubled)]
    assert not warned(ordered, header=f"place,{HEADER}", columns={"order": "place"})
