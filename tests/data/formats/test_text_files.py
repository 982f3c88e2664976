"""Delimited text with any separator, encoding, quotes and line ends."""

import gzip
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from data.conftest import HEADER, items, rows, zstd
from prnn_cli.data.events import Events, read_events
from prnn_cli.errors import UserError
from prnn_cli.schema import DatasetConfig


@pytest.mark.parametrize("separator", [";", "\t", "|", ":"])
def test_the_separator_is_read_off_the_header(read: Callable[..., Events], separator: str) -> None:
    text = (HEADER + "1,a,10\n").replace(",", separator)
    assert rows(read(text)) == [("1", "a", 10)]


def test_commas_in_a_header_of_semicolons_are_no_separators(read: Callable[..., Events]) -> None:
    assert rows(read("a,b,c,d,e;session_id;item_id;time\n;1,5;a;10\n")) == [("1,5", "a", 10)]


def test_a_given_separator_may_be_any_character(read: Callable[..., Events]) -> None:
    assert rows(read((HEADER + "1,a,10\n").replace(",", "#"), separator="#")) == [("1", "a", 10)]


@pytest.mark.parametrize("separator", ["::", "||", " | ", "→", ";;;"])
def test_a_separator_may_have_several_characters(read: Callable[..., Events], separator: str) -> None:
    text = (HEADER + '1,"a:b,10\n').replace(",", separator)
    assert rows(read(text, separator=separator)) == [("1", '"a:b', 10)]


def test_a_separator_of_two_characters_is_read_off_the_header(read: Callable[..., Events]) -> None:
    assert rows(read((HEADER + "1,a,10\n").replace(",", "::"))) == [("1", "a", 10)]


def test_a_file_without_a_header_gets_its_names_from_the_options(read: Callable[..., Events]) -> None:
    """As YOOCHOOSE and MovieLens have them."""
    header = ["session_id", "time", "item_id", "category"]
    text = "1,1970-01-01T00:00:10Z,i,0\n2,1970-01-01T00:00:11Z,j,0\n"
    assert rows(read(text, "clicks.dat", header=header)) == [("1", "i", 10), ("2", "j", 11)]
    assert rows(read(text.replace(",", "::"), "clicks.dat", header=header)) == [
        ("1", "i", 10),
        ("2", "j", 11),
    ]


def test_rows_that_do_not_fit_the_given_names_are_told_so(read: Callable[..., Events]) -> None:
    with pytest.raises(UserError, match=r"line 2 has 4 cells, but dataset\.header has 3"):
        read("1,a,10\n1,a,11,x\n", header=["session_id", "item_id", "time"])


