"""A dataset's files -> the rows that its filters keep, block by block, each row a single event."""

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from prnn_cli.data.bad_rows import BadRows
from prnn_cli.data.formats.column_values import as_codes
from prnn_cli.data.formats.log_files import check_no_copies, find_files, open_file
from prnn_cli.data.formats.rows import FileRows, check_columns
from prnn_cli.data.formats.session_lists import explode_lists, is_list, items_of_elements
from prnn_cli.data.formats.text_options import TextOptions
from prnn_cli.data.row_filters import filter_rows
from prnn_cli.data.source_files import advised
from prnn_cli.errors import EmptyFileError, UserError
from prnn_cli.schema import DatasetConfig
from prnn_cli.system.prefetch import prefetch
from prnn_cli.system.progress import meter

log = logging.getLogger(__name__)

ROW_NUMBER = "(row)"  # the session_id of lists that have none
KEPT = "(kept)"  # whether the filters keep a row, where those that they drop are read too
ID_COLUMNS = ("columns.session_id", "columns.item_id", "columns.next_item_id", "items.item_id")


@dataclass
class RowCounts:
    """Counts of a log's rows while it is read.

    dropped: rows that a filter took out, by reason
    bad: rows that cannot be read
    rows_of_files: rows read of each file, bad and dropped ones among them
    trimmed: rows with space around their id, by column
    empty: what is said of each file that holds nothing, not even a header
    """

    dropped: Counter[str] = field(default_factory=Counter)
    bad: BadRows = field(default_factory=BadRows)
    rows_of_files: list[int] = field(default_factory=list)
    trimmed: Counter[str] = field(default_factory=Counter)
    empty: list[EmptyFileError] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(self.rows_of_files)

    def warn_of_trimmed(self) -> None:
        """Logs how many rows had space around an id."""
        for name, number in self.trimmed.items():
            log.warning("%d rows have space around their %s, which is no part of it", number, name)


def session_columns(dataset: DatasetConfig) -> list[str]:
    """The columns whose values together name a session; none where each row is one."""
    names = dataset.columns.session_id
    if names is None:
        return []
    return [names] if isinstance(names, str) else list(names)


def read_log(dataset: DatasetConfig, columns: dict[str, str], counts: RowCounts) -> Iterator[FileRows]:
    """Yields, block by block, the rows that the dataset's filters keep, with at least the named columns.

    With `dataset.gap_over=all` it yields the others too, whose column `KEPT` is false, as far as they have ids.
    `columns`: config key -> name of the column that it asks for. `counts` is complete when the last block is out.
    Of several files empty ones are left out, with a warning. Raises `UserError` for files that lack a column, are no
    tables, or are copies of each other.
    """
    wanted = columns | {f"filters[{n}].column": each.column for n, each in enumerate(dataset.filters)}
    if dataset.columns.next_item_id is not None:
        wanted["columns.next_item_id"] = dataset.columns.next_item_id
    files = find_files(dataset.path, within=dataset.files)
    sizes = [path.stat().st_size for path in files]
    with meter("reading", sum(sizes)) as progress:
        for number, path in enumerate(files):
            for rows in prefetch(_rows_of(path, dataset, wanted, counts)):
                yield _filtered(rows, dataset, counts)
                progress.update(sum(sizes[:number]) + rows.file.position, path.name)
    if len(counts.empty) == len(files):
        raise counts.empty[0]
    if counts.empty:
        log.warning("%d of %d files hold nothing: %s", len(counts.empty), len(files), counts.empty[0])
    check_no_copies([path for path, num_rows in zip(files, counts.rows_of_files, strict=True) if num_rows])


