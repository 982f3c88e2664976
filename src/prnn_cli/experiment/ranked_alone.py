"""A baseline in the place of the network: a trial of a search for its options, in which nothing is trained."""

from pathlib import Path

from prnn_cli.errors import UserError
from prnn_cli.evaluation.methods import ranks_of_baseline
from prnn_cli.experiment.build import baselines_of
from prnn_cli.experiment.material import data_of_run
from prnn_cli.experiment.memory import tell_memory
from prnn_cli.reporting.results import measured, write_results
from prnn_cli.run_folder import RunFolder
from prnn_cli.schema import TrainCommand
from prnn_cli.system.hardware import device_name, select_device


def method_searched(settings: TrainCommand) -> str | None:
    """The baseline that the run is to rank alone, if it is a trial of a search for one."""
    return settings.search.method if settings.search else None


def check_method(settings: TrainCommand) -> None:
    """Raises `UserError` for a search of a baseline that is not ranked."""
    method = method_searched(settings)
    if method is not None and method not in baselines_of(settings).options:
        raise UserError(f"search.method={method} is not among the baselines; add it: baselines=[{method}]")


def rank_alone(settings: TrainCommand, folder: RunFolder, method: str) -> None:
    """Fits and ranks the baseline, and writes its results into `folder` as those of a network would be.

    Raises `UserError` for data that cannot be ranked, or that do not allow its options.
    """
    device, cache_dir = select_device(settings.hardware), Path(settings.cache_dir)
    folder.write_status("running", stage=f"ranking with {method}")
    data = data_of_run(settings, folder)
    tell_memory()
    (baseline,) = (
        each for each in baselines_of(settings).chosen(data, {}, cache_dir, device) if each.name == method
    )
    ranks = {"network": ranks_of_baseline(baseline, data, settings.evaluation, device, cache_dir)}
    described = {
        "status": "done",
        "label": settings.label or baseline.entry.label,
        "dataset": settings.dataset.name,
        "features": "+".join(baseline.features) or "none",
        "arch": method,
        "strategy": "none",
        "hidden_size": "",
        "experiment": settings.experiment,
        "row": settings.row,
        "epochs": settings.epochs,
        "seed": settings.seed,
        "num_parameters": 0,
        "train": {"events_per_s": 0.0},
        "method_options": baseline.settings,
        "device": device_name(device),
        "data_hash": data.data_hash,
        "data": data.summary,
    }
    write_results(
        folder.path, described | measured(ranks, settings.evaluation, [], None), ranks, data.support
    )
