"""The texts and image files of the items, from the items table or from the log itself."""

import logging
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from prnn_cli.data.bad_rows import BadRows
from prnn_cli.data.formats.log_files import find_files, open_file
from prnn_cli.data.formats.rows import FileRows, read_blocks, read_rows
from prnn_cli.data.formats.text_options import TextOptions
from prnn_cli.data.log_rows import RowCounts, read_log
from prnn_cli.data.row_filters import filter_rows
from prnn_cli.data.source_files import advised
from prnn_cli.errors import UserError
from prnn_cli.features.item_properties import texts_of_properties
from prnn_cli.features.source_vectors import seen_by
from prnn_cli.features.text import join
from prnn_cli.schema import DatasetConfig
from prnn_cli.system.paths import absolute_path

PLACEHOLDER = re.compile(
    r"\{item_id(?::\.([1-9]\d*))?\}"
)  # an item's id, or so many characters from its beginning

log = logging.getLogger(__name__)


class ItemCatalogue:
    """The prepared log's items (by item_index) and the table that describes them, which is read when it is asked for.

    `dataset` names its files (`prepare.with_files`). Where it has no items table, the log is the table: of each
    item the first value of each column counts that is not empty, in the order of the files. A table of
    properties (`dataset.items.properties`) makes up one text for each item, of what was known `before` a time, in
    seconds since 1970.
    """

    def __init__(self, dataset: DatasetConfig, item_ids: np.ndarray, before: float | None = None) -> None:
        self.dataset = dataset
        self.item_ids = item_ids
        self.before = before

    def seen_by(self, source: str) -> "ItemCatalogue":
        """The catalogue as the extractor of a source of features sees it, with the vectors of this source alone."""
        dataset = seen_by(source, self.dataset)
        return self if dataset is self.dataset else ItemCatalogue(dataset, self.item_ids, self.before)

    @property
    def files(self) -> list[Path]:
        """The files of the items table; none where the log is the table."""
        paths = self.dataset.items.path
        paths = paths if isinstance(paths, list) else [paths]
        with advised(self.dataset):
            found = [find_files(path, "dataset.items.path") for path in paths if path is not None]
        return list(dict.fromkeys(file for files in found for file in files))

    @property
    def folder(self) -> Path:
        """The folder that the paths of images are relative to: `dataset.items.image_root`, or else the table's."""
        if self.dataset.items.image_root is not None:
            return absolute_path(self.dataset.items.image_root)
        files = self.files or find_files(self.dataset.path, within=self.dataset.files)
        return absolute_path(files[0]).parent

    @cached_property
    def table(self) -> pa.Table:
        """Columns item_id, text0, text1, … and image, all text, null where an item has none: one row an item."""
        if self.dataset.items.has_properties:
            return texts_of_properties(self.blocks, self.dataset, self.before)
        has_table = self.dataset.items.path is not None
        return self._one_row_an_item() if has_table else self._first_values_of_the_log()

    @cached_property
    def rows(self) -> np.ndarray:
        """The row of `table` that describes each item, (num_items,); −1 where none does.

        Raises `UserError` where the table describes none of them.
        """
        described = self.table["item_id"].to_pandas()
        items = self.dataset.items
        source = (
            f"dataset.items.path={items.path}"
            if items.path is not None
            else f"the log's column {items.item_id!r}"
        )
        return match(described, self.item_ids, source)

    def text_columns(self) -> list[list[str | None]]:
        """The texts of all rows of the table, a list for each column of them."""
        return [self.table[f"text{n}"].to_pylist() for n in range(self.num_texts)]

    @property
    def num_texts(self) -> int:
        """The number of columns of texts."""
        items = self.dataset.items
        return 1 if items.has_properties else len(items.text)

    def text(self, item_index: int) -> str:
        """The joined text of an item, empty where nothing is known."""
        columns = range(self.num_texts)
        if not columns or (row := int(self.rows[item_index])) < 0:
            return ""
        return join(self.table[f"text{n}"][row].as_py() for n in columns)

    @property
    def has_images(self) -> bool:
        return self.dataset.items.image is not None or self.dataset.items.image_pattern is not None

    def images(self, max_missing_share: float) -> list[Path | None]:
        """The image file of each item; None where there is none.

        Raises `UserError` where the table names too many files that don't exist, where a pattern fits none at all, and
        for a link that leaves the folder of the images.
        """
        named = self._named_images()
        files = [path if path and _is_file(path) else None for path in named]
        _refuse_links_out(self.folder, files)
        missing = [path for path, file in zip(named, files, strict=True) if path and not file]
        num_named = sum(path is not None for path in named)
        allowed = max_missing_share if self.dataset.items.image_pattern is None else 1
        if not any(files) or len(missing) > allowed * num_named:
            first = f", the first of them {missing[0]}" if missing else ""
            raise UserError(
                f"{len(missing)} of the {num_named} image files that the items should have don't exist{first}; "
                f"check dataset.items.image and image_pattern, which are relative to {self.folder} (that is "
                "dataset.items.image_root, or else the table's folder)"
            )
        if missing:
            log.warning("%d of %d image files don't exist, such as %s", len(missing), num_named, missing[0])
        return files

    def _named_images(self) -> list[Path | None]:
        items, folder = self.dataset.items, self.folder
        if items.image_pattern is not None:
            pattern = items.image_pattern
            return [_inside(folder, _filled(pattern, each), each) for each in self.item_ids]
        names = self.table["image"].take(pa.array(np.maximum(self.rows, 0))).to_pylist()
        return [
            _inside(folder, name, item_id) if row >= 0 and name is not None else None
            for name, row, item_id in zip(names, self.rows, self.item_ids, strict=True)
        ]

    def _columns(self) -> dict[str, str]:
        """The columns to read, config key -> name, in the order of `table`."""
        items = self.dataset.items
        columns = {"items.item_id": items.item_id}
        columns |= {f"items.text[{n}]": name for n, name in enumerate(items.text)}
        return columns if items.image is None else columns | {"items.image": items.image}

    def _one_row_an_item(self) -> pa.Table:
        table = pa.concat_tables(self._as_text(rows) for rows in self._table_rows())
        unique = _first_of_each_item(table, skip_nulls=False)
        if repeated := len(table) - len(unique):
            path, others = self.dataset.items.path, _distinct_rows(table) - len(unique)
            told = f", {others} of which say something else" if others else ""
            log.warning(
                "%s repeats items in %d rows%s; the first row of an item counts", path, repeated, told
            )
        return unique

    def blocks(self, columns: dict[str, str]) -> Iterator[tuple[pa.ChunkedArray, FileRows]]:
        """Yields (the ids of the items, the rows) of each block of the items table, with the columns that are named as
        in `check_columns`. Raises `UserError` for a row without an id, or that doesn't parse."""
        name = self.dataset.items.item_id
        columns = {"items.item_id": name} | columns | self._filtered_columns()
        for path in self.files:
            file = open_file(path, TextOptions.of_items(self.dataset), columns.values())
            for rows in map(self._kept, read_blocks(file, columns)):
                yield _ids_of(rows, name), rows

    def _table_rows(self) -> Iterator[FileRows]:
        columns = self._columns() | self._filtered_columns()
        for path in self.files:
            file = open_file(path, TextOptions.of_items(self.dataset), columns.values())
            rows = self._kept(read_rows(file, columns))
            _ids_of(rows, self.dataset.items.item_id)
            yield rows

    def _filtered_columns(self) -> dict[str, str]:
        """The columns that `dataset.items.filters` look at, config key -> name."""
        return {
            f"items.filters[{n}].column": each.column for n, each in enumerate(self.dataset.items.filters)
        }

    def _kept(self, rows: FileRows) -> FileRows:
        return filter_rows(rows, self.dataset.items.filters, Counter(), BadRows())

    def _first_values_of_the_log(self) -> pa.Table:
        files = read_log(self.dataset, self._columns(), RowCounts())
        firsts = [_first_of_each_item(self._as_text(rows), skip_nulls=True) for rows in files]
        return _first_of_each_item(pa.concat_tables(firsts), skip_nulls=True)

    def _as_text(self, rows: FileRows) -> pa.Table:
        items = self.dataset.items
        columns = {"item_id": rows.texts(items.item_id)}
        columns |= {f"text{n}": rows.texts(name, lists=True) for n, name in enumerate(items.text)}
        if items.image is not None:
            columns["image"] = rows.texts(items.image)
        return pa.table(columns)


