"""Which of the tables beside a log describes its items, and what it holds of them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from prnn_cli.data.describe.column_roles import (
    LogColumns,
    image_column,
    named_text,
    same_ids,
    text_columns,
)
from prnn_cli.data.describe.file_groups import FileGroup
from prnn_cli.data.describe.property_columns import PropertyColumns, find_property_columns
from prnn_cli.data.formats.column_values import as_text
from prnn_cli.system.paths import absolute_path

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp")
IMAGE_FOLDERS = ("image", "img", "picture", "pic", "photo", "thumb", "cover", "poster")


@dataclass(frozen=True)
class ItemTables:
    """What describes the items of a log.

    settings: of the group `dataset.items`; paths: of the files of its table, none where the log itself is the table
    others: files of other tables that have the items' ids too
    doubt: what may be otherwise; empty where nothing is
    """

    settings: dict[str, Any]
    paths: list[Path]
    others: list[Path]
    doubt: str


def find_item_tables(log: FileGroup, columns: LogColumns, others: Sequence[FileGroup]) -> ItemTables:
    """Chooses among the tables beside a log.

    Of several one with text is taken, then one of properties, and rather one with a row an item than one that repeats
    them. Without a table, columns of the log describe its items.
    """
    ids = columns.item_values(log.sample)
    found = [(other, item_id) for other in others if (item_id := same_ids(other.sample, ids))]
    found.sort(key=lambda each: _fitness(*each), reverse=True)
    if not found:
        used = {
            columns.session,
            columns.item,
            columns.order,
            *columns.time_names,
            *columns.within_day.values(),
        }
        return ItemTables(_described_by(log, used, ids, is_log=True), [], [], "")
    (source, item_id), *unused = found
    paths = [absolute_path(file.path) for file in source.files]
    settings: dict[str, Any] = {"path": str(paths[0]) if len(paths) == 1 else [str(path) for path in paths]}
    settings["item_id"] = item_id
    doubt = ""
    if properties := find_property_columns(source.sample):
        settings["properties"] = _of_properties(properties, columns)
        settings |= _image_pattern(paths[0].parent, ids)
        doubt = f"{source.path.name} seems to hold a row for each property of an item"
    else:
        settings |= _described_by(source, {item_id}, ids, is_log=False)
        if not _has_a_row_an_item(source, item_id):
            doubt = f"{source.path.name} has several rows for an item, of which the first counts"
    return ItemTables(
        settings, [file.path for file in source.files], [table.path for table, _ in unused], doubt
    )


def _described_by(table: FileGroup, used: set[str | None], ids: set[str], is_log: bool) -> dict[str, Any]:
    """The settings that name texts and pictures; used: columns that hold neither."""
    names = [name for name in table.sample.column_names if name not in used]
    text = text_columns(table.sample, names, is_log)
    settings: dict[str, Any] = {"text": text} if text else {}
    if image := image_column(table.sample, names, IMAGE_SUFFIXES):
        return settings | {"image": image}
    return settings | _image_pattern(absolute_path(table.path).parent, ids)


def _of_properties(properties: PropertyColumns, columns: LogColumns) -> dict[str, str]:
    """The settings `items.properties`; a format of the times only where they have one that the log's have not."""
    settings = {name: value for name, value in asdict(properties).items() if value is not None}
    if properties.time_format == columns.time_format:
        del settings["time_format"]
    return settings


def _has_a_row_an_item(table: FileGroup, item_id: str) -> bool:
    ids = as_text(table.sample[item_id]).drop_null()
    return len(ids.unique()) >= 0.9 * len(ids)


def _fitness(table: FileGroup, item_id: str) -> tuple[bool, bool, bool, bool, bool]:
    """How well a table describes items, to be compared with that of others."""
    names = [name for name in table.sample.column_names if name != item_id]
    return (
        bool(named_text(table.sample, names)),
        find_property_columns(table.sample) is not None,
        _has_a_row_an_item(table, item_id),
        bool(text_columns(table.sample, names, is_log=False)),
        image_column(table.sample, names, IMAGE_SUFFIXES) is not None,
    )


def _image_pattern(folder: Path, ids: set[str]) -> dict[str, str]:
    """The settings that find pictures by their items' ids: in the table's folder, in one below it, or in one beside."""
    below = [each for each in _entries(folder) if each.is_dir()]
    beside = [
        each
        for each in _entries(folder.parent)
        if each.name.lower().startswith(IMAGE_FOLDERS) and each.is_dir()
    ]
    for place in [folder, *below, *(each for each in beside if each != folder)]:
        pictures = [file for file in _entries(place) if file.suffix.lower() in IMAGE_SUFFIXES]
        for suffix in sorted({file.suffix for file in pictures}):
            if any(file.stem in ids for file in pictures if file.suffix == suffix):
                pattern = f"{{item_id}}{suffix}"
                if place in beside:
                    return {"image_pattern": pattern, "image_root": str(place)}
                return {"image_pattern": str(place.relative_to(folder) / pattern)}
    return {}


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:  # one that we may not list
        return []
