"""From composed settings to tables of vectors: what is fitted on what, what is cached, and what is told."""

import logging
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from features.conftest import dense, extracted
from prnn_cli.errors import UserError
from prnn_cli.extensions import own_configs, registered
from prnn_cli.features.extract import check_features
from prnn_cli.features.googlenet_network import GoogLeNet
from prnn_cli.schema import FeaturesCommand, check
from test_configs import composed

Command = Callable[..., FeaturesCommand]
WriteItems = Callable[..., str]
Paint = Callable[..., Path]

OPTIONS = {path.stem for path in (own_configs() / "features").glob("*.yaml")}
SOURCES = {
    "none": {},
    "text": {"text": "tfidf"},
    "image": {"image": "googlenet"},
    "image_and_text": {"image": "googlenet", "text": "tfidf"},
    "colour_histogram": {"image": "colour_histogram"},
    "precomputed": {"image": "precomputed"},
    "vector_columns": {"text": "vector_columns", "image": "vector_columns"},
}
TITLES = ["item_id,title", "a,red lamp", "b,red vase", "d,vase", "c,blue bowl", "e,unsold bowl"]
TEXT = ["features=text", "dataset.items.text=[title]"]


@pytest.fixture
def text_command(command: Command, write_items: WriteItems) -> FeaturesCommand:
    return command(*TEXT, write_items(*TITLES))


def stored(config: FeaturesCommand) -> list[Path]:
    return sorted((Path(config.cache_dir) / "features").iterdir())


@pytest.mark.parametrize("option", SOURCES)
def test_every_option_composes_to_its_sources(option: str) -> None:
    config = composed("features", f"features={option}")
    assert isinstance(config, FeaturesCommand)
    check(config)
    assert config.features.name == option
    assert config.features.sources == SOURCES[option]


def test_numbers_between_commas_are_words(command: Command, write_items: WriteItems) -> None:
    """As Diginetica's names of products are."""
    items = write_items(
        "item_id;price;product.name.tokens", "a;3;4875,776", "b;2;776,56689,4875", "c;1;56689"
    )
    text = ["features=text", "dataset.items.text=[product.name.tokens]", "features.tfidf.max_ngram=1"]
    table = extracted(command(*text, items))["text"]
    terms, lengths = table.fitted["terms"].tobytes().decode(), table.fitted["term_lengths"].tolist()
    assert (terms, lengths) == ("487556689776", [4, 5, 3])
    assert (dense(table) > 0).tolist() == [[True, False, True], [True, True, True], [False, True, False]]


def test_no_option_and_no_extractor_is_left_out() -> None:
    assert set(SOURCES) == OPTIONS
    assert {how for sources in SOURCES.values() for how in sources.values()} == set(registered("EXTRACTORS"))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "+features.sources.id=tfidf",
            "features.sources.id=tfidf: call it by a word of letters, digits and _ that is none of id, output, vectors",
        ),
        ("features.tfidf.max_ngram=4", "features.tfidf.max_ngram=4 is too large; it must be at most 3"),
        ("features.images.max_bad_share=2", "features.images.max_bad_share=2.0 is too large"),
    ],
)
def test_a_wrong_setting_is_a_sentence(override: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        check(composed("features", override))


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["features=text", "features.sources.text=foo"],
            r"features\.sources\.text=foo does not exist; choose one of colour_histogram, googlenet,",
        ),
        (
            ["features=text"],
            r"features=text needs text, and dataset=generic names none; set dataset\.items\.text=",
        ),
        (["features=image"], r"features=image needs image files, and dataset=generic names none; set either"),
        (
            [
                "features=colour_histogram",
                "dataset.items.image=i",
                "dataset.items.image_pattern='{item_id}.png'",
            ],
            r"dataset=generic gives both image and image_pattern",
        ),
        (
            ["features=image", "dataset.items.image_pattern=x.jpg"],
            r"write \{item_id\} where the item's id belongs",
        ),
        (
            ["features=image", "dataset.items.image_pattern='{item_id:3}/{item_id}.jpg'"],
            r"is no pattern; write \{item_id\} for an item's id, and \{item_id:\.3\} for the first three",
        ),
        (
            ["features=image", "dataset.items.image=i", "features.images.weights=nope.pth"],
            r"features\.images\.weights=nope\.pth does not exist",
        ),
        (
            ["features=precomputed"],
            r"features=precomputed needs vectors; add features\.precomputed\.path=FILE",
        ),
        (
            ["features=precomputed", "features.precomputed.path=nope.npy"],
            r"features\.precomputed\.path=nope\.npy is not there",
        ),
        ([*TEXT, "features.tfidf.stopwords=[en,xx]"], r"there is no list for 'xx'; choose from en, de"),
    ],
)
def test_what_features_lack_is_told_before_anything_is_read(overrides: list[str], message: str) -> None:
    config = composed("features", "dataset=generic", "dataset.path=not_there.csv", *overrides)
    assert isinstance(config, FeaturesCommand)
    with pytest.raises(UserError, match=message):
        check_features(config.features, config.dataset)


def test_each_source_feeds_the_subnet_it_is_named_after(
    command: Command, write_items: WriteItems, paint: Paint
) -> None:
    for item in "abc":
        paint(f"images/{item}.png", "red" if item == "a" else "blue")
    pattern = "dataset.items.image_pattern='images/{item_id}.png'"
    options = ["features=colour_histogram", "+features.sources.title=tfidf"]
    tables = extracted(command(*options, TEXT[1], pattern, write_items(*TITLES)))
    assert list(tables) == ["image", "title"]
    assert [table.name for table in tables.values()] == ["image", "title"]
    colours = dense(tables["image"]) @ dense(tables["image"]).T
    np.testing.assert_allclose(colours, [[1, 0, 0], [0, 1, 1], [0, 1, 1]], atol=1e-6)


