"""Who holds a lock, who waits for it, who is turned away, and what is left afterwards."""

import fcntl
import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from multiprocessing.context import ForkProcess
from pathlib import Path

import pytest

from prnn_cli.errors import RunError
from prnn_cli.system.locks import exclusive_lock, is_locked, try_lock


def started(work: Callable[..., None], *arguments: object) -> ForkProcess:
    process = multiprocessing.get_context("fork").Process(target=work, args=arguments)
    process.start()
    return process


def build(path: Path) -> None:
    with exclusive_lock(path):
        if not path.exists():
            time.sleep(0.2)
            path.write_text("made")
            with path.with_name("builders").open("a") as builders:
                builders.write("one\n")


def hold_for_ever(lock_file: Path) -> None:
    with try_lock(lock_file):
        time.sleep(600)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_what_two_processes_need_at_once_is_built_once(tmp_path: Path) -> None:
    for each in [started(build, tmp_path / "it") for _ in range(2)]:
        each.join()
    assert (tmp_path / "builders").read_text() == "one\n"


def test_who_waits_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    other = started(build, tmp_path / "it")
    wait_until(lambda: is_locked(tmp_path / ".it.lock"))
    with exclusive_lock(tmp_path / "it"):
        assert (tmp_path / "it").read_text() == "made"
    other.join()
    assert caplog.messages == [f"another process works on {tmp_path / 'it'}; waiting for it"]


def test_work_that_fails_leaves_neither_lock_nor_folder(tmp_path: Path) -> None:
    def fail() -> None:
        with exclusive_lock(tmp_path / "cache" / "ranks" / "it"):
            assert (tmp_path / "cache" / "ranks" / ".it.lock").exists()
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_lock_is_held_by_one(tmp_path: Path) -> None:
    file = tmp_path / ".lock"
    assert not is_locked(file)
    with try_lock(file) as first, try_lock(file, patience_s=0) as second:
        assert (first, second) == (True, False)
        assert is_locked(file)
    assert list(tmp_path.iterdir()) == []


def test_who_has_patience_gets_what_is_soon_let_go(tmp_path: Path) -> None:
    with ExitStack() as asking:
        lock = asking.enter_context((tmp_path / ".lock").open("w"))
        context = multiprocessing.get_context("fork")
        theirs, ours = context.Pipe(duplex=False)

        def ask() -> None:
            with try_lock(tmp_path / ".lock", patience_s=20) as is_ours:
                ours.send(is_ours)

        fcntl.flock(lock, fcntl.LOCK_EX)
        process = started(ask)
        assert not theirs.poll(0.1)
        fcntl.flock(lock, fcntl.LOCK_UN)
        assert theirs.recv() is True
        process.join()


def test_a_dead_process_holds_nothing(tmp_path: Path) -> None:
    file = tmp_path / ".lock"
    process = started(hold_for_ever, file)
    wait_until(lambda: is_locked(file))
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert file.exists()
    assert not is_locked(file)
    with try_lock(file, patience_s=0) as is_ours:
        assert is_ours


def test_a_lock_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for lock in (exclusive_lock, try_lock):
        with pytest.raises(RunError, match=r"cannot write .*file/"), lock(tmp_path / "file" / "it"):
            pass


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a file system that makes no folders")
def test_a_folder_that_nobody_can_make_is_a_sentence() -> None:
    with (
        pytest.raises(RunError, match=r"cannot write /proc/none/\.it\.lock"),
        exclusive_lock(Path("/proc/none/it")),
    ):
        pass
