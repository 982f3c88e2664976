"""What the figures of a log mean in words, and from where on they undermine conclusions."""

from dataclasses import replace

import pytest

from prnn_cli.data.describe.doubts import as_json, figures, figures_table
from prnn_cli.data.diagnostics import Change, Diagnostics, Drift

USUAL = Change(new=0.02, absent=0.05, late=0.03, distance=0.22)
SOUND = Diagnostics(
    ranks_last_only=False,
    tied=0.01,
    repeated=0.005,
    same_as_last=0.02,
    in_session=0.1,
    rare=0.05,
    unseen=0,
    dropped=0.01,
    chain=0.1,
    new_steps=0.2,
    is_later=True,
    drift=Drift(sessions=1200, test=USUAL, earlier=USUAL, chance=0.2),
)


def drifting(earlier: float = 0.22, **test: float) -> Diagnostics:
    drift = Drift(1200, replace(USUAL, **test), replace(USUAL, distance=earlier), chance=0.2)
    return replace(SOUND, drift=drift)


def doubts(found: Diagnostics, order: str | None = None) -> dict[str, str]:
    warnings: dict[str, str] = as_json(found, figures(found, order, order))["warnings"]
    return warnings


def test_a_sound_log_has_figures_and_no_doubts() -> None:
    assert doubts(SOUND) == {}
    assert len(figures(SOUND, None)) == 11


@pytest.mark.parametrize(
    ("key", "limit", "sentence"),
    [
        ("tied", 0.2, "learn from pseudo-sequences"),
        ("repeated", 0.1, "so keep one of equal rows"),
        ("in_session", 0.3, "compare with session_popularity"),
        ("same_as_last", 0.2, "dataset.drop_repeats=true leaves them out"),
        ("chain", 0.3, "a longer memory has little to add"),
        ("new_steps", 0.5, "a gain over it may be no more than that"),
        ("rare", 0.2, "look at the metrics by item support"),
        ("unseen", 0.1, "read the metrics of cold and warm items apart"),
        ("dropped", 0.1, "dataset.keep_new_items=true keeps these"),
    ],
)
def test_above_its_limit_a_figure_is_a_doubt(key: str, limit: float, sentence: str) -> None:
    assert doubts(replace(SOUND, **{key: limit})) == {}
    (found,) = doubts(replace(SOUND, **{key: limit + 0.001})).items()
    assert found[0] == key
    assert found[1].startswith(f"{limit + 0.001:.1%} of ")
    assert sentence in found[1]


def test_drift_is_a_doubt_a_tenth_beyond_what_chance_makes() -> None:
    assert doubts(drifting(distance=0.3)) == {}
    assert "popularity moves fast" in doubts(drifting(earlier=0.25, distance=0.31))["distance"]
    assert "the test part is unusual" in doubts(drifting(distance=0.35))["distance"]
    assert list(doubts(drifting(absent=0.16))) == ["absent"]
    assert list(doubts(drifting(late=0.11))) == ["late"]


def test_equal_times_are_no_doubt_where_a_column_orders_them_or_there_are_none() -> None:
    tied = replace(SOUND, tied=1.0, repeated=1.0)
    assert list(doubts(tied)) == ["tied", "repeated"]
    assert doubts(tied, order="place") == {}
    assert "the column place orders them" in figures(tied, "place", "place")[0].meaning
    assert "the column place tells them apart" in figures(tied, "place", "place")[1].meaning
    assert figures(tied, "item_id", None)[0].key == "repeated", (
        "where it cannot, as equal rows have equal items"
    )
    none = replace(SOUND, tied=None, repeated=None, is_later=None, drift=None)
    assert doubts(none) == {}
    assert figures(none, None)[0].meaning.startswith("there are no times")


def test_parts_side_by_side_are_a_doubt() -> None:
    assert list(doubts(replace(SOUND, is_later=False, drift=None))) == ["is_later"]


def test_doubts_stand_first_and_are_marked() -> None:
    table = figures_table(figures(replace(SOUND, dropped=0.25, in_session=0.4), None))
    assert table.iloc[:3, :3].to_numpy().tolist() == [
        ["!", "item of session", "40.0%"],
        ["!", "dropped items", "25.0%"],
        ["", "tied times", "1.0%"],
    ]


def test_unseen_items_have_a_line_only_where_there_are_any() -> None:
    assert "unseen" not in [figure.key for figure in figures(SOUND, None)]
    assert "unseen" in [figure.key for figure in figures(replace(SOUND, unseen=0.01), None)]
