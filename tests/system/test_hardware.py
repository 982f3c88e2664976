"""What decides where steps are computed, and by how many threads."""

from dataclasses import replace

import pytest
import torch

from prnn_cli.schema import HardwareConfig
from prnn_cli.system.hardware import SMALL_STEP, threads_for_training

CONFIG = HardwareConfig(device="cpu", threads=None, compile="auto", tf32=False)


@pytest.mark.parametrize(
    ("threads", "multiplications", "number"), [(None, SMALL_STEP - 1, 1), (None, SMALL_STEP, 2), (2, 1, 2)]
)
def test_a_small_mini_batch_gets_one_thread_unless_the_number_is_given(
    threads: int | None, multiplications: int, number: int
) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with threads_for_training(replace(CONFIG, threads=threads), multiplications):
            assert torch.get_num_threads() == number
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
