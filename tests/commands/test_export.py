"""prnn export: the folder, and the ten lines of its card, run where prnn is not."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import prnn_cli
from commands.conftest import Result, refusal
from prnn_cli.system.extras import EXTRAS
from prnn_cli.system.tensor_files import read_tensors

pytest.importorskip("onnxruntime")
Prnn = Callable[..., Result]


@pytest.fixture
def exported(prnn: Prnn, run_of_small: Path) -> pd.DataFrame:
    """The items of an export in `model`, of a run in runs/mine."""
    before = sorted(run_of_small.rglob("*"))
    done = prnn("export", "run=runs/mine", "out=model")
    assert done.exit_code == 0, done.err
    assert "written to model" in done.out
    assert sorted(run_of_small.rglob("*")) == before
    return pd.read_parquet("model/items.parquet")


def test_the_folder_holds_the_model_without_prnn(exported: pd.DataFrame, prnn: Prnn) -> None:
    run = prnn_cli.load_run("runs/mine")
    assert exported["item_id"].tolist() == run.items["item_id"].tolist()
    assert exported["item_index"].tolist() == list(range(len(exported)))
    assert np.array_equal(np.load("model/item_vectors.npy"), run.item_vectors)
    tensors, _ = read_tensors(Path("model/model.safetensors"))
    assert tensors["inputs.id"].shape == (len(exported), 36)
    card = Path("model/MODEL_CARD.md").read_text()
    assert f"| id_only (simultaneous, 12 units) | {run.metrics['recall@20']:.4f} [" in card
    assert "Licence of the model: *to be filled in*" in card
    assert str(Path.cwd()) not in card, "nobody's folders"
    described = json.loads(Path("model/croissant.json").read_text())
    assert [field["name"] for field in described["recordSet"][0]["field"]] == list(exported.columns)

    ten_lines = re.search(r"```python\n(.*?)```", card, re.DOTALL)
    assert ten_lines
    Path("model/serve.py").write_text(ten_lines[1])
    hidden = (
        "import sys; sys.modules['prnn_cli'] = sys.modules['torch'] = None; exec(open('serve.py').read())"
    )
    printed = subprocess.run(
        [sys.executable, "-c", hidden], cwd="model", capture_output=True, text=True, check=True
    )
    clicks = exported["item_id"][:2].tolist()
    expected = run.recommend([clicks], k=20, exclude_clicked=False)["item_id"].tolist()
    assert printed.stdout.strip() == str(expected)

    refused = refusal(prnn("export", "run=runs/mine", "out=model"))
    assert "out=model is there already; remove it, or give another name" in refused
    assert "out=no/model lies in no folder; make" in refusal(prnn("export", "run=runs/mine", "out=no/model"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(EXTRAS, "prnn export", ("not_there", "export"))
        assert "pip install 'prnn-cli[export]'" in refusal(prnn("export", "run=runs/mine", "out=new"))


def test_what_cannot_be_exported_is_refused(prnn: Prnn, workplace: Path) -> None:
    Path("empty").mkdir()
    assert "holds no status.json" in refusal(prnn("export", "run=empty", "out=model"))
    assert "there is no such folder" in refusal(prnn("export", "run=nowhere", "out=model"))
    assert not Path("model").exists()
