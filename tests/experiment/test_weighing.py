"""arch=late_fusion: networks that are trained alone, added with weights that the validation part chooses."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from commands.conftest import SMALL, Result, refusal
from prnn_cli.cli import main
from prnn_cli.system.tensor_files import read_tensors

Prnn = Callable[..., Result]
pytest_plugins = ["commands.conftest"]

OWN = [*(each for each in SMALL if not each.startswith(("arch", "subnets", "epochs"))), "units.each=6"]
FUSED = [*OWN, "arch=late_fusion", "features=text", "baselines=[popularity]"]
CHOOSING = ["epochs=2", "dataset.validation_days=1", "training.select=best"]


@pytest.fixture(scope="module")
def weighed(tmp_path_factory: pytest.TempPathFactory, shared_cache: Path) -> Path:
    """A run whose weight was chosen among three."""
    folder = tmp_path_factory.mktemp("weighed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRNN_CACHE_DIR", str(shared_cache))
        own = ["arch.weights=[0.5,0,3]", "evaluation.part=validation", f"hydra.run.dir={folder}/fused"]
        assert main(["train", *FUSED, *CHOOSING, *own]) == 0
    return folder / "fused"


@pytest.fixture
def fused(weighed: Path, workplace: Path) -> dict[str, Any]:
    """What a run in `fused` measured."""
    shutil.copytree(weighed, "fused")
    metrics: dict[str, Any] = json.loads(Path("fused/metrics.json").read_text())
    return metrics


def metrics_of(prnn: Prnn, run: str, *arguments: str) -> dict[str, Any]:
    result = prnn("train", *arguments, f"hydra.run.dir={run}")
    assert result.exit_code == 0, result.err
    metrics: dict[str, Any] = json.loads(Path(run, "metrics.json").read_text())
    return metrics


def parameters_of(run: str) -> dict[str, torch.Tensor]:
    return read_tensors(Path(run, "model.safetensors"))[0]


def test_its_subnets_are_to_the_bit_the_networks_that_each_would_be_alone(prnn: Prnn) -> None:
    """Without dropout, whose masks are others in another phase. At a weight of 0 the text's counts for nothing."""
    own = ["recipe.dropout=0", "training.refit=true", "arch.weights=[0]"]
    fused = metrics_of(prnn, "fused", *FUSED, *CHOOSING, *own)
    of_id, of_text = fused["selected_epochs"]
    one = ["units.id=6", "units.feature=6", "baselines=[popularity]", "recipe.dropout=0"]
    only_id = metrics_of(prnn, "id", *OWN, *one, "arch=id_only", f"epochs={of_id}")
    metrics_of(prnn, "text", *OWN, *one, "arch=feature_only", "features=text", f"epochs={of_text}")
    alone = parameters_of("id") | parameters_of("text")
    together = parameters_of("fused")
    assert together.keys() == alone.keys()
    assert [name for name in alone if not torch.equal(together[name], alone[name])] == []
    assert fused["weights"] == {"text": 0.0}
    assert fused["mrr@20"] == only_id["mrr@20"] > 0


def test_the_weight_is_the_one_that_ranks_the_validation_part_best(prnn: Prnn, fused: dict[str, Any]) -> None:
    measured = dict(map(tuple, fused["weighing"]["text"]))
    assert list(measured) == [0.5, 0.0, 3.0]
    assert len(set(measured.values())) == 3
    weight = fused["weights"]["text"]
    assert measured[weight] == max(measured.values()) == fused["mrr@20"]
    assert [subnet["weight"] for subnet in fused["network"]["subnets"]] == [1.0, weight]
    # Whoever takes the network up weighs as it does.
    assert prnn("evaluate", "run=fused", "hydra.run.dir=again").exit_code == 0
    assert json.loads(Path("again/metrics.json").read_text())["mrr@20"] == fused["mrr@20"]
    assert f"Weights chosen on the validation part: text {weight:g}." in Path("fused/results.md").read_text()


def test_without_a_hold_out_the_weights_are_those_of_the_subnets_which_training_knows_nothing_of(
    prnn: Prnn,
) -> None:
    result = prnn("train", *FUSED, "epochs=1", "subnets.text.weight=0.25", "hydra.run.dir=light")
    assert "arch.weights are chosen on a validation part, and there is none" in result.err
    assert "(id 1, text 0.25)" in result.err
    light = json.loads(Path("light/metrics.json").read_text())
    heavy = metrics_of(prnn, "heavy", *FUSED, "epochs=1")
    assert "weights" not in light
    assert [subnet["weight"] for subnet in light["network"]["subnets"]] == [1.0, 0.25]
    assert light["mrr@20"] != heavy["mrr@20"]
    one, other = parameters_of("light"), parameters_of("heavy")
    assert [name for name in one if not torch.equal(one[name], other[name])] == []


def test_networks_that_learn_together_can_be_weighed_too(prnn: Prnn) -> None:
    """Without chosen epochs as well: a validation part is enough."""
    residual = [each.replace("late_fusion", "parallel") for each in FUSED]
    weighing = ["dataset.validation_days=1", "epochs=1", "arch.weights=[1,0]"]
    told = metrics_of(prnn, "residual", *residual, *weighing, "evaluation.part=validation")
    (_, together), (_, alone) = told["weighing"]["text"]
    assert told["mrr@20"] == max(together, alone)
    assert told["weights"] == {"text": 1.0 if together >= alone else 0.0}


def test_damaged_weights_are_a_sentence(prnn: Prnn, fused: dict[str, Any]) -> None:
    Path("fused/metrics.json").write_text(json.dumps(fused | {"weights": {"text": "0.25"}}))
    assert "weights" in refusal(prnn("evaluate", "run=fused"))


@pytest.mark.parametrize(
    ("arguments", "stated"),
    [
        (["arch=late_fusion", "strategy=residual"], "leave strategy out with arch=late_fusion"),
        (["arch=parallel", "arch.trained=alone"], "add strategy=simultaneous"),
        (["arch=late_fusion", "arch.weights=[1,nan]"], "numbers of 0 or more"),
        (["arch=late_fusion", "arch.weights=[-1]"], "numbers of 0 or more"),
        (["arch=late_fusion", "training.metric=recall@7"], "training.metric=recall@7"),
        (["arch=shared_w", "arch.trained=alone"], "arch.readout=shared"),
        (["arch=id_only", "arch.weights=[0,1]"], "arch=id_only has one subnet"),
        (["arch=parallel", "arch.weights=[]"], "must hold weights to choose from"),
        (["arch=parallel", "arch.trained=apart"], "arch.trained=apart"),
    ],
)
def test_what_cannot_be_is_one_sentence(prnn: Prnn, arguments: list[str], stated: str) -> None:
    assert stated in refusal(prnn("train", *OWN, *arguments))
