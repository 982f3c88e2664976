"""Small things that many tests are about: a log of eight items, and a network with odd sizes."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from prnn_cli.batching import Batch, SessionParallelPlan, TableRows, first_occurrence
from prnn_cli.data.prepare import PreparedData
from prnn_cli.data.sessions import Sessions
from prnn_cli.networks.inputs import OneHot
from prnn_cli.networks.network import Network
from prnn_cli.networks.readouts import Separate
from prnn_cli.networks.subnet import Subnet
from prnn_cli.system.tree import unbind
from prnn_cli.training.logq import LogQ
from prnn_cli.training.negatives import NegativeSampler

CPU = torch.device("cpu")


def sessions_of(*sessions: Sequence[int], num_items: int = 8) -> Sessions:
    lengths = [len(session) for session in sessions]
    return Sessions(
        items=np.array([item for session in sessions for item in session], dtype=np.int32),
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        session_index=np.arange(len(sessions)),
        num_items=num_items,
    )


def prepared(sessions: Sessions, times: Sequence[float] | None = None) -> PreparedData:
    """Sessions as the training part of prepared data; times: of the events, an hour apart unless given"""
    told = 3600.0 * np.arange(sessions.num_events) if times is None else np.asarray(times, dtype=float)
    return PreparedData(
        folder=Path(),
        data_hash="small",
        summary={},
        train=sessions,
        validation=None,
        test=sessions,
        item_ids=np.arange(sessions.num_items).astype(str).astype(object),
        support=np.bincount(sessions.items, minlength=sessions.num_items),
        reused=False,
        read_train_times=lambda: told,
    )


def random_sessions(seed: int, num_sessions: int = 30, num_items: int = 8) -> Sessions:
    rng = np.random.default_rng(seed)
    lengths = rng.integers(2, 9, num_sessions)
    return sessions_of(*(rng.integers(0, num_items, n).tolist() for n in lengths), num_items=num_items)


def id_network(
    num_items: int = 8, hidden_size: int = 5, activation: str = "tanh", dropout: float = 0.0
) -> Network:
    subnet = Subnet("id", (OneHot(num_items),), hidden_size, weight=1.0, dropout=dropout)
    return Network((subnet,), Separate((subnet,)), activation, num_items)


def parameters_of(
    network: Network, seed: int = 0, dtype: torch.dtype = torch.float32
) -> dict[str, torch.Tensor]:
    """Initial parameters with biases that are not 0, so that a forgotten bias shows."""
    generator = torch.Generator().manual_seed(seed)
    parameters = network.initial_parameters(seed)
    return {
        name: (value + 0.1 * torch.randn(value.shape, generator=generator)).to(dtype)
        for name, value in parameters.items()
    }


def whole_batches_of(network: Network, sessions: Sessions, num_slots: int) -> list[Batch]:
    """Without dropout; every item is scored."""
    plan = SessionParallelPlan.build(sessions, num_slots)
    inputs = plan.steps(0, plan.num_steps)
    clicks = network.clicks(inputs.input_items)
    return unbind(Batch(clicks, None, inputs.new_session, inputs.active, targets=inputs.target_items))


def sampling_of(
    name: str, sessions: Sessions, num_slots: int, num_sampled: int, device: torch.device = CPU
) -> dict[str, Any]:
    """What a `TickMaker` is given for a kind of columns: sampled, logq (sampled, and corrected), or all."""
    support = np.bincount(sessions.items, minlength=sessions.num_items)
    sampler = NegativeSampler(support, 0.5, num_sampled, device) if name != "all" else None
    logq = LogQ(support, 0.5, num_slots, num_sampled, 1.0, device) if name == "logq" else None
    return {"sampler": sampler, "logq": logq}


def with_tied_rows(batch: Batch) -> Batch:
    """The mini-batch with the rows that a network of tied tables reads."""
    assert batch.outputs is not None
    items = torch.cat([batch.outputs.index, batch.clicks.items])
    return replace(batch, tied=TableRows(items, first_occurrence(items[None])[0]))


def batches_of(
    network: Network, sessions: Sessions, num_slots: int, negatives: torch.Tensor | None = None
) -> list[Batch]:
    """Without dropout; `negatives` (M − B,) are the same at every step."""
    plan = SessionParallelPlan.build(sessions, num_slots)
    inputs = plan.steps(0, plan.num_steps)
    extra = torch.empty(0, dtype=torch.int64) if negatives is None else negatives
    output_items = torch.cat([inputs.target_items, extra.expand(plan.num_steps, -1)], dim=1)
    outputs = TableRows(output_items, first_occurrence(output_items))
    return unbind(Batch(network.clicks(inputs.input_items), outputs, inputs.new_session, inputs.active))
