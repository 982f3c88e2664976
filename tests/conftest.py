"""Shared fixtures: the real data sets where they lie beside the repository, and small logs made on the spot."""

import os
from pathlib import Path

import pytest


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
