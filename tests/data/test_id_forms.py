"""One item written in several ways."""

from collections.abc import Callable

import pytest

from data.conftest import HEADER, items, rows
from prnn_cli.data.events import Events


def test_space_around_an_id_is_no_part_of_it(
    read: Callable[..., Events], caplog: pytest.LogCaptureFixture
) -> None:
    assert rows(read(HEADER + '1,a ,10\n 1,a,11\n1,"\n a",12\n1,b c,13\n')) == [
        ("1", "a", 10),
        ("1", "a", 11),
        ("1", "a", 12),
        ("1", "b c", 13),
    ]
    assert "2 rows have space around their item_id, which is no part of it" in caplog.text
    assert "1 rows have space around their session_id" in caplog.text


def test_an_id_of_space_alone_is_missing(read: Callable[..., Events]) -> None:
    events = read(HEADER + "1,a,10\n1,  ,11\n", max_bad_share=0.5)
    assert events.dropped == {"bad rows: item_id is empty": 1}


def test_a_number_with_and_without_a_fraction_of_zeros_is_one_id(
    read: Callable[..., Events], caplog: pytest.LogCaptureFixture
) -> None:
    events = read(HEADER + "1,7,10\n2.0,7.0,11\n2,8.0,12\n2,7.00,13\n2,7.5,14\n")
    assert rows(events) == [
        ("1", "7", 10),
        ("2", "7", 11),
        ("2", "8.0", 12),  # written in no other way
        ("2", "7", 13),
        ("2", "7.5", 14),
    ]
    assert events.item_ids.to_pylist() == ["7", "8.0", "7.5"]
    assert "2 events write their item_id like 7.0, others without the fraction" in caplog.text


@pytest.mark.parametrize(
    ("cells", "warning"),
    [
        (
            ["a", "'a'"],
            r"1 item_ids differ from others only by what is around them, such as \"'a'\" (1 events)",
        ),
        (['"[1, 2]"'], "1 item_ids look like lists, such as '[1, 2]' (1 events); set dataset.list_separator"),
        (['"a\nb"'], r"1 item_ids hold line ends, such as 'a\nb' (1 events)"),
    ],
)
def test_odd_ids_are_told_and_kept(
    read: Callable[..., Events], caplog: pytest.LogCaptureFixture, cells: list[str], warning: str
) -> None:
    events = read(HEADER + "".join(f"1,{cell},{n}\n" for n, cell in enumerate(cells)))
    assert len(events.item_ids) == len(cells)
    assert warning.replace('\\"', '"') in caplog.text


def test_plain_ids_are_not_spoken_of(read: Callable[..., Events], caplog: pytest.LogCaptureFixture) -> None:
    assert (
        items(read(HEADER + "1,007,1\n1,7,2\n1,A-1,3\n1,a-1,4\n1,(new) lamp,5\n"))
        == "007 7 A-1 a-1 (new) lamp"
    )
    assert not caplog.records
