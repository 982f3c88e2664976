"""What the items table, or the log itself, tells of the items a, b and c."""

import gzip
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from features.conftest import ITEMS, prepared
from prnn_cli.errors import UserError
from prnn_cli.features.items import ItemCatalogue
from prnn_cli.schema import DatasetConfig, FeaturesCommand, ItemsConfig

Command = Callable[..., FeaturesCommand]
WriteItems = Callable[..., str]
TEXT = "dataset.items.text=[title,description]"
ROWS = [
    "item_id,title,description",
    "c,Blue vase,",
    "z,Green bowl,of glass",
    "a,Red lamp,with a foot",
    "b, ,\t",
]


def catalogue_of(config: FeaturesCommand) -> ItemCatalogue:
    data = prepared(config)
    assert list(data.item_ids) == ITEMS
    return ItemCatalogue(config.dataset, data.item_ids)


def test_rows_of_the_table_are_found_by_item_index(command: Command, write_items: WriteItems) -> None:
    catalogue = catalogue_of(command(TEXT, write_items(*ROWS)))
    assert catalogue.rows.tolist() == [2, 3, 0]
    assert catalogue.text_columns() == [
        ["Blue vase", "Green bowl", "Red lamp", None],
        [None, "of glass", "with a foot", None],
    ]
    assert [catalogue.text(item) for item in range(3)] == ["Red lamp with a foot", "", "Blue vase"]


def test_several_files_are_one_table(command: Command, write_items: WriteItems, tmp_path: Path) -> None:
    write_items("item_id,title", "b,Blue vase", name="more.csv")
    write_items("item_id,title", "a,Red lamp", name="items.csv")
    files = f"dataset.items.path=[{tmp_path / 'more.csv'},{tmp_path / 'it*.csv'}]"
    catalogue = catalogue_of(command("dataset.items.text=[title]", files))
    assert [catalogue.text(item) for item in range(3)] == ["Red lamp", "Blue vase", ""]
    assert catalogue.files == [tmp_path / "more.csv", tmp_path / "items.csv"]


