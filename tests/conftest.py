"""Shared fixtures: the real data sets where they lie beside the repository, and small logs made on the spot."""

import gc
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

# OpenMP reads it once, as torch is loaded. Its threads spin while they wait for work, which takes the core from the
# other tests: most of the time of a test that ranks with all threads.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import torch

from prnn_cli.data.sessions import Sessions
from small import sessions_of

# The tests' products are tiny: threads would only wait for each other, long where the machine is busy.
torch.set_num_threads(1)

# Commands compose their configuration of many small objects that live for as long as the command: looking for
# garbage at Python's usual pace takes a tenth of the tests' time.
gc.set_threshold(50_000, 50, 50)


@pytest.fixture(autouse=True)
def _no_log_of_another_test() -> Iterator[None]:
    """A run in this process leaves its log file open at the root logger, and its folder may go with the test."""
    yield
    root = logging.getLogger()
    for log_file in [each for each in root.handlers if isinstance(each, logging.FileHandler)]:
        root.removeHandler(log_file)
        log_file.close()


def _real_data(name: str) -> Path:
    """Folder of a real data set: $PRNN_TEST_DATA/name, else a folder beside the checkout; skips without it."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("PRNN_TEST_DATA", beside)) / name
    if not folder.is_dir():
        pytest.skip(f"needs the data set {name} (set PRNN_TEST_DATA to the folder that holds it)")
    return folder


@pytest.fixture(scope="session")
def online_retail() -> Path:
    return _real_data("online_retail")


@pytest.fixture(scope="session")
def eshop_clothing() -> Path:
    return _real_data("eshop_clothing")


@pytest.fixture(scope="session")
def log_of() -> Callable[[list[list[int]], int], Sessions]:
    """Lists of item_index, one a session -> `Sessions` numbered 0, 10, 20, …"""

    def make(sessions: list[list[int]], num_items: int) -> Sessions:
        made = sessions_of(*sessions, num_items=num_items)
        return replace(made, session_index=10 * made.session_index)

    return make