def test_a_first_line_of_values_is_asked_about(
    read: Callable[..., Events], caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(UserError, match=r"no column 'session_id'; .* name the columns by dataset\.header="):
        read("1,a,10\n1,b,11\n")
    events = read("1,a,10\n1,b,11\n", columns={"session_id": "1", "item_id": "a", "time": "10"})
    assert rows(events) == [("1", "b", 11)]
    assert "the first line of" in caplog.text
    assert "looks like a row (1, a, 10)" in caplog.text


@pytest.mark.parametrize("file", ["clicks.csv", "clicks.csv.zst"])
def test_comment_lines_are_left_out_and_lines_keep_their_numbers(
    read: Callable[..., Events], file: str
) -> None:
    text = ("# made in May\n\n#\n" + HEADER + "1,#a,10\n# half-time\n1,b,soon\n").encode()
    with pytest.raises(UserError, match=r"line 7, column 'time': 'soon'"):
        read(zstd(text) if file.endswith("zst") else text, file, comment="#")
    assert rows(read(text.replace(b"soon", b"11"), "a.csv", comment="#")) == [("1", "#a", 10), ("1", "b", 11)]


def test_a_long_commented_log_is_read_in_blocks(read: Callable[..., Events]) -> None:
    text = "#\n" + HEADER + "".join(f"{n},i{n % 7},{n}\n" for n in range(200_000))
    events = read(text, comment="#", time_format="seconds")
    assert len(events) == 200_000
    assert set(events.item_ids.to_pylist()) == {f"i{n}" for n in range(7)}


def test_a_byte_order_mark_windows_line_ends_and_blank_lines_do_not_matter(
    read: Callable[..., Events],
) -> None:
    text = b"\xef\xbb\xbf\r\nsession_id,item_id,time\r\n\r\n1,a,10\r\n\r\n1,b,11"
    assert rows(read(text)) == [("1", "a", 10), ("1", "b", 11)]


def test_other_encodings_are_read_when_named(read: Callable[..., Events]) -> None:
    assert items(read((HEADER + "1,café,10\n").encode("cp1252"), encoding="cp1252")) == "café"


def test_quoted_cells_may_hold_separators_and_line_ends(read: Callable[..., Events]) -> None:
    assert items(read(HEADER + '1,"a,\nb",10\n')) == "a,\nb"


def test_quoted_line_ends_are_read_in_files_of_any_length(read: Callable[..., Events]) -> None:
    cell = "one\n" * 49 + "one"
    text = HEADER + "".join(f'{n},"{cell}",{n}\n' for n in range(8000))
    assert {item for _, item, _ in rows(read(text))} == {cell}


def test_a_broken_row_in_another_encoding_far_down_is_a_sentence_alone(
    dataset_config: Callable[..., DatasetConfig], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Too far for the first look at the file, which reads a few thousand characters."""
    rows = "".join(f"{n // 3},i{n % 50},{n}\n" for n in range(9000)).encode()
    (tmp_path / "clicks.csv").write_bytes(b"session_id,item_id,time\n" + rows + b"1,c\xe5\n" + rows)
    with pytest.raises(UserError, match=r"clicks\.csv is not utf-8 text .*; set dataset\.encoding"):
        read_events(dataset_config(path=str(tmp_path / "clicks.csv"), max_bad_share=0.5))
    assert capfd.readouterr().err == ""


LONG = "a" * 9_000_000


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("clicks.csv", HEADER + "1,b,2\n" * 10 + f'1,"{LONG}{LONG}",3\n'),
        ("clicks.csv", f"{LONG}\n1,2,3\n"),
        ("clicks.csv", HEADER + f'1,"{LONG}\n{LONG}'),
        ("clicks.jsonl", '{"session_id": 1, "item_id": "a", "time": 5}\n' + f'{{"item_id": "{LONG}"}}\n'),
        ("clicks.jsonl", LONG),
    ],
)
def test_a_row_of_megabytes_is_refused_as_such(read: Callable[..., Events], file: str, text: str) -> None:
    with pytest.raises(UserError, match=r"has a row of more than 8 MB.*is a quote left open"):
        read(text, file)


def test_a_small_archive_of_one_long_line_is_not_unpacked_as_a_whole(read: Callable[..., Events]) -> None:
    archive = gzip.compress(b"a" * 60_000_000)
    tracemalloc.start()
    with pytest.raises(UserError, match="has a row of more than 8 MB"):
        read(archive, "clicks.csv.gz")
    with pytest.raises(UserError, match="has a row of more than 8 MB"):
        read(archive, "clicks.jsonl.gz")
    assert tracemalloc.get_traced_memory()[1] < 50e6
    tracemalloc.stop()


def test_cells_of_a_header_may_be_long(read: Callable[..., Events]) -> None:
    assert rows(read(HEADER.strip() + f",{'x' * 200_000}\n1,a,5,\n")) == [("1", "a", 5)]


@pytest.mark.parametrize("file", ["clicks.csv", "clicks.jsonl"])
@pytest.mark.parametrize("encoding", ["utf-88", "hex", "undefined", "a\0b", ""])
def test_encodings_that_do_not_exist_are_refused(
    read: Callable[..., Events], file: str, encoding: str
) -> None:
    with pytest.raises(UserError, match=r"dataset\.encoding=.* does not exist; try utf-8 or cp1252"):
        read(HEADER, file, encoding=encoding)
