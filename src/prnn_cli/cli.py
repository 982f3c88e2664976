"""The command line `prnn COMMAND [overrides]`: dispatch, help, exit codes.

Imports neither torch nor Hydra until a command needs them, so that help answers at once.
"""

import atexit
import io
import os
import resource
import signal
import sys
from collections.abc import Sequence

from prnn_cli import __version__
from prnn_cli.commands import WORD_COMMANDS
from prnn_cli.errors import RunError, Stopped, UserError, shortage, visible
from prnn_cli.extensions import commands, take_flags
from prnn_cli.loading import loading, own_process
from prnn_cli.system.distributed import process_group

LOADED_BYTES = 1.5e9  # of address space, on two cores
QUICK = ("status", "clean")  # commands that do without torch
SHOWING = {"--cfg", "-c", "--info", "-i", "--hydra-help", "--shell-completion", "-sc"}  # flags of Hydra

HELP = f"""prnn {__version__}: parallel RNNs for feature-rich session-based recommendation

usage: prnn COMMAND [--extend FILE.py] [GROUP=CHOICE] [KEY=VALUE] ...

commands:
{{commands}}

examples:
  prnn train                                                     a first result, on generated data
  prnn train dataset=online_retail dataset.path=DIR              a log of yours or a known one
  prnn train -m seed=1,2,3                                       a sweep
  prnn train experiment=table2                                   the paper's Table 2
  prnn train --cfg job --resolve                                 the composed configuration
  prnn train --extend mine.py baselines=[item_knn,mine]          what a file of yours adds
  prnn COMMAND --help                                            groups, options and examples
  eval "$(prnn completion bash)"                                 completion in this shell

exit codes: 0 done, 1 a run failed, 2 wrong usage or input, 130/143 stopped by a signal, 141 nobody reads the output
"""


def main(arguments: Sequence[str]) -> int:
    """Runs a command line and returns its exit code. Whatever goes wrong for the user is one sentence on stderr."""
    try:
        exit_code = _explained(arguments)
        sys.stdout.flush()
        return exit_code
    except BrokenPipeError:  # the reader of a pipe, such as head, has gone
        return 128 + signal.SIGPIPE
    except OSError as error:
        if error.filename is not None:  # not that of what is printed
            raise
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115
        return _complain(f"cannot print: {error.strerror or error}; send the output elsewhere", 1)


def _explained(arguments: Sequence[str]) -> int:
    try:
        return _dispatch(take_flags(arguments))
    except UserError as error:
        return _complain(error, 2)
    except RunError as error:
        return _complain(error, 1)
    except (MemoryError, RuntimeError) as error:
        if not (sentence := shortage(error)):
            raise
        return _complain(sentence, 1)
    except Stopped as stop:
        return _complain(stop, stop.exit_code)
    except KeyboardInterrupt:
        return _complain("stopped", 128 + signal.SIGINT)


def entry_point() -> None:
    """Runs the process's own command line, and ends the process."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A console without − or ━ must not end a finished run.
            stream.reconfigure(errors="replace")
    own_process()
    ends_quickly = _QuickEnd()
    ends_quickly.exit_code = main(sys.argv[1:])
    if ends_quickly.exit_code == 128 + signal.SIGPIPE:
        # What is still to be written would end in the same error.
        for descriptor in (1, 2):
            os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
    sys.exit(ends_quickly.exit_code)


class _QuickEnd:
    """The end of the process once all that was registered with atexit is done.

    Python would take torch's modules apart first, for up to some seconds, in which nothing is written any more.
    """

    def __init__(self) -> None:
        self.exit_code: int | None = None
        self._process = os.getpid()
        atexit.register(self._end)  # the first to be registered is the last to be called

    def _end(self) -> None:
        if self.exit_code is None or os.getpid() != self._process:  # an unforeseen error, or a fork
            return
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except (OSError, ValueError):  # Python has its own way to say so
            return
        os._exit(self.exit_code)


def _dispatch(arguments: Sequence[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(HELP.format(commands=_listed(commands() | WORD_COMMANDS)), end="")
        return 0
    command, *rest = arguments
    if command == "--version":
        print(f"prnn {__version__}")
        return 0
    if command == "completion":
        from prnn_cli.app.completion import complete_or_print_script

        return complete_or_print_script(rest)
    if command == "datasets":
        from prnn_cli.commands import datasets

        return datasets.run(rest)
    if command == "fetch":
        from prnn_cli.commands import fetch

        return fetch.run(rest)
    if command == "check":
        from prnn_cli.commands import check

        return check.run(rest)
    if command not in (known := commands()):
        raise _unknown(command, known | WORD_COMMANDS)
    if {"-h", "--help"} & set(rest):
        from prnn_cli.app.help import help_of

        print(help_of(command, rest), end="")
        return 0
    if command in ("train", "verdict"):
        rest = ["plan=true" if each == "--plan" else each for each in rest]
    if _loads_torch(command, rest):
        _refuse_small_memory(command)
        _say_what_is_waited_for(command)
    with loading():
        from prnn_cli.app.hydra_app import run_command

    return run_command(command, rest)


def _loads_torch(command: str, arguments: Sequence[str]) -> bool:
    """Whether what is asked for imports torch; False where it is imported already."""
    shows = SHOWING & {each.partition("=")[0] for each in arguments}
    return command not in QUICK and not shows and "torch" not in sys.modules


def _refuse_small_memory(command: str) -> None:
    """Raises `RunError` for a limit below which libraries cannot be loaded: some then try without end."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and limit < LOADED_BYTES:
        raise RunError(
            f"prnn {command} may take {limit / 1e9:.1f} GB of memory (ulimit -v), and needs {LOADED_BYTES / 1e9:.1f} "
            "GB to load torch and scipy alone; raise the limit"
        )


def _say_what_is_waited_for(command: str) -> None:
    """Prints a line before torch is imported, which takes seconds."""
    if process_group().is_main:
        print(f"loading prnn {command} …", file=sys.stderr, flush=True)


def _unknown(command: str, known: dict[str, str]) -> UserError:
    import difflib

    close = difflib.get_close_matches(command, known, n=1)
    guess = f"did you mean {close[0]}? " if close else ""
    return UserError(f"prnn has no command {command!r}; {guess}choose one of {', '.join(known)}")


def _listed(summaries: dict[str, str]) -> str:
    width = max(map(len, summaries))
    return "\n".join(f"  {name:<{width}}  {summary}" for name, summary in summaries.items())


def _folded(text: str) -> str:
    """The text in lines that end between words, where stderr is a terminal."""
    if not sys.stderr.isatty():
        return text
    import shutil
    import textwrap

    width = shutil.get_terminal_size().columns
    lines = [
        textwrap.fill(line, width, break_long_words=False, break_on_hyphens=False)
        for line in text.split("\n")
    ]
    return "\n".join(lines)


def _complain(message: object, exit_code: int) -> int:
    group = process_group()
    which = "" if group.is_main else f" (process {group.rank} of {group.world_size})"
    print(_folded(f"prnn{which}: {visible(str(message))}"), file=sys.stderr)
    return exit_code
