from pathlib import Path
from typing import Any

from prnn_cli.reporting.runs import gather_rows, read_run
from reporting.runs_on_disk import ALL_FIRST, trained, write_run


def test_the_same_run_twice_counts_once(tmp_path: Path) -> None:
    runs = [read_run(write_run(tmp_path / name, ALL_FIRST)) for name in "ab"]
    (row,), repeated = gather_rows(("mine", run) for run in runs)
    assert len(row.runs) == 1
    assert "the same settings and seed as" in repeated[0]


def test_a_row_whose_seeds_chose_other_epochs_says_all_of_them_and_the_mean_of_their_updates(
    tmp_path: Path,
) -> None:
    lengths = {1: trained(196, id=2), 2: trained(294, id=3), 3: trained(294, id=3)}
    runs = [
        read_run(write_run(tmp_path / str(seed), ALL_FIRST, seed=seed, train=train))
        for seed, train in lengths.items()
    ]
    (row,), _ = gather_rows(("mine", run) for run in runs)
    assert (row.epochs, row.updates) == ("2, 3", 261)


def names_of(tmp_path: Path, dropout: float = 0.2) -> list[str]:
    """The names of three rows: recipe a, recipe b, and recipe b with another dropout."""
    recipes: list[dict[str, Any]] = [
        {"name": "a", "loss": "top1", "dropout": 0.4},
        {"name": "b", "loss": "bpr", "dropout": 0.2},
        {"name": "b", "loss": "bpr", "dropout": dropout},
    ]
    folders = [
        write_run(tmp_path / str(number), ALL_FIRST, {"recipe": recipe})
        for number, recipe in enumerate(recipes)
    ]
    rows, _ = gather_rows(("mine", read_run(folder)) for folder in folders)
    return [row.name for row in rows]


def test_rows_of_two_recipes_are_told_apart_by_their_names_alone(tmp_path: Path) -> None:
    assert names_of(tmp_path) == ["mine [recipe=a]", "mine [recipe=b]"]


def test_what_differs_within_a_recipe_is_told_too(tmp_path: Path) -> None:
    assert names_of(tmp_path, dropout=0.1) == [
        "mine [recipe=a, recipe.dropout=0.4]",
        "mine [recipe=b, recipe.dropout=0.2]",
        "mine [recipe=b, recipe.dropout=0.1]",
    ]


def test_what_the_command_line_gave_beside_a_recipe_is_told_too(tmp_path: Path) -> None:
    (tmp_path / "1" / ".hydra").mkdir(parents=True)
    (tmp_path / "1" / ".hydra" / "overrides.yaml").write_text("[recipe=b, recipe.dropout=0.2]")
    assert names_of(tmp_path) == [
        "mine [recipe=a, recipe.dropout=0.4]",
        "mine [recipe=b, recipe.dropout=0.2]",
    ]
