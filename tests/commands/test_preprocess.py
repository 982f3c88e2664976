"""prnn preprocess: what it writes, and how it explains what it read."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from commands.conftest import SMALL, Result

Prnn = Callable[..., Result]

DATASET = SMALL[:4]


def test_preprocess_writes_the_contracts_files_and_table_1(prnn: Prnn) -> None:
    result = prnn("preprocess", *DATASET, "hydra.run.dir=runs/data")
    assert result.exit_code == 0
    folder = Path("runs/data")
    events = pd.read_parquet(folder / "events.parquet")
    items = pd.read_parquet(folder / "items.parquet")
    summary = json.loads((folder / "summary.json").read_text())
    assert list(events) == ["session_id", "session_index", "item_index", "time", "part"]
    assert list(items) == ["item_index", "item_id", "support"]
    for part in ("train", "test"):
        rows = events[events["part"] == part]
        assert summary[part] == {"sessions": rows["session_index"].nunique(), "events": len(rows)}
    assert summary["items"] == len(items)
    assert summary["rows"] == len(events) + sum(summary["dropped"].values())
    assert (folder / "table1.md").read_text().startswith("| Data | train sessions |")
    assert r"\toprule" in (folder / "table1.tex").read_text()
    assert pd.read_csv(folder / "table1.csv").loc[0, "train events"] == summary["train"]["events"]
    assert "dropped: items too rare" in result.out


def test_a_second_preprocess_does_not_overwrite_the_first(prnn: Prnn) -> None:
    prnn("preprocess", *DATASET, "hydra.run.dir=runs/data")
    result = prnn("preprocess", *DATASET, "hydra.run.dir=runs/data")
    assert result.exit_code == 2
    assert "holds what prnn preprocess left; choose another hydra.run.dir" in result.err


def test_preprocess_explains_what_it_read(prnn: Prnn) -> None:
    rows = [(f"s{s}", f"i{(s + n) % 7}", 8640 * s + n, "x") for s in range(60) for n in range(4)]
    frame = pd.DataFrame(rows, columns=["visit", "sku", "at", "agent"])
    Path("logs").mkdir()
    for day in range(8):
        frame.iloc[day::8].to_csv(f"logs/{day}.csv", index=False)
    columns = "dataset.columns={session_id: visit, item_id: sku, time: at, order: null}"
    result = prnn("preprocess", "dataset=generic", "dataset.path=logs", columns, "hydra.run.dir=out")
    assert result.exit_code == 0
    text = Path("out/explanation.md").read_text()
    for line in (
        "| logs/0.csv | 30 |",
        "| 3 more files | 90 |",
        "| 8 files | 240 |",
        "| session | visit |  |",
        "| time | at | 1970-01-01 00:00:00 to 1970-01-06 21:36:03 UTC |",
        "| not used | agent |  |",
        "| 1970-01-06 | 10 | 30 |",
        "| s0 | train | 1970-01-01 00:00:00 | i0 i1 i2 i3 |",
        "| s59 | test | 1970-01-06 21:36:00 | i3 i4 i5 i6 |",
        "| rows read | 240 |",
        "| events kept | 240 |",
    ):
        assert line in text
    assert text.count("| train |") + text.count("| test |") == 5


def test_preprocess_says_what_undermines_conclusions(prnn: Prnn) -> None:
    """Orders of three items, as on Online Retail: all lines of an order have one time."""
    rows = [(f"s{s}", f"i{(s * n) % 7}", 8640 * s) for s in range(60) for n in (1, 2, 3)]
    frame = pd.DataFrame(rows, columns=["session_id", "item_id", "time"])
    frame.to_csv("orders.csv", index=False)
    result = prnn("preprocess", "dataset=generic", "dataset.path=orders.csv", "hydra.run.dir=out")
    assert result.exit_code == 0
    diagnostics = json.loads(Path("out/diagnostics.json").read_text())
    assert diagnostics["tied"] == 1
    assert next(iter(diagnostics["warnings"])) == "tied"
    sentence = "of events share their time with another of their session: they stand in the order of the rows"
    for text in (Path("out/explanation.md").read_text(), result.out):
        assert sentence in text
        assert text.index("tied times") < text.index("dropped items")
