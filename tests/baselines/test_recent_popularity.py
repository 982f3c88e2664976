import pytest

from prnn_cli.baselines.recent_popularity import RecentPopularityOptions, check, fit
from prnn_cli.errors import UserError
from small import prepared, sessions_of

DAY = 86_400.0


def test_only_events_of_the_last_days_count() -> None:
    sessions = sessions_of([0, 1], [2, 1], [3, 1], num_items=4)
    data = prepared(sessions, [0, DAY, 2 * DAY, 2.5 * DAY, 3 * DAY, 3.5 * DAY])
    assert fit(data, RecentPopularityOptions(days=1)).support.tolist() == [0, 2, 0, 1]
    assert fit(data, RecentPopularityOptions(days=1.5)).support.tolist() == [0, 2, 1, 1]
    assert fit(data, RecentPopularityOptions(days=100)).support.tolist() == [1, 3, 1, 1]
    assert fit(data, RecentPopularityOptions(days=1)).name == "recent_popularity"


def test_a_log_without_times_is_refused() -> None:
    data = prepared(sessions_of([0, 1], num_items=2), [1, 1])
    with pytest.raises(UserError, match="recent_popularity needs times"):
        check(data, RecentPopularityOptions(days=1))
