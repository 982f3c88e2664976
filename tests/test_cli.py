"""Help, versions, what is imported for them, and commands that are not there."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from commands.conftest import Result, refusal
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
        "import sys; from prnn_cli.cli import main; main(['--help']); main(['--version']); main(['train', '--help']); "
        "sys.exit(bool({'torch', 'hydra', 'pandas', 'numpy', 'rich'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def test_a_command_says_at_once_that_it_loads(workplace: Path) -> None:
    """Before torch, for which one waits; `status` and --cfg, which answer without it, print what they print alone."""
    loads = (
        "import sys; from prnn_cli.cli import _say_what_is_waited_for as say; say({!r}, {!r}); "
        "sys.exit('torch' in sys.modules)"
    )
    for command, arguments, line in (
        ("train", ["seed=1"], "loading prnn train …\n"),
        ("train", ["--cfg=job"], ""),
        ("status", ["run=DIR"], ""),
    ):
        code = loads.format(command, arguments)
        said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert (said.stdout, said.stderr) == ("", line)


@pytest.mark.parametrize(("arguments", "exit_code"), [(["--version"], 0), (["trian"], 2)])
def test_the_process_ends_with_its_exit_code_once_all_is_written(
    arguments: list[str], exit_code: int
) -> None:
    code = "from prnn_cli.cli import entry_point; print('not flushed', end=' '); entry_point()"
    ended = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True)
    assert ended.returncode == exit_code
    assert ended.stdout.startswith("not flushed ")


def test_what_is_registered_for_the_end_is_done_before_it() -> None:
    code = (
        "import atexit, sys, prnn_cli.cli as cli\n"
        "def main(arguments):\n"
        "    atexit.register(print, 'last words', end='')\n"
        "    return 3\n"
        "cli.main = main\n"
        "cli.entry_point()"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (3, "last words")


def test_training_does_not_import_what_few_runs_need() -> None:
    code = (
        "import sys, prnn_cli.commands.train; "
        "sys.exit(bool({'scipy.optimize', 'sklearn', 'matplotlib', 'optuna', 'torch._inductor.compile_fx'} "
        "& set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def test_what_is_refused_is_one_sentence(prnn: Prnn) -> None:
    refused = prnn("train", "dataset=generic", "arch=id_only", "dataset.path=nope.csv")
    assert "dataset.path=nope.csv" in refusal(refused)


def test_an_unknown_command_names_the_known_ones(prnn: Prnn) -> None:
    result = prnn("trian")
    assert result.exit_code == 2
    assert (
        "choose one of train, preprocess, features, evaluate, recommend, tables, bench, status, datasets, check,"
        in result.err
    )


def test_a_mistyped_command_is_guessed(prnn: Prnn) -> None:
    assert "prnn has no command 'trian'; did you mean train? choose" in refusal(prnn("trian"))
    assert "did you mean" not in refusal(prnn("frobnicate"))


@pytest.mark.parametrize("command", ["datasets", "train --cfg job", "trian"])
def test_a_reader_that_goes_ends_a_command_quietly(command: str) -> None:
    """As with `… | true`: the pipe has no reader before the first byte."""
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run(
        [sys.executable, "-m", "prnn_cli", *command.split()],
        stdout=writer,
        stderr=writer if command == "trian" else subprocess.PIPE,
    )
    os.close(writer)
    assert ended.returncode == 128 + signal.SIGPIPE
    assert not ended.stderr
