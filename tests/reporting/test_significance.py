import numpy as np
import pytest

from prnn_cli.reporting.significance import holm, interval, p_value, resampled_means


def test_sessions_are_resampled_not_events() -> None:
    """Two sessions, one of 9 hits and one of 1 miss: a resample holds one of them twice, or both."""
    means = resampled_means(np.array([[9.0], [0.0]]), np.array([9, 1]), resamples=400)
    assert set(np.round(means[:, 0], 6)) == {0.0, 0.9, 1.0}
    assert np.mean(means[:, 0] == 0.9) == pytest.approx(0.5, abs=0.1)


def test_methods_see_the_same_resamples() -> None:
    sums = np.random.default_rng(0).random((50, 1))
    means = resampled_means(np.column_stack([sums, sums + 1]), np.full(50, 1), resamples=200)
    assert np.allclose(means[:, 1] - means[:, 0], 1)


def test_the_interval_is_that_of_the_normal_approximation_for_many_sessions() -> None:
    """Sessions of one event: the standard error of a share p of n is sqrt(p (1 − p) / n)."""
    hits = np.repeat([1.0, 0.0], [300, 700])[:, None]
    low, high = interval(resampled_means(hits, np.ones(1000), resamples=4000)[:, 0], 0.95)
    half = 1.96 * np.sqrt(0.3 * 0.7 / 1000)
    assert (low, high) == pytest.approx((0.3 - half, 0.3 + half), abs=0.003)


def test_the_p_value_counts_the_resamples_on_the_other_side_of_zero() -> None:
    assert p_value(np.array([-1.0] * 4 + [1.0] * 95)) == pytest.approx(2 * (1 + 4) / 100)
    assert p_value(np.array([1.0] * 99)) == pytest.approx(0.02)  # never 0
    assert p_value(np.array([-1.0, 1.0])) == 1.0
    assert p_value(np.zeros(10)) == 1.0


def test_holm_multiplies_the_smallest_by_the_number_of_rows_and_never_falls() -> None:
    """By hand: .01·4 = .04, .02·3 = .06, .03·2 = .06, .04·1 → not below .06."""
    assert holm(np.array([0.03, 0.01, 0.04, 0.02])) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm(np.array([0.7, 0.9])) == pytest.approx([1.0, 1.0])
    assert holm(np.array([0.03])) == pytest.approx([0.03])
