"""A sweep over windows of a log: one table of the means over them, and a table of each."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from commands.conftest import SMALL, Result, train_in

Prnn = Callable[..., Result]
WINDOWS = [
    *SMALL,
    "dataset.synthetic.num_days=8",
    "dataset.split=window",
    "dataset.window.train_days=3",
    "dataset.window.test_days=1",
    "dataset.window.shift_days=1",
    "epochs=1",
    "table.resamples=100",
    "table.figures=false",
]


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory, shared_cache: Path) -> Path:
    """Two networks on three windows."""
    folder = tmp_path_factory.mktemp("windows")
    numbers = ["dataset.window.number=1,2,3", "subnets.id.hidden_size=4,6"]
    train_in(folder, shared_cache, "-m", *WINDOWS, *numbers, "hydra.sweep.dir=runs/windows")
    return folder / "runs" / "windows"


def test_a_method_s_mean_is_that_of_its_windows(sweep: Path) -> None:
    over, each = pd.read_csv(sweep / "windows.csv"), pd.read_csv(sweep / "table.csv")
    assert over["method"].tolist() == [
        "Item-kNN",
        "Markov",
        "Popularity",
        "subnets.id.hidden_size=4",
        "subnets.id.hidden_size=6",
    ]
    assert (over["windows"] == 3).all()
    for line in over.itertuples():
        values = each[each["method"] == line.method]["recall@20"]
        assert len(values) == 3
        assert np.isclose(over.loc[line.Index, "recall@20"], values.mean())
        assert np.isclose(over.loc[line.Index, "recall@20_sd"], values.std(ddof=1))


def test_the_means_stand_first_and_each_window_has_a_table(sweep: Path) -> None:
    headings = [line for line in (sweep / "table.md").read_text().splitlines() if line.startswith("## ")]
    assert headings[0] == "## Means over windows of synthetic"
    results = [heading for heading in headings if heading.startswith("## Results")]
    assert results == [f"## Results on synthetic, window {number}" for number in (1, 2, 3)]
    assert "Set apart" not in (sweep / "table.md").read_text()


def test_a_window_that_lacks_a_method_is_counted(prnn: Prnn, sweep: Path) -> None:
    runs = [str(run) for run in sorted(sweep.iterdir()) if run.is_dir()][:-1]
    result = prnn("tables", f"runs=[{','.join(runs)}]", "table.resamples=100", "table.figures=false")
    assert result.exit_code == 0
    assert "2 of 3" in result.out
    assert "the mean of fewer, and is never bold" in " ".join(result.out.split())


def test_a_single_window_has_no_means(prnn: Prnn, sweep: Path) -> None:
    assert prnn("tables", f"runs={sweep}/0", "table.resamples=100", "table.figures=false").exit_code == 0
    written = max(Path("runs").glob("*tables*"))
    assert "Means over windows" not in (written / "table.md").read_text()
