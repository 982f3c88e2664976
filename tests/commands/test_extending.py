"""The README's examples of a strategy, an architecture and a kind of feature, added as it says and run."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from commands.conftest import SMALL, Result
from prnn_cli.features import extract
from prnn_cli.networks import readouts
from prnn_cli.training import strategies

ROOT = Path(__file__).parents[2]


def example(name: str) -> str:
    """The Python block of the README that defines `name`."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    (block,) = [block for block in blocks if re.search(rf"(def|class) {name}\b", block)]
    return str(block)


def test_the_readmes_examples_can_be_added_and_run(
    prnn: Callable[..., Result], workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name, choices, option in (
        (strategies, "warm_start", strategies.STRATEGIES, "warm_start"),
        (readouts, "Pooled", readouts.READOUTS, "pooled"),
        (extract, "MeanColour", extract.EXTRACTORS, "mean_colour"),
    ):
        names = dict(vars(module))
        exec(example(name), names)
        monkeypatch.setitem(choices, option, names[name])
    for group, origin, changes in (
        ("strategy", "residual", {"name: residual": "name: warm_start"}),
        ("arch", "parallel", {"name: parallel": "name: pooled", "readout: separate": "readout: pooled"}),
        ("features", "colour_histogram", {": colour_histogram": ": mean_colour"}),
    ):
        text = (ROOT / "configs" / group / f"{origin}.yaml").read_text()
        for old, new in changes.items():
            assert old in text
            text = text.replace(old, new)
        name = {"strategy": "warm_start", "arch": "pooled", "features": "mean_colour"}[group]
        (workplace / "mine" / group).mkdir(parents=True)
        (workplace / "mine" / group / f"{name}.yaml").write_text(text)
    small = [setting for setting in SMALL if not setting.startswith(("arch", "subnets"))]
    mine = ["-cd", "mine", "strategy=warm_start", "arch=pooled", "features=mean_colour"]
    done = prnn("train", *mine, *small, "epochs=1", "hydra.run.dir=run")
    assert done.exit_code == 0, done.err
    rows = (workplace / "run/epochs.csv").read_text().splitlines()[1:]
    assert [row.split(",")[2] for row in rows] == ["id", "id+image"]
    assert "image: 3 dimensions" in done.err + done.out
    assert "pooled (warm_start" in (workplace / "run/results.md").read_text()