def match(described: pd.Series, item_ids: Sequence[str] | np.ndarray, what: str) -> np.ndarray:
    """The places (num_items,) of `item_ids` in `described`, whose ids differ; −1 for one that is not there.

    Raises `UserError` where none does; `what` says where `described` comes from.
    """
    rows: np.ndarray = pd.Index(described).get_indexer(pd.Index(item_ids))
    missing = int((rows < 0).sum())
    if missing == len(item_ids):
        raise UserError(
            f"{what} describes no item of the log: its ids are {_examples(described)}, the log's are "
            f"{_examples(item_ids)}; check that both name items in the same way"
        )
    if missing:
        log.warning("%d of the %d items of the log are not in %s", missing, len(item_ids), what)
    return rows


def _first_of_each_item(table: pa.Table, skip_nulls: bool) -> pa.Table:
    """One row for each item_id, with the first value of each column, in the order of first appearance."""
    options = pc.ScalarAggregateOptions(skip_nulls=skip_nulls)
    names = [name for name in table.column_names if name != "item_id"]
    groups = table.group_by("item_id", use_threads=False)  # threads would lose the order
    firsts = groups.aggregate([(name, "first", options) for name in names])
    columns = {"item_id": firsts["item_id"]} | {name: firsts[f"{name}_first"] for name in names}
    return pa.table(columns)


