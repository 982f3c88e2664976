from collections.abc import Callable

import numpy as np
import pytest

from prnn_cli.data.sessions import Sessions


@pytest.fixture(scope="session")
def log_of() -> Callable[[list[list[int]], int], Sessions]:
    """Lists of item_index, one a session -> `Sessions` numbered 0, 10, 20, …"""

    def make(sessions: list[list[int]], num_items: int) -> Sessions:
        offsets = np.cumsum([0, *map(len, sessions)], dtype=np.int64)
        items = np.array([item for session in sessions for item in session], dtype=np.int32)
        return Sessions(items, offsets, 10 * np.arange(len(sessions)), num_items)

    return make
