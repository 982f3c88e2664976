"""The metrics of a training network on sessions of the validation part, after each epoch."""

import numpy as np
import torch

from prnn_cli.data.prepare import PreparedData
from prnn_cli.data.sessions import Sessions
from prnn_cli.evaluation.methods import measure, sessions_to_rank
from prnn_cli.evaluation.metrics import measured_metrics
from prnn_cli.evaluation.replay import evaluate_sharded
from prnn_cli.experiment.pace import TIMED_EVENTS
from prnn_cli.experiment.selecting import drawn_sessions
from prnn_cli.experiment.supervisor import Validate
from prnn_cli.networks.scorer import NetworkScorer
from prnn_cli.schema import EvaluationConfig
from prnn_cli.system.durations import timed
from prnn_cli.system.hardware import num_threads
from prnn_cli.training.trainer import Trainer


def seconds_of_ranking(
    trainer: Trainer, data: PreparedData, config: EvaluationConfig, device: torch.device, threads: int
) -> float:
    """The seconds that ranking will take at the end of a run, from a sample of its events that is ranked."""
    ranked = sessions_to_rank(data, config.part)
    sample = drawn_sessions(ranked, TIMED_EVENTS)
    rank_some = validation(trainer, sample, data.support, config, device, threads)
    assert rank_some is not None
    rank_some(len(trainer.phases))  # which compiles what it needs
    with timed() as ranking:
        rank_some(len(trainer.phases))
    return ranking.seconds * ranked.num_ranked / sample.num_ranked


def validation(
    trainer: Trainer,
    sessions: Sessions | None,
    support: np.ndarray,
    config: EvaluationConfig,
    device: torch.device,
    threads: int,
) -> Validate | None:
    """A function that measures the network in training; None without sessions.

    support: (num_items,) training events of each item; threads: for ranking, however many training takes
    """
    if sessions is None:
        return None

    def validate(phase: int) -> dict[str, float]:
        """The metrics by the subnets that score in the phase (from 1): untrained ones would only add noise."""
        subnets = {name for update in trainer.phases[phase - 1].updates for name in update.scores}
        scorer = NetworkScorer(trainer.network, trainer.state.parameters, subnets)
        with num_threads(threads):
            ranks = evaluate_sharded(scorer, sessions, support, config, device)
        metrics = measured_metrics(config)
        measured = measure(ranks, metrics, config.tie_break)
        return {key: measured[key] for key in metrics}

    return validate
