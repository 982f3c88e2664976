"""Timings beside training: a network's ranking and its matrix product, and the preparation of a log."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from prnn_cli.benchmarks.logs import drawn_sessions
from prnn_cli.benchmarks.timing import seconds_of
from prnn_cli.data.prepare import prepare
from prnn_cli.evaluation.candidates import Candidates
from prnn_cli.evaluation.replay import choose_num_slots, replay
from prnn_cli.evaluation.tiles import ROWS
from prnn_cli.networks.inputs import OneHot
from prnn_cli.networks.network import Network
from prnn_cli.networks.readouts import Separate
from prnn_cli.networks.scorer import NetworkScorer
from prnn_cli.networks.subnet import Subnet
from prnn_cli.schema import DatasetConfig, LogCase, RankingCase
from prnn_cli.system.hardware import peak_bytes

HIDDEN_SIZE, SESSIONS = 100, 4000


def ranking_row(case: RankingCase, device: torch.device, repeats: int) -> dict[str, Any]:
    """The time of ranking by an ID network with tanh.

    Its floor is the product of as many states as are ranked at once and the candidates' rows, by tiles.
    """
    sessions = drawn_sessions(SESSIONS, case.num_items)
    subnet = Subnet("id", (OneHot(case.num_items),), HIDDEN_SIZE, weight=1.0)
    network = Network((subnet,), Separate((subnet,)), "tanh", case.num_items)
    parameters = {name: value.to(device) for name, value in network.initial_parameters(seed=0).items()}
    support = np.bincount(sessions.items, minlength=case.num_items)
    candidates = Candidates.choose(case.candidates, support, device)
    scorer = NetworkScorer(network, parameters)
    took = seconds_of(lambda: replay(scorer, sessions, candidates, device), device, repeats)
    num_events = sessions.num_events - sessions.num_sessions

    at_once = ROWS if device.type == "cpu" else choose_num_slots(sessions, candidates.num_candidates, "cuda")
    states = torch.ones(at_once, HIDDEN_SIZE, device=device)
    rows = torch.ones(candidates.num_candidates, HIDDEN_SIZE, device=device)
    tiles = torch.split(rows, 2048 if device.type == "cpu" else len(rows))

    def products() -> None:
        for tile in tiles:
            states @ tile.T

    floor = seconds_of(products, device, repeats) * num_events / at_once
    return {
        "what": f"ranking against {candidates.num_candidates:,} candidates",
        "device": device.type,
        "hidden_size": str(HIDDEN_SIZE),
        "num_items": case.num_items,
        "threads": torch.get_num_threads(),
        "us_per_step": took / num_events * at_once / 1e-6,
        "floor_us": floor / num_events * at_once / 1e-6,
        "ratio": took / floor,
        "events_per_s": num_events / took,
    }


def preparation_row(case: LogCase, dataset: DatasetConfig) -> dict[str, Any]:
    """The time of preparing a log. `dataset` reads a CSV of session_id, item_id and time; its `path` is set here."""
    sessions = drawn_sessions(case.num_events // 5, case.num_items)
    lengths = np.diff(sessions.offsets)
    session = np.repeat(np.arange(sessions.num_sessions), lengths)
    log = pd.DataFrame(
        {
            "session_id": session,
            "item_id": sessions.items,
            "time": 1_500_000_000 + 60 * np.arange(len(session)),
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        dataset.path = f"{folder}/log.csv"
        log.to_csv(dataset.path, index=False)
        runs = iter(range(1000))
        took = seconds_of(
            lambda: prepare(dataset, Path(folder) / f"cache{next(runs)}"), torch.device("cpu"), repeats=1
        )
    return {
        "what": f"preparation of {len(log):,} events in a CSV",
        "device": "cpu",
        "num_items": case.num_items,
        "seconds": took,
        "events_per_s": len(log) / took,
    }


def peak_memory_mb(device: torch.device) -> int:
    """The peak of the process so far; on a GPU that of the device since it was last asked for."""
    if device.type == "cuda":
        peak = torch.cuda.max_memory_allocated(device) >> 20
        torch.cuda.reset_peak_memory_stats(device)
        return peak
    return peak_bytes() >> 20
