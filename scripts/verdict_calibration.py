"""Judges generated logs whose truth is known by `prnn verdict`, and counts its answers.

    python scripts/verdict_calibration.py FOLDER --logs 20 --truths helps nothing ids

Sessions stay within a topic, whose items are clicked at random, so that the topic of an item is all there is to know of
it; most items are clicked too rarely to learn it from clicks. The items' texts say

    helps      the topic
    some       the topic, of five items in six
    nothing    the topic of another item
    ids        only which item it is: vectors drawn at random, one an item

`FOLDER/answers.csv` has a line for each log; logs that are judged already are kept.
"""

import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

DAYS = 10
TRUTHS = ("helps", "some", "nothing", "ids")
TRAINED = [
    "epochs=8",
    "units.each=32",
    "recipes=[paper]",
    "rows=[parallel_sim]",
    "trials=2",
    "looks=[3]",
    "jobs=1",
    "evaluation.metrics=[recall,mrr]",
    "baselines=[item_knn]",
]


def write_log(
    folder: Path,
    truth: str,
    seed: int,
    num_topics: int = 60,
    items_a_topic: int = 80,
    num_sessions: int = 2500,
) -> list[str]:
    """Writes clicks.csv, items.csv and vectors.npy, and returns the options that read them."""
    rng = np.random.default_rng(seed)
    num_items = num_topics * items_a_topic
    topic_of = rng.permutation(np.repeat(np.arange(num_topics), items_a_topic))
    rows = []
    for session in range(num_sessions):
        own = np.flatnonzero(topic_of == rng.integers(num_topics))
        clicks = rng.choice(own, size=rng.integers(2, 9))
        start = 1_600_000_000 + 86_400 * DAYS * session / num_sessions
        rows += [(f"s{session}", f"i{item}", start + step) for step, item in enumerate(clicks)]
    folder.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows, columns=["session_id", "item_id", "time"]).to_csv(folder / "clicks.csv", index=False)
    told = topic_of.copy()
    if truth == "nothing":
        told = rng.permutation(told)
    if truth == "some":
        told = np.where(rng.random(num_items) < 5 / 6, told, rng.integers(num_topics, size=num_items))
    words = [f"topic{topic} word{rng.integers(30)} word{rng.integers(30)}" for topic in told]
    items = pd.DataFrame({"item_id": [f"i{item}" for item in range(num_items)], "title": words})
    items.to_csv(folder / "items.csv", index=False)
    np.save(folder / "vectors.npy", rng.standard_normal((num_items, 64)).astype(np.float32))
    options = ["dataset=generic", f"dataset.name={truth}{seed}", f"dataset.path={folder / 'clicks.csv'}"]
    options += [f"dataset.items.path={folder / 'items.csv'}", "dataset.items.item_id=item_id"]
    options += [
        "dataset.items.text=[title]",
        "dataset.test_days=2",
        "dataset.drop_repeats=true",
        "dataset.min_item_support=2",
    ]
    if truth == "ids":
        items["item_id"].to_csv(folder / "ids.txt", index=False, header=False)
        vectors = [f"features.precomputed.path={folder / 'vectors.npy'}"]
        return [
            *options,
            "features=precomputed",
            *vectors,
            f"features.precomputed.item_ids={folder / 'ids.txt'}",
        ]
    return [*options, "features=text"]


def judged(folder: Path, truth: str, seed: int) -> dict[str, object]:
    """The verdict on one log."""
    run = folder / f"{truth}-{seed}"
    file = run / "verdict" / "verdict.json"
    if not file.is_file():
        options = write_log(run, truth, seed)
        command = [sys.executable, "-m", "prnn_cli", "verdict", *options, *TRAINED]
        command += [f"hydra.run.dir={run / 'verdict'}", f"cache_dir={run / 'cache'}"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    found = json.loads(file.read_text())
    low, high = found["interval"]
    return {
        "truth": truth,
        "seed": seed,
        "answer": found["answer"],
        "rare": found["slices"][1]["answer"] if len(found["slices"]) > 1 else "",
        "effect": found["effect"],
        "low": low,
        "high": high,
        "smallest": found["smallest_detectable"],
    }


def main() -> None:
    """Judges the logs, and prints how often each answer was given."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--logs", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="logs at a time")
    parser.add_argument("--truths", nargs="+", default=list(TRUTHS), choices=TRUTHS)
    arguments = parser.parse_args()
    logs = [(truth, seed) for seed in range(arguments.logs) for truth in arguments.truths]
    answers = []
    with ThreadPoolExecutor(arguments.jobs) as pool:
        for answer in pool.map(lambda log: judged(arguments.folder, *log), logs):
            answers.append(answer)
            print(answer, flush=True)
            pd.DataFrame(answers).to_csv(arguments.folder / "answers.csv", index=False)
    table = pd.DataFrame(answers)
    print(table.groupby("truth")["answer"].value_counts().unstack(fill_value=0).to_string())
    print(table.groupby("truth")["rare"].value_counts().unstack(fill_value=0).to_string())


if __name__ == "__main__":
    main()