def test_every_format_of_a_table_says_the_same(
    command: Command, write_items: WriteItems, tmp_path: Path
) -> None:
    lines = [line.replace(",", ";") for line in ROWS]
    (tmp_path / "items.tsv.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    write_items(*ROWS)
    table = pd.read_csv(tmp_path / "items.csv")
    table.to_parquet(tmp_path / "items.parquet")
    table.to_json(tmp_path / "items.jsonl", orient="records", lines=True)
    lines_of_json = (tmp_path / "items.jsonl").read_bytes()
    (tmp_path / "items.ndjson.zst").write_bytes(pa.compress(lines_of_json, "zstd", asbytes=True))
    tables = [
        catalogue_of(command(TEXT, f"dataset.items.path={tmp_path / name}")).table.to_pylist()
        for name in ("items.csv", "items.tsv.gz", "items.parquet", "items.jsonl", "items.ndjson.zst")
    ]
    assert all(table == tables[0] for table in tables)
    assert [row["item_id"] for row in tables[0]] == ["c", "z", "a", "b"]


def test_the_column_of_the_ids_may_have_another_name_and_hold_numbers(
    tmp_path: Path, command: Command
) -> None:
    pd.DataFrame({"sku": [7, 8], "title": ["Red", "Blue"]}).to_parquet(tmp_path / "items.parquet")
    path = f"dataset.items.path={tmp_path / 'items.parquet'}"
    config = command("dataset.items.item_id=sku", "dataset.items.text=[title]", path)
    catalogue = ItemCatalogue(config.dataset, prepared(config).item_ids)
    catalogue.item_ids = pd.Series(["8", "9"]).to_numpy(dtype=object)
    assert catalogue.rows.tolist() == [1, -1]


def test_a_table_may_have_no_header_line_and_a_separator_of_its_own(tmp_path: Path, command: Command) -> None:
    """As the movies of MovieLens 1M have it."""
    (tmp_path / "movies.dat").write_text("c::Blue vase, old::x\n a ::Red lamp::y\n")
    path = f"dataset.items.path={tmp_path / 'movies.dat'}"
    config = command("dataset.items.header=[item_id,title,genre]", "dataset.items.text=[title]", path)
    catalogue = catalogue_of(config)
    assert [catalogue.text(item) for item in range(3)] == ["Red lamp", "", "Blue vase, old"]
    config.dataset.items.header = ["title", "item_id", "genre"]
    with pytest.raises(UserError, match="describes no item of the log"):
        _ = ItemCatalogue(config.dataset, catalogue.item_ids).rows


def test_an_item_whose_id_is_space_is_refused(command: Command, write_items: WriteItems) -> None:
    with pytest.raises(UserError, match=r"items\.csv, line 3, column 'item_id':.* is empty; fill it in"):
        _ = catalogue_of(command(TEXT, write_items(*ROWS[:2], " ,x,y"))).table


def test_of_repeated_items_the_first_row_counts(
    command: Command, write_items: WriteItems, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_items("item_id,title", "a,", "a,Second", "b,Vase", "a,Third", "b,Vase")
    catalogue = catalogue_of(command("dataset.items.text=[title]", path))
    assert catalogue.text_columns() == [[None, "Vase"]]
    assert "items.csv repeats items in 3 rows, 2 of which say something else; the first row of" in caplog.text


def test_items_that_the_table_lacks_are_counted(
    command: Command, write_items: WriteItems, caplog: pytest.LogCaptureFixture
) -> None:
    catalogue = catalogue_of(command("dataset.items.text=[title]", write_items("item_id,title", "b,Vase")))
    assert catalogue.rows.tolist() == [-1, 0, -1]
    assert "2 of the 3 items of the log are not in dataset.items.path=" in caplog.text


def test_a_table_of_other_items_is_answered_with_examples_of_both(
    command: Command, write_items: WriteItems
) -> None:
    catalogue = catalogue_of(command("dataset.items.text=[title]", write_items("item_id,title", "x1,Vase")))
    with pytest.raises(
        UserError, match=r"describes no item of the log: its ids are 'x1', the log's are 'a', 'b', 'c'"
    ):
        _ = catalogue.rows


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["item_id,title", "a,Red", ",Blue"], r"items.csv, line 3, column 'item_id': is empty; fill it in"),
        (["item_id,name", "a,Red"], r"items.csv has no column 'title'; .* set dataset.items.text\[0\]"),
        (["item_id,title", "a,Red,too much"], r"items.csv, line 2 has 3 cells, but the header has 2"),
        (["item_id,title"], r"describes no item of the log: its ids are none at all"),
    ],
)
def test_a_broken_table_is_a_sentence(
    lines: list[str], message: str, command: Command, write_items: WriteItems
) -> None:
    catalogue = catalogue_of(command("dataset.items.text=[title]", write_items(*lines)))
    with pytest.raises(UserError, match=message):
        _ = catalogue.rows


def test_a_missing_table_is_named_by_its_option(command: Command) -> None:
    config = command("dataset.items.text=[title]", "dataset.items.path=nope.csv")
    with pytest.raises(UserError, match=r"dataset\.items\.path=nope\.csv does not exist"):
        _ = catalogue_of(config).files


def test_a_column_that_is_no_text_is_named(command: Command, tmp_path: Path) -> None:
    pd.DataFrame({"item_id": ["a"], "title": [1.5]}).to_parquet(tmp_path / "items.parquet")
    config = command("dataset.items.text=[title]", f"dataset.items.path={tmp_path / 'items.parquet'}")
    with pytest.raises(
        UserError, match=r"items.parquet, column 'title' is of type double; it must hold text"
    ):
        _ = catalogue_of(config).table


