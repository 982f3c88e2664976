"""Shell completion, as the scripts ask for it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from commands.conftest import Result

Prnn = Callable[..., Result]
pytest_plugins = ["commands.conftest"]


@pytest.mark.parametrize(
    ("line", "completions"),
    [
        (
            "prnn ",
            [
                "train",
                "preprocess",
                "features",
                "evaluate",
                "recommend",
                "serve",
                "export",
                "verdict",
                "tables",
                "bench",
                "clean",
                "status",
                "datasets",
                "check",
                "completion",
            ],
        ),
        ("prnn ev", ["evaluate"]),
        ("prnn train arch=i", ["arch=id_only", "arch=interaction"]),
        ("prnn train seed=3 dataset=o", ["dataset=online_retail"]),
        (
            "prnn train dataset.test",
            ["dataset.test_by=", "dataset.test_days=", "dataset.test_from=", "dataset.test_until="],
        ),
        ("prnn completion z", ["zsh"]),
        ("prnn datasets d", ["describe"]),
        ("prnn nonsense ", [""]),
    ],
)
def test_completions(prnn: Prnn, line: str, completions: list[str]) -> None:
    assert prnn("completion", "query", line).out.rstrip("\n").split("\n") == completions


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_ask_prnn(prnn: Prnn, shell: str) -> None:
    assert "prnn completion query" in prnn("completion", shell).out


def test_the_bash_script_completes_what_stands_after_the_equals_sign(prnn: Prnn, tmp_path: Path) -> None:
    """Bash breaks words at =, so that only what follows it may be offered."""
    script = prnn("completion", "bash").out
    asks = 'COMP_LINE="prnn train dataset=o" COMP_POINT=20 COMP_WORDS=(prnn train dataset = o) COMP_CWORD=4'
    python = Path(sys.executable).parent
    done = subprocess.run(
        ["bash", "-c", f'{script}\n{asks}\n_prnn\necho "<${{COMPREPLY[*]}}>"'],
        capture_output=True,
        text=True,
        env=os.environ | {"PATH": f"{python}:{os.environ['PATH']}"},
    )
    assert done.stdout == "<online_retail >\n"


def test_completion_says_how_it_is_used(prnn: Prnn) -> None:
    assert 'eval "$(prnn completion bash)"' in prnn("completion", "--help").out
