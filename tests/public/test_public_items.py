"""Public logs whose items are described, each read by its own dataset config: what counts, and what is known."""

import importlib
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pyarrow.parquet as pq
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


NAMES = ["merrec", "amazon_m2", "microlens", "globo", "dressipi", "eb_nerd", "mind", "hm", "steam"]
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
# the items of a session, by its name
SESSIONS = {
    "merrec": ("1007/1", "8 9 10 1"),  # without the likes, the purchase and what nobody else saw
    "amazon_m2": (
        "8",
        f"{4 * 'B000000005 B000000005 B000000006 B000000007 B000000008 '}B000000009",
    ),  # over two lines
    "microlens": ("1", "1 1 2 3 4 5"),
    "globo": ("1507993440000004", "4 5 6 7"),  # its last click is nine days late
    "dressipi": ("3", "2 3 4 5"),  # views, which stand in the file from last to first, and the purchase
    "eb_nerd": ("7035", "9770005 9770006 9770007 9770008"),
    "mind": ("U2#4", "N5 N6 N7 N8"),
    "hm": (f"{sha256(b'15').hexdigest()}/2020-09-22", "0108700001 0109701001 0108702001 0109703001"),
    "steam": ("it's 5", "15 16 17 18"),
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


@pytest.mark.parametrize("name", NAMES)
def test_its_items_have_the_features_to_begin_with(name: str, read: Read) -> None:
    log = log_of(name)
    assert covered(*read(name, *log.features)) == log.coverage


def test_vectors_of_images_and_of_texts_stand_in_files_of_their_own(read: Read) -> None:
    both = read("eb_nerd", "features=precomputed", "+features.sources.text=precomputed")
    assert covered(*both) == {"image": 10, "text": 10}


@pytest.mark.parametrize("name", TEXTS)
def test_the_words_of_an_item_are_those_of_its_table(name: str, read: Read) -> None:
    config, data = read(name)
    catalogue = ItemCatalogue(with_files(config.dataset, Path(config.cache_dir)), data.item_ids)
    item_id, text = TEXTS[name]
    assert " ".join(catalogue.text(data.item_ids.tolist().index(item_id)).split()) == text


@pytest.mark.parametrize("name", SESSIONS)
def test_a_session_holds_its_items_in_order(name: str, read: Read) -> None:
    data = read(name)[1]
    session, items = SESSIONS[name]
    events = pq.read_table(data.folder / "events.parquet", filters=[("session_id", "=", session)]).to_pandas()
    of_last_part = events["part"] == events["part"].iloc[-1]  # of leave_one_out both parts have the session
    assert " ".join(data.item_ids[events.loc[of_last_part, "item_index"]]) == items


def test_titles_without_a_header_line_are_read_alike(read: Read, tmp_path: Path) -> None:
    read("microlens")
    (tmp_path / "microlens" / "MicroLens-50k_titles.csv").unlink()
    microlens.write_titles(tmp_path / "microlens" / "MicroLens-50k_title_en.csv", header=False)
    assert covered(*read("microlens", "features=text")) == {"text": 9}


def test_the_same_session_id_of_two_users_is_two_sessions(read: Read) -> None:
    with pytest.raises(
        UserError, match="no session is left for the part train"
    ):  # all users have a session "1"
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
