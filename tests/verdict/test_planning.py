"""What a verdict trains within its hours."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from prnn_cli.errors import UserError
from prnn_cli.system.durations import side_by_side_s
from prnn_cli.verdict.planning import Cost, Costs, Plan, plan_within, told
from prnn_cli.verdict.rows import feature_row, id_rows
from prnn_cli.verdict.setting_up import Field

RECIPES, ROWS = ["paper", "modern"], ["parallel_res", "parallel_sim"]
FIELDS = [
    Field(
        recipe, id_rows(recipe, 100, 30, chooses_epochs=True), [feature_row(recipe, row, row) for row in ROWS]
    )
    for recipe in RECIPES
]
# Networks of IDs take 10 s on the hold-out and 20 on the test part, p-RNNs 30 and 60; by modern twice as much.
COSTS = {
    row.key: Cost(factor * (30 if row.has_features else 10), factor * (60 if row.has_features else 20), 10**9)
    for field, factor in zip(FIELDS, (1, 2), strict=True)
    for row in field.rows
}


def planned(hours: float, jobs: int = 2, **changes: Any) -> Plan:
    given = {
        "recipes": RECIPES,
        "rows": ROWS,
        "trials": 4,
        "looks": [3, 6],
        "hours": hours,
        "space": {"recipe.dropout": "interval(0,1)"},
    } | changes
    costs = Costs(COSTS, jobs, failures={})
    return plan_within(SimpleNamespace(**given), FIELDS, costs)  # type: ignore[arg-type]


def test_the_time_of_a_plan_is_the_sum_of_its_trainings() -> None:
    plan = planned(hours=10)
    # Two networks of IDs and two p-RNNs by each recipe, two at a time, then three more trials of the costliest of each.
    screened = (10 + 30) + (20 + 60)
    assert plan.hold_out_s(FIELDS) == screened + max(20 + 20 + 60, 60 + 20 + 60)
    # Three seeds of the p-RNN, four placebos and the control by modern, and of the two by the other recipe.
    assert plan.test_s(FIELDS, 3) == pytest.approx(3 * (5 * 120 + 40 + 80) / 2, abs=60)
    assert plan.test_s(FIELDS, 3, min) == pytest.approx(3 * (5 * 60 + 20 + 160) / 2, abs=60)


def test_trainings_side_by_side_begin_where_one_ends() -> None:
    assert side_by_side_s([3, 1, 1, 1], jobs=2) == 3
    assert side_by_side_s([1, 1, 1, 3], jobs=2) == 4
    assert side_by_side_s([5, 5], jobs=8) == 5, "no more side by side than there are"
    assert side_by_side_s([], jobs=2) == 0


def test_without_a_space_there_is_one_trial() -> None:
    assert planned(hours=10, space={}).trials == 1


@pytest.mark.parametrize(
    ("seconds", "kept", "left_out"),
    [
        (2800, (2, 2, 4), []),
        (2560, (2, 2, 4), ["the best networks of the other recipes on the test part"]),
        (2300, (2, 2, 2), ["2 of 4 trials"]),
        (2200, (2, 2, 1), ["3 of 4 trials"]),
        (2100, (2, 1, 1), ["the p-RNNs parallel_sim"]),
        (1200, (1, 2, 4), ["the recipes modern"]),
        (1035, (1, 1, 1), ["the recipes modern", "the p-RNNs parallel_sim", "3 of 4 trials"]),
    ],
)
def test_what_does_not_fit_is_left_out(
    seconds: float, kept: tuple[int, int, int], left_out: list[str]
) -> None:
    plan = planned(hours=seconds / 3600, jobs=1)
    assert (len(plan.recipes), len(plan.rows), plan.trials) == kept
    assert plan.total_s(FIELDS, 3) <= seconds
    assert set(left_out) <= set(plan.left_out)
    assert (plan.left_out == []) == (kept == (2, 2, 4) and not left_out)


def test_the_first_row_that_fits_is_planned_where_the_first_does_not() -> None:
    """The first p-RNN cannot be trained by the first recipe, and is too slow by the second one."""
    costs = {key: cost for key, cost in COSTS.items() if key != "parallel_res_with_features-paper"}
    costs["parallel_res_with_features-modern"] = Cost(1000, 2000, 10**9)
    settings = SimpleNamespace(
        recipes=RECIPES, rows=ROWS, trials=1, looks=[3, 6], hours=1200 / 3600, space={}
    )
    found = Costs(costs, 1, {"Parallel (res), paper": "no memory"})
    plan = plan_within(settings, FIELDS, found)  # type: ignore[arg-type]
    networks = [row.key for each in plan.fields(FIELDS) for row in each.candidates]
    assert networks == ["parallel_sim_with_features-paper"]
    assert plan.left_out[0] == "Parallel (res), paper (no memory)"


def test_hours_too_few_for_one_row_are_refused_with_what_it_takes() -> None:
    with pytest.raises(
        UserError, match=r"hours=0.01 is too little: parallel_res, paper with .* takes about 17 min"
    ):
        planned(hours=0.01, jobs=1)


def test_a_plan_says_what_each_network_takes_and_what_is_left_out() -> None:
    lines = told(planned(hours=10), FIELDS, [3, 6])
    assert "  ID only, 200 units, modern: 20 s" in lines
    assert "Up to 6 seeds while it cannot be told, more could tell, and the hours last" in lines
    lines = told(planned(hours=1200 / 3600, jobs=1), FIELDS, [3])
    assert lines[-1] == "Left out: the recipes modern"


def test_a_plan_is_read_as_it_was_written(tmp_path: Any) -> None:
    from prnn_cli.system.files import write_json

    plan = planned(hours=1)
    write_json(tmp_path / "plan.json", plan.as_json())
    assert Plan.read(tmp_path / "plan.json") == plan


def test_a_training_costs_what_is_forecast_and_what_its_process_takes_beside() -> None:
    forecast = {
        "seconds": 100.0,
        "compiling_s": 20.0,
        "made_in_s": 7.0,
        "chosen": True,
        "stages": [{"rounds": 10, "round_s": 3.0}],
        "peak_bytes": 10**9,
    }
    assert Cost.of(forecast, process_s=9.0) == Cost(102.0, 132.0, 10**9)
    assert Cost.of(forecast | {"chosen": False}, 9.0) == Cost(102.0, 102.0, 10**9)
    assert Cost.of(forecast, 9.0, compiling=0.25) == Cost(87.0, 117.0, 10**9), (
        "5 of the 20 s where it was compiled before"
    )


def test_the_p_rnns_of_a_smaller_plan_are_the_first_ones() -> None:
    plan = replace(planned(hours=10), recipes=["paper"], rows=["parallel_res"])
    assert [[row.key for row in field.candidates] for field in plan.fields(FIELDS)] == [
        ["parallel_res_with_features-paper"]
    ]
