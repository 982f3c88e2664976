"""The two ways in which a command can end badly, each one sentence for the person who typed it."""

import re


class UserError(Exception):
    """Wrong usage, config or input (exit code 2): says what is wrong, where, and what would be valid."""


class RunError(Exception):
    """A run that started and could not finish (exit code 1): says why and how to go on."""


class LostProcessError(RunError):
    """Another process of a run that torchrun started is gone."""


class Pruned(Exception):  # noqa: N818 (it is none)
    """A trial of a search was ended early, as it would not have become the best."""


def refused_by_the_system(error: OSError) -> RunError:
    """What the operating system would not do, with the file where it names one."""
    return RunError(f"{error.filename or 'a file'}: {error.strerror or error}")


class Stopped(KeyboardInterrupt):
    """SIGINT or SIGTERM was honoured (exit code 130 or 143).

    It derives from KeyboardInterrupt because Hydra lets only that pass through a job untouched.
    """

    def __init__(self, signal_number: int, message: str = "stopped") -> None:
        super().__init__(message)
        self.exit_code = 128 + signal_number


def first_line(error: BaseException) -> str:
    """Of its text; its kind where it has none."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def is_out_of_memory(error: BaseException) -> bool:
    """torch says it in a RuntimeError."""
    says_so = isinstance(error, RuntimeError) and re.search("out of memory|can't allocate", str(error))
    return isinstance(error, MemoryError) or bool(says_so)
