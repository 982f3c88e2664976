"""prnn evaluate: the model of a run, ranked once more."""

import json
from collections.abc import Callable
from pathlib import Path

from commands.conftest import Result

Prnn = Callable[..., Result]


def test_evaluate_repeats_the_metrics_takes_other_settings_and_writes_into_the_run(
    prnn: Prnn, run_of_small: Path
) -> None:
    trained = json.loads((run_of_small / "metrics.json").read_text())

    assert prnn("evaluate", "run=runs/mine", "hydra.run.dir=again").exit_code == 0
    again = json.loads(Path("again/metrics.json").read_text())
    assert {key: again[key] for key in ("recall@20", "mrr@20", "baselines")} == {
        key: trained[key] for key in ("recall@20", "mrr@20", "baselines")
    }

    other = ["evaluation.cutoffs=[1,5]", "evaluation.candidates=10", "evaluation.tie_break=standard"]
    result = prnn("evaluate", "run=runs/mine", *other, "hydra.run.dir=other")
    assert result.exit_code == 0
    metrics = json.loads(Path("other/metrics.json").read_text())
    assert (metrics["candidates"], metrics["tie_break"]) == (10, "standard")
    assert metrics["recall@1"] == metrics["mrr@1"] <= metrics["recall@5"]
    assert metrics["recall@20"] == 1  # measured whatever is asked for: 20 of 10 candidates
    assert "recall@20" not in Path("other/results.md").read_text()
    assert json.loads((run_of_small / "metrics.json").read_text()) == trained

    assert prnn("evaluate", "run=runs/mine").exit_code == 0  # into the run's folder by default
    (folder,) = run_of_small.glob("evaluation_*")
    assert (folder / "metrics.json").is_file()
