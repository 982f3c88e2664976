"""Options of the group dataset: how a log is read, filtered and split, and what is known of its items."""

import math
import re
from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING

from prnn_cli.errors import UserError
from prnn_cli.schema.fields import AUTO, Mark, bounded, group, one_of, option
from prnn_cli.schema.generated import ProfileConfig, SyntheticConfig

# How the test part is chosen; those that need no times of the events.
SPLITS = ("days", "gru4rec2023", "window", "given", "share", "leave_one_out")
TIMELESS_SPLITS = ("given", "share", "leave_one_out")


@dataclass
class ColumnsConfig:
    session_id: Any = MISSING
    item_id: str = MISSING
    next_item_id: str | None = MISSING
    time: Any = MISSING
    milliseconds: str | None = MISSING
    order: str | None = MISSING

    @property
    def tells_apart(self) -> str | None:
        """The column that tells apart events of one session, item and time; None where `order` names one of these."""
        return None if self.order in (self.item_id, self.time) else self.order


@dataclass
class FilterConfig:
    """A filter that keeps rows: those whose text matches `keep`, or not `exclude`, whose number is `above` or `below`,
    or that hold a value.

    Patterns are RE2's (no look-around), found anywhere in the text.
    """

    column: str = MISSING
    keep: str | None = None
    exclude: str | None = None
    above: float | None = None
    below: float | None = None
    present: bool = False


@dataclass
class PropertiesConfig:
    """The columns of an items table with a row for each property of an item; of all other tables `property` is None.

    time: from when on the item has the value; None: it has all values of a property
    time_format: of these times; None: that of the log's
    keep: a pattern that the names of the properties that count match, RE2's, found anywhere in the name
    """

    property: str | None = MISSING
    value: str | None = MISSING
    time: str | None = MISSING
    time_format: str | None = MISSING
    keep: str | None = MISSING

    def check_values(self, path: str) -> None:
        if (self.property is None) != (self.value is None):
            given = f"{path}property={_shown(self.property)} and {path}value={_shown(self.value)}"
            raise UserError(f"{given} are columns of one table; name both of them, or none")


@dataclass
class ItemsConfig:
    """What is known of the items.

    path: a file, a folder or a glob, or several of them
    vector_columns: source of features -> column
    vectors: a file, or source of features -> file
    """

    path: Any = option(Mark.PATH)
    header: list[str] | None = MISSING
    filters: list[FilterConfig] = MISSING
    item_id: str = MISSING
    text: list[str] = MISSING
    properties: PropertiesConfig = field(default_factory=PropertiesConfig)
    image: str | None = MISSING
    image_pattern: str | None = MISSING
    image_root: str | None = option(Mark.PATH)
    vector_columns: dict[str, str] = MISSING
    vectors: Any = option(Mark.PATH)

    @property
    def has_properties(self) -> bool:
        """Whether the table has a row for each property of an item, instead of one an item."""
        return self.properties.property is not None

    def check_values(self, path: str) -> None:
        paths = self.path if isinstance(self.path, list) else [self.path]
        if not paths or not all(each is None or isinstance(each, str) for each in paths):
            raise UserError(f"{path}path={self.path} must be a file, a folder or a glob, or a list of such")
        others = {"text": self.text, "image": self.image, "vector_columns": self.vector_columns}
        if self.has_properties and (given := [name for name, value in others.items() if value]):
            raise UserError(
                f"{path}properties are read from a table with several rows an item, in which {path}{given[0]}="
                f"{others[given[0]]} cannot be looked up; leave one of them out"
            )
        if self.has_properties and self.path is None:
            raise UserError(
                f"{path}properties.property={self.properties.property} needs a table; set {path}path"
            )
        files = list(self.vectors.values()) if isinstance(self.vectors, dict) else [self.vectors]
        if not all(each is None or isinstance(each, str) for each in files):
            raise UserError(
                f"{path}vectors={self.vectors} must be a file, or one for each source of features, such as "
                "{text: text.npy, image: image.npy}"
            )


