"""prnn serve as a process: asked over HTTP, its model swapped while it is asked, and stopped."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import prnn_cli
from commands.conftest import SMALL, Result, refusal

pytest.importorskip("fastapi")
Prnn = Callable[..., Result]


class Server:
    """A running prnn serve. lines: what it has printed"""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "prnn_cli", "serve", "port=0", *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.lines: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()
        self.url = self.wait_for(r"serving .* at (http://[\d.:]+)")[1]

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(iter(self.process.stdout.readline, ""))

    def wait_for(self, pattern: str) -> re.Match[str]:
        for _ in range(600):
            if found := re.search(pattern, "".join(self.lines)):
                return found
            time.sleep(0.1)
        raise AssertionError(f"{pattern} was not printed: {self.lines}")

    def ask(self, **request: Any) -> Any:
        body = json.dumps(request).encode()
        with urllib.request.urlopen(f"{self.url}/recommend", body, timeout=30) as answer:
            return json.load(answer)


@pytest.fixture
def server(prnn: Prnn) -> Iterator[Server]:
    """Of runs/one, a link to which is `current`; runs/two has another seed."""
    for name, seed in (("one", 1), ("two", 2)):
        assert prnn("train", *SMALL, "epochs=1", f"seed={seed}", f"hydra.run.dir=runs/{name}").exit_code == 0
    Path("current").symlink_to("runs/one")
    started = Server("run=current")
    yield started
    started.process.kill()
    started.process.wait()


def test_a_model_is_served_swapped_and_stopped(server: Server, prnn: Prnn) -> None:
    runs = {name: prnn_cli.load_run(f"runs/{name}") for name in ("one", "two")}
    clicks = runs["one"].items["item_id"][:2].tolist()
    expected = {name: run.recommend([clicks], k=5)["item_id"].tolist() for name, run in runs.items()}
    assert expected["one"] != expected["two"]

    def told() -> list[str]:
        return [each["item_id"] for each in server.ask(session=clicks, k=5)["items"]]

    assert told() == expected["one"]
    assert server.ask(session=clicks, k=3, key="x")["unknown"] == []
    with pytest.raises(urllib.error.HTTPError, match="400"):
        server.ask(session=[])

    Path("next").symlink_to("runs/two")
    Path("next").replace("current")
    os.kill(server.process.pid, signal.SIGHUP)
    seen = [told()]
    while seen[-1] != expected["two"] and len(seen) < 10_000:  # every one of them is answered
        seen.append(told())
    assert seen[-1] == expected["two"]
    assert all(each in expected.values() for each in seen)
    server.wait_for(r"serving two now")

    Path("current").unlink()
    shutil.copytree("runs/one", "current")
    Path("current/model.safetensors").write_bytes(b"damaged")
    os.kill(server.process.pid, signal.SIGHUP)
    server.wait_for(r"the model stays as it is: .*model.safetensors")
    assert told() == expected["two"]

    taken = refusal(prnn("serve", "run=runs/one", f"port={server.url.rpartition(':')[2]}"))
    assert "cannot be listened to (Address already in use); choose another port" in taken
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(30) == 0
    server.wait_for("stopped serving")


def test_what_is_no_run_is_not_served(prnn: Prnn, workplace: Path) -> None:
    Path("empty").mkdir()
    assert "holds no status.json" in refusal(prnn("serve", "run=empty"))
