"""What a verdict trains: its rows, and the arguments that prnn train is given for them."""

import os
import re
from pathlib import Path

from hydra import compose
from hydra.core.hydra_config import HydraConfig

from prnn_cli.errors import UserError
from prnn_cli.experiment.settings import choices_of
from prnn_cli.extensions import FLAG, files
from prnn_cli.networks.architectures import ID
from prnn_cli.run_folder import RunFolder
from prnn_cli.schema import AUTO, VerdictCommand
from prnn_cli.system.hardware import select_device
from prnn_cli.verdict.rows import HOLD_OUT, TEST, Trainer, VerdictRow, feature_row, id_rows

OWN = ("rows", "looks", "hours", "jobs", "metric", "level", "interest", "rare", "plan", "resume")
# Options of prnn train that a verdict sets itself, or that would make its rows other ones than they are called.
SET_HERE = re.compile(
    r"arch|strategy|row|experiment|label|seeds?|tune|tuned|search|arch\..*|strategy\..*|units\.id|features\.placebo.*"
    r"|subnets\..*\.hidden_size|evaluation\.part|dataset\.validation_days|training\.refit"
)


def check_given() -> None:
    """Raises `UserError` for options of prnn train that a verdict sets itself, and for a config of another name."""
    if not HydraConfig.initialized():
        return
    hydra = HydraConfig.get()
    keys = [_key(each) for each in hydra.overrides.task]
    if own := [key for key in keys if SET_HERE.fullmatch(key)]:
        raise UserError(
            f"{', '.join(own)}: a verdict says itself what is trained, and how often; leave it out"
        )
    if hydra.job.config_name != "verdict" or any(
        _key(each) == "hydra.searchpath" for each in hydra.overrides.hydra
    ):
        raise UserError(
            "the rows of a verdict take their configs from -cd DIR alone; leave other flags of Hydra out"
        )


def _key(override: str) -> str:
    return override.lstrip("+~").partition("=")[0].partition("@")[0]


def rows_of(settings: VerdictCommand) -> tuple[list[VerdictRow], list[VerdictRow]]:
    """The networks of IDs, and the p-RNNs, that the hold-out chooses from. Raises `UserError` for rows that are not."""
    chooses_epochs = settings.training.select == "best"
    names = settings.rows
    if not names or len(set(names)) < len(names):
        raise UserError(f"rows=[{','.join(names)}] does not fit; name one p-RNN or several, each once")
    return id_rows(settings.units.each, settings.epochs, chooses_epochs), [
        _candidate(name, chooses_epochs) for name in names
    ]


def _candidate(name: str, chooses_epochs: bool) -> VerdictRow:
    """The row of a config. Raises `UserError` for one that is not there, or whose network cannot be judged."""
    known = choices_of("row")
    if name not in known:
        raise UserError(f"rows=[{name}] does not exist; choose from {', '.join(known)}")
    config = compose("train", [f"row={name}"])
    if config.arch.subnets == ID:
        raise UserError(f"rows=[{name}] has no features to judge; name a p-RNN, such as parallel_res")
    if config.arch.weights is not None and not chooses_epochs:
        raise UserError(
            f"rows=[{name}] chooses its weights on a hold-out; add epochs=auto, or name other rows"
        )
    return feature_row(name, str(config.label or name))


def _given_folders() -> list[Path]:
    if not HydraConfig.initialized():
        return []
    sources = HydraConfig.get().runtime.config_sources
    return [Path(each.path) for each in sources if each.provider == "command-line"]


def trainer_of(settings: VerdictCommand, folder: RunFolder) -> Trainer:
    """The trainer of the rows, with what the command line says of prnn train."""
    given = [each for each in HydraConfig.get().overrides.task if _key(each) not in OWN]
    shared = [flag for file in files() for flag in (FLAG, file)]
    shared += [flag for path in _given_folders() for flag in ("-cd", str(path))]
    threads = [] if any(_key(each) == "hardware.threads" for each in given) else ["hardware.threads=1"]
    units = [f"units.each={settings.units.each}"]
    return Trainer(
        folder.path,
        [*shared, *given, *units, *threads, "checkpoint.keep=never"],
        {HOLD_OUT: _of_hold_out(settings), TEST: _of_test_part(settings)},
        _jobs(settings),
    )


def _of_hold_out(settings: VerdictCommand) -> list[str]:
    days = f"dataset.validation_days={settings.dataset.validation_days or settings.dataset.test_days}"
    return ["evaluation.part=validation", days, "training.refit=false"]


def _of_test_part(settings: VerdictCommand) -> list[str]:
    """Trained on all before the test part: without a hold-out, or, where one chooses the epochs, anew without it."""
    if settings.training.select != "best":
        return ["evaluation.part=test", "dataset.validation_days=0"]
    days = settings.dataset.validation_days or settings.dataset.test_days
    return ["evaluation.part=test", f"dataset.validation_days={days}", "training.refit=true"]


def _jobs(settings: VerdictCommand) -> int:
    """The trainings at a time: on a CPU one for each core, on a GPU one."""
    if settings.jobs != AUTO:
        return int(settings.jobs)
    if select_device(settings.hardware).type != "cpu":
        return 1
    allowed = getattr(os, "sched_getaffinity", None)  # of Linux
    return len(allowed(0)) if allowed else os.cpu_count() or 1