def test_of_a_list_all_elements_are_text(command: Command, tmp_path: Path) -> None:
    tags = [["red", "of glass"], [], None, ["blue", None]]
    pd.DataFrame({"item_id": list("abcd"), "tags": tags}).to_parquet(tmp_path / "items.parquet")
    config = command("dataset.items.text=[tags]", f"dataset.items.path={tmp_path / 'items.parquet'}")
    assert catalogue_of(config).text_columns() == [["red of glass", None, None, "blue"]]


def test_filters_say_which_rows_of_the_table_count(command: Command, write_items: WriteItems) -> None:
    table = write_items(
        "item_id,locale,title", "a,DE,Lampe", "a,UK,Lamp", ",UK,Nothing", "b,UK,Vase", "c,FR,Pot"
    )
    config = command(
        "dataset.items.text=[title]",
        "dataset.items.filters=[{column: locale, keep: '^UK$'}, {column: item_id, present: true}]",
        table,
    )
    catalogue = catalogue_of(config)
    assert catalogue.table["item_id"].to_pylist() == ["a", "b"]
    assert catalogue.text_columns() == [["Lamp", "Vase"]]


def test_of_a_log_the_first_text_that_is_not_empty_counts_after_its_filters(
    command: Command, tmp_path: Path
) -> None:
    config = command("dataset.items.text=[name]", "dataset.filters=[{column: quantity, above: 0}]")
    (tmp_path / "log" / "clicks.csv").write_text(
        "session_id,item_id,time,name,quantity\n"
        "1,a,10,Cancelled,-1\n1,a,10,,1\n1,b,11,Vase,1\n2,b,20,Other,1\n2,c,21,,1\n3,c,30,,1\n3,a,31,Lamp,1\n"
        "4,d,40,Once,1\n4,a,90000,Late,1\n4,b,90001,Late,1\n"
    )
    catalogue = catalogue_of(config)
    assert catalogue.files == []
    assert catalogue.table.to_pylist() == [
        {"item_id": "a", "text0": "Lamp"},
        {"item_id": "b", "text0": "Vase"},
        {"item_id": "c", "text0": None},
        {"item_id": "d", "text0": "Once"},
    ]
    assert catalogue.rows.tolist() == [0, 1, 2]


def test_images_are_named_by_a_column_relative_to_the_table(
    command: Command, write_items: WriteItems, paint: Callable[..., Path], tmp_path: Path
) -> None:
    red, blue = paint("pictures/red.png", "red"), paint("pictures/blue.png", "blue")
    lines = ["item_id,image", f"a,{red}", "c,pictures/../pictures/blue.png", "b,"]
    config = command("dataset.items.image=image", write_items(*lines))
    assert catalogue_of(config).images(max_missing_share=0) == [red, None, blue]


def test_images_are_found_by_a_pattern(
    command: Command, write_items: WriteItems, paint: Callable[..., Path]
) -> None:
    files = [paint("images/a.png", "red"), None, paint("images/c.png", "blue")]
    pattern = "dataset.items.image_pattern='images/{item_id}.png'"
    config = command(pattern, write_items("item_id,title", "a,x"))
    assert catalogue_of(config).images(max_missing_share=0) == files


