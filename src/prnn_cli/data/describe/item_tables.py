"""Which of the tables beside a log describes its items, and what it holds of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prnn_cli.data.describe.column_roles import LogColumns, image_column, named_text, same_ids, text_columns
from prnn_cli.data.describe.file_groups import FileGroup
from prnn_cli.data.formats.column_values import as_text
from prnn_cli.system.paths import absolute_path

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp")
IMAGE_FOLDERS = ("image", "img", "picture", "pic", "photo", "thumb", "cover", "poster")


def items_settings(
    log: FileGroup, columns: LogColumns, others: Sequence[FileGroup]
) -> tuple[dict[str, Any], list[Path]]:
    """The settings `items`, and the other tables that have the items' ids too.

    Of several tables one with text is taken, and rather one with a row an item than one that repeats them. Without a
    table, columns of the log describe its items.
    """
    ids = columns.item_values(log.sample)
    found = [(other, item_id) for other in others if (item_id := same_ids(other.sample, ids))]
    found.sort(key=lambda each: _fitness(*each), reverse=True)
    source, items = log, dict[str, Any]()
    if found:
        source, item_id = found[0]
        items = {"path": str(absolute_path(source.path)), "item_id": item_id}
    used = {columns.session, columns.item, columns.order, *columns.time_names, items.get("item_id")}
    names = [name for name in source.sample.column_names if name not in used]
    if text := text_columns(source.sample, names, is_log=source is log):
        items["text"] = text
    if image := image_column(source.sample, names, IMAGE_SUFFIXES):
        items["image"] = image
    else:
        items |= _image_pattern(absolute_path(source.path).parent, ids)
    return items, [other.path for other, _ in found[1:]]


def _fitness(table: FileGroup, item_id: str) -> tuple[bool, bool, bool, bool]:
    """How well a table describes items, to be compared with that of others."""
    names = [name for name in table.sample.column_names if name != item_id]
    ids = as_text(table.sample[item_id]).drop_null()
    return (
        bool(named_text(table.sample, names)),
        len(ids.unique()) >= 0.9 * len(ids),
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
