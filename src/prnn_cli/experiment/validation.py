"""What a training network is worth after each epoch, on the validation part."""

import torch

from prnn_cli.data.prepare import PreparedData
from prnn_cli.evaluation.methods import measure
from prnn_cli.evaluation.metrics import measured_metrics
from prnn_cli.evaluation.replay import evaluate_sharded
from prnn_cli.experiment.supervisor import Validate
from prnn_cli.networks.scorer import NetworkScorer
from prnn_cli.schema import EvaluationConfig
from prnn_cli.system.hardware import num_threads
from prnn_cli.training.trainer import Trainer


def validation(
    trainer: Trainer,
    data: PreparedData,
    config: EvaluationConfig,
    device: torch.device,
    threads: int,
) -> Validate | None:
    """None where there is no validation part (dataset.validation_days), or nobody wants it ranked each epoch.
    `threads`: that ranking takes, whatever training does."""
    sessions = data.validation
    if sessions is None or not config.each_epoch:
        return None

    def validate(phase: int) -> dict[str, float]:
        """By the subnets that score in the phase (from 1): those that were not trained yet would only add noise."""
        subnets = {name for update in trainer.phases[phase - 1].updates for name in update.scores}
        scorer = NetworkScorer(trainer.network, trainer.state.parameters, subnets)
        with num_threads(threads):
            ranks = evaluate_sharded(scorer, sessions, data.support, config, device)
        metrics = measured_metrics(config)
        measured = measure(ranks, metrics, config.tie_break)
        return {key: measured[key] for key in metrics}

    return validate
