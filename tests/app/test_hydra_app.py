"""What is refused before Hydra begins, and what Hydra is left to show."""

from collections.abc import Callable
from pathlib import Path

import pytest

from commands.conftest import Result, refusal

Prnn = Callable[..., Result]
pytest_plugins = ["commands.conftest"]


@pytest.mark.parametrize("command", ["evaluate", "status"])
def test_a_folder_that_is_no_run_is_named_and_not_created(prnn: Prnn, command: str) -> None:
    missing = prnn(command, "run=runs/nope")
    assert missing.exit_code == 2
    assert "run=runs/nope is not the folder of a run (there is no such folder)" in missing.err
    assert not Path("runs").exists()
    Path("empty").mkdir()
    empty = prnn(command, "run=empty")
    assert empty.exit_code == 2
    assert "holds no status.json" in empty.err


def test_the_composed_configuration_is_printed_resolved(prnn: Prnn) -> None:
    result = prnn("train", "recipe.learning_rate=0.25", "--cfg", "job", "--resolve")
    assert result.exit_code == 0
    assert "    learning_rate: 0.25\n    momentum: 0.0\n    weight: 1.0" in result.out


@pytest.mark.parametrize(
    ("argument", "sentence"),
    [
        ("=3", "=3 sets nothing; write KEY=VALUE or GROUP=CHOICE"),
        ("--foo", "unrecognized arguments: --foo"),
    ],
)
def test_what_is_neither_flag_nor_override_is_refused(prnn: Prnn, argument: str, sentence: str) -> None:
    assert sentence in refusal(prnn("train", argument))
