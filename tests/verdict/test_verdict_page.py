"""The page of a verdict: where dots and lines stand, and what is said."""

import re

import pytest

from prnn_cli.reporting.table_formats import TextTable
from prnn_cli.verdict.claims import CANNOT_TELL, HELPS, Claim, Lead
from prnn_cli.verdict.page import Bar, figure, page


def lead(value: float, low: float, high: float, over: str = "IDs") -> Lead:
    return Lead(over, 0.2, value, low, high, 0.01, 0.05)


def places(html: str, kind: str) -> list[float]:
    return [float(each) for each in re.findall(rf'class="{kind}" style="left: ([\d.]+)%', html)]


def test_dots_stand_between_the_ends_of_their_lines_on_one_axis() -> None:
    """From −1 to 3: 4 per cent of margin on either side, so that a unit is 100 / (4 × 1.08) per cent."""
    html = figure([Bar("a", lead(1, -1, 3)), Bar("b", lead(0, -0.5, 0.5))])
    unit = 100 / (4 * 1.08)
    assert [round(each, 1) for each in places(html, "dot")] == [round((v + 1.16) * unit, 1) for v in (1, 0)]
    assert [round(each, 1) for each in places(html, "line")] == [
        round((v + 1.16) * unit, 1) for v in (-1, -0.5)
    ]
    assert len(set(places(html, "zero"))) == 1
    assert [re.sub("<.*?>", "", each) for each in re.findall(r'<span class="tick".*?</span>', html)] == [
        "−1", "0", "+1", "+2", "+3"
    ]  # fmt: skip


def test_colours_say_on_which_side_of_0_a_whole_line_lies() -> None:
    html = figure(
        [Bar("a", lead(2, 1, 3)), Bar("b", lead(-2, -3, -1)), Bar("c", lead(0, -1, 1), is_hollow=True)]
    )
    assert re.findall(r'<div class="row (\w+(?: hollow)?)"', html)[:3] == ["ahead", "behind", "unsure hollow"]


@pytest.mark.parametrize("width", [1e-4, 0.0123, 0.049, 0.05, 0.051, 0.99, 7])
def test_an_axis_of_any_width_has_up_to_five_round_values_with_0(width: float) -> None:
    ticks = re.findall(r'<span class="tick".*?>(.*?)</span>', figure([Bar("a", lead(0, -width / 3, width))]))
    assert 2 <= len(ticks) <= 6
    assert "0" in ticks


def test_rows_that_lead_by_nothing_are_drawn_too() -> None:
    assert places(figure([Bar("same", lead(0, 0, 0))]), "dot")


def test_the_page_begins_with_the_answer_and_shows_names_as_text() -> None:
    claims = [
        Claim("", 100, 900, [lead(0.02, 0.01, 0.03, "<b>IDs</b>")], 0, HELPS),
        Claim("the 20% of clicks with the rarest targets", 80, 180, [lead(0, -1, 1)], 0, CANNOT_TELL),
    ]
    html = page(
        "Do they help on <mine>?", claims, ["It helps.", "Unsure."], ["A & B"], [("By support", [])][:0],
        [("All networks", TextTable(["a"], [["x"]]))], ["Level: 5%"],
    )  # fmt: skip
    assert '<p class="answer helps">Yes, they help</p>' in html
    assert html.index("It helps.") < html.index("Unsure.") < html.index("All networks")
    assert "&lt;b&gt;IDs" in html
    assert "<b>IDs" not in html
    assert "on 900 clicks of 100 sessions" in html
