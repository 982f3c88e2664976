"""prnn from Python: the same configurations, folders and results as the command line's."""

import subprocess
import sys
from pathlib import Path

import pytest

import prnn_cli
from commands.conftest import SMALL


def test_the_names_are_few_and_found_without_importing_torch() -> None:
    code = "import sys, prnn_cli; print(set(prnn_cli.__all__) <= set(dir(prnn_cli)), 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]
    assert all(getattr(prnn_cli, name).__doc__ for name in prnn_cli.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        prnn_cli.nothing  # noqa: B018


def test_what_is_composed_is_what_the_command_line_would_run(workplace: Path) -> None:
    config = prnn_cli.compose([*SMALL, "recipe=modern", "hydra.run.dir=runs/mine"])
    assert config.settings.recipe.name == "modern"
    assert config.settings.subnets["id"].hidden_size == 12
    assert config.folder == Path("runs/mine")
    assert "hidden_size: 12" in str(config)
    assert prnn_cli.compose(SMALL).folder.parent == Path("runs")


def test_prepared_sessions(workplace: Path) -> None:
    data = prnn_cli.prepare(prnn_cli.compose(SMALL))
    assert data.train.num_sessions == data.summary["train"]["sessions"]
    assert len(data.item_ids) == data.train.num_items


def test_a_training_leaves_what_the_command_leaves(workplace: Path) -> None:
    run = prnn_cli.train(prnn_cli.compose([*SMALL, "hydra.run.dir=runs/mine"]))
    files = {path.name for path in Path("runs/mine").iterdir()}
    assert {
        ".hydra",
        "metrics.json",
        "model.safetensors",
        "ranks.parquet",
        "train.log",
        "epochs.csv",
    } <= files
    assert "epoch 2 (id)" in Path("runs/mine/train.log").read_text()
    assert run.metrics["status"] == "done"
    with pytest.raises(prnn_cli.UserError, match="is not empty; add resume=true"):
        prnn_cli.train(prnn_cli.compose([*SMALL, "hydra.run.dir=runs/mine"]))
    again = prnn_cli.train(prnn_cli.compose([*SMALL, "hydra.run.dir=runs/mine", "resume=true"]))
    assert again.metrics == run.metrics


def test_runs_make_a_table(workplace: Path) -> None:
    seeds = [
        prnn_cli.train(prnn_cli.compose([*SMALL, "epochs=1", f"seed={n}", f"hydra.run.dir={n}"]))
        for n in (1, 2)
    ]
    table = prnn_cli.table(seeds).set_index("method")
    row = table.loc["id_only (simultaneous, 12 units)"]
    assert row["seeds"] == "1 2"
    assert row["mrr@20"] == pytest.approx(sum(run.metrics["mrr@20"] for run in seeds) / 2)
    assert table.loc["Item-kNN", "mrr@20"] == seeds[0].metrics["baselines"]["item_knn"]["mrr@20"]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["epochs=none"], "epochs"),
        (["nothing=1"], "nothing"),
        (["arch=magic"], "arch"),
        (["seed=1,2"], "seed"),
        (["seeds=3"], "one training: leave out seeds"),
    ],
)
def test_what_cannot_be_composed_is_explained(workplace: Path, overrides: list[str], message: str) -> None:
    with pytest.raises(prnn_cli.UserError, match=message):
        prnn_cli.compose([*SMALL, *overrides])
