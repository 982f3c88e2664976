"""A file or a folder of files -> the dataset config that would read it, and what it would keep."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from prnn_cli.data.describe.column_roles import (
    LogColumns,
    distinct_values,
    find_log_columns,
)
from prnn_cli.data.describe.file_groups import FileGroup, file_groups
from prnn_cli.data.describe.item_tables import find_item_tables
from prnn_cli.data.describe.preview import Preview, preview
from prnn_cli.data.describe.property_columns import find_property_columns
from prnn_cli.data.formats.text_options import TextOptions
from prnn_cli.errors import UserError
from prnn_cli.system.paths import absolute_path
from prnn_cli.system.yaml_files import escaped

GAP_S = 1800  # half an hour, the usual choice for clicks
# Shares of the events that a proposal must keep: one by the columns' values, and one by their names, of some events.
GUESS_KEEPS, NAMES_KEEP, SOME_EVENTS = 0.25, 0.01, 100


@dataclass(frozen=True)
class Proposal:
    """A config that would read a log.

    yaml: of the group `dataset`
    notes: lines that say how sure it is, and what it would keep, with the command that trains best on it
    """

    yaml: str
    notes: list[str]


def describe(path: str, taken: set[str], doubt: str = "") -> Proposal:
    """Proposes YAML for the group `dataset`.

    taken: names that it cannot have
    doubt: what is already known to speak against it

    Raises `UserError` where nothing at `path` looks like a log, or what looks like one would hardly be kept.
    """
    tables = file_groups(path)
    found = [(table, columns) for table in tables if (columns := find_log_columns(table.sample))]
    if not found:
        raise UserError(
            f"nothing in {path} looks like a log: a session or user, an item and a time are needed, but the columns "
            f"are {', '.join(tables[0].files[0].columns)}; write the config by hand, README 'Your own data' shows one"
        )
    found.sort(key=lambda each: _likeness(*each), reverse=True)
    (table, columns), *other_logs = found
    settings: dict[str, Any] = {"name": _name_of(path, taken), "path": _path_of(table, tables, path)}
    settings |= _reading(table, columns)
    items = find_item_tables(table, columns, [other for other in tables if other is not table])
    shown = preview(settings, table.sample, table.num_bytes)
    _refuse_nonsense(path, table, columns, shown)
    settings |= {"items": items.settings} if items.settings else {}
    logs = [other.path for other, _ in other_logs if other.path not in (*items.paths, *items.others)]
    others = {"the same items": items.others, "a log too": logs}
    command = _command(settings)
    # A day to test on and one to choose the epochs by must leave one to train on, if more than the sample is known.
    epochs = "" if shown.is_sample or shown.days >= 3 else " epochs=10"
    if shown.events:
        advice = f"Once saved, train by: {command} recipe=cross_entropy{epochs}"
    else:
        doubt = f"{doubt}{'; ' if doubt else ''}no event would be kept"
        advice = "There is nothing to train on, so mend what is named, or describe more of the log"
    notes = [_certainty(columns, [doubt, items.doubt]), f"{shown.sentence()}. {advice}"]
    return Proposal(_yaml(settings, columns, others, command), notes)


def _likeness(table: FileGroup, columns: LogColumns) -> tuple[bool, int, int, int]:
    """How much a table looks like the log, to be compared with others."""
    is_log = find_property_columns(table.sample) is None
    return is_log, -len(columns.guessed), len(table.files), table.num_bytes


def _command(settings: dict[str, Any]) -> str:
    """The command that trains on the log, once its config is saved."""
    has_text = {"text", "properties"} & settings.get("items", {}).keys()
    features = "" if has_text else " arch=id_only"
    return f"prnn train -cd my_configs dataset={settings['name']}{features}"


def _refuse_nonsense(path: str, table: FileGroup, columns: LogColumns, shown: Preview) -> None:
    """Raises `UserError` for a proposal under which next to nothing of the log is kept."""
    is_good = shown.share >= (GUESS_KEEPS if columns.guessed else NAMES_KEEP)
    if is_good or not (columns.guessed or shown.rows >= SOME_EVENTS):
        return
    found = ", ".join(
        f"{name} ({count:,} different)" for name, count in distinct_values(table.sample).items()
    )
    raise UserError(
        f"{path} cannot be described: the best guess, {flow(_columns(columns))}, makes no sense ({shown.sentence()}); "
        "write the config by hand, as columns: {session_id: …, item_id: …, time: …}, with columns of "
        f"{found}; README 'Your own data' shows one"
    )


def _certainty(columns: LogColumns, others: Sequence[str]) -> str:
    """How sure the proposal is, as a sentence; others: doubts beside those about the log's columns."""
    named = [each for each in ("session_id", "item_id") if each not in columns.guessed]
    doubts = [doubt for doubt in others if doubt]
    if columns.guessed:
        guessed = " and ".join(f"{key}={name}" for key, name in columns.guessed.items())
        sure = f", {named[0]} is told by its name" if named else ""
        doubts.insert(0, f"{guessed}, by the values, as no column is called like that{sure}")
    if columns.is_by_day:
        how = "".join(f", so that {key}={name} is a guess" for key, name in columns.within_day.items())
        doubts.append(
            f"times are days alone{how or ', and nothing orders the events of a day but their rows'}"
        )
    return f"Not sure: {'; '.join(doubts)}. Look at it." if doubts else "Sure of the columns, by their names."


