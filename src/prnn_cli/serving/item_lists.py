"""Lists of items that may, or must not, be recommended: to everybody, or to sessions of their own."""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from prnn_cli.data.formats.column_values import as_text
from prnn_cli.data.formats.log_files import find_files, open_file
from prnn_cli.data.formats.text_options import TextOptions
from prnn_cli.data.item_lookup import places_of
from prnn_cli.errors import UserError
from prnn_cli.evaluation.item_rules import ItemRules
from prnn_cli.schema import DatasetConfig

log = logging.getLogger(__name__)

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

    A session that lists by session do not name is under no such rule; one that was cut off a user, USER#2, is under the
    user's. Raises `UserError` where a list for everybody allows no item that is known.
    """
    among: np.ndarray | None = None
    if allow is not None and not isinstance(allow, Mapping):
        among = _known(index, allow)
        if not len(among):
            raise UserError(f"the model knows none of the items in allow; it knows such as {index[0]}")
    if deny is not None and not isinstance(deny, Mapping):
        among = np.setdiff1d(np.arange(len(index)) if among is None else among, _known(index, deny))
    return ItemRules(exclude_clicked, among, _by_session(index, keys, deny), _by_session(index, keys, allow))


def checked(items: Any, name: str, index: pd.Index) -> ItemList | None:
    """A list of items as Python gives it: a collection of ids, or a mapping of sessions to such; warns of unknown ids.

    Raises `UserError` for anything else. name: of the argument; index: the known ids
    """
    if items is None:
        return None
    if isinstance(items, Mapping):
        lists = {str(key): _ids(each, f"{name}[{key!r}]") for key, each in items.items()}
        _warn_of_unknown(index, [item for each in lists.values() for item in each], name)
        return lists
    ids = _ids(items, name)
    _warn_of_unknown(index, ids, name)
    return ids


def read_item_list(path: str | None, option: str, dataset: DatasetConfig, index: pd.Index) -> ItemList | None:
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
        return checked(list(dict.fromkeys(columns[0])), option, index)
    by_session: dict[str, list[str]] = {}
    for item, session in zip(*columns, strict=True):
        by_session.setdefault(session.strip(), []).append(item)
    return checked(by_session, option, index)


def _ids(items: Any, name: str) -> list[Any]:
    if isinstance(items, str | bytes | pd.DataFrame) or not isinstance(items, Iterable):
        shown = repr(items) if isinstance(items, str | bytes | int | float) else f"a {type(items).__name__}"
        raise UserError(f"{name} is {shown}, no list of item ids; give such as ['a', 'b']")
    return list(items)


def _warn_of_unknown(index: pd.Index, items: Collection[Any], name: str) -> None:
    if unknown := int((places_of(index, items) < 0).sum()):
        log.warning("%d of the %d items in %s are not known to the model", unknown, len(items), name)


def _by_session(index: pd.Index, keys: Sequence[Any], lists: ItemList | None) -> dict[int, np.ndarray]:
    if not isinstance(lists, Mapping):
        return {}
    found = {}
    for place, key in enumerate(map(str, keys)):
        items = lists.get(key, lists.get(key.rpartition("#")[0]))
        if items is not None:
            found[place] = _known(index, items)
    return found


def _known(index: pd.Index, items: Collection[Any]) -> np.ndarray:
    """The item_index of those ids that are known, rising."""
    found = places_of(index, items)
    return np.unique(found[found >= 0])
