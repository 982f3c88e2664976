"""Delimited text with any separator, encoding, quotes and line ends."""

from collections.abc import Callable
from pathlib import Path

import pytest

from data.conftest import HEADER, items, rows
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
    cell = "one\n" * 50
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


def test_a_row_of_megabytes_is_refused_as_such(read: Callable[..., Events]) -> None:
    with pytest.raises(UserError, match=r"has a row of more than 8 MB.*is a quote left open"):
        read(HEADER + "1,a,1\n1,b,2\n" * 10 + '1,"' + "a" * 20_000_000 + '",3\n')
