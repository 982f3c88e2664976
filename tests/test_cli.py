"""Help, versions, what is imported for them, and commands that are not there."""

import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from commands.conftest import SMALL, Result, refusal
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
        "import sys, prnn_cli.cli as cli\n"
        "if cli._loads_torch({0!r}, {1!r}): cli._say_what_is_waited_for({0!r})\n"
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


def test_a_limit_of_memory_that_libraries_cannot_be_loaded_under_is_a_sentence(
    start_prnn: Callable[..., subprocess.Popen[str]],
) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (10**9, resource.RLIM_INFINITY))

    process = start_prnn("train", preexec_fn=limit)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert err == (
        "prnn: prnn train may take 1.0 GB of memory (ulimit -v), and needs 1.5 GB to load torch and scipy alone; raise "
        "the limit\n"
    )


def test_a_thread_that_cannot_be_started_is_a_sentence(prnn: Prnn, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a limit leaves no room for its stack."""

    def start(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    prnn("preprocess", *SMALL[:4], "hydra.run.dir=first")
    monkeypatch.setattr(threading.Thread, "start", start)
    for arguments in (
        ["train", *SMALL, "hydra.run.dir=mine"],
        ["preprocess", *SMALL[:3], "hydra.run.dir=second"],
    ):
        result = prnn(*arguments)
        assert (result.exit_code, "Traceback" in result.err) == (1, False), result.err
        assert result.err.splitlines()[-1].startswith(
            "prnn: the system starts no further thread; raise the limit"
        )


def test_a_full_disk_for_what_is_printed_is_a_sentence() -> None:
    code = "from prnn_cli.cli import entry_point; entry_point()"
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-c", code, "train", "--help"]
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert ended.returncode == 1
    assert ended.stderr == "prnn: cannot print: No space left on device; send the output elsewhere\n"


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
        "choose one of train, preprocess, features, evaluate, recommend, serve, export, verdict, tables, bench, "
        "clean, status, datasets, fetch, check," in result.err
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


def test_on_a_terminal_what_went_wrong_is_folded_between_words(
    prnn: Prnn, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = prnn("train", "epochs=many").err
    assert whole.count("\n") == 1
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "40")
    lines = prnn("train", "epochs=many").err.splitlines()
    assert all(len(line) <= 40 for line in lines)
    assert [word for line in lines for word in line.split()] == whole.split()
