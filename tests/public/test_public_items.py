"""What presets know of the items of public logs."""

import importlib
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from prnn_cli.data.prepare import PreparedData, prepare, with_files
from prnn_cli.errors import UserError
from prnn_cli.features.extract import extract
from prnn_cli.features.items import ItemCatalogue
from prnn_cli.schema import FeaturesCommand
from public import eb_nerd, microlens
from public.public_log import PublicLog
from test_configs import composed

Prepared = tuple[FeaturesCommand, PreparedData]
Read = Callable[..., Prepared]


# what is known of the item in the ring's fourth place
TEXTS = {
    "merrec": ("4", "bag 3 blue Women Bags Totes blue"),
    "amazon_m2": ("B000000003", 'Lamp no. 3, 12" tall, blue red for desks and shelves, too'),
    "microlens": ("4", 'Cats, dogs and "friends" part two'),
    "eb_nerd": ("9770003", "Ny sports nyhed 3 Læs mere, her nyheder"),
    "mind": ("N3", '"Best of 3" and 5\' tall news newsus'),
    "hm": ("0109703001", 'Tights Vest top Solid Black Jersey top with "narrow" straps, and lace.'),
    "steam": ("13", "Portal 3 Action Indie Puzzle Single-player Valve Valve"),
}


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """read("hm", option, …): the settings and the prepared log of the dataset config, for a folder of its form."""

    def of(name: str, *overrides: str) -> Prepared:
        folder = tmp_path / name
        if not folder.exists():
            folder.mkdir()
            log_of(name).write(folder)
        config = composed(
            "features",
            f"dataset={name}",
            f"dataset.path={folder}",
            f"cache_dir={tmp_path / 'cache'}",
            *overrides,
        )
        assert isinstance(config, FeaturesCommand)
        return config, prepare(config.dataset, Path(config.cache_dir))

    return of


def test_vectors_of_images_and_of_texts_stand_in_files_of_their_own(read: Read) -> None:
    both = read("eb_nerd", "features=precomputed", "+features.sources.text=precomputed")
    assert covered(*both) == {"image": 10, "text": 10}


@pytest.mark.parametrize("name", TEXTS)
def test_the_words_of_an_item_are_those_of_its_table(name: str, read: Read) -> None:
    config, data = read(name)
    catalogue = ItemCatalogue(with_files(config.dataset, Path(config.cache_dir)), data.item_ids)
    item_id, text = TEXTS[name]
    assert " ".join(catalogue.text(data.item_ids.tolist().index(item_id)).split()) == text


def test_titles_without_a_header_line_are_read_alike(read: Read, tmp_path: Path) -> None:
    read("microlens")
    (tmp_path / "microlens" / "MicroLens-50k_titles.csv").unlink()
    microlens.write_titles(tmp_path / "microlens" / "MicroLens-50k_title_en.csv", header=False)
    assert covered(*read("microlens", "features=text")) == {"text": 9}


def test_the_same_session_id_of_two_users_is_two_sessions(read: Read) -> None:
    one = "no session is left for the part train"  # all users have a session "1"
    with pytest.raises(UserError, match=one):
        read("merrec", "dataset.columns.session_id=session_id")


def test_what_is_new_in_the_last_week_may_be_kept(read: Read) -> None:
    options = ["dataset.keep_new_items=true", "dataset.min_item_support=1"]
    assert str(eb_nerd.NEW_ARTICLE) in read("eb_nerd", *options)[1].item_ids


def log_of(name: str) -> PublicLog:
    log: PublicLog = importlib.import_module(f"public.{name}").LOG
    return log


def covered(config: FeaturesCommand, data: PreparedData) -> dict[str, int]:
    """How many items have features, by source."""
    tables = extract(config.features, config.dataset, data, Path(config.cache_dir), torch.device("cpu"))
    return {source: table.num_covered for source, table in tables.items()}
