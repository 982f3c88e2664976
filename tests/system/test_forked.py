"""Processes that begin with everything loaded."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from prnn_cli.system import forked


def fail_with(code: int) -> None:
    print(f"fails with {code}", flush=True)
    sys.exit(code)


def note_and_wait(file: Path) -> None:
    file.write_text(str(os.getpid()))
    time.sleep(60)


def has_ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"
    except OSError:
        return True


def test_each_process_ends_with_its_code_and_keeps_what_it_printed(tmp_path: Path) -> None:
    files = [tmp_path / str(number) for number in range(3)]
    starts = [partial(forked.start, fail_with, (number,), file) for number, file in enumerate(files)]
    ended = dict(forked.side_by_side(starts, jobs=2))
    assert {number: each.exit_code for number, each in ended.items()} == {0: 0, 1: 1, 2: 2}
    assert [file.read_text() for file in files] == [f"fails with {number}\n" for number in range(3)]


def test_what_is_left_running_is_ended(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    starts = [
        partial(forked.start, note_and_wait, (file,), tmp_path / "log"),
        partial(forked.start, fail_with, (0,), tmp_path / "log"),
    ]
    for _ in forked.side_by_side(starts, jobs=2):
        while not file.is_file() or not file.read_text():
            time.sleep(0.05)
        break
    forked.end([])
    deadline = time.monotonic() + 30
    while not has_ended(int(file.read_text())) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert has_ended(int(file.read_text()))


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads /proc")
def test_a_process_ends_with_the_one_that_started_it(tmp_path: Path) -> None:
    file, log = tmp_path / "pid", tmp_path / "log"
    code = (
        "from pathlib import Path; from prnn_cli.system import forked; from system.test_forked import note_and_wait\n"
        f"forked.start(note_and_wait, (Path({str(file)!r}),), Path({str(log)!r})).process.join()"
    )
    tests = str(Path(__file__).parents[1])
    parent = subprocess.Popen([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": tests})
    deadline = time.monotonic() + 60
    while not (file.is_file() and file.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    pid = int(file.read_text())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    while not has_ended(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert has_ended(pid)
