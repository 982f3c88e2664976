"""docs/tutorial.md, command by command."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pandas as pd
import pytest

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial.md"


def blocks(kind: str) -> list[str]:
    found = re.findall(
        r"^```(\w*)\n(.*?)^```", TUTORIAL.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    return [text for each, text in found if each == kind]


@pytest.mark.nightly
def test_the_tutorial_leads_from_clicks_to_a_service_with_new_items(tmp_path: Path) -> None:
    pytest.importorskip("fastapi")
    pytest.importorskip("onnx")
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PRNN_CACHE_DIR": str(tmp_path / "cache")}

    def run(arguments: list[str]) -> str:
        done = subprocess.run(
            arguments, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{arguments}: {done.stderr}"
        return done.stdout

    (script,) = blocks("python")
    (tmp_path / "make_shop.py").write_text(script, encoding="utf-8")
    run([sys.executable, "make_shop.py"])
    config = tmp_path / "my_configs" / "dataset" / "shop.yaml"
    config.parent.mkdir(parents=True)
    (yaml,) = blocks("yaml")
    config.write_text(yaml, encoding="utf-8")

    prnn = [sys.executable, "-m", "prnn_cli"]
    *commands, serve, curl = [shlex.split(block) for block in blocks("")]
    assert [command[1] for command in commands] == [
        "datasets", "preprocess", "train", "train", "recommend", "export",
    ]  # fmt: skip
    printed = [run([*prnn, *command[1:]]) for command in commands]
    assert "visit" in printed[0]
    assert "cold recall@20" in printed[2]
    metrics = json.loads((tmp_path / "runs/held_out/metrics.json").read_text())
    assert metrics["cold"]["network"]["recall@20"] > 3 * metrics["cold"]["chance"]["recall@20"]
    assert re.search(r"lamp-red-1[5-7]", printed[4]), "an item that nobody has clicked yet"
    assert len(pd.read_parquet(tmp_path / "model" / "items.parquet")) == 240 + 48

    started = subprocess.Popen(
        [*prnn, *(each for each in serve[1:] if not each.startswith("port=")), "port=0"],
        cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert started.stdout is not None
        found = re.search(r"at (http://\S+)", started.stdout.readline())
        assert found
        body = curl[curl.index("-d") + 1].encode()
        with urllib.request.urlopen(f"{found[1]}/recommend", body, timeout=30) as answer:
            told = json.load(answer)
        assert told["unknown"] == []
        assert len(told["items"]) == 5
    finally:
        started.send_signal(signal.SIGTERM)
        assert started.wait(30) == 0
