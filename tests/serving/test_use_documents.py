"""What the documents of use show, run as it stands there."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from prnn_cli.serving.model_card import CARD

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.nightly
def test_the_notebook_runs_from_a_csv_to_recommendations(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    notebook = json.loads((DOCS / "from_clicks_to_recommendations.ipynb").read_text(encoding="utf-8"))
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    shown = "\nprint('recommended', best.recommend([['red-lamp-0']], k=2)['item_id'].tolist())"
    script = tmp_path / "notebook.py"
    script.write_text("\n\n".join(cells) + shown, encoding="utf-8")
    environment = os.environ | {"MPLBACKEND": "Agg", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, script.name],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"recommended \['red-lamp-\d'", done.stdout)


def test_the_lines_that_use_an_export_are_those_of_its_card() -> None:
    def lines(text: str) -> list[str]:
        found = re.search(r"```python\n(import numpy.*?)```", text, re.DOTALL)
        assert found
        return [line for line in found[1].splitlines() if not line.startswith("for item in")]

    card = lines(CARD.replace("{{", "{").replace("}}", "}"))
    for page in (DOCS / "use.md", DOCS.parent / "README.md"):
        assert lines(page.read_text(encoding="utf-8")) == card