def _distinct_rows(table: pa.Table) -> int:
    return len(table.group_by(table.column_names).aggregate([]))


def _ids_of(rows: FileRows, name: str) -> pa.ChunkedArray:
    """The ids of the items that rows of their table describe. Raises `UserError` where one is missing."""
    ids = rows.texts(name)
    rows.raise_if_any(~ids.is_valid().to_numpy(), name, "is empty; fill it in")
    return ids


def _filled(pattern: str, item_id: str) -> str:
    return PLACEHOLDER.sub(lambda part: item_id[: int(part[1])] if part[1] else item_id, pattern)


def _inside(folder: Path, name: str, item_id: str) -> Path:
    path = Path(os.path.normpath(folder / name))
    if path == folder or not path.is_relative_to(folder):
        raise UserError(
            f"the image {name!r} of item {item_id!r} lies outside {folder}; images must lie within it: set "
            "dataset.items.image_root to a folder that holds them all"
        )
    return path


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # an id that is no name of a file, such as one of 300 letters
        return False


def _refuse_links_out(folder: Path, files: Sequence[Path | None]) -> None:
    """Raises `UserError` for an image that a link, its own or a folder's, leads out of `folder`."""
    root = folder.resolve()
    folders = {parent: parent.resolve() for parent in {file.parent for file in files if file}}
    for file in files:
        if file is None:
            continue
        lies_at = file.resolve() if file.is_symlink() else folders[file.parent] / file.name
        if not lies_at.is_relative_to(root):
            raise UserError(
                f"the image {file} is a link to {lies_at}, outside {folder}; copy what it leads to (cp -rL), or set "
                "dataset.items.image_root to a folder that holds both"
            )


def _examples(ids: Sequence[str] | np.ndarray | pd.Series) -> str:
    return f"{', '.join(repr(str(each)) for each in ids[:3])}{', …' if len(ids) > 3 else ''}" or "none at all"
