from dataclasses import replace

import pytest

from prnn_cli.schema import HardwareConfig
from prnn_cli.training import compile_choice
from prnn_cli.training.compile_choice import LONG_RUN, TWICE_AS_MUCH, choose_executor
from small import CPU

HARDWARE = HardwareConfig(device="cpu", threads=None, compile="auto", tf32=False)


@pytest.mark.parametrize(
    ("compile", "num_updates", "multiplications", "compiler", "executor"),
    [
        ("auto", LONG_RUN, 0, True, "compiled"),
        ("auto", LONG_RUN - 1, 0, True, "eager"),
        ("auto", LONG_RUN // 5, 4 * TWICE_AS_MUCH, True, "compiled"),  # large steps gain more
        ("auto", LONG_RUN, 0, False, "eager"),
        ("always", 1, 0, True, "compiled"),
        ("never", LONG_RUN, 0, True, "eager"),
    ],
)
def test_a_run_is_compiled_where_it_is_long_enough_to_repay_it(
    compile: str,
    num_updates: int,
    multiplications: int,
    compiler: bool,
    executor: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(compile_choice, "_has_compiler", lambda device: compiler)
    assert choose_executor(replace(HARDWARE, compile=compile), CPU, num_updates, multiplications) == executor