@dataclass
class WindowConfig:
    """One of several windows that slide over a log; lengths in days of 24 hours."""

    number: int = bounded(at_least=1, marks=[Mark.SHARES_ROW])
    train_days: float = bounded(above=0)
    test_days: float = bounded(above=0)
    shift_days: float = bounded(at_least=0)
    offset_days: float = bounded(at_least=0)


@dataclass
class DownloadConfig:
    """A file that its address gives to everybody; bytes: its size, where it is known; checksum: as "md5:…" or
    "sha256:…", where its publisher gives one; unpack: the folder within it whose files are wanted, "" for its top."""

    url: str = MISSING
    bytes: int | None = None
    checksum: str | None = None
    unpack: str | None = None


@dataclass
class SourceConfig:
    """Where a public log comes from, which `prnn datasets NAME` tells.

    events, sessions, items: of the whole log, before any filter; files: below `DatasetConfig.path`, a name or a glob ->
    what it holds; optional: likewise, those that it can be read without; features: the choice of that group to begin
    with; verified: what of all this was looked up where, and what was not; fetch: the files that `prnn fetch` may take
    """

    title: str = MISSING
    page: str = MISSING
    licence: str = MISSING
    size: str = MISSING
    events: int | None = MISSING
    sessions: int | None = MISSING
    items: int | None = MISSING
    files: dict[str, str] = MISSING
    optional: dict[str, str] = MISSING
    features: str = MISSING
    verified: str = MISSING
    fetch: list[DownloadConfig] = MISSING


@dataclass
class DatasetConfig:
    """validation_days: a number, or auto: a validation part like the test part, as the split's rule says."""

    name: str = option(Mark.UNHASHED)
    path: str | None = option(Mark.PATH, Mark.UNHASHED)
    files: list[str] | None = option(Mark.UNHASHED)
    source: SourceConfig | None = option(Mark.UNHASHED)
    separator: str | None = MISSING
    header: list[str] | None = MISSING
    comment: str | None = MISSING
    quoting: str = one_of("auto", "double", "none")
    encoding: str = MISSING
    max_bad_share: float = bounded(at_least=0, at_most=1)
    columns: ColumnsConfig = field(default_factory=ColumnsConfig)
    time_format: str = MISSING
    stray_years: float | None = bounded(at_least=0.01)
    list_separator: str | None = MISSING
    list_item: str | None = MISSING
    session_gap_s: float | None = bounded(at_least=0)
    gap_over: str = one_of("kept", "all")
    filters: list[FilterConfig] = MISSING
    max_session_length: int | None = bounded(at_least=2)
    min_item_support: int = bounded(at_least=1)
    repeat_until_stable: bool = MISSING
    drop_repeats: bool = MISSING
    split: str = one_of(*SPLITS)
    test_days: int = bounded(at_least=1)
    days: str = one_of("calendar", "24_hours")
    test_from: str | None = MISSING
    test_until: str | None = MISSING
    test_by: str = one_of("last_event", "first_event")
    test_path: str | None = option(Mark.PATH, Mark.UNHASHED)
    test_share: float = bounded(above=0, at_most=0.5)
    window: WindowConfig = field(default_factory=WindowConfig)
    validation_days: Any = MISSING
    keep_new_items: bool = MISSING
    cold_items: float = bounded(at_least=0, at_most=0.9)
    min_ranked_events: int = bounded(at_least=1, marks=[Mark.UNHASHED])
    scale: float | None = bounded(at_least=0.001, at_most=1000, marks=[Mark.UNHASHED])
    synthetic: SyntheticConfig | None = option(Mark.UNHASHED)
    profile: ProfileConfig | None = option(Mark.UNHASHED)
    items: ItemsConfig = group(ItemsConfig, Mark.UNHASHED)

    def check_values(self, path: str) -> None:
        for name in ("separator", "list_separator", "comment"):
            value = getattr(self, name)
            if value is not None and (not value or set(value) & set('"\r\n')):
                raise UserError(
                    f"{path}{name}={value!r} cannot be; give one or more characters other than quotes and line ends, "
                    "or null"
                )
        for name, names in (("header", self.header), ("items.header", self.items.header)):
            if names is not None and (not names or "" in names or len(set(names)) < len(names)):
                raise UserError(
                    f"{path}{name}={names} must name each column of the file by a name of its own"
                )
        _check_session_columns(self, path)
        if self.split == "given" and not self.test_path:
            raise UserError(
                f"{path}split=given needs the log of the test part: {path}test_path=FILE, a folder or a glob"
            )
        if self.split != "given" and self.test_path:
            raise UserError(
                f"{path}test_path={self.test_path} is the test part of {path}split=given alone; set that, or leave "
                f"it null with {path}split={self.split}"
            )
        _check_list_item(self, path)
        _check_untimed(self, path)
        _check_validation_days(self, path)


