"""prnn train: prepare -> train -> evaluate against the baselines -> results."""

import logging
from pathlib import Path
from typing import Any

import torch

from prnn_cli.commands.build import build_trainer
from prnn_cli.commands.supervise import start_or_resume, train
from prnn_cli.data.prepare import PreparedData, prepare
from prnn_cli.evaluation.comparison import compare, sessions_to_rank
from prnn_cli.hardware import device_name, select_device
from prnn_cli.networks.model_file import save_model
from prnn_cli.networks.scorer import NetworkScorer
from prnn_cli.reporting.results import environment, measured, show_results, write_results
from prnn_cli.reporting.tables import one_line
from prnn_cli.run_folder import RunFolder
from prnn_cli.schema import TrainCommand
from prnn_cli.training.state import TrainState

WRITES = True

log = logging.getLogger(__name__)


def run(config: TrainCommand, folder: RunFolder) -> None:
    if folder.metrics_file.is_file():
        log.info("this run is finished")
        show_results(folder.path)
        return
    device = select_device(config.hardware)
    data = prepare(config.dataset, Path(config.cache_dir))
    log.info("%s", one_line(data.summary))
    sessions_to_rank(data, config.evaluation.part)  # refused now rather than after training

    trainer = build_trainer(config, data, device)
    trainer.state = start_or_resume(folder, trainer.state, device)
    train(trainer, folder, config.checkpoint.every_s)
    parameters = trainer.state.parameters
    save_model(folder.model_file, parameters)

    ranks = compare(NetworkScorer(trainer.network, parameters), data, config.evaluation, device)
    results = description(config, data, trainer.state, device) | measured(ranks, config.evaluation)
    write_results(folder.path, results, ranks)
    show_results(folder.path)


def description(
    config: TrainCommand, data: PreparedData, state: TrainState, device: torch.device
) -> dict[str, Any]:
    """The part of metrics.json that says what was trained, on what, and how fast."""
    sources = dict.fromkeys(source for subnet in config.subnets.values() for source in subnet.inputs)
    return {
        "status": "done",
        "label": config.label,
        "dataset": config.dataset.name,
        "features": "_and_".join(source for source in sources if source != "id") or "none",
        "arch": config.arch.name,
        "strategy": config.strategy.name,
        "recipe": config.recipe.name,
        "row": None,
        "seed": config.seed,
        "hidden_size": "+".join(str(subnet.hidden_size) for subnet in config.subnets.values()),
        "num_parameters": sum(value.numel() for value in state.parameters.values()),
        "train": state.totals(),
        "device": device_name(device),
        "data_hash": data.data_hash,
        **environment(),
    }
