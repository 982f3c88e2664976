from pathlib import Path

import numpy as np

from reporting.runs_on_disk import three_rows


def test_an_interval_holds_its_mean(tmp_path: Path) -> None:
    comparison = three_rows(tmp_path)
    for method in comparison.methods:
        estimate = comparison.estimate(method, "mrr@20")
        assert estimate.low <= estimate.mean + 1e-6
        assert estimate.mean <= estimate.high + 1e-6
        assert np.isfinite([estimate.low, estimate.high]).all()
