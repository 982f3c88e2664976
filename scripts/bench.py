"""Times the training step, the evaluation and item-kNN on this machine, in about a minute and a half.

Threads are those of a run: one for small mini-batches, else torch's own choice.

The log is generated: sessions of 2 to 8 clicks, items drawn by Zipf's law. Medians of several runs.
"""

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from prnn_cli.baselines.item_knn import ItemKnn
from prnn_cli.batching import SessionParallelPlan
from prnn_cli.data.sessions import Sessions
from prnn_cli.evaluation.candidates import Candidates
from prnn_cli.evaluation.replay import replay
from prnn_cli.hardware import threads_for_training
from prnn_cli.networks.inputs import OneHot
from prnn_cli.networks.network import Network
from prnn_cli.networks.readouts import Separate
from prnn_cli.networks.scorer import NetworkScorer
from prnn_cli.networks.subnet import Subnet
from prnn_cli.schema import HardwareConfig, ItemKnnConfig
from prnn_cli.training.losses import top1
from prnn_cli.training.negatives import NegativeSampler
from prnn_cli.training.optim import LearningSettings
from prnn_cli.training.state import TrainState
from prnn_cli.training.step import train_step
from prnn_cli.training.strategies import simultaneous
from prnn_cli.training.ticks import TickMaker

STEPS, REPEATS = 200, 5
CASES = [  # units, slots, sampled negatives, items
    (100, 50, 0, 30_000),
    (100, 512, 0, 30_000),
    (100, 50, 2048, 30_000),
    (1000, 50, 0, 30_000),
    (100, 50, 0, 300_000),
]


def generated_log(num_sessions: int, num_items: int) -> Sessions:
    rng = np.random.default_rng(0)
    lengths = rng.integers(2, 9, num_sessions)
    weights = 1 / (np.arange(num_items) + 10)
    items = rng.choice(num_items, lengths.sum(), p=weights / weights.sum()).astype(np.int32)
    return Sessions(items, np.append(0, np.cumsum(lengths)), np.arange(num_sessions), num_items)


def network_of(num_items: int, hidden_size: int) -> Network:
    subnet = Subnet("id", (OneHot(num_items),), hidden_size, weight=1.0, dropout=0.4)
    return Network((subnet,), Separate((subnet,)), "tanh", num_items)


def microseconds_per_step(
    hidden_size: int, num_slots: int, num_sampled: int, num_items: int, device: torch.device
) -> float:
    log = generated_log(num_slots * 2 * STEPS // 4, num_items)
    network = network_of(num_items, hidden_size)
    settings = {"id": LearningSettings(0.05, 0.0)}
    support = np.bincount(log.items, minlength=num_items)
    sampler = NegativeSampler(support, 0.75, num_sampled, device)
    plan = SessionParallelPlan.build(log, num_slots)
    ticks = TickMaker(network, plan, sampler, 0, device)
    state = TrainState.initial(network, settings, num_slots, 0, device)
    phase = simultaneous(["id"], 1)[0]

    def epoch() -> None:
        for batch in ticks.make(0, 0, 0, STEPS).batches.unbind():
            train_step(network, top1, settings, state, batch, phase)

    size = num_slots * hidden_size * (3 * hidden_size + num_slots + num_sampled)
    with threads_for_training(HardwareConfig(device="auto", threads=None), size):
        return seconds_of(epoch, device) / STEPS * 1e6


def events_per_second_ranked(num_items: int, device: torch.device) -> float:
    log = generated_log(1500, num_items)
    network = network_of(num_items, 100)
    parameters = network.initial_parameters(seed=0)
    scorer = NetworkScorer(network, {name: value.to(device) for name, value in parameters.items()})
    everything = Candidates.choose("all", np.ones(num_items), device)
    seconds = seconds_of(lambda: replay(scorer, log, everything, device), device)
    return (log.num_events - log.num_sessions) / seconds


def seconds_of(work: Callable[[], object], device: torch.device) -> float:
    def timed() -> float:
        started = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - started

    timed()
    return statistics.median(timed() for _ in range(REPEATS))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    path = parser.parse_args().json
    device = torch.device("cuda", 0) if torch.cuda.is_available() else torch.device("cpu")
    name = torch.cuda.get_device_name(0) if device.type == "cuda" else platform.machine()
    title = f"{name}, {torch.get_num_threads()} threads, torch {torch.__version__}"

    rows: list[dict[str, object]] = []
    for hidden_size, num_slots, num_sampled, num_items in CASES:
        took = microseconds_per_step(hidden_size, num_slots, num_sampled, num_items, device)
        case = f"{hidden_size} units, batch {num_slots}, {num_sampled} sampled, {num_items:,} items"
        rows.append({"what": "training step", "case": case, "figure": f"{took:,.0f} µs"})
    for num_items in (40_000, 200_000):
        rate = events_per_second_ranked(num_items, device)
        case = f"100 units, all of {num_items:,} items"
        rows.append({"what": "ranking", "case": case, "figure": f"{rate:,.0f} events/s"})
    log = generated_log(220_000, 31_000)
    config = ItemKnnConfig(num_neighbours=100, regularisation=20, alpha=0.5)
    took = seconds_of(lambda: ItemKnn.fit(log, config), torch.device("cpu"))
    case = f"{log.num_events:,} events, {log.num_items:,} items"
    rows.append({"what": "item-kNN", "case": case, "figure": f"{took:.1f} s"})

    table = Table("what", "case", "median", title=title, title_justify="left")
    for row in rows:
        table.add_row(*map(str, row.values()))
    Console(width=110).print(table)
    if path:
        path.write_text(json.dumps({"machine": title, "figures": rows}, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
