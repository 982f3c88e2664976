"""Shell completion, as the scripts ask for it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.object_type import ObjectType

from commands.conftest import Result
from prnn_cli.app import completion
from prnn_cli.extensions import own_configs

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
                "fetch",
                "check",
                "completion",
            ],
        ),
        ("prnn ev", ["evaluate"]),
        ("prnn train arch=i", ["arch=id_only", "arch=interaction"]),
        ("prnn train seed=3 dataset=on", ["dataset=online_retail"]),
        ("prnn train dataset.max", ["dataset.max_bad_share=", "dataset.max_session_length="]),
        ("prnn completion z", ["zsh"]),
        ("prnn datasets de", ["describe"]),
        ("prnn datasets movie", ["movielens"]),
        ("prnn fetch movie", ["movielens"]),
        ("prnn nonsense ", [""]),
    ],
)
def test_completions(prnn: Prnn, line: str, completions: list[str]) -> None:
    assert prnn("completion", "query", line).out.rstrip("\n").split("\n") == completions


@pytest.mark.parametrize("group", ["arch", "dataset", "baselines", "experiment"])
@pytest.mark.parametrize("start", ["", "p"])
def test_choices_are_those_that_hydra_lists(group: str, start: str) -> None:
    line = f"{group}={start}"
    assert completion.query(f"prnn train {line}") == completion._query_hydra("train", line)


def test_groups_are_those_that_hydra_lists(prnn: Prnn) -> None:
    """Of all groups alike, as a word that is begun leaves some of them."""
    found = prnn("completion", "query", "prnn train ").out.split()
    with initialize_config_dir(str(own_configs()), version_base="1.3"):
        groups = GlobalHydra.instance().config_loader().get_group_options("", ObjectType.GROUP)
    ends = {each.rstrip("=") for each in found if not each.endswith(".")}
    assert set(groups) <= ends
    assert "hydra" in groups


def test_choices_are_listed_without_hydra() -> None:
    code = (
        "import sys; from prnn_cli.app.completion import query; assert query('prnn train arch=i'); "
        "sys.exit(bool({'torch', 'hydra', 'pandas', 'numpy', 'omegaconf'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_ask_prnn(prnn: Prnn, shell: str) -> None:
    assert "prnn completion query" in prnn("completion", shell).out


def test_the_bash_script_completes_what_stands_after_the_equals_sign(prnn: Prnn, tmp_path: Path) -> None:
    """Bash breaks words at =, so that only what follows it may be offered."""
    script = prnn("completion", "bash").out
    asks = 'COMP_LINE="prnn train dataset=on" COMP_POINT=21 COMP_WORDS=(prnn train dataset = on) COMP_CWORD=4'
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
