"""What a network is made from: prepared data, the vectors of its items, and the origin that its files carry."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from prnn_cli.data.part_sizes import check_enough_to_rank
from prnn_cli.data.prepare import PreparedData, prepare
from prnn_cli.errors import SmallPartError, UserError
from prnn_cli.evaluation.methods import ChosenBaseline, sessions_to_rank
from prnn_cli.experiment.build import baselines_of, code_of, extract_used
from prnn_cli.experiment.kept import prepared_items
from prnn_cli.experiment.refit import whole
from prnn_cli.features.table import FeatureTable
from prnn_cli.origin import Origin
from prnn_cli.reporting.tables import one_line
from prnn_cli.run_folder import RunFolder
from prnn_cli.schema import AUTO, TrainCommand
from prnn_cli.system.distributed import process_group
from prnn_cli.system.files import hash_of

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Material:
    """What a network is trained on, and compared with.

    features: by source; origin: that of its checkpoints and its model; baselines: ready to be fitted, in the process
    that ranks them
    """

    data: PreparedData
    features: Mapping[str, FeatureTable]
    origin: Origin
    baselines: Sequence[ChosenBaseline]


def material_of(settings: TrainCommand, folder: RunFolder, device: torch.device) -> Material:
    """The material of the run in `folder`, whose configuration `settings` are.

    Raises `UserError` for data that cannot be trained on, or that leave too few events to rank.
    """
    data = data_of_run(settings, folder)
    features = extract_used(settings, data, device)
    is_main, cache_dir = process_group().is_main, Path(settings.cache_dir)
    baselines = baselines_of(settings).chosen(data, features, cache_dir, device) if is_main else []
    return Material(data, features, _origin_of(settings, folder, data, features), baselines)


def data_of_run(settings: TrainCommand, folder: RunFolder) -> PreparedData:
    """The prepared data of the run in `folder`. Raises `UserError` where they cannot be ranked, or not by a method."""
    with _hold_out_explained(settings, folder):
        data = prepare(settings.dataset, Path(settings.cache_dir))
        log.info("%s", one_line(data.summary))
        sessions_to_rank(data, settings.evaluation.part)  # refused now rather than after training
        for part in _ranked_parts(settings):
            check_enough_to_rank(data.summary, settings.dataset, part)
        baselines_of(settings).check_fits(data)
    return data


def material_of_refit(settings: TrainCommand, folder: RunFolder, material: Material) -> Material:
    """The same without a hold-out; the vectors stay, as the items are the same."""
    data = prepare(whole(settings.dataset), Path(settings.cache_dir))
    origin = _origin_of(settings, folder, data, material.features)
    return replace(material, data=data, origin=origin)


@contextmanager
def _hold_out_explained(settings: TrainCommand, folder: RunFolder) -> Iterator[None]:
    """Has the error of a log without room for a hold-out say that it is of epochs=auto."""
    try:
        yield
    except SmallPartError as error:
        if error.part == "test" or folder.config().get("epochs") != AUTO:
            raise
        raise UserError(
            f"epochs=auto chooses the epochs on a hold-out (dataset.validation_days={settings.dataset.validation_days})"
            f", for which the log has no room: {error}; or give a number, such as epochs=10, which needs none"
        ) from error


def _ranked_parts(settings: TrainCommand) -> set[str]:
    """The parts whose ranks decide anything."""
    return {settings.evaluation.part} | ({"validation"} if settings.training.select == "best" else set())


def _origin_of(
    settings: TrainCommand, folder: RunFolder, data: PreparedData, features: Mapping[str, FeatureTable]
) -> Origin:
    items = hash_of(None, [prepared_items(data)])
    vectors = {source: table.content_hash for source, table in features.items()}
    return Origin.of(folder.config(), data.data_hash, items, vectors, code_of(settings))
