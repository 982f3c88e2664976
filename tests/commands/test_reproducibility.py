"""The same command with the same seed gives the same bits, whatever is done around it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from commands.conftest import SMALL, Result
from experiment.test_resume import BOTH, assert_same_run

Prnn = Callable[..., Result]


@pytest.mark.parametrize(
    "strategy",
    [
        "residual",
        *(
            pytest.param(name, marks=pytest.mark.nightly)
            for name in ("simultaneous", "alternating", "interleaving")
        ),
    ],
)
def test_a_job_of_a_sweep_has_the_bits_of_a_run_alone(strategy: str, prnn: Prnn) -> None:
    """Not the sweep's first: what a job leaves behind in the process would show in the next one."""
    own = [*BOTH, "epochs=1", f"strategy={strategy}"]
    assert (
        prnn("train", "-m", *own, "seed=41,42", "table.figures=false", "hydra.sweep.dir=runs/sweep").exit_code
        == 0
    )
    assert prnn("train", *own, "seed=42", "hydra.run.dir=runs/alone").exit_code == 0
    assert_same_run("sweep/1", "alone")


def test_the_number_of_data_workers_changes_nothing(
    prnn: Prnn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each run decodes the images anew: it has a cache of its own."""
    own = [argument for argument in SMALL if not argument.startswith(("arch", "subnets", "epochs"))]
    own += [
        "arch=parallel",
        "units.each=6",
        "features=colour_histogram",
        "features.images.batch_size=7",
        "epochs=1",
    ]
    for workers in (0, 3):
        monkeypatch.setenv("PRNN_CACHE_DIR", str(tmp_path / f"cache-{workers}"))
        run = [f"features.images.workers={workers}", f"hydra.run.dir=runs/{workers}"]
        assert prnn("train", *own, *run).exit_code == 0
    assert_same_run("0", "3")
