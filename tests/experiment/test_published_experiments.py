"""The experiments of published results: each runs what was published, on the data that it was published of."""

from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from prnn_cli.experiment.settings import composed
from prnn_cli.extensions import own_configs
from prnn_cli.reporting.departures import other_events, other_settings
from prnn_cli.reporting.published import published
from prnn_cli.reporting.runs import FinishedRun

PUBLIC = published().query("dataset != ''")
TABLES = list(PUBLIC.index.unique("table"))


def swept(table: str) -> dict[str, list[str]]:
    file = own_configs() / "experiment" / f"{table}.yaml"
    params = yaml.safe_load(file.read_text())["hydra"]["sweeper"]["params"]
    return {name: str(values).split(",") for name, values in params.items()}


def settings_of(table: str, row: str, *overrides: str) -> Any:
    return composed("train", [f"experiment={table}", f"row={row}", "dataset.path=logs", *overrides])


@pytest.mark.parametrize("table", TABLES)
def test_every_published_method_is_run_on_the_data_it_was_published_of(table: str) -> None:
    values = PUBLIC.loc[table]
    rows = swept(table)["row"]
    settings = settings_of(table, rows[0])
    assert (settings.experiment, settings.table.published) == (table, True)
    assert {settings.dataset.name} == set(values["dataset"])
    assert [row for row in values.index if row not in rows] == [
        name for name in settings.baselines if name in values.index
    ]
    for row in rows:
        settings = settings_of(table, row)
        assert settings.row == row
        assert settings.recipe.name == f"published_{settings.dataset.name}_{row.removeprefix('gru4rec_')}"


@pytest.mark.parametrize("table", TABLES)
def test_a_published_mean_over_windows_is_run_on_as_many(table: str) -> None:
    (windows,) = set(PUBLIC.loc[table]["windows"])
    numbers = swept(table).get("dataset.window.number", [])
    assert numbers == [str(number) for number in range(1, windows + 1)]
    split = settings_of(table, swept(table)["row"][0]).dataset.split
    assert split == ("window" if windows else "gru4rec2023")


@pytest.mark.parametrize("table", TABLES)
def test_what_an_experiment_sweeps_over_is_no_departure_of_the_user_s(table: str) -> None:
    values = PUBLIC.loc[[table]]
    runs = []
    for swept_over in product(
        *([f"{name}={value}" for value in each] for name, each in swept(table).items())
    ):
        given = {text.partition("=")[0]: text for text in (*swept_over, f"experiment={table}", "seed=2")}
        metrics = {"experiment": table, "row": given["row"].removeprefix("row="), "baseline_options": {}}
        metrics["dataset"] = values["dataset"].iloc[0]
        window = given.get("dataset.window.number", "").rpartition("=")[2]
        runs.append(FinishedRun(Path(), metrics, {}, given, int(window) if window else None))
    assert [*other_events(runs, values), *other_settings(runs, values)] == []
    runs[0].given["epochs"] = "epochs=3"
    assert other_settings(runs, values) == ["epochs=3"]


def test_a_row_has_the_settings_that_were_published_for_its_data() -> None:
    """RetailRocket, BPR-max: 224 units, batch 80, momentum 0.4, bpreg 1.95; Diginetica, cross-entropy: 192, logQ."""
    retailrocket = settings_of("published_gru4rec_retailrocket", "gru4rec_bpr_max")
    recipe = retailrocket.recipe
    assert (retailrocket.subnets["id"].hidden_size, retailrocket.epochs, recipe.tied) == (224, 10, True)
    assert (recipe.batch_size, recipe.momentum, recipe.score_regularisation) == (80, 0.4, 1.95)
    diginetica = settings_of("published_gru4rec_diginetica", "gru4rec_cross_entropy")
    assert (diginetica.subnets["id"].hidden_size, diginetica.recipe.logq) == (192, 1.0)


def test_the_windows_are_session_recs() -> None:
    """RetailRocket: 25 days of training, 2 of test, 27 from one window to the next, none before the first."""
    window = settings_of(
        "published_umuai_retailrocket", "gru4rec_top1_max", "dataset.window.number=3"
    ).dataset.window
    assert (window.number, window.train_days, window.test_days) == (3, 25, 2)
    assert (window.shift_days, window.offset_days) == (27, 0)
