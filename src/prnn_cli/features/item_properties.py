"""A table with a row for each property of an item -> a text for each item, of the values that it has."""

import logging
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from prnn_cli.data.formats.rows import FileRows
from prnn_cli.data.formats.time_units import shown_time
from prnn_cli.errors import UserError
from prnn_cli.features.property_times import PropertyTimes
from prnn_cli.schema import DatasetConfig

SEVERAL_WORDS = r"\S\s+\S"

log = logging.getLogger(__name__)

# The columns to read, config key -> name; gives the ids of the items, and the rows, block by block.
Blocks = Callable[[dict[str, str]], Iterable[tuple[pa.ChunkedArray, FileRows]]]


def texts_of_properties(blocks: Blocks, dataset: DatasetConfig, before: float | None) -> pa.Table:
    """Columns item_id and text0: a row for each item that has any property, its values in the order of their names.

    Of a property with times the latest value counts, of those before a time in seconds since 1970, or of all; of one
    without times all values do. A value is a word of the text, or several; where no value of a property has several,
    they are labels, and the word is `property_value`. Raises `UserError` where too many times are bad, for a wrong
    pattern, and where no property counts.
    """
    columns = dataset.items.properties
    gathered, num_late = [], 0
    for table in _tables(blocks, dataset, before):
        is_early = np.ones(len(table), bool) if before is None else table["time"].to_numpy() < before
        num_late += int(np.count_nonzero(~is_early))
        gathered.append(_encoded(table.filter(pa.array(is_early))))
    if num_late:
        log.info("%d properties that items had from %s on are left out", num_late, shown_time(before or 0))
    if not sum(map(len, gathered)):
        raise UserError(
            f"no row of dataset.items.path={dataset.items.path} counts; check the columns of dataset.items.properties, "
            "its pattern, and that its times lie before the test part"
        )
    table = pa.concat_tables(gathered).unify_dictionaries()
    del gathered  # as large as the table
    return _joined(table, has_times=columns.time is not None)


def _tables(blocks: Blocks, dataset: DatasetConfig, before: float | None) -> Iterator[pa.Table]:
    """Columns item, name, value (text) and time (seconds since 1970, 0 without times) of the rows that have all."""
    columns = dataset.items.properties
    name, value = str(columns.property), str(columns.value)
    wanted = {"items.properties.property": name, "items.properties.value": value}
    wanted |= {} if columns.time is None else {"items.properties.time": columns.time}
    times = None if columns.time is None else PropertyTimes(dataset, before)
    for item_ids, rows in blocks(wanted):
        names, values = rows.texts(name), rows.texts(value)
        counts = pc.and_(names.is_valid(), values.is_valid())
        if columns.keep is not None:
            counts = pc.and_(counts, _matches(names, columns.keep))
        table = pa.table({"item": item_ids, "name": names, "value": values}).filter(counts)
        if times is None:
            yield table.append_column("time", pa.array(np.zeros(len(table))))
            continue
        seconds = times.seconds(rows.filter(counts.to_numpy()))
        yield table.append_column("time", pa.array(seconds)).filter(pa.array(~np.isnan(seconds)))
    if times is not None:
        times.check_share()


def _matches(names: pa.ChunkedArray, pattern: str) -> pa.ChunkedArray:
    try:
        return pc.match_substring_regex(names, pattern)
    except pa.ArrowException as error:
        raise UserError(
            f"dataset.items.properties.keep={pattern!r} cannot be applied ({error}); write an RE2 pattern, which has "
            "no look-around"
        ) from error


def _encoded(table: pa.Table) -> pa.Table:
    for place, name in enumerate(("item", "name", "value")):
        table = table.set_column(place, name, table[name].dictionary_encode())
    return table


def _joined(table: pa.Table, has_times: bool) -> pa.Table:
    """The texts of all items of a table of codes."""
    items, names, values = (table[name].combine_chunks() for name in ("item", "name", "value"))
    item, name, value = (column.indices.to_numpy() for column in (items, names, values))
    order_of_names = np.argsort(names.dictionary.to_numpy(zero_copy_only=False))
    rank = np.argsort(order_of_names)[name]
    order = np.lexsort(
        (table["time"].to_numpy(), rank, item)
    )  # stable: of equal times the last row is the latest
    if has_times:
        kept = order[_differs(item[order], name[order], from_next=True)]
    else:
        by_value = np.lexsort((value, rank, item))
        firsts = by_value[_differs(item[by_value], name[by_value], value[by_value])]
        kept = order[np.isin(order, firsts)]
    words = _words(names.dictionary, values.dictionary, name[kept], value[kept])
    begins = np.flatnonzero(_differs(item[kept]))
    of_items = pa.LargeListArray.from_arrays(pa.array(np.append(begins, len(kept))), words)
    ids = items.dictionary.take(pa.array(item[kept][begins]))
    return pa.table({"item_id": ids, "text0": pc.binary_join(of_items, " ")})


def _differs(*columns: np.ndarray, from_next: bool = False) -> np.ndarray:
    """Whether each row differs from the one before it, or from the next, in any column; one at an end does."""
    differs = np.any([np.diff(column) != 0 for column in columns], axis=0)
    return np.append(differs, True) if from_next else np.append(True, differs)


def _words(names: pa.Array, values: pa.Array, name: np.ndarray, value: np.ndarray) -> pa.Array:
    """The words of each row, whose name and value are given by codes."""
    is_long = pc.match_substring_regex(values, SEVERAL_WORDS).to_numpy(zero_copy_only=False)
    has_words = np.bincount(name[is_long[value]], minlength=len(names)) > 0
    prefixes = pc.replace_substring_regex(names, r"\s+", "_").take(pa.array(name))
    texts = values.take(pa.array(value))
    return pc.if_else(pa.array(has_words[name]), texts, pc.binary_join_element_wise(prefixes, texts, "_"))
