"""Quotes that are characters like others, and hold rows together where they are read as quotes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from data.conftest import rows
from prnn_cli.data.events import Events
from prnn_cli.data.formats.log_files import open_file
from prnn_cli.data.formats.text_options import TextOptions
from prnn_cli.errors import UserError

TITLES = {20: '"Heroes', 60: '"Other'}


def log(titles: dict[int, str]) -> str:
    lines = [f"s{n // 4}\t{titles.get(n, 'plain')}\ti{n % 10}\t{1700000000 + n}\n" for n in range(100)]
    return "".join(["session_id\ttitle\titem_id\ttime\n", *lines])


@pytest.mark.parametrize("titles", [TITLES, {20: '"Heroes', 60: 'TV 40"'}, {5: '"a', 6: '"b'}])
def test_a_log_whose_quotes_swallow_rows_is_refused_with_the_line(
    read: Callable[..., Events], titles: dict[int, str]
) -> None:
    first, last = titles
    with pytest.raises(
        UserError,
        match=rf"clicks\.csv, line {first + 2}: .* holds {last - first + 1} lines together that look like rows .*"
        rf"\({last - first} rows .* set dataset\.quoting=none .* or dataset\.quoting=double",
    ):
        read(log(titles))
    assert len(read(log(titles), quoting="none")) == 100
    assert len(read(log(titles), quoting="double")) == 100 - (last - first)


def test_without_quoting_quotes_are_part_of_the_cell(read: Callable[..., Events]) -> None:
    text = 'session_id,item_id,time\n1,"a,5\n1,b"",6\n'
    assert [item for _, item, _ in rows(read(text, quoting="none"))] == ['"a', 'b""']


def test_cells_of_several_lines_are_no_swallowed_rows(tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    text = 'item_id,title\n1,"A lamp\nof brass, hand-made"\n2,"A ""red"" vase\nof glass"\n3,"x\ny"\n'
    path.write_text(text)
    assert open_file(path, TextOptions("utf-8")).read(["title"])["title"].to_pylist() == [
        "A lamp\nof brass, hand-made",
        'A "red" vase\nof glass',
        "x\ny",
    ]


def test_a_row_of_other_cells_over_several_lines_tells_of_the_open_quote(read: Callable[..., Events]) -> None:
    text = 'session_id,item_id,time\n1,a,5\n1,"b,6\n1,c,7\n'
    with pytest.raises(
        UserError, match=r"line 3 has 2 cells over 2 lines \(is a quote left open\?\), but the"
    ):
        read(text)
