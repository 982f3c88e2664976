"""What Hydra parses and merges is kept, and every composition is still the one of what the files hold now."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.utils import create_config_search_path
from hydra.core.config_store import ConfigStore
from hydra.core.utils import setup_globals
from hydra.errors import ConfigCompositionException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from prnn_cli.app.kept_configs import KeepingLoader
from prnn_cli.experiment.settings import register_schemas
from prnn_cli.extensions import own_configs


def composed(kind: type[ConfigLoaderImpl], folder: Path, *overrides: str, name: str = "train") -> DictConfig:
    loader = kind(create_config_search_path(str(folder)))
    return loader.load_configuration(name, list(overrides), RunMode.RUN)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A config of two files."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/small.yaml").write_text("days: 1\n")
    (tmp_path / "shop/large.yaml").write_text("days: 30\n")
    (tmp_path / "train.yaml").write_text("defaults: [_self_, shop: small]\nseed: 1\n")
    return tmp_path


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        ["seed=7", "recipe.dropout=0.25"],
        ["arch=parallel", "features=text", "+recipe.options={a: 1}"],
        ["experiment=table2", "row=id_only"],
        ["hydra.run.dir=elsewhere", "hydra/job_logging=disabled"],
    ],
)
def test_the_first_and_the_later_compositions_are_hydras_own(overrides: list[str]) -> None:
    register_schemas()
    plain = composed(ConfigLoaderImpl, own_configs(), *overrides)
    for _ in range(2):
        kept = composed(KeepingLoader, own_configs(), *overrides)
        assert OmegaConf.to_container(kept) == OmegaConf.to_container(
            plain
        )  # unresolved: both name the time of day
        for node, same in ((kept, plain), (kept.dataset, plain.dataset)):
            OmegaConf.clear_cache(same)
            assert node._metadata == same._metadata  # types and flags, such as that no option may be added


def test_each_composition_has_its_own_time_of_day(folder: Path) -> None:
    times = iter(range(100))
    OmegaConf.register_new_resolver("now", lambda pattern: str(next(times)), use_cache=True, replace=True)
    try:
        folders = [composed(KeepingLoader, folder).hydra.run.dir for _ in range(3)]
    finally:
        setup_globals()  # Hydra's own resolver
    assert len(set(folders)) == 3


def test_a_composition_that_is_changed_leaves_the_next_one_as_it_was(folder: Path) -> None:
    composed(KeepingLoader, folder).shop.days = 5
    assert composed(KeepingLoader, folder).shop.days == 1
    assert composed(KeepingLoader, folder, "shop.days=2", "seed=3").shop.days == 2
    assert composed(KeepingLoader, folder).shop.days == 1


def test_a_file_that_was_changed_is_read_anew(folder: Path) -> None:
    assert composed(KeepingLoader, folder).shop.days == 1
    (folder / "shop/small.yaml").write_text("days: 2\n")
    assert composed(KeepingLoader, folder).shop.days == 2
    (folder / "train.yaml").write_text("defaults: [_self_, shop: large]\nseed: 1\n")
    assert composed(KeepingLoader, folder).shop.days == 30


def test_the_order_of_the_files_decides(folder: Path) -> None:
    (folder / "train.yaml").write_text("defaults: [_self_, shop: small]\nshop: {days: 9}\n")
    assert composed(KeepingLoader, folder).shop.days == 1
    (folder / "train.yaml").write_text("defaults: [shop: small, _self_]\nshop: {days: 9}\n")
    assert composed(KeepingLoader, folder).shop.days == 9


def test_a_file_of_the_same_name_in_another_folder_is_another_file(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert composed(KeepingLoader, folder).shop.days == 1
    other = tmp_path_factory.mktemp("other")
    (other / "shop").mkdir()
    (other / "shop/small.yaml").write_text("days: 4\n")
    found = composed(KeepingLoader, folder, f"hydra.searchpath=[file://{other}]", "shop=small")
    assert found.shop.days == 1  # the main folder comes first
    (folder / "shop/small.yaml").unlink()
    assert composed(KeepingLoader, folder, f"hydra.searchpath=[file://{other}]").shop.days == 4


def test_a_schema_that_no_module_names_can_be_composed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass
    class Options:
        weight: float = 1.0

    # A store of its own, as that of the process goes to the processes of jobs.
    monkeypatch.setattr(ConfigStore.instance(), "repo", dict(ConfigStore.instance().repo))
    ConfigStore.instance().store(name="within_a_function", node=Options)
    (folder / "train.yaml").write_text("defaults: [within_a_function, _self_]\nweight: 2\n")
    for weight in (3, 4):
        assert composed(KeepingLoader, folder, f"weight={weight}").weight == weight
    with pytest.raises(ConfigCompositionException):
        composed(KeepingLoader, folder, "weight=heavy")
