"""The plan of a training log's mini-batches, kept for later runs on the same data."""

import logging
from pathlib import Path

import torch

from prnn_cli.batching import SessionParallelPlan
from prnn_cli.data.prepare import PreparedData
from prnn_cli.system.files import set_aside
from prnn_cli.system.locks import exclusive_lock
from prnn_cli.system.tensor_files import DamagedFileError, read_tensors, write_tensors

FORMAT_VERSION = 1  # part of the name: raise it with every change of the plan
WORTH_KEEPING = 100_000  # sessions: below, a plan is made as fast as it is read

log = logging.getLogger(__name__)


def training_plan(data: PreparedData, num_slots: int, cache_dir: Path) -> SessionParallelPlan:
    """Of `data.train`; one that is damaged is set aside and made again."""
    if data.train.num_sessions < WORTH_KEEPING:
        return SessionParallelPlan.build(data.train, num_slots)
    file = cache_dir / "plans" / f"{data.data_hash}-{num_slots}-{FORMAT_VERSION}.safetensors"
    with exclusive_lock(file):
        if file.exists():
            try:
                tensors, _ = read_tensors(file)
                return SessionParallelPlan(data.train, tensors["positions"].numpy())
            except DamagedFileError as damage:
                log.warning("%s is damaged (%s); set aside as %s", file, damage, set_aside(file).name)
        plan = SessionParallelPlan.build(data.train, num_slots)
        write_tensors(file, {"positions": torch.from_numpy(plan.positions)})
        return plan
