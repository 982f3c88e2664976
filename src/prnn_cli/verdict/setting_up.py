"""What a verdict trains: its rows, and the arguments that prnn train is given for them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from hydra import compose
from hydra.core.hydra_config import HydraConfig

from prnn_cli.errors import UserError
from prnn_cli.experiment.build import check_combination
from prnn_cli.experiment.override_text import key_of
from prnn_cli.experiment.settings import choices_of, typed_settings
from prnn_cli.experiment.space import Space
from prnn_cli.extensions import FLAG, files
from prnn_cli.networks.architectures import ID
from prnn_cli.schema import AUTO, VerdictCommand
from prnn_cli.verdict.rows import HOLD_OUT, TEST, VerdictRow, feature_row, id_rows
from prnn_cli.verdict.trainer import Trainer

# Options of a verdict's own, which prnn train does not take.
OWN = re.compile(r"rows|recipes|trials|space(\..*)?|looks|hours|jobs|metric|level|interest|rare|plan|resume")
# Options of prnn train that a verdict sets itself, or that would make its rows other ones than they are called.
SET_HERE = re.compile(
    r"arch|strategy|recipe|row|experiment|label|seeds?|tune|tuned|search|arch\..*|strategy\..*|units\.id"
    r"|features\.placebo.*|subnets\..*\.hidden_size|evaluation\.part|training\.refit"
)


def check_given() -> None:
    """Raises `UserError` for options of prnn train that a verdict sets itself, and for a config of another name."""
    if not HydraConfig.initialized():
        return
    hydra = HydraConfig.get()
    keys = [key_of(each) for each in hydra.overrides.task]
    if "recipe" in keys:
        raise UserError("recipe: a verdict compares recipes; name them in recipes=[paper,modern], be it one")
    if own := [key for key in keys if SET_HERE.fullmatch(key)]:
        raise UserError(
            f"{', '.join(own)}: a verdict says itself what is trained, and how often; leave it out"
        )
    if hydra.job.config_name != "verdict" or any(
        key_of(each) == "hydra.searchpath" for each in hydra.overrides.hydra
    ):
        raise UserError(
            "the rows of a verdict take their configs from -cd DIR alone; leave other flags of Hydra out"
        )


@dataclass(frozen=True)
class Field:
    """The networks of one recipe that the hold-out chooses from."""

    recipe: str
    controls: list[VerdictRow]
    candidates: list[VerdictRow]

    @property
    def rows(self) -> list[VerdictRow]:
        return [*self.controls, *self.candidates]


def fields_of(settings: VerdictCommand) -> list[Field]:
    """The networks of each recipe. Raises `UserError` for rows and recipes that are not, or cannot be judged."""
    chooses_epochs = settings.training.select == "best"
    _check_names("rows", settings.rows, choices_of("row"), "p-RNN")
    _check_names("recipes", settings.recipes, choices_of("recipe"), "recipe")
    labels = {name: _label(name, chooses_epochs) for name in settings.rows}
    return [
        Field(
            recipe,
            id_rows(recipe, settings.units.each, settings.epochs, chooses_epochs),
            [feature_row(recipe, name, label) for name, label in labels.items()],
        )
        for recipe in settings.recipes
    ]


def _check_names(option: str, names: Sequence[str], known: Sequence[str], what: str) -> None:
    if not names or len(set(names)) < len(names):
        raise UserError(f"{option}=[{','.join(names)}] does not fit; name one {what} or several, each once")
    if missing := [name for name in names if name not in known]:
        raise UserError(f"{option}=[{missing[0]}] does not exist; choose from {', '.join(known)}")


def _label(name: str, chooses_epochs: bool) -> str:
    """The label of a row's config. Raises `UserError` for one whose network cannot be judged."""
    config = compose("train", [f"row={name}"])
    if config.arch.subnets == ID:
        raise UserError(f"rows=[{name}] has no features to judge; name a p-RNN, such as parallel_res")
    if config.arch.weights is not None and not chooses_epochs:
        raise UserError(
            f"rows=[{name}] chooses its weights on a hold-out; add epochs=auto, or name other rows"
        )
    return str(config.label or name)


def check_recipes(settings: VerdictCommand) -> None:
    """Raises `UserError` for what the command line says and a recipe's first p-RNN cannot be trained with."""
    for recipe in settings.recipes:
        overrides = [f"recipe={recipe}", f"row={settings.rows[0]}", *given()]
        check_combination(typed_settings("train", compose("train", overrides)))


def trials_of(settings: VerdictCommand, row: VerdictRow, number: int) -> list[VerdictRow]:
    """The row with settings drawn from the space, up to this number of trials: the same ones for each row. Raises
    `UserError` for a space that cannot be read."""
    if not (free := free_space(settings)):
        return []
    space = Space.of(free, [])[0]
    return [
        row.with_settings(trial, space.drawn(np.random.default_rng(trial))) for trial in range(2, number + 1)
    ]


def free_space(settings: VerdictCommand) -> dict[str, str]:
    """The options that trials draw: those of `space` that the command line leaves open."""
    is_set = {key_of(each) for each in given()}
    return {key: sweep for key, sweep in settings.space.items() if key not in is_set}


def given() -> list[str]:
    """The overrides of the command line that hold for all rows."""
    if not HydraConfig.initialized():
        return []
    return [each for each in HydraConfig.get().overrides.task if not OWN.fullmatch(key_of(each))]


def _given_folders() -> list[Path]:
    if not HydraConfig.initialized():
        return []
    sources = HydraConfig.get().runtime.config_sources
    return [Path(each.path) for each in sources if each.provider == "command-line"]


def trainer_of(settings: VerdictCommand, folder: Path, jobs: int) -> Trainer:
    """The trainer of the rows, with what the command line says of prnn train."""
    shared = [flag for file in files() for flag in (FLAG, file)]
    shared += [flag for path in _given_folders() for flag in ("-cd", str(path))]
    is_set = {key_of(each) for each in given()}
    threads = ["hardware.threads=1"] if jobs > 1 and "hardware.threads" not in is_set else []
    epochs = [] if "epochs" in is_set else ["epochs=auto"]  # also of recipes that say otherwise
    of_all = [f"units.each={settings.units.each}", *epochs, *threads, "checkpoint.keep=never"]
    return Trainer(
        folder,
        [*shared, *(each for each in given() if not _is_of_baselines(each)), *of_all],
        {HOLD_OUT: _of_hold_out(settings), TEST: _of_test_part(settings)},
        jobs,
    )


def _of_hold_out(settings: VerdictCommand) -> list[str]:
    return ["evaluation.part=validation", _hold_out_days(settings), "training.refit=false", "baselines=[]"]


def _of_test_part(settings: VerdictCommand) -> list[str]:
    """Trained on all before the test part: without a hold-out, or, where one chooses the epochs, anew without it."""
    baselines = [each for each in given() if _is_of_baselines(each)]
    if "baselines" not in map(key_of, baselines):
        baselines.append("baselines=strong")  # as configs/verdict.yaml has it
    if settings.training.select != "best":
        return ["evaluation.part=test", "dataset.validation_days=0", *baselines]
    return ["evaluation.part=test", _hold_out_days(settings), "training.refit=true", *baselines]


def _hold_out_days(settings: VerdictCommand) -> str:
    return f"dataset.validation_days={settings.dataset.validation_days or AUTO}"


def _is_of_baselines(override: str) -> bool:
    return key_of(override).partition(".")[0] == "baselines"
