from pathlib import Path

import numpy as np
import pytest

from prnn_cli.reporting.comparison import Comparison
from prnn_cli.reporting.footer import footer
from prnn_cli.reporting.runs import Row, read_run
from reporting.runs_on_disk import ALL_FIRST, HALF, table_config, three_rows, trained, write_run

FIRST_OF_FOUR, THREE_OF_FOUR = [1, 30, 30, 30], [1, 1, 1, 30]
PARALLEL = {"arch": "parallel", "hidden_size": "8+8"}


def rows(folder: Path, **runs: tuple[list[int], int | None, dict[str, str]]) -> Comparison:
    """A row for each name: ranks, updates, and what else its metrics.json says."""
    made = [
        Row(name, runs=[read_run(write_run(folder / name, ranks, train=trained(updates), **other))])
        for name, (ranks, updates, other) in runs.items()
    ]
    return Comparison(made, table_config())


def test_an_interval_holds_its_mean(tmp_path: Path) -> None:
    comparison = three_rows(tmp_path)
    for method in comparison.methods:
        estimate = comparison.estimate(method, "mrr@20")
        assert estimate.low <= estimate.mean + 1e-6
        assert estimate.mean <= estimate.high + 1e-6
        assert np.isfinite([estimate.low, estimate.high]).all()


def test_a_row_is_compared_with_the_strongest_id_only_row_of_as_many_updates(tmp_path: Path) -> None:
    """The strongest of all had 10 epochs, 100 updates: a p-RNN of 10+10 is compared with the one of 20."""
    comparison = rows(
        tmp_path,
        weak_of_20=(FIRST_OF_FOUR, 200, {}),
        of_20=(HALF, 200, {}),
        of_10=(THREE_OF_FOUR, 100, {}),
        of_10_and_10=(ALL_FIRST, 200, PARALLEL),
        of_10_together=(ALL_FIRST, 100, PARALLEL),
    )
    assert comparison.strongest_id_only("recall@20") == "of_10"
    assert comparison.opponents("recall@20") == {
        "weak_of_20": "of_20",
        "of_20": "weak_of_20",
        "of_10_and_10": "of_20",
        "of_10_together": "of_10",
    }
    difference = comparison.differences["of_10_and_10", "recall@20"]
    assert (difference.value, difference.over) == (0.5, "of_20")
    assert comparison.trained_longer == []


def test_without_as_many_updates_the_strongest_is_taken_and_the_footer_says_so(tmp_path: Path) -> None:
    comparison = rows(
        tmp_path,
        of_5=(HALF, 50, {}),
        of_10=(THREE_OF_FOUR, 100, {}),
        longer=(ALL_FIRST, 200, PARALLEL),
        unknown=(ALL_FIRST, None, PARALLEL),
    )
    assert comparison.opponents("recall@20") == {"of_5": "of_10", "longer": "of_10", "unknown": "of_10"}
    text = " ".join(footer(comparison))
    assert (
        "No ID-only row had as many updates as longer: a difference may be that of longer training." in text
    )
    assert "Runs of older versions kept no count of their updates." in text


def test_a_table_without_an_id_only_row_has_no_test(tmp_path: Path) -> None:
    comparison = rows(tmp_path, a=(HALF, 50, PARALLEL), b=(ALL_FIRST, 50, PARALLEL))
    assert comparison.opponents("recall@20") == {}
    assert comparison.differences == {}
    assert "bootstrap" not in " ".join(footer(comparison))


@pytest.mark.parametrize(("resamples", "warned"), [(78, True), (80, False)])
def test_too_few_resamples_for_any_p_to_be_small_are_told(
    resamples: int, warned: bool, tmp_path: Path
) -> None:
    """Two rows besides the strongest: Holm doubles 2 / (R + 1), which is below 0.05 from 80 resamples on."""
    comparison = three_rows(tmp_path)
    comparison.config = table_config(resamples=resamples)
    told = "none of 2 differences can have a p below 0.05; set table.resamples=160." in " ".join(
        footer(comparison)
    )
    assert told == warned
