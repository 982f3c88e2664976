"""Help, exit codes, and the sentence for each way to get a command line wrong."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from commands.conftest import Result
from prnn_cli import __version__
from prnn_cli.commands import WORD_COMMANDS
from prnn_cli.extensions import commands

Prnn = Callable[..., Result]
pytest_plugins = ["commands.conftest"]


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",), ("help",)])
def test_help_lists_the_commands(prnn: Prnn, arguments: tuple[str, ...]) -> None:
    result = prnn(*arguments)
    assert result.exit_code == 0
    assert all(f"  {command} " in result.out for command in (*commands(), *WORD_COMMANDS))


def test_version(prnn: Prnn) -> None:
    assert prnn("--version").out == f"prnn {__version__}\n"


def test_help_and_version_import_neither_torch_nor_hydra() -> None:
    code = (
        "import sys; from prnn_cli.cli import main; main(['--help']); main(['--version']); "
        "sys.exit(bool({'torch', 'hydra', 'pandas', 'numpy', 'rich'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def test_training_does_not_import_what_few_runs_need() -> None:
    code = (
        "import sys, prnn_cli.commands.train; "
        "sys.exit(bool({'scipy.optimize', 'sklearn', 'matplotlib', 'optuna', 'torch._inductor.compile_fx'} "
        "& set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


@pytest.mark.parametrize("command", commands())
def test_every_commands_help_shows_examples_and_options(prnn: Prnn, command: str) -> None:
    result = prnn(command, "--help")
    assert result.exit_code == 0
    assert f"prnn {command}" in result.out
    assert "Example" in result.out
    assert "Options" in result.out
    assert {"status": "run: ???", "tables": "runs: ???"}.get(command, "cache_dir:") in result.out


def test_help_of_train_shows_groups_and_options(prnn: Prnn) -> None:
    out = prnn("train", "--help").out
    assert "dataset: class_like, eshop_clothing, generic, online_retail, synthetic, vidxl_like" in out
    assert "  each: 100" in out
    assert "prnn train -m seed=1,2,3" in out


def test_the_composed_configuration_is_printed_resolved(prnn: Prnn) -> None:
    result = prnn("train", "recipe.learning_rate=0.25", "--cfg", "job", "--resolve")
    assert result.exit_code == 0
    assert "    learning_rate: 0.25\n    momentum: 0.0\n    weight: 1.0" in result.out


WRONG = {
    "epochz=5": r"epochz is not an option; did you mean epochs? valid here: label, epochs, seed",
    "+foo=3": "foo is not an option; valid here: label, epochs",
    "subnets.id.hiden=3": "did you mean subnets.id.hidden_size? valid here: subnets.id.hidden_size",
    "dataset.filters=[{colum: a}]": "did you mean column? valid here: column, keep, exclude, above, present",
    "epochs=abc": "epochs=abc does not fit; epochs must be a whole number",
    "epochs=1.5": "epochs=1.5 does not fit; epochs must be a whole number",
    "resume=maybe": "resume=maybe does not fit; resume must be true or false",
    "evaluation.cutoffs=20": "evaluation.cutoffs must be a list, each element a whole number",
    "dataset.columns=3": "dataset.columns must be a group of session_id, item_id, time, order",
    "epochs=0": "epochs=0 is too small; it must be at least 1",
    "recipe.dropout=1": "recipe.dropout=1.0 is too large; it must be below 1",
    "subnets.id.momentum=1": "subnets.id.momentum=1.0 is too large; it must be below 1",
    "recipe.loss=foo": "recipe.loss=foo does not exist; choose one of top1, top1_max, bpr",
    "evaluation.tie_break=luck": "choose one of conservative, median, standard",
    "evaluation.candidates=-3": "evaluation.candidates=-3 is no set of items; give all, or a number N",
    "dataset=foo": "dataset=foo does not exist; choose one of class_like, eshop_clothing, generic,",
    "arch=foo": "choose one of concatenated, feature_only, id_only, interaction, parallel, shared_w",
    "dataset=generic": "dataset.path has no value; add dataset.path=VALUE",
    "seed=1,2": "seed=1,2 holds several values; add -m to sweep over them",
    'dataset.path="x': "cannot read 'dataset.path=\"x': write KEY=VALUE or GROUP=CHOICE",
    "foo": "cannot read 'foo': write KEY=VALUE or GROUP=CHOICE",
    "=3": "=3 sets nothing; write KEY=VALUE or GROUP=CHOICE",
    "--foo": "unrecognized arguments: --foo",
    "dataset=eshop_clothing  dataset.path=x": "features=text needs text, and dataset=eshop_clothing names none",
    "features=none": "arch=parallel needs features; add features=text",
    "features=none  arch=id_only  strategy=residual": "arch=id_only has one subnet, so strategy=residual",
    "arch=shared_w  subnets.id.hidden_size=7": "arch=shared_w needs equal hidden sizes, not subnets.id.hidden_size=7",
    "arch=interaction  arch.order=[text,id]": "so arch.order must begin with id",
    "~subnets.id": "subnets.id has no settings",
    "evaluation.part=validation": "needs a validation part; train with dataset.validation_days=N",
    "dataset.path=nope.csv": "dataset.path=nope.csv",
}


@pytest.mark.parametrize("override", WRONG)
def test_a_wrong_override_is_one_sentence_with_what_would_be_right(prnn: Prnn, override: str) -> None:
    small = ["dataset.synthetic.num_items=60", "dataset.synthetic.num_sessions=400"]
    context = ["dataset=generic", "arch=id_only"] if override.startswith("dataset.path=nope") else small
    if override.startswith("dataset=") and "dataset=foo" not in override:
        context = []
    result = prnn("train", *context, *override.split("  "))
    assert result.exit_code == 2
    (sentence,) = [line for line in result.err.splitlines() if line.startswith("prnn: ")]
    assert WRONG[override] in sentence
    assert "Traceback" not in result.err


def test_a_wrong_configuration_leaves_no_folder(prnn: Prnn) -> None:
    assert prnn("train", "epochs=0", "hydra.run.dir=runs/mine").exit_code == 2
    assert not Path("runs/mine").exists()


def test_an_unknown_command_names_the_known_ones(prnn: Prnn) -> None:
    result = prnn("trian")
    assert result.exit_code == 2
    assert (
        "choose one of train, preprocess, features, evaluate, recommend, tables, bench, status, datasets, check,"
        in result.err
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_read_only_folder_is_named(prnn: Prnn) -> None:
    Path("locked").mkdir(mode=0o500)
    result = prnn("train", "hydra.run.dir=locked/mine")
    assert result.exit_code == 1
    assert "locked/mine" in result.err


def test_an_output_folder_below_a_file_is_named(prnn: Prnn) -> None:
    Path("file").write_text("")
    result = prnn("train", "hydra.run.dir=file/mine")
    assert result.exit_code == 1
    assert "file/mine" in result.err
    assert "Traceback" not in result.err


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
                "tables",
                "bench",
                "status",
                "datasets",
                "check",
                "completion",
            ],
        ),
        ("prnn ev", ["evaluate"]),
        ("prnn train arch=i", ["arch=id_only", "arch=interaction"]),
        ("prnn train seed=3 dataset=o", ["dataset=online_retail"]),
        ("prnn train dataset.test", ["dataset.test_days=", "dataset.test_from="]),
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
