"""What status.json and metrics.json of a run must hold for prnn to read them."""

from typing import Any

from prnn_cli.system.shapes import ANY, Shape, misfit

STATUS: Shape = {
    "status": "text",
    "command": "text",
    "reason?": "text",
    "stage?": "text",
    "updated?": "number",
    "progress?": dict.fromkeys(("phase", "epoch", "events_done", "events_total"), "count")
    | dict.fromkeys(("events_per_s", "loss", "seconds_left"), "number")
    | {"learning": "text"},
}
RESULT: Shape = (
    dict.fromkeys(("arch", "strategy", "features", "dataset", "hidden_size"), "text")
    | dict.fromkeys(("data_hash", "part", "tie_break"), "word")
    | dict.fromkeys(("label", "row", "experiment", "gain_over"), ("text", "null"))
    | dict.fromkeys(("epochs", "num_parameters", "num_test_events"), "count")
    | {"seed": "number", "tie_rate": "number", "candidates": ("text", "count")}
    | {
        "metrics": ["text"],
        "cutoffs": ["count"],
        "labels": {ANY: "text"},
        "baseline_options": {ANY: "anything"},
        "files": {ANY: "text"},
        "weights?": {ANY: "number"},
    }
    | {"recall@20": "number", "mrr@20": "number", "train": {"events_per_s": "number"}}
    | {"baselines": {ANY: dict.fromkeys(("recall@20", "mrr@20", "tie_rate", ANY), "number")}}
)


def damage_of_result(metrics: dict[str, Any]) -> str:
    """What metrics.json lacks, or holds wrongly, for a sentence; empty for a whole one."""
    if wrong := misfit(metrics, RESULT):
        return wrong
    measured = {key for key in metrics if "@" in key}
    for what, values in metrics["baselines"].items():
        if missing := sorted(measured - values.keys()):
            return f"{what} lacks {', '.join(missing)}"
    if unnamed := sorted(metrics["baselines"].keys() - metrics["labels"].keys()):
        return f"labels lacks {', '.join(unnamed)}"
    known = (None, *metrics["baselines"])
    return (
        "" if metrics["gain_over"] in known else f"gain_over={metrics['gain_over']} is none of the baselines"
    )
