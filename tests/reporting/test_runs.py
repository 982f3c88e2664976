from pathlib import Path

from prnn_cli.reporting.runs import gather_rows, read_run
from reporting.runs_on_disk import ALL_FIRST, write_run


def test_the_same_run_twice_counts_once(tmp_path: Path) -> None:
    runs = [read_run(write_run(tmp_path / name, ALL_FIRST)) for name in "ab"]
    (row,), repeated = gather_rows(("mine", run) for run in runs)
    assert len(row.runs) == 1
    assert "the same settings and seed as" in repeated[0]
