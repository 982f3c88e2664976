"""Lists of items that may, or must not, be recommended: to everybody, or to sessions of their own."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from prnn_cli.data.formats.column_values import as_text
from prnn_cli.data.formats.log_files import find_files, open_file
from prnn_cli.data.formats.text_options import TextOptions
from prnn_cli.errors import UserError
from prnn_cli.evaluation.item_rules import ItemRules
from prnn_cli.schema import DatasetConfig

ItemList = Collection[Any] | Mapping[Any, Collection[Any]]


def item_rules(
    index: pd.Index,
    keys: Sequence[Any],
    *,
    exclude_clicked: bool,
    allow: ItemList | None,
    deny: ItemList | None,
) -> ItemRules:
    """Lists of item ids as rules. index: the known ids, by item_index; keys: of the sessions, in order

    Raises `UserError` where a list for everybody allows no item that is known.
    """
    place = {key: number for number, key in enumerate(keys)}
    among: np.ndarray | None = None
    if allow is not None and not isinstance(allow, Mapping):
        among = _known(index, allow)
        if not len(among):
            raise UserError(f"the model knows none of the items in allow; it knows such as {index[0]}")
    if deny is not None and not isinstance(deny, Mapping):
        among = np.setdiff1d(np.arange(len(index)) if among is None else among, _known(index, deny))
    return ItemRules(
        exclude_clicked, among, _by_session(index, place, deny), _by_session(index, place, allow)
    )


def read_item_list(path: str | None, option: str, dataset: DatasetConfig) -> ItemList | None:
    """The item ids in a file; where it has a column session_id, by session. None without a file.

    Raises `UserError` that names the option where the file has no column item_id.
    """
    if path is None:
        return None
    (file_path, *others) = find_files(path, option)
    if others:
        raise UserError(f"{option}={path} names {len(others) + 1} files; give one")
    file = open_file(file_path, TextOptions.of_log(dataset), ["item_id"])
    if "item_id" not in file.columns:
        raise UserError(
            f"{option}={path} has no column item_id; it has {', '.join(map(repr, file.columns))}. Of a list for some "
            "sessions, session_id is the second one"
        )
    names = [name for name in ("item_id", "session_id") if name in file.columns]
    table = file.read(names)
    columns = [as_text(table[name]).to_pylist() for name in names]
    if any(value is None for column in columns for value in column):
        raise UserError(f"{option}={path} has empty cells; fill them in")
    if len(columns) == 1:
        return list(dict.fromkeys(columns[0]))
    by_session: dict[str, list[str]] = {}
    for item, session in zip(*columns, strict=True):
        by_session.setdefault(session, []).append(item)
    return by_session


def _by_session(index: pd.Index, place: Mapping[Any, int], lists: ItemList | None) -> dict[int, np.ndarray]:
    if not isinstance(lists, Mapping):
        return {}
    return {place[key]: _known(index, items) for key, items in lists.items() if key in place}


def _known(index: pd.Index, items: Collection[Any]) -> np.ndarray:
    """The item_index of those ids that are known, rising."""
    if isinstance(items, str | bytes):
        raise UserError(f"{items!r} is no list of item ids; give [{items!r}]")
    found = index.get_indexer(pd.Index([str(item) for item in items], dtype=object))
    return np.unique(found[found >= 0])
