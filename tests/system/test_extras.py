"""An extra that is missing, or a cluster, is a sentence with what to type."""

import socket
from collections.abc import Callable

import pytest

from commands.conftest import SMALL, Result
from prnn_cli.errors import UserError
from prnn_cli.system.extras import refuse_silent

Prnn = Callable[..., Result]
pytest_plugins = ["commands.conftest"]

SWEEP = ["train", "-m", *SMALL, "epochs=1", "hydra.sweep.dir=runs/sweep", "table.figures=false"]


def test_a_ray_cluster_that_does_not_answer_is_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        refuse_silent(address)
    with pytest.raises(UserError, match=rf"{address} does not answer .*ray start --head"):
        refuse_silent(address)
    for other in (None, "auto", "local", "ray://head:10001"):
        refuse_silent(other)


@pytest.mark.parametrize("launcher", ["joblib", "submitit_slurm", "ray_cluster"])
def test_without_the_extra_the_line_to_type_is_told(
    prnn: Prnn, monkeypatch: pytest.MonkeyPatch, launcher: str
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    result = prnn(*SWEEP, "seed=1,2", f"hydra/launcher={launcher}")
    assert result.exit_code == 2
    assert "type: pip install 'prnn-cli[" in result.err


def test_a_cluster_that_is_not_there_is_a_sentence(prnn: Prnn, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher")
    monkeypatch.setattr("shutil.which", lambda name: None)
    result = prnn(*SWEEP, "seed=1,2", "hydra/launcher=slurm_gpu")
    assert result.exit_code == 2
    assert "hydra/launcher=slurm_gpu submits jobs with sbatch, which this machine lacks" in result.err
