"""How generated sessions click, on catalogues small enough to follow by eye."""

import numpy as np
import pytest

from prnn_cli.data.synthetic.click_model import STYLES_PER_INTENT, ClickModel, GeneratedItems
from prnn_cli.schema import BrowsingConfig, SuccessorsConfig

STAYS = BrowsingConfig(drift=0, onward=0, returns=False)
LISTS = SuccessorsConfig(length=10, steepness=1.5, of_style=0.5, popularity_exponent=0.5)


def clicked(catalogue: GeneratedItems, browsing: BrowsingConfig, **shares: float) -> np.ndarray:
    """The clicks of 2,000 sessions, (2000, 5)."""
    every = {"style": 0.0, "intent": 0.0, "anywhere": 0.0, "repeat": 0.0, "successor": 0.0} | shares
    lengths = np.full(2_000, 5)
    model = ClickModel(catalogue, every, browsing)
    return model.draw(np.random.default_rng(0), lengths).reshape(-1, 5)


def ring(num_items: int, steepness: float = 1e9) -> GeneratedItems:
    """Items of a style each, where i is followed by i + 1, seldom by i + 2, and style s by style s + 2."""
    item = np.arange(num_items)
    return GeneratedItems(
        popularity=np.ones(num_items),
        style=item,
        successors=np.stack([item + 1, item + 2], axis=1) % num_items,
        steepness=steepness,
        following=np.repeat((item[:, None] + 2) % num_items, 4, axis=1),
    )


def test_a_successor_is_one_of_the_last_items_list_and_mostly_its_first() -> None:
    clicks = clicked(ring(8, steepness=3), STAYS, successor=1)
    step = (clicks[:, 1:] - clicks[:, :-1]) % 8
    assert set(np.unique(step)) == {1, 2}
    assert (step == 1).mean() == pytest.approx(3 / 4, abs=0.02)


@pytest.mark.parametrize("returns", [True, False])
def test_after_a_detour_sessions_go_on_from_the_item_before_it_where_they_return(returns: bool) -> None:
    browsing = BrowsingConfig(drift=0, onward=0, returns=returns)
    clicks = clicked(ring(50), browsing, successor=0.7, anywhere=0.3)
    first, second, third = clicks[:, 0], clicks[:, 1], clicks[:, 2]
    detour = ~np.isin((second - first) % 50, [1, 2])
    goes_on_from_before = (third == (first + 1) % 50)[detour].mean()
    goes_on_from_it = (third == (second + 1) % 50)[detour].mean()
    if returns:
        assert goes_on_from_before > 0.6
        assert goes_on_from_it < 0.1
    else:
        assert goes_on_from_before < 0.1
        assert goes_on_from_it > 0.6


def test_onward_leads_to_a_style_that_follows() -> None:
    clicks = clicked(ring(8), BrowsingConfig(drift=0, onward=1, returns=False), style=1)
    assert set(np.unique((clicks[:, 1:] - clicks[:, :-1]) % 8)) == {2}


def test_drift_leaves_the_style() -> None:
    two_styles = GeneratedItems(
        popularity=np.ones(8),
        style=np.repeat([0, 1], 4),
        successors=np.roll(np.arange(8), -1)[:, None],
        steepness=1.0,
        following=np.zeros((2, 4), dtype=int),
    )

    def changes(drift: float) -> float:
        clicks = clicked(two_styles, BrowsingConfig(drift=drift, onward=0, returns=False), style=1)
        style = two_styles.style[clicks]
        return float((style[:, 1:] != style[:, :-1]).mean())

    assert changes(0.5) > 2 * changes(
        0.0
    )  # not 0: an item that would follow itself gives way to its successor


@pytest.mark.parametrize("of_style", [0.0, 0.5, 1.0])
def test_items_of_a_style_have_a_share_of_their_lists_in_common(of_style: float) -> None:
    config = SuccessorsConfig(length=10, steepness=1.5, of_style=of_style, popularity_exponent=0.5)
    items = GeneratedItems.draw(np.random.default_rng(1), np.ones(2_000), 20, config)
    assert items.successors.shape == (2_000, 10)
    in_common = [
        (items.successors[same[0]] == items.successors[other]).mean()
        for same in (np.flatnonzero(items.style == style) for style in range(20 * STYLES_PER_INTENT))
        for other in same[1:2]
    ]
    assert np.mean(in_common) == pytest.approx(of_style**2, abs=0.08)


def test_no_item_is_among_its_own_successors_or_follows_itself() -> None:
    items = GeneratedItems.draw(np.random.default_rng(1), np.ones(60), 5, LISTS)
    assert not (items.successors == np.arange(60)[:, None]).any()
    browsing = BrowsingConfig(drift=0.1, onward=0.1, returns=True)
    clicks = clicked(items, browsing, style=0.3, repeat=0.2, anywhere=0.2, successor=0.3)
    assert not (clicks[:, 1:] == clicks[:, :-1]).any()


def test_lists_hold_popular_items_the_more_the_larger_the_exponent() -> None:
    popularity = np.arange(1, 1_001.0)

    def mean_popularity(exponent: float) -> float:
        config = SuccessorsConfig(length=10, steepness=1.5, of_style=0.5, popularity_exponent=exponent)
        items = GeneratedItems.draw(np.random.default_rng(1), popularity, 10, config)
        return float(popularity[items.successors].mean())

    assert mean_popularity(0) < mean_popularity(0.5) < mean_popularity(2)
    assert mean_popularity(0) == pytest.approx(500, rel=0.05)
