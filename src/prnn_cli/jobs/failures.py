"""The ends of a job that are no success: what the run's folder keeps of them, and what the user reads."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from prnn_cli.errors import (
    LostProcessError,
    Pruned,
    RunError,
    Stopped,
    UserError,
    refused_by_the_system,
    shortage,
)
from prnn_cli.run_folder import RunFolder

log = logging.getLogger(__name__)


@contextmanager
def failures_recorded(folder: RunFolder, is_sweep: bool) -> Iterator[None]:
    """Writes into the folder's status how the work in it ended badly, and raises the error again.

    In a sweep an unforeseen error becomes a `RunError`, so that it ends its own job alone.
    """
    try:
        with resources_explained():
            yield
    except BrokenPipeError:  # a command prints last, so all is done but nobody reads it
        folder.write_status("done")
        raise
    except Pruned as pruned:
        folder.write_status("pruned", reason=str(pruned))
        raise
    except BaseException as error:
        # The console gets its sentence at the end.
        log.error("failed: %s", error, extra={"in_file_only": True})
        with suppress(RunError):  # a full disk is what is being reported
            folder.write_status("failed", reason=str(error) or type(error).__name__)
        if is_sweep and isinstance(error, Exception) and not isinstance(error, UserError | RunError):
            log.exception("unforeseen, please report it")
            raise RunError(f"{type(error).__name__}: {error}") from error
        raise


@contextmanager
def resumption_explained(command: str, folder: RunFolder) -> Iterator[None]:
    """Adds how to resume to an error that ends a run from outside: a lost process, or a signal beside the training."""
    try:
        yield
    except LostProcessError as loss:
        raise RunError(f"{loss}; {folder.how_to_resume}") from loss
    except Stopped as stop:
        # Training itself, at a tick, has said more exactly where it stopped.
        if command != "train" or "resume=true" in str(stop):
            raise
        raise Stopped(stop.exit_code - 128, f"stopped; {folder.how_to_resume}") from stop


@contextmanager
def resources_explained() -> Iterator[None]:
    """Turns what the machine refuses, memory or a file, into a `RunError`."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not (sentence := shortage(error)):
            raise
        raise RunError(sentence) from error
    except BrokenPipeError:
        raise
    except OSError as error:
        raise refused_by_the_system(error) from error
