"""The files at a path, grouped into tables by their columns, with the first rows of each."""

from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from prnn_cli.data.formats.data_file import DataFile
from prnn_cli.data.formats.log_files import find_files, open_file
from prnn_cli.data.formats.text_files import TextFile
from prnn_cli.data.formats.text_options import TextOptions
from prnn_cli.errors import EmptyFileError, UserError

SAMPLE_ROWS = 50_000


@dataclass
class FileGroup:
    """Files with the same columns, which are taken to be parts of one table.

    sample: the first rows of the first file
    """

    files: list[DataFile]
    encoding: str
    sample: pa.Table = field(init=False)

    def __post_init__(self) -> None:
        first = self.files[0]
        blocks = first.blocks(first.unique_columns)
        self.sample = next(
            blocks, pa.table({name: pa.array([], pa.string()) for name in first.unique_columns})
        )
        self.sample = self.sample.slice(0, SAMPLE_ROWS)

    @property
    def path(self) -> Path:
        return self.files[0].path

    @property
    def num_bytes(self) -> int:
        return sum(file.path.stat().st_size for file in self.files)


def file_groups(path: str) -> list[FileGroup]:
    """The tables at a path, of files that hold anything. Raises `UserError` where there is none, or one that cannot be
    read."""
    by_columns: dict[tuple[str, ...], list[tuple[DataFile, str]]] = {}
    files = find_files(path, "PATH")
    for file in files:
        try:
            opened, encoding = _opened(file)
        except EmptyFileError:
            if file is files[-1] and not by_columns:
                raise
            continue
        by_columns.setdefault(tuple(sorted(opened.columns)), []).append((opened, encoding))
    return [FileGroup([file for file, _ in files], files[0][1]) for files in by_columns.values()]


def _opened(path: Path) -> tuple[DataFile, str]:
    """The opened file, and the encoding in which its first rows can be read."""
    encoding = "utf-8"
    try:
        _first_rows(path, encoding)
    except UserError as error:
        if "dataset.encoding" not in str(error):
            raise
        encoding = "utf-16" if "dataset.encoding=utf-16" in str(error) else "cp1252"
        _first_rows(path, encoding)
    file = open_file(path, TextOptions(encoding))
    if isinstance(file, TextFile) and file.seems_to_lack_a_header:
        names = tuple(f"column_{n}" for n in range(1, len(file.columns) + 1))
        file = open_file(path, TextOptions(encoding, header=names))
    return file, encoding


def _first_rows(path: Path, encoding: str) -> None:
    file = open_file(path, TextOptions(encoding))
    next(file.blocks(file.unique_columns), None)
