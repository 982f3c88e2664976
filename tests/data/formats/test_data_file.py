"""Compressed, damaged and mislabelled files."""

import gzip
from collections.abc import Callable

import pytest

from data.conftest import HEADER, rows, zstd
from prnn_cli.data.events import Events
from prnn_cli.errors import UserError


def test_gzipped_text_is_read_like_text(read: Callable[..., Events]) -> None:
    assert rows(read(gzip.compress((HEADER + "1,a,10\n").encode(), mtime=0), file="c.csv.gz")) == [
        ("1", "a", 10)
    ]


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("clicks.parquet", HEADER.encode(), r"clicks\.parquet cannot be read .*check that its extension"),
        ("clicks.parquet", b"", r"clicks\.parquet is empty"),
        ("clicks.csv.gz", HEADER.encode(), r"clicks\.csv\.gz cannot be read .*check that its extension"),
        (
            "clicks.csv.gz",
            gzip.compress(HEADER.encode() * 99, mtime=0)[:-20],
            r"clicks\.csv\.gz breaks off after about line \d+: the compressed file is cut short",
        ),
        ("clicks.csv.gz", gzip.compress(b"", mtime=0), r"clicks\.csv\.gz is empty"),
        (
            "clicks.csv",
            b"PK\x03\x04\xff\xfe\x00",
            r"clicks\.csv is no text but a ZIP archive or a spreadsheet",
        ),
        (
            "clicks.csv",
            b"\x7fELF\x00\x00",
            r"clicks\.csv is a binary file; give CSV, TSV, JSON Lines or Parquet",
        ),
        (
            "clicks.csv",
            gzip.compress(HEADER.encode(), mtime=0),
            r"clicks\.csv is no text but compressed with gzip; let its",
        ),
        ("clicks.jsonl", b"PAR1....", r"clicks\.jsonl is no text but a Parquet file"),
        (
            "clicks.csv",
            HEADER.encode("utf-16"),
            r"clicks\.csv is not utf-8 text; set dataset\.encoding=utf-16",
        ),
        ("clicks.jsonl", b"", r"clicks\.jsonl is empty; it needs one JSON object a line"),
        (
            "clicks.jsonl",
            b"[1]\n",
            r"clicks\.jsonl, line 1 is no JSON object; a JSON Lines file holds one object",
        ),
        ("clicks.jsonl", b'{"item": "\xe9"}', r"clicks\.jsonl is not utf-8 text"),
    ],
)
def test_damaged_and_mislabelled_files_are_refused(
    read: Callable[..., Events], file: str, content: bytes, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        read(content, file=file)


def test_a_zstd_stream_that_is_cut_short_is_a_sentence_with_a_line(read: Callable[..., Events]) -> None:
    numbers = [(n, n * 7919 % 1000, n) for n in range(200_000)]
    csv = "session_id,item_id,time\n" + "".join(f"{s},{i},{t}\n" for s, i, t in numbers)
    lines = "".join(f'{{"session_id": {s}, "item_id": {i}, "time": {t}}}\n' for s, i, t in numbers)
    for file, text in (("clicks.csv.zst", csv), ("clicks.jsonl.zst", lines)):
        whole = zstd(text.encode())
        with pytest.raises(
            UserError, match=r"clicks\..* breaks off after about line \d{5,6}: the compressed file"
        ):
            read(whole[: len(whole) // 2], file)