def _shown(value: str | None) -> str:
    return "null" if value is None else value


def _check_session_columns(dataset: DatasetConfig, path: str) -> None:
    names = dataset.columns.session_id
    if names is None or (isinstance(names, str) and names):
        return
    if not isinstance(names, list) or not names or not all(isinstance(each, str) and each for each in names):
        raise UserError(
            f"{path}columns.session_id={names} must be a column, several as [user_id, session_id], or null"
        )


def _check_list_item(dataset: DatasetConfig, path: str) -> None:
    pattern = dataset.list_item
    if pattern is None:
        return
    try:
        has_one_group = re.compile(pattern).groups == 1
    except re.error:
        has_one_group = False
    if not has_one_group:
        raise UserError(
            f'{path}list_item={pattern} is no regular expression with one group; write one such as "^(.+)-1$", whose '
            "group is the item"
        )
    if dataset.columns.next_item_id is not None:
        raise UserError(
            f"{path}list_item={pattern} takes items out of the elements of a list, which {path}columns.next_item_id="
            f"{dataset.columns.next_item_id} is none of; give one of both"
        )


def _check_untimed(dataset: DatasetConfig, path: str) -> None:
    """Raises `UserError` for a log without times that is to be split, or cut, by time."""
    if dataset.columns.time is not None:
        return
    if dataset.split not in TIMELESS_SPLITS:
        raise UserError(
            f"{path}columns.time=null leaves the log without times, by which {path}split={dataset.split} splits it; "
            f"name the column of the times, or set {path}split to one of {', '.join(TIMELESS_SPLITS)}"
        )
    for key, value in (
        ("columns.milliseconds", dataset.columns.milliseconds),
        ("session_gap_s", dataset.session_gap_s),
        ("test_until", dataset.test_until),
        ("items.properties.time", dataset.items.properties.time),
    ):
        if value is not None:
            raise UserError(
                f"{path}{key}={value} needs times, and {path}columns.time=null says that there are none; leave it null"
            )


def _check_validation_days(dataset: DatasetConfig, path: str) -> None:
    days = dataset.validation_days
    if days == AUTO:
        return
    shown = f"{path}validation_days={'null' if days is None else days}"
    if isinstance(days, bool) or not isinstance(days, int | float) or not 0 <= days < math.inf:
        raise UserError(f"{shown} cannot be used; give a number of days from 0 (no validation part), or auto")
    if dataset.columns.time is None or dataset.split in ("share", "leave_one_out"):
        if days not in (0, 1):
            raise UserError(
                f"{shown} counts days, by which {path}split={dataset.split} does not go here: its validation part is "
                "one like the test part; give 1, or 0 for none"
            )
    elif days != int(days) and dataset.split in ("days", "given") and dataset.days == "calendar":
        raise UserError(f"{shown} is no whole number of calendar days; give one, or set {path}days=24_hours")
