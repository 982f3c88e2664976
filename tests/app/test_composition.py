"""What Hydra composes is composed once, and each caller gets a copy of its own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hydra import compose
from hydra._internal.config_loader_impl import ConfigLoaderImpl

from commands.conftest import Result, refusal
from prnn_cli.app.composition import hydra_of
from prnn_cli.experiment.settings import register_schemas
from prnn_cli.extensions import own_configs

Prnn = Callable[..., Result]
pytest_plugins = ["commands.conftest"]

SMALL = [
    "dataset.synthetic.num_items=60",
    "dataset.synthetic.num_sessions=400",
    "dataset.synthetic.num_days=4",
]


@pytest.fixture
def composed(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The overrides of all compositions that Hydra is really asked for."""
    overrides: list[list[str]] = []
    load = ConfigLoaderImpl.load_configuration

    def counted(self: Any, name: str, given: list[str], *rest: Any) -> Any:
        overrides.append(list(given))
        return load(self, name, given, *rest)

    monkeypatch.setattr(ConfigLoaderImpl, "load_configuration", counted)
    return overrides


def test_a_run_composes_its_configuration_once(prnn: Prnn, composed: list[list[str]]) -> None:
    assert prnn("preprocess", *SMALL).exit_code == 0
    assert composed == [SMALL]


def test_a_sweep_composes_each_job_once(prnn: Prnn, composed: list[list[str]]) -> None:
    result = prnn("preprocess", "-m", *SMALL, "dataset.test_days=1,2", "hydra.sweep.dir=runs/both")
    assert result.exit_code == 0, result.err
    assert "checking 2 jobs before the first one runs" in result.err
    for days in (1, 2):
        job = ["hydra.sweep.dir=runs/both", "hydra.mode=MULTIRUN", *SMALL, f"dataset.test_days={days}"]
        assert composed.count(job) == 1
    assert sorted(path.name for path in Path("runs/both").iterdir()) == ["0", "1", "multirun.yaml"]


def test_a_copy_that_is_changed_leaves_the_next_one_as_it_was(composed: list[list[str]]) -> None:
    register_schemas()
    with hydra_of("preprocess", own_configs(), None):
        first = compose("preprocess", ["dataset.test_days=3"])
        first.dataset.test_days = 5
        assert compose("preprocess", ["dataset.test_days=3"]).dataset.test_days == 3
    assert len(composed) == 1


def test_a_folder_of_configs_that_is_none_is_named(prnn: Prnn) -> None:
    assert "-cd nope is no folder" in refusal(prnn("preprocess", "-cd", "nope"))
