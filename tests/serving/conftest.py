"""A finished run of a network of ID and text, trained in a second, for what uses one."""

from pathlib import Path

import pytest

import prnn_cli
from commands.conftest import SMALL, shared_cache, workplace  # noqa: F401 (fixtures)

WITH_TEXT = [*(each for each in SMALL if not each.startswith(("arch=", "subnets."))), "epochs=1"]
WITH_TEXT += ["features=text", "units.each=8", "strategy=simultaneous"]


def train_in(folder: Path, *overrides: str) -> prnn_cli.Run:
    return prnn_cli.train(
        prnn_cli.compose(
            [*WITH_TEXT, *overrides, f"hydra.run.dir={folder}", f"cache_dir={folder.parent}/cache"]
        )
    )


@pytest.fixture(scope="session")
def parallel_run(tmp_path_factory: pytest.TempPathFactory) -> prnn_cli.Run:
    return train_in(tmp_path_factory.mktemp("serving") / "parallel", "arch=parallel")
