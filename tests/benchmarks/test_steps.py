import pytest

from prnn_cli.benchmarks.training import affordable_steps


@pytest.mark.parametrize(
    ("multiplications", "steps"),
    [(1_750_000, 100), (50_000_000, 100), (100_000_000, 50), (515_000_000, 10), (10**11, 10)],
)
def test_a_step_that_takes_long_is_timed_fewer_times(multiplications: int, steps: int) -> None:
    assert affordable_steps(100, multiplications) == steps
