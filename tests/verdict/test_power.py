"""What a log can tell before anything is trained."""

import pytest

from prnn_cli.verdict.power import expected_smallest


def test_four_times_the_clicks_show_gains_half_as_large() -> None:
    for metric in ("mrr@20", "recall@20", "hit@20"):
        few, many = (expected_smallest(metric, number, 0.05) for number in (1000, 4000))
        assert many is not None
        assert few == pytest.approx((2 * many[0], 2 * many[1]))
    # (1.96 + 0.84) × 0.1 / √1000 and twice that, by the tables of the normal distribution
    assert expected_smallest("mrr@20", 1000, 0.05) == pytest.approx((0.00886, 0.01772), abs=1e-5)
    assert expected_smallest("mine@20", 1000, 0.05) is None, "nothing is known of an extension's metric"