def test_images_and_texts_come_together(
    command: Command, write_items: WriteItems, paint: Paint, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    torch.save(GoogLeNet().state_dict(), tmp_path / "weights.pth")
    paint("a.png", "red")
    paint("c.png", "blue")
    lines = ["item_id,title,image", "a,red,a.png", "b,red,", "c,red,c.png"]
    options = ["features=image_and_text", f"features.images.weights={tmp_path / 'weights.pth'}"]
    config = command(*options, TEXT[1], "dataset.items.image=image", write_items(*lines))
    tables = extracted(config)
    assert tables["image"].vectors.shape == (3, 1024)
    assert tables["image"].covered.tolist() == [True, False, True]
    np.testing.assert_allclose(np.linalg.norm(dense(tables["image"]), axis=1), [1, 0, 1], rtol=1e-5)
    assert tables["text"].covered.all()
    assert not [path for folder in stored(config) for path in folder.iterdir() if path.is_dir()]


def test_a_generated_log_without_image_files_says_which_features_it_has() -> None:
    overrides = ["dataset=vidxl_like", "dataset.profile.max_image_files=0"]
    config = composed("features", *overrides, "features=image")
    assert isinstance(config, FeaturesCommand)
    message = r"features=image needs image files, .* above 0 items .*; set features=precomputed"
    with pytest.raises(UserError, match=message):
        check_features(config.features, config.dataset)


def test_features_none_extracts_nothing(command: Command) -> None:
    assert extracted(command("features=none")) == {}


def test_a_second_call_reuses_the_table_and_says_so(
    text_command: FeaturesCommand, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    first = extracted(text_command)["text"]
    assert "reusing the features" not in caplog.text
    second = extracted(text_command)["text"]
    assert f"reusing the features in {stored(text_command)[0]}" in caplog.text
    np.testing.assert_array_equal(dense(first), dense(second))
    np.testing.assert_array_equal(first.covered, second.covered)


def test_both_features_of_a_run_are_reused_by_runs_with_one(
    command: Command, write_items: WriteItems, paint: Paint
) -> None:
    for item in "abc":
        paint(f"images/{item}.png", "red")
    base = [TEXT[1], "dataset.items.image_pattern='images/{item_id}.png'", write_items(*TITLES)]
    both = command("features=colour_histogram", "+features.sources.text=tfidf", *base)
    extracted(both)
    before = stored(both)
    extracted(command("features=text", *base))
    extracted(command("features=colour_histogram", *base))
    assert stored(both) == before


@pytest.mark.parametrize("damage", [b"", b"garbage"])
def test_a_damaged_table_is_made_again_with_a_warning(
    damage: bytes, text_command: FeaturesCommand, caplog: pytest.LogCaptureFixture
) -> None:
    first = extracted(text_command)["text"]
    (folder,) = stored(text_command)
    (folder / "vectors.safetensors").write_bytes(damage)
    second = extracted(text_command)["text"]
    assert "vectors.safetensors is damaged" in caplog.text
    np.testing.assert_array_equal(dense(first), dense(second))


@pytest.mark.parametrize(
    "change",
    [
        "features.tfidf.max_ngram=1",
        "features.tfidf.stopwords=[de]",
        "dataset.items.filters=[{column: title, exclude: unsold}]",
    ],
)
def test_another_setting_is_another_table(change: str, command: Command, write_items: WriteItems) -> None:
    config = command(*TEXT, write_items(*TITLES))
    extracted(config)
    extracted(command(*TEXT, write_items(*TITLES), change))
    assert len(stored(config)) == 2


def test_another_text_is_another_table(text_command: FeaturesCommand, write_items: WriteItems) -> None:
    first = extracted(text_command)["text"]
    write_items(*TITLES[:-1], "e,red lamp")
    second = extracted(text_command)["text"]
    assert len(stored(text_command)) == 2
    assert first.size != second.size


def test_an_image_that_has_changed_is_read_again(command: Command, paint: Paint) -> None:
    paths = [paint(f"log/{item}.png", "red") for item in "abc"]
    config = command("features=colour_histogram", "dataset.items.image_pattern='{item_id}.png'")
    before = dense(extracted(config)["image"])
    paint("log/b.png", "blue")
    os.utime(paths[1], ns=(1, 1))
    after = dense(extracted(config)["image"])
    assert (before != after).any(axis=1).tolist() == [False, True, False]


def test_nothing_is_cached_where_the_items_are_refused(command: Command, write_items: WriteItems) -> None:
    config = command(*TEXT, write_items("item_id,title", "x1,red", "x2,red"))
    with pytest.raises(UserError, match="describes no item of the log"):
        extracted(config)
    assert not (Path(config.cache_dir) / "features").exists()


def test_the_generated_items_have_text_and_images(tmp_path: Path) -> None:
    small = ["num_items=60", "num_sessions=400", "num_intents=4", "num_days=4"]
    config = composed(
        "features",
        "features=colour_histogram",
        "+features.sources.text=tfidf",
        "features.images.workers=0",
        *(f"dataset.synthetic.{each}" for each in small),
        f"cache_dir={tmp_path}",
    )
    assert isinstance(config, FeaturesCommand)
    tables = extracted(config)
    assert tables["text"].num_covered == tables["image"].num_covered == tables["text"].num_items > 40
    np.testing.assert_allclose(np.linalg.norm(dense(tables["text"]), axis=1), 1, rtol=1e-5)
