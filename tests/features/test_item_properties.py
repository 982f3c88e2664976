"""A table with a row for each property of an item: which values count, and what their text is."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from features.conftest import CLICKS, dense, extracted, prepared
from prnn_cli.errors import UserError
from prnn_cli.features.extract import catalogue_of
from prnn_cli.schema import FeaturesCommand

Command = Callable[..., FeaturesCommand]
WriteItems = Callable[..., str]

# The test part begins at 90001: session 4 of `conftest.CLICKS` ends then.
PROPERTIES = "dataset.items.properties"
UNTIMED = [f"{PROPERTIES}.property=property", f"{PROPERTIES}.value=value"]
TIMED = [*UNTIMED, f"{PROPERTIES}.time=timestamp"]
HEADER = "timestamp,item_id,property,value"
JUNE = 1_433_116_800  # 2015-06-01
TEST_FROM = 1000 * (JUNE + 90_001)  # of `log_of_june`


def texts(config: FeaturesCommand) -> list[str]:
    """Of the items a, b and c."""
    catalogue = catalogue_of(config.dataset, prepared(config), Path(config.cache_dir))
    return [catalogue.text(item) for item in range(3)]


def test_the_latest_value_before_the_test_part_counts(command: Command, write_items: WriteItems) -> None:
    rows = [
        *("500,a,colour,blue", "100,a,colour,red", "90001,a,colour,of the test part"),
        *("90000,b,colour,green", "90000,b,colour,last of equal times"),
        *("95000,c,colour,too late", "7,z,colour,not in the log"),
    ]
    found = texts(command(*TIMED, write_items(HEADER, *rows)))
    assert found == ["blue", "last of equal times", ""]


def test_of_properties_without_times_all_values_count_once(command: Command, write_items: WriteItems) -> None:
    """As in Dressipi's item_features, whose properties and values are numbers."""
    rows = ["item_id,property,value", "a,56,365", "b,62,801", "a,7,2", "a,56,12", "a,56,365"]
    assert texts(command(*UNTIMED, write_items(*rows))) == ["56_365 56_12 7_2", "62_801", ""]


def test_labels_have_the_propertys_name_and_words_stay_words(
    command: Command, write_items: WriteItems
) -> None:
    rows = [
        *("1,a,title,Red lamp", "1,b,title,Lamp", "1,c,title,red  vase"),
        *("1,a,sold out,0", "1,b,category,0", "1,c,category,n12.000"),
    ]
    found = texts(command(*TIMED, write_items(HEADER, *rows)))
    assert found == ["sold_out_0 Red lamp", "category_0 Lamp", "category_n12.000 red vase"]


@pytest.fixture
def log_of_june(command: Command, tmp_path: Path) -> str:
    """The log of `conftest.CLICKS`, its times in milliseconds since June 2015 began: the option that reads it."""
    clicks = [click.split(",") for click in CLICKS]
    rows = [f"{session},{item},{1000 * (JUNE + int(time))}" for session, item, time in clicks]
    (tmp_path / "log" / "clicks.csv").write_text("\n".join(["session_id,item_id,time", *rows]) + "\n")
    return "dataset.time_format=milliseconds"


def test_times_in_another_unit_than_the_logs_are_refused(
    command: Command, write_items: WriteItems, log_of_june: str
) -> None:
    """Seconds, read as milliseconds, lie in January 1970: the test part's price would stand in the items' texts."""
    rows = [f"{JUNE},a,price,1", f"{JUNE + 95_000},a,price,2"]
    with pytest.raises(UserError) as refused:
        texts(command(*TIMED, log_of_june, write_items(HEADER, *rows)))
    for told in (
        "items.csv, line 2, column 'timestamp': '1433116800' is no time from 1990 to 2049, as the log's are, if it is",
        "read as milliseconds; ",
        "; the first is 1970-01-17 14:05:16; as seconds it is 2015-06-01 00:00:00: set "
        "dataset.items.properties.time_format=seconds, or",
        "dataset.stray_years=null takes such times as they are (2 of 2 rows cannot be read, and "
        "dataset.max_bad_share=0.01)",
    ):
        assert told in str(refused.value)


@pytest.mark.parametrize(
    ("time_format", "written"),
    [("seconds", JUNE), ("iso", "2015-06-01T00:00:00"), ("'%d.%m.%Y'", "01.06.2015"), ("auto", JUNE)],
)
def test_times_of_properties_may_be_written_in_a_way_of_their_own(
    command: Command, write_items: WriteItems, log_of_june: str, time_format: str, written: object
) -> None:
    own = f"{PROPERTIES}.time_format={time_format}"
    assert texts(command(*TIMED, log_of_june, own, write_items(HEADER, f"{written},a,price,1"))) == [
        "price_1",
        "",
        "",
    ]


