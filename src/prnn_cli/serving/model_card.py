"""The card of an exported model: what it is, what it was trained on, how good it is, and how to use its files."""

from typing import Any

import pandas as pd

from prnn_cli.reporting.report import table_of
from prnn_cli.reporting.table_formats import TextTable, to_markdown
from prnn_cli.serving.finished_run import Run

CARD = """# Model card: {name}

A recurrent network for session-based recommendation: from the clicks of a session so far, scores of all items for the
next one. Trained with prnn {version}, after Hidasi, Quadrana, Karatzoglou, Tikk: *Parallel Recurrent Neural Network
Architectures for Feature-rich Session-based Recommendations* (RecSys 2016).

## Model

{model}

## Data

{data}

Preparation drops sessions of one event, items of too few events, and sessions that are too long; the test part are the
latest sessions. Hash of the prepared data: `{data_hash}`.

## Metrics

On the {num_events:,} predicted events of the {part} part, with {candidates} as candidates; equal scores count {ties}.
In brackets 95 % bootstrap intervals over sessions.

{metrics}

## Intended use

Recommending the next item within a session of the same site, among the {num_items:,} items that were trained on{new}.
The scores order items; they are no probabilities. Nothing of a user but the clicks of the session is needed or kept.

## Limits

- Clicks on items that are not in `items.parquet` must be left out (an index of −1 would be taken for the last item);
  such items cannot be recommended by these files.{repeats}
- Clicks of later months drift away from those of training: measure again, and train again.
- The metrics are of logged clicks, which depend on what the site showed; they do not say what a test with users would.
- Popular items are recommended more often than rare ones: how much so, `prnn tables` shows by item support.

## Licence and contact

- Licence of the model: *to be filled in*
- Licence of the data: *to be filled in*
- Contact: *to be filled in*

## Files

| file | what |
| --- | --- |
| `model.onnx` | the network: a click of each session in; scores, the best items and new states out |
| `model.safetensors` | the arrays that it is made of, by name |
| `items.parquet` | `item_id`, `item_index` (its number in the network), `support` (training events) |
| `item_vectors.npy` | a row for each item_index; the product with a session's vector is the logit |
| `croissant.json` | the items' table, described for machines |

```python
import numpy as np, onnxruntime as ort, pyarrow.parquet as pq

ids = pq.read_table("items.parquet")["item_id"].to_pylist()
index = {{item: number for number, item in enumerate(ids)}}
network = ort.InferenceSession("model.onnx")
sizes = {{each.name: each.shape[1] for each in network.get_inputs() if each.name.startswith("state_")}}
state = {{name: np.zeros((1, size), np.float32) for name, size in sizes.items()}}
outputs = ["top_items", "top_scores", *("new_" + name for name in state)]
for item in {example}:
    click = {{"item": np.array([index[item]]), "k": np.array([20])}}
    items, scores, *new = network.run(outputs, {{**click, **state}})
    state = dict(zip(state, new))
print([ids[each] for each in items[0]])
```
"""

REPEATS = """
- It was trained without repeats: a click on the item that was clicked just before must be left out, too."""
TIES = {
    "conservative": "against the target",
    "standard": "for the target",
    "median": "half for the target, half against it",
}


def model_card(run: Run) -> str:
    """The text of MODEL_CARD.md."""
    metrics, data = run.metrics, run.metrics["data"]
    num_new = int((run.items["support"] == 0).sum())
    num_trained = run.num_items - num_new
    return CARD.format(
        name=f"{metrics['arch']} on {metrics['dataset']}",
        version=metrics["versions"]["prnn"],
        model=_lines(_model(run)),
        data=_table(["part", "sessions", "events"], _parts(data)),
        data_hash=metrics["data_hash"],
        num_events=metrics["num_test_events"],
        part=metrics["part"],
        candidates="all items"
        if metrics["candidates"] == "all"
        else f"the {metrics['candidates']:,} most supported items",
        ties=TIES[metrics["tie_break"]],
        metrics=_metrics(run),
        num_items=num_trained,
        new=f", and {num_new:,} that were not, known by their features alone" if num_new else "",
        repeats=REPEATS if run.settings.dataset.drop_repeats else "",
        example=repr(run.items["item_id"][:2].tolist()),
    )


def _model(run: Run) -> dict[str, Any]:
    metrics = run.metrics
    return {
        "architecture": f"{metrics['arch']}, {metrics['hidden_size']} units",
        "features": metrics["features"],
        "training": f"{metrics['strategy']}, recipe {metrics['recipe']}, epochs {metrics['epochs']}",
        "seed": metrics["seed"],
        "parameters": f"{metrics['num_parameters']:,}",
        "final activation": run.network.network.activation,
        "versions": ", ".join(f"{name} {number}" for name, number in metrics["versions"].items()),
    }


def _parts(data: dict[str, Any]) -> list[list[str]]:
    named = {"training": "train", "validation": "validation", "test": "test"}
    return [
        [name, f"{data[part]['sessions']:,}", f"{data[part]['events']:,}"]
        for name, part in named.items()
        if part in data
    ]


def _metrics(run: Run) -> str:
    table = table_of([run.folder], run.settings.table)
    names = [name for name in run.metrics if "@" in name]
    rows = [[row["method"], *(_cell(row, name) for name in names)] for _, row in table.iterrows()]
    return _table(["method", *names], rows)


def _cell(row: "pd.Series[Any]", metric: str) -> str:
    low, high = row.get(f"{metric}_low"), row.get(f"{metric}_high")
    interval = f" [{low:.4f}, {high:.4f}]" if pd.notna(low) else ""
    return f"{row[metric]:.4f}{interval}"


def _lines(values: dict[str, Any]) -> str:
    return "\n".join(f"- {name}: {value}" for name, value in values.items())


def _table(header: list[str], rows: list[list[str]]) -> str:
    return to_markdown(TextTable(header, rows, "l" + "r" * (len(header) - 1))).rstrip()
