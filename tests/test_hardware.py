"""What decides where and how steps are computed."""

from dataclasses import replace

import pytest
import torch

from prnn_cli import hardware
from prnn_cli.hardware import LONG_RUN, SMALL_STEP, TWICE_AS_MUCH, chosen_path, threads_for_training
from prnn_cli.schema import HardwareConfig
from small import CPU

CONFIG = HardwareConfig(device="cpu", threads=None, compile="auto", tf32=False)


@pytest.mark.parametrize(
    ("compile", "num_updates", "multiplications", "compiler", "path"),
    [
        ("auto", LONG_RUN, 0, True, "compiled"),
        ("auto", LONG_RUN - 1, 0, True, "plain"),
        ("auto", LONG_RUN // 5, 4 * TWICE_AS_MUCH, True, "compiled"),  # large steps gain more
        ("auto", LONG_RUN, 0, False, "plain"),
        ("always", 1, 0, True, "compiled"),
        ("never", LONG_RUN, 0, True, "plain"),
    ],
)
def test_a_run_is_compiled_where_it_is_long_enough_to_repay_it(
    compile: str,
    num_updates: int,
    multiplications: int,
    compiler: bool,
    path: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hardware, "_has_compiler", lambda device: compiler)
    assert chosen_path(replace(CONFIG, compile=compile), CPU, num_updates, multiplications) == path


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
