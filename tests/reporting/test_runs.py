from pathlib import Path

from prnn_cli.reporting.runs import gather_rows, read_run
from reporting.runs_on_disk import ALL_FIRST, trained, write_run


def test_the_same_run_twice_counts_once(tmp_path: Path) -> None:
    runs = [read_run(write_run(tmp_path / name, ALL_FIRST)) for name in "ab"]
    (row,), repeated = gather_rows(("mine", run) for run in runs)
    assert len(row.runs) == 1
    assert "the same settings and seed as" in repeated[0]


def test_a_row_whose_seeds_chose_other_epochs_says_all_of_them_and_the_mean_of_their_updates(
    tmp_path: Path,
) -> None:
    lengths = {1: trained(196, id=2), 2: trained(294, id=3), 3: trained(294, id=3)}
    runs = [
        read_run(write_run(tmp_path / str(seed), ALL_FIRST, seed=seed, train=train))
        for seed, train in lengths.items()
    ]
    (row,), _ = gather_rows(("mine", run) for run in runs)
    assert (row.epochs, row.updates) == ("2, 3", 261)
