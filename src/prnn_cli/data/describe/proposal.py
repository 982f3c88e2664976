"""A file or a folder of files -> the dataset config that would read it."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from prnn_cli.data.describe.column_roles import (
    LogColumns,
    find_log_columns,
    image_column,
    same_ids,
    text_columns,
)
from prnn_cli.data.formats.data_file import DataFile
from prnn_cli.data.formats.log_files import find_files, open_file
from prnn_cli.errors import UserError

SAMPLE_ROWS = 50_000
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp")
GAP_S = 1800  # half an hour, the usual choice for clicks


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
        blocks = first.blocks(first.columns)
        self.sample = next(blocks, pa.table({name: pa.array([], pa.string()) for name in first.columns}))
        self.sample = self.sample.slice(0, SAMPLE_ROWS)

    @property
    def path(self) -> Path:
        return self.files[0].path


def describe(path: str, taken: set[str]) -> str:
    """Proposes YAML for the group `dataset`, five to ten lines; `taken` are the names that it cannot have.

    Raises `UserError` where nothing at `path` looks like a log.
    """
    tables = _tables(path)
    found = [(table, columns) for table in tables if (columns := find_log_columns(table.sample))]
    if not found:
        raise UserError(
            f"nothing in {path} looks like a log: a session or user, an item and a time are needed, but the columns "
            f"are {', '.join(tables[0].files[0].columns)}; write the config by hand, README 'Your own data' shows one"
        )
    table, columns = max(found, key=lambda each: (each[1].score, len(each[0].files)))
    name = _name_of(path, taken)
    settings: dict[str, Any] = {"name": name, "path": _path_of(table, tables, path)}
    separator = getattr(table.files[0], "separator", None)
    settings |= {"separator": separator} if separator and separator not in ",;\t|" else {}
    settings |= {"encoding": table.encoding} if table.encoding != "utf-8" else {}
    settings["columns"] = _columns(columns)
    settings["time_format"] = columns.time_format
    settings |= {"list_separator": columns.list_separator} if columns.list_separator else {}
    settings |= {"session_gap_s": GAP_S} if columns.session_is_user else {}
    items = _items(table, columns, [other for other in tables if other is not table])
    settings |= {"items": items} if items else {}
    return _yaml(settings, columns, items)


def _tables(path: str) -> list[FileGroup]:
    by_columns: dict[tuple[str, ...], list[tuple[DataFile, str]]] = {}
    for file in find_files(path, "PATH"):
        opened, encoding = _opened(file)
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
    return open_file(path, None, encoding, ()), encoding


def _first_rows(path: Path, encoding: str) -> None:
    file = open_file(path, None, encoding, ())
    next(file.blocks(file.columns), None)


def _path_of(table: FileGroup, tables: list[FileGroup], path: str) -> str:
    """The path as given where all of it is the log, else the log's file, or the pattern that its files alone match."""
    if len(tables) == 1:
        return str(Path(path).expanduser().absolute())
    names = [file.path.name for file in table.files]
    folder = table.path.absolute().parent
    if len(names) == 1:
        return str(folder / names[0])
    common = os.path.commonprefix
    pattern = f"{common(names)}*{common([name[::-1] for name in names])[::-1]}"
    if sorted(found.name for found in folder.glob(pattern)) != sorted(names):
        raise UserError(
            f"the files of the log in {path} ({', '.join(names[:3])}, …) have no name in common that others lack; "
            "put them into a folder of their own"
        )
    return str(folder / pattern)


def _columns(columns: LogColumns) -> dict[str, Any]:
    chosen = {"session_id": columns.session, "item_id": columns.item, "time": columns.time}
    return chosen | ({"order": columns.order} if columns.order else {})


def _items(log: FileGroup, columns: LogColumns, others: list[FileGroup]) -> dict[str, Any]:
    """The settings `items`: another table that describes the log's items, or else columns of the log."""
    ids = columns.item_values(log.sample)
    source, items = log, dict[str, Any]()
    for other in others:
        if item_id := same_ids(other.sample, ids):
            source, items = other, {"path": str(other.path.absolute()), "item_id": item_id}
            break
    used = {columns.session, columns.item, columns.order, *columns.time_names, items.get("item_id")}
    names = [name for name in source.sample.column_names if name not in used]
    if text := text_columns(source.sample, names, is_log=source is log):
        items["text"] = text
    if image := image_column(source.sample, names, IMAGE_SUFFIXES):
        items["image"] = image
    elif pattern := _image_pattern(source.path.absolute().parent, ids):
        items["image_pattern"] = pattern
    return items


def _image_pattern(folder: Path, ids: set[str]) -> str | None:
    for place in [folder, *sorted(each for each in folder.iterdir() if each.is_dir())]:
        pictures = [file for file in place.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES]
        for suffix in sorted({file.suffix for file in pictures}):
            if any(file.stem in ids for file in pictures if file.suffix == suffix):
                return str(place.relative_to(folder) / f"{{item_id}}{suffix}")
    return None


def _name_of(path: str, taken: set[str]) -> str:
    stem = Path(path).expanduser().absolute().name.split(".")[0]
    name = re.sub(r"\W+", "_", stem).strip("_").lower() or "mine"
    return f"my_{name}" if name in taken or not name[0].isalpha() else name


def _yaml(settings: dict[str, Any], columns: LogColumns, items: dict[str, Any]) -> str:
    name = settings["name"]
    features = "" if "text" in items else " arch=id_only"
    lines = [
        f"# Save as my_configs/dataset/{name}.yaml, then: prnn train -cd my_configs dataset={name}{features}",
        "defaults: [generic]",
        *(f"{key}: {_flow(value)}" for key, value in settings.items()),
    ]
    if columns.session_is_user:
        position = next(n for n, line in enumerate(lines) if line.startswith("session_gap_s"))
        lines[position] += f"   # seconds without an event of a {columns.session} that end a session"
    return "\n".join(lines)


def _flow(value: Any) -> str:
    text = yaml.safe_dump([value], default_flow_style=True, sort_keys=False, allow_unicode=True, width=10_000)
    return text.strip()[1:-1]
