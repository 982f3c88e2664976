"""The ways in which a command can end badly, each one sentence for the person who typed it."""

import re


class UserError(Exception):
    """Wrong usage, config or input (exit code 2): says what is wrong, where, and what would be valid."""


class EmptyFileError(UserError):
    """A file that holds nothing, not even a header."""


class SmallPartError(UserError):
    """A part of a log that is empty, or too small to say anything; part: which one."""

    def __init__(self, message: str, part: str = "") -> None:
        super().__init__(message)
        self.part = part


class RunError(Exception):
    """A run that started and could not finish (exit code 1): says why and how to go on."""


class LostProcessError(RunError):
    """The loss of another process of a run that torchrun started."""


class Pruned(Exception):  # noqa: N818 (it is none)
    """The early end of a trial of a search, which would not have become the best."""


def refused_by_the_system(error: OSError) -> RunError:
    """The error for what the operating system would not do, with the file if it names one."""
    return RunError(f"{error.filename or 'a file'}: {error.strerror or error}")


class Stopped(KeyboardInterrupt):
    """A stop by SIGINT or SIGTERM (exit code 130 or 143).

    It derives from KeyboardInterrupt because Hydra lets only that pass through a job untouched.
    """

    def __init__(self, signal_number: int, message: str = "stopped") -> None:
        super().__init__(message)
        self.exit_code = 128 + signal_number


def visible(text: str) -> str:
    """The text with a sign for each control character, which a terminal would obey; line ends and tabs stay."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", "\ufffd", text)


def first_line(error: BaseException) -> str:
    """The first line of an error's text, or its class's name where it has none."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def shortage(error: BaseException) -> str:
    """What to do about an error that is for want of memory or of another thread; empty for any other."""
    if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        return (
            "the system starts no further thread; raise the limit of memory or of processes (ulimit -v, ulimit -u, the "
            "container's), or take fewer: hardware.threads=1, and OMP_NUM_THREADS=1 in the environment"
        )
    if is_out_of_memory(error):
        return (
            "out of memory; lower recipe.batch_size, subnets.*.hidden_size or recipe.num_sampled, or use a smaller "
            "evaluation.candidates"
        )
    return ""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error is for want of memory, on the CPU or a GPU."""
    # torch says it in a RuntimeError.
    says_so = isinstance(error, RuntimeError) and re.search("out of memory|can't allocate", str(error))
    return isinstance(error, MemoryError) or bool(says_so)
