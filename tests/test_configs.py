"""Every option of every group composes, with typed values and without a default in the code."""

import dataclasses
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from prnn_cli.data.splits.rules import with_hold_out_days
from prnn_cli.experiment.settings import register_schemas, schema_of
from prnn_cli.extensions import commands, own_configs
from prnn_cli.schema import FilterConfig, TrainCommand, check

CONFIGS = own_configs()
GROUPS = ("dataset", "features", "arch", "strategy", "recipe", "evaluation", "hardware", "logger")
OPTIONS = [(group, path.stem) for group in GROUPS for path in sorted((CONFIGS / group).glob("*.yaml"))]


def composed(command: str, *overrides: str) -> object:
    register_schemas()
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return OmegaConf.to_object(compose(command, list(overrides)))


@pytest.mark.parametrize(("group", "option"), OPTIONS)
def test_every_option_composes_and_lies_within_bounds(group: str, option: str) -> None:
    path = ["dataset.path=clicks.csv"] if group == "dataset" and option != "synthetic" else []
    config = composed("train", f"{group}={option}", *path)
    check(config)
    chosen = getattr(config, group)
    assert getattr(chosen, "name", option) == option


@pytest.mark.parametrize(
    "experiment", [path.stem for path in sorted((CONFIGS / "experiment").glob("*.yaml"))]
)
def test_every_experiment_composes_and_sweeps(experiment: str) -> None:
    register_schemas()
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = compose("train", [f"experiment={experiment}"], return_hydra_config=True)
    assert config.hydra.mode.name == "MULTIRUN"
    assert config.hydra.sweeper.params
    path = ["dataset.path=logs"] if config.table.published else []  # of a public log
    check(composed("train", f"experiment={experiment}", *path))


@pytest.mark.parametrize("command", commands())
def test_every_command_composes_to_its_typed_configuration(command: str) -> None:
    of_a_run = (
        []
        if command in ("train", "verdict", "preprocess", "features", "bench", "clean")
        else ["run=somewhere"]
    )
    own = {"tables": ["runs=somewhere"], "export": ["run=somewhere", "out=there"]}
    config = composed(command, *own.get(command, of_a_run))
    assert isinstance(config, schema_of(command))
    check(config)


def test_no_default_stands_in_the_code() -> None:
    """Filters are the exception: each element of the list gives one of the conditions and leaves the others."""

    def defaults_of(schema: type) -> list[str]:
        found = []
        for field in dataclasses.fields(schema):
            if field.default_factory is not dataclasses.MISSING:
                found += defaults_of(field.default_factory)
            elif field.default != "???":
                found.append(f"{schema.__name__}.{field.name}")
        return found

    assert [name for command in commands() for name in defaults_of(schema_of(command))] == []
    assert defaults_of(FilterConfig) == [
        f"FilterConfig.{name}" for name in ("keep", "exclude", "above", "below", "present")
    ]


def test_configs_lie_beside_the_package_or_in_it() -> None:
    assert Path(CONFIGS / "train.yaml").is_file()


@pytest.mark.parametrize("search", [path.stem for path in sorted((CONFIGS / "search").glob("*.yaml"))])
def test_every_search_composes_and_measures_on_the_validation_part(search: str) -> None:
    config = composed("train", f"search={search}", "dataset.test_days=3")
    check(config)
    assert isinstance(config, TrainCommand)
    assert config.search is not None
    assert config.search.name == search
    assert config.evaluation.part == "validation"
    assert with_hold_out_days(config.dataset).validation_days == 3, "as long as the test part"


@pytest.mark.parametrize(
    ("epochs", "label"), [([], "ID only, 20 epochs"), (["epochs=2"], "ID only, 2 epochs")]
)
def test_the_label_of_a_row_says_the_epochs_that_it_has(epochs: list[str], label: str) -> None:
    config = composed("train", "row=id_only_20_epochs", *epochs)
    assert isinstance(config, TrainCommand)
    assert config.label == label