def _filtered(rows: FileRows, dataset: DatasetConfig, counts: RowCounts) -> FileRows:
    if dataset.gap_over == "kept" or dataset.session_gap_s is None:
        return filter_rows(rows, dataset.filters, counts.dropped, counts.bad)
    place = pa.array(np.arange(len(rows.table)))
    numbered = FileRows(rows.file, rows.table.append_column(KEPT, place), rows.numbers)
    kept = filter_rows(numbered, dataset.filters, counts.dropped, counts.bad)
    is_kept = np.zeros(len(rows.table), dtype=bool)
    is_kept[kept.table[KEPT].to_numpy()] = True
    names = [dataset.columns.item_id, *session_columns(dataset)]
    codes = [as_codes(rows.table[name])[0] for name in names]
    is_named = np.logical_and.reduce([each.is_valid().to_numpy(zero_copy_only=False) for each in codes])
    marked = FileRows(rows.file, rows.table.append_column(KEPT, pa.array(is_kept)), rows.numbers)
    return marked.filter(is_kept | is_named)


def _rows_of(
    path: Path, dataset: DatasetConfig, wanted: dict[str, str], counts: RowCounts
) -> Iterator[FileRows]:
    """The rows of one file block by block, counted, each a single event; none of an empty file."""
    rows_before, first = counts.total, 0
    counts.rows_of_files.append(0)
    try:
        file = open_file(path, TextOptions.of_log(dataset), wanted.values())
    except EmptyFileError as error:
        counts.empty.append(error)
        return
    with advised(dataset):
        check_columns(file, wanted)
    ids = {name for key, name in wanted.items() if key.partition("[")[0] in ID_COLUMNS}
    for table in file.blocks(set(wanted.values()), ids):
        numbers = np.arange(first, first + len(table))
        first += len(table)
        if dataset.columns.session_id is None:
            table = table.append_column(ROW_NUMBER, pa.array(numbers + rows_before + 1))
        rows = _single_events(FileRows(file, table, numbers), dataset)
        counts.rows_of_files[-1] += len(rows.table)
        yield rows if dataset.list_item is None else _with_items_of_elements(rows, dataset, counts)
    counts.rows_of_files[-1] += file.num_unparsed
    counts.bad.add_unparsed(file)


def _single_events(rows: FileRows, dataset: DatasetConfig) -> FileRows:
    columns = dataset.columns
    if dataset.list_separator is None and not is_list(rows.table[columns.item_id].type):
        if columns.session_id is None:
            raise UserError(
                f"dataset.columns.session_id=null makes each row a session, but {rows.file.path} holds single items "
                f"in the column {columns.item_id!r}; name the column of the sessions, or set dataset.list_separator"
            )
        if columns.next_item_id is not None:
            raise UserError(
                f"dataset.columns.next_item_id={columns.next_item_id} comes after the items of a list, but "
                f"{rows.file.path} holds single items in the column {columns.item_id!r}; set dataset.list_separator, "
                "or leave it null"
            )
        if dataset.list_item is not None:
            raise UserError(
                f"dataset.list_item={dataset.list_item} is for the elements of a list, but {rows.file.path} holds "
                f"single items in the column {columns.item_id!r}; set dataset.list_separator, or leave it null"
            )
        return rows
    try:
        table, index = explode_lists(
            rows.table, columns.item_id, dataset.list_separator, columns.next_item_id
        )
    except pa.ArrowException as error:
        kinds = {name: str(rows.table[name].type) for name in rows.table.column_names}
        raise UserError(
            f"{rows.file.path} holds lists that cannot be taken apart, its columns are {kinds}; lists must hold text "
            "or whole numbers"
        ) from error
    return FileRows(rows.file, table, rows.numbers[index])


def _with_items_of_elements(rows: FileRows, dataset: DatasetConfig, counts: RowCounts) -> FileRows:
    """The rows whose element of a list holds an item, with the item in its place; the others are counted as dropped."""
    name, pattern = dataset.columns.item_id, str(dataset.list_item)
    items, holds_none = items_of_elements(rows.table[name], pattern)
    counts.dropped[f"{name} does not match {pattern}"] += int(np.count_nonzero(holds_none))
    table = rows.table.set_column(rows.table.column_names.index(name), name, items)
    return FileRows(rows.file, table, rows.numbers).filter(~holds_none)