def test_a_table_in_which_some_rows_are_of_another_unit_is_refused_or_they_are_left_out(
    command: Command, write_items: WriteItems, log_of_june: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The seconds are of the test part, one of 100 rows that count; a row that `keep` leaves out does not."""
    rows = [f"{TEST_FROM - 1 - n},b,size,{n}" for n in range(98)]
    rows += [f"{JUNE},a,stock,7", f"{TEST_FROM - 1},a,price,1", f"{TEST_FROM // 1000 + 9},a,price,2"]
    options = [*TIMED, log_of_june, f"{PROPERTIES}.keep='^(size|price)$'", write_items(HEADER, *rows)]
    assert texts(command(*options)) == ["price_1", "size_0", ""]
    assert "1 of 100 rows of dataset.items.path=" in caplog.text
    with pytest.raises(UserError, match=r"line 102, column 'timestamp': '1433206810' is no time .*1 of 100"):
        texts(command(*options, "dataset.max_bad_share=0.009"))


def test_times_before_there_were_clicks_count_where_it_is_said_that_they_are_right(
    command: Command, write_items: WriteItems, log_of_june: str
) -> None:
    """A 0 for what was always so."""
    rows = ["0,a,colour,red", f"{1000 * JUNE},a,size,9"]
    options = [*TIMED, log_of_june, write_items(HEADER, *rows)]
    assert texts(command(*options, "dataset.stray_years=null"))[0] == "colour_red size_9"
    with pytest.raises(UserError, match=r"'0' is no time .*; the first is 1970-01-01 00:00:00; mend it"):
        texts(command(*options))


def test_timestamps_of_parquet_are_checked_too(command: Command, tmp_path: Path, log_of_june: str) -> None:
    times = pd.to_datetime([JUNE], unit="ms")  # of seconds
    frame = pd.DataFrame({"timestamp": times, "item_id": "a", "property": "x", "value": "1"})
    frame.to_parquet(tmp_path / "items.parquet")
    items = f"dataset.items.path={tmp_path / 'items.parquet'}"
    with pytest.raises(UserError, match="if it is read as it stands; the first is 1970-01-17"):
        texts(command(*TIMED, log_of_june, items))


def test_some_properties_may_be_kept_by_their_names(command: Command, write_items: WriteItems) -> None:
    rows = ["1,a,colour,red", "1,a,colour_code,7", "1,b,size,9"]
    keep = f"{PROPERTIES}.keep='^(colour|size)$'"
    assert texts(command(*TIMED, keep, write_items(HEADER, *rows))) == ["colour_red", "size_9", ""]


def test_rows_without_a_property_or_a_value_say_nothing(command: Command, write_items: WriteItems) -> None:
    assert texts(command(*TIMED, write_items(HEADER, "1,a,,red", "1,a,colour,", "1,b,size,9")))[:2] == [
        "",
        "size_9",
    ]


def test_equal_values_of_different_properties_are_different_terms(
    command: Command, write_items: WriteItems
) -> None:
    rows = ["1,a,x,0", "1,b,x,0", "1,b,y,0", "1,c,y,0", "1,c,y,1"]
    plain = ["features=text", "features.tfidf.max_ngram=1"]
    table = extracted(command(*plain, *UNTIMED, write_items(HEADER, *rows)))["text"]
    assert table.size == 2  # x_0 and y_0; y_1 is of one item only
    assert (dense(table) > 0).tolist() == [[True, False], [True, True], [False, True]]


def test_features_are_made_anew_for_another_begin_of_the_test_part(
    command: Command, write_items: WriteItems
) -> None:
    rows = ["1,a,x,0", "1,b,x,0", "50,b,y,0", "50,c,y,0"]
    config = ["features=text", *TIMED, write_items(HEADER, *rows)]
    early = extracted(command(*config, "dataset.test_from=1970-01-01T00:00:22"))["text"]
    assert (early.size, early.covered.tolist()) == (1, [True, True, False])
    late = extracted(command(*config))["text"]
    assert (late.size, late.covered.tolist()) == (2, [True, True, True])


@pytest.mark.parametrize("names", [("1.csv", "2.csv"), ("1.parquet", "2.parquet")])
def test_the_table_may_lie_in_several_files(command: Command, tmp_path: Path, names: tuple[str, str]) -> None:
    """As Retailrocket's item_properties_part1 and 2 do."""
    rows = [(1000, "a", "790", "n1.000"), (9000, "a", "790", "n2.000"), (5000, "b", "790", "n1.000")]
    for name, part in zip(names, (rows[1:2], rows[::2]), strict=True):
        frame = pd.DataFrame(part, columns=HEADER.split(","))
        write = frame.to_parquet if name.endswith("parquet") else frame.to_csv
        write(tmp_path / name, index=False)
    paths = ",".join(str(tmp_path / name) for name in names)
    files = [f"dataset.items.path=[{paths}]", "dataset.time_format=seconds"]
    assert texts(command(*TIMED, *files))[:2] == ["790_n2.000", "790_n1.000"]


@pytest.mark.parametrize(
    ("row", "options", "message"),
    [
        ("soon,a,x,1", TIMED, r"items\.csv, line 2, column 'timestamp': 'soon' cannot be read as a time"),
        ("99999,a,x,0", TIMED, r"no row of dataset\.items\.path=.*items\.csv counts; check the columns"),
        (
            "1,a,x,0",
            [*UNTIMED, f"{PROPERTIES}.time=t"],
            r"no column 't'; .*set dataset\.items\.properties\.time",
        ),
        ("1,a,x,0", [*UNTIMED, f"{PROPERTIES}.keep='('"], r"properties\.keep='\(' cannot be applied"),
        ("1,,x,0", UNTIMED, r"items\.csv, line 2, column 'item_id': is empty; fill it in"),
    ],
)
def test_what_cannot_be_read_is_named(
    command: Command, write_items: WriteItems, row: str, options: list[str], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        texts(command(*options, write_items(HEADER, row)))
