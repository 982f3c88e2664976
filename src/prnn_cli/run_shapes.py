"""What status.json and metrics.json of a run must hold for prnn to read them."""

from prnn_cli.system.shapes import ANY, Shape

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
    }
    | {"baselines": {ANY: {"tie_rate": "number", ANY: "number"}}, "train": {"events_per_s": "number"}}
)
