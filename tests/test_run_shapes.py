from pathlib import Path
from typing import Any

import pytest

from prnn_cli.run_folder import read_json
from prnn_cli.run_shapes import damage_of_result
from reporting.runs_on_disk import ALL_FIRST, write_run


@pytest.mark.parametrize(
    ("changes", "damage"),
    [
        ({}, ""),
        ({"mrr@5": 0.5, "recall@5": 0.5}, "item_knn lacks mrr@5, recall@5"),
        ({"labels": {}}, "labels lacks item_knn"),
        ({"gain_over": "markov"}, "gain_over=markov is none of the baselines"),
        ({"mrr@20": None}, "mrr@20 is no number"),
        (
            {"baselines": {"item_knn": {"recall@20": 1.0, "tie_rate": 0.0}}},
            "it lacks baselines.item_knn.mrr@20",
        ),
    ],
)
def test_a_result_holds_what_is_read_of_it(changes: dict[str, Any], damage: str, tmp_path: Path) -> None:
    metrics = read_json(write_run(tmp_path, ALL_FIRST) / "metrics.json")
    assert damage_of_result(metrics | changes) == damage