def _reading(table: FileGroup, columns: LogColumns) -> dict[str, Any]:
    """The settings that say how the log is read, but for its path."""
    options = getattr(table.files[0], "options", TextOptions(table.encoding))
    separator = options.separator
    settings: dict[str, Any] = {"separator": separator} if separator and separator not in ",;\t|" else {}
    settings |= {"header": list(options.header)} if options.header else {}
    settings |= {"encoding": table.encoding} if table.encoding != "utf-8" else {}
    settings["columns"] = _columns(columns)
    settings["time_format"] = columns.time_format
    settings |= {"list_separator": columns.list_separator} if columns.list_separator else {}
    return settings | ({"session_gap_s": GAP_S} if columns.session_is_user else {})


def _path_of(table: FileGroup, tables: list[FileGroup], path: str) -> str:
    """The path as given where all of it is the log, else the log's file, or the pattern that its files alone match."""
    if len(tables) == 1:
        return str(absolute_path(path))
    names = [file.path.name for file in table.files]
    folder = absolute_path(table.path).parent
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
    return chosen | ({"order": columns.order} if columns.order else {}) | columns.within_day


def _name_of(path: str, taken: set[str]) -> str:
    stem = absolute_path(path).name.split(".")[0]
    name = re.sub(r"\W+", "_", stem).strip("_").lower() or "mine"
    return f"my_{name}" if name in taken or not name[0].isalpha() else name


def _yaml(settings: dict[str, Any], columns: LogColumns, others: dict[str, list[Path]], command: str) -> str:
    comments = {
        "session_gap_s": f"seconds without an event of the same {columns.session} that end a session",
        "columns": ", ".join(f"{key}: a guess" for key in (*columns.guessed, *columns.within_day)),
    }
    lines = [f"{key}: {flow(value)}" for key, value in settings.items()]
    lines = [
        f"{line}   # {comment}" if (comment := comments.get(line.partition(":")[0])) else line
        for line in lines
    ]
    found = [
        f"# {what}: {', '.join(path.name for path in sorted(paths))}"
        for what, paths in others.items()
        if paths
    ]
    made = [
        f"# Save as my_configs/dataset/{settings['name']}.yaml, then: {command}",
        "defaults: [generic]",
        *lines,
        *found,
    ]
    # A line end in a name would end its comment, and what follows would be read.
    return "\n".join(" ".join(line.splitlines()) for line in made)


def flow(value: Any) -> str:
    text = yaml.safe_dump(
        [escaped(value)], default_flow_style=True, sort_keys=False, allow_unicode=True, width=10_000
    )
    return text.strip()[1:-1]
