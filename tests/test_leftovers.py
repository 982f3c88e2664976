"""What can go is listed, with its size and age, and nothing else is touched."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from commands.conftest import Result
from prnn_cli.leftovers import DAY_S, leftovers
from prnn_cli.run_folder import RunFolder

Prnn = Callable[..., Result]
pytest_plugins = ["commands.conftest"]

DAY = "2026-03-01_10-00-00-000000"
HASH, OTHER = "0123456789abcdef" * 2, "fedcba9876543210" * 2


@pytest.fixture
def runs(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PRNN_CACHE_DIR", "cache")
    return workplace / "runs"


def run(path: Path, status: str, **files: str) -> RunFolder:
    """A run of ten days ago; files: their content by name, where __ stands for a dot"""
    folder = RunFolder(path)
    folder.write_status(status, command="train")
    for name, content in files.items():
        file(path / name.replace("__", "."), content)
    make_old(path)
    return folder


def file(path: Path, content: str = "content") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    make_old(path.parent)


def make_old(path: Path) -> None:
    ago = time.time() - 10 * DAY_S
    for each in [path, *path.rglob("*")]:
        os.utime(each, (ago, ago))


def listed(days: float = 7, sweeps: bool = False, checkpoints: bool = False) -> dict[str, str]:
    found = leftovers(Path("runs"), Path("cache"), days, sweeps, checkpoints)
    return {str(each.path): each.what for each in found}


def test_runs_without_a_result_in_folders_named_by_the_date_can_go(runs: Path) -> None:
    run(runs / f"{DAY}_failed", "failed", train__log="why")
    run(runs / f"{DAY}_dead", "running")  # nobody holds its lock
    run(runs / f"{DAY}_done", "done", metrics__json="{}")
    run(runs / "mine", "failed")
    file(runs / f"{DAY}_never" / "train.log", "")
    file(runs / f"{DAY}_notes" / "notes.txt")
    assert listed() == {
        f"runs/{DAY}_failed": "a failed run",
        f"runs/{DAY}_dead": "a run that is dead",
        f"runs/{DAY}_never": "a run that never began",
    }
    assert listed(days=11) == {}


def test_what_runs_is_never_listed(runs: Path) -> None:
    folder = run(runs / f"{DAY}_running", "running")
    with folder.held():
        assert listed(days=0) == {}


def test_sweeps_are_looked_into_when_asked(runs: Path) -> None:
    file(runs / "table2" / "multirun.yaml")
    run(runs / "table2" / "id_only-seed42", "failed")
    run(runs / "table2" / "parallel-seed42", "done", metrics__json="{}")
    make_old(runs)
    assert listed() == {}
    assert listed(sweeps=True) == {"runs/table2/id_only-seed42": "a failed run"}


def test_a_run_that_can_be_resumed_is_called_so(runs: Path) -> None:
    folder = run(runs / f"{DAY}_stopped", "failed")
    file(folder.checkpoint_file)
    assert listed() == {f"runs/{DAY}_stopped": "a failed run, can be resumed"}


def test_checkpoints_of_finished_runs_can_go_when_asked(runs: Path) -> None:
    done = run(runs / "mine", "done", metrics__json="{}")
    file(done.checkpoint_file)
    file(run(runs / "other", "failed").checkpoint_file)
    assert listed() == {}
    assert list(listed(checkpoints=True)) == ["runs/mine/checkpoint"]


def test_entries_of_the_cache_that_a_run_names_or_links_to_stay(runs: Path) -> None:
    file(Path("cache/prepared") / HASH / "events.parquet")
    file(Path("cache/prepared") / OTHER / "events.parquet")
    file(Path("cache/features") / HASH / "vectors.safetensors")
    file(Path("cache/ranks") / f"markov-{OTHER}.safetensors")
    file(Path("cache/else") / OTHER / "mine.txt")
    run(runs / "mine", "done", metrics__json=f'{{"data_hash": "{HASH}"}}')
    os.link(f"cache/features/{HASH}/vectors.safetensors", runs / "mine" / "image.safetensors")
    assert listed() == {
        f"cache/prepared/{OTHER}": "prepared data, of no run; made again where needed",
        f"cache/ranks/markov-{OTHER}.safetensors": "ranks of a baseline, of no run; made again where needed",
    }


def test_what_was_set_aside_as_damaged_can_go(runs: Path) -> None:
    file(runs / "mine" / "metrics.json.damaged")
    file(Path("cache/prepared") / f"{HASH}.damaged" / "events.parquet")
    assert listed()["runs/mine/metrics.json.damaged"] == "damaged, set aside"
    assert f"cache/prepared/{HASH}.damaged" in listed()


def test_clean_lists_and_removes_only_when_told_to(prnn: Prnn, runs: Path) -> None:
    run(runs / f"{DAY}_failed", "failed", train__log="x" * 2000)
    run(runs / "mine", "done", metrics__json="{}")
    before = sorted(runs.rglob("*"))
    told = prnn("clean")
    assert told.exit_code == 0
    assert f" KB    10 days  runs/{DAY}_failed  (a failed run)\n" in told.out
    assert "nothing was removed: add remove=true" in told.out
    assert sorted(runs.rglob("*")) == before
    assert sorted(path.name for path in runs.parent.iterdir()) == ["runs"]
    assert "\nremoved: 1, 2." in prnn("clean", "remove=true").out
    assert [path.name for path in runs.iterdir()] == ["mine"]
    assert prnn("clean").out == "nothing to remove below runs and cache, unused for 7 days\n"


def test_links_are_not_followed(runs: Path) -> None:
    file(Path("elsewhere") / "notes.txt")
    runs.mkdir()
    (runs / f"{DAY}_link").symlink_to(Path("elsewhere").absolute())
    assert listed(days=0) == {}