def test_images_may_lie_in_folders_called_after_the_beginnings_of_ids(tmp_path: Path) -> None:
    """As H&M's do: images/010/0108775015.jpg."""
    for name in ("images/010/0108775015.jpg", "images/7/7.jpg"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    items = {"image_pattern": "images/{item_id:.3}/{item_id}.jpg", "image_root": str(tmp_path)}
    catalogue = ItemCatalogue(
        DatasetConfig(items=ItemsConfig(**items)), np.array(["0108775015", "7", "0119"], dtype=object)
    )
    files = [tmp_path / "images/010/0108775015.jpg", tmp_path / "images/7/7.jpg", None]
    assert catalogue.images(max_missing_share=0) == files


def test_without_a_table_images_lie_beside_the_log(command: Command, paint: Callable[..., Path]) -> None:
    red = paint("log/a.png", "red")
    config = command("dataset.items.image_pattern='{item_id}.png'")
    assert catalogue_of(config).images(max_missing_share=0) == [red, None, None]


@pytest.mark.parametrize("name", ["../secret.png", "/etc/passwd", "images/../../secret.png", "."])
def test_an_image_outside_the_tables_folder_is_refused(
    name: str, command: Command, write_items: WriteItems, paint: Callable[..., Path]
) -> None:
    config = command("dataset.items.image=image", write_items("item_id,image", f"a,{name}"))
    with pytest.raises(
        UserError, match=rf"the image '{name}' of item 'a' lies outside .*; images must lie within"
    ):
        catalogue_of(config).images(max_missing_share=1)


@pytest.mark.parametrize("root", ["pictures", "items/../pictures", "items/deep/../../pictures"])
def test_images_may_lie_beside_the_table_where_image_root_says_so(
    root: str, command: Command, write_items: WriteItems, paint: Callable[..., Path], tmp_path: Path
) -> None:
    red = paint("pictures/red.png", "red")
    (tmp_path / "items" / "deep").mkdir(parents=True)
    table = write_items("item_id,image", "a,red.png", "b,../pictures/red.png", name="items/items.csv")
    config = command("dataset.items.image=image", table, f"dataset.items.image_root={tmp_path / root}")
    assert catalogue_of(config).images(max_missing_share=0) == [red, red, None]
    with pytest.raises(
        UserError, match=r"'\.\./pictures/red\.png' .* lies outside .*set dataset\.items\.image_root to"
    ):
        catalogue_of(command("dataset.items.image=image", table)).images(max_missing_share=1)


@pytest.mark.parametrize("path", ["log/../items/items.csv", "items/../items/*.csv"])
def test_a_table_whose_path_goes_up_finds_its_images(
    path: str, command: Command, write_items: WriteItems, paint: Callable[..., Path], tmp_path: Path
) -> None:
    red = paint("items/red.png", "red")
    write_items("item_id,image", "a,red.png", f"b,{red}", name="items/items.csv")
    config = command("dataset.items.image=image", f"dataset.items.path={tmp_path / path}")
    assert catalogue_of(config).images(max_missing_share=0) == [red, red, None]


def test_an_id_cannot_lead_a_pattern_out_of_the_folder(command: Command, write_items: WriteItems) -> None:
    config = command("dataset.items.image_pattern='images/{item_id}.png'", write_items("item_id", "a"))
    catalogue = catalogue_of(config)
    catalogue.item_ids = pd.Series(["../../x"]).to_numpy(dtype=object)
    with pytest.raises(UserError, match=r"of item '\.\./\.\./x' lies outside"):
        catalogue.images(max_missing_share=1)


def test_files_that_are_named_but_missing_are_counted(
    command: Command, write_items: WriteItems, paint: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    red = paint("red.png", "red")
    config = command(
        "dataset.items.image=image", write_items("item_id,image", "a,red.png", "b,no.png", "c,red.png")
    )
    catalogue = catalogue_of(config)
    caplog.set_level(logging.WARNING)
    assert catalogue.images(max_missing_share=0.5) == [red, None, red]
    assert "1 of 3 image files don't exist, such as" in caplog.text
    with pytest.raises(
        UserError, match=r"1 of the 3 image files .* don't exist, the first of them .*no\.png"
    ):
        catalogue.images(max_missing_share=0.3)


def test_a_pattern_that_fits_no_file_is_a_sentence(command: Command) -> None:
    config = command("dataset.items.image_pattern='images/{item_id}.jpg'")
    with pytest.raises(
        UserError, match=r"3 of the 3 image files .* the first of them .*log/images/a\.jpg; check"
    ):
        catalogue_of(config).images(max_missing_share=1)


def test_a_log_whose_other_column_holds_other_ids_is_named(command: Command) -> None:
    catalogue = catalogue_of(command("dataset.items.item_id=session_id", "dataset.items.text=[item_id]"))
    with pytest.raises(
        UserError, match=r"the log's column 'session_id' describes no item of the log: its ids are '1'"
    ):
        _ = catalogue.rows
