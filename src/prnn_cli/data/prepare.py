"""A dataset's settings -> prepared sessions, cached under a hash of the settings and the files' content."""

import contextlib
import dataclasses
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from prnn_cli.data.events import Events, read_events
from prnn_cli.data.formats.log_files import find_files
from prnn_cli.data.formats.time_units import unit_advice
from prnn_cli.data.known_items import KnownItems
from prnn_cli.data.part_sizes import about_days
from prnn_cli.data.parts import PARTS
from prnn_cli.data.sessions import Sessions, sessions_of
from prnn_cli.data.source_files import check_files
from prnn_cli.data.split import SplitLog, split_sessions
from prnn_cli.data.splits.rules import SPLITS, with_hold_out_days
from prnn_cli.data.synthetic.profile import IMAGES, VECTORS, generate_profile
from prnn_cli.data.synthetic.small import generate
from prnn_cli.errors import UserError
from prnn_cli.schema import DatasetConfig, Mark, marked
from prnn_cli.system.cache import Identity, check_seal, load_or_make, sealed_folder
from prnn_cli.system.files import write_json
from prnn_cli.system.prefetch import prefetch
from prnn_cli.system.progress import meter
from prnn_cli.system.tensor_files import DamagedFileError

FORMAT_VERSION = 5  # part of the hash: raise it with every change of what is written or of the rules
ROWS_PER_GROUP = 1 << 20
STORAGE: dict[str, Any] = {  # of events.parquet: what suits each column, and plain text for every reader
    "store_schema": False,
    "use_dictionary": ["session_id", "item_index", "part"],
    "column_encoding": {"session_index": "DELTA_BINARY_PACKED"},
    "compression": {"session_id": "snappy", "part": "snappy"},
    "dictionary_pagesize_limit": 1 << 24,
}

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PreparedData:
    """A prepared log: the sessions of its parts, and its items by item_index.

    folder: holds events.parquet, items.parquet and summary.json; its name is `data_hash`
    summary: {part: {"sessions", "events"}, "items", "dropped": {reason: events}, "rows": rows read, "rows_of_files":
        the same file by file, "first", "last": times of the log, in seconds since 1970,
        what `about_days` tells}, and "ranks_last_only": true where the split says so (`Parted`)
    item_ids: (num_items,) str
    support: (num_items,) int64, events in the part train
    reused: read from the cache
    read_train_times: see train_times, which few read
    """

    folder: Path
    data_hash: str
    summary: dict[str, Any]
    train: Sessions
    validation: Sessions | None
    test: Sessions
    item_ids: np.ndarray
    support: np.ndarray
    reused: bool
    read_train_times: Callable[[], np.ndarray]

    @cached_property
    def train_times(self) -> np.ndarray:
        """The time of each event of the part train, (num_events,) float64 seconds since 1970."""
        times = self.read_train_times()
        times.flags.writeable = False
        return times

    def test_from(self, dataset: DatasetConfig) -> float:
        """When the test part begins, in seconds since 1970: the earliest of the times that decide on its sessions.

        dataset: that the data were made of
        """
        columns, of_test = ["session_index", "time"], [("part", "==", "test")]
        table = pq.read_table(self.folder / "events.parquet", columns=columns, filters=of_test)
        times = table.to_pandas().groupby("session_index")["time"]
        by_last = SPLITS[dataset.split].decided_by(dataset) == "last_event"
        return float((times.last() if by_last else times.first()).min())

    def for_fitting(self) -> "PreparedData":
        """The data as a baseline is fitted on them: without the sessions that it is to predict."""
        none = Sessions(
            self.train.items[:0], self.train.offsets[:1], self.train.session_index[:0], self.train.num_items
        )
        return dataclasses.replace(
            self, validation=None, test=none, read_train_times=lambda: self.train_times
        )

    @property
    def items(self) -> KnownItems:
        return KnownItems(self.item_ids, self.support)


def prepare(dataset: DatasetConfig, cache_dir: Path) -> PreparedData:
    """Reads, filters and splits the log, or takes what an earlier call made of the same input.

    Raises `UserError` for what is no log, or leaves nothing to train or to test on.
    """
    dataset = with_hold_out_days(with_files(dataset, cache_dir))
    identity = _identity(dataset)
    folder = cache_dir / "prepared" / identity.hash
    data = load_or_make(
        folder,
        load=lambda: _load(folder, identity),
        make=lambda: _make(folder, identity, dataset),
        what="prepared data",
    )
    if advice := unit_advice(data.summary["first"], data.summary["last"], dataset.time_format):
        log.warning("%s", advice)
    return data


def prepared_before(data_hash: str, cache_dir: Path) -> PreparedData | None:
    """The data of this hash, without a look at their log; None where the cache does not hold them whole."""
    folder = cache_dir / "prepared" / data_hash
    with contextlib.suppress(DamagedFileError, OSError):
        return _load(folder, Identity(FORMAT_VERSION, data_hash))
    return None


def _make(folder: Path, identity: Identity, dataset: DatasetConfig) -> PreparedData:
    events = read_events(dataset)
    with meter("preparing", 2 * len(events)) as progress:
        progress.update(0, "filtering and splitting")
        split = split_sessions(events, dataset)
        decided_by = SPLITS[dataset.split].decided_by(dataset)
        summary = _summary(split, events) | about_days(split.events, decided_by)
        with sealed_folder(folder, identity) as empty:
            _write(split, summary, empty, lambda written: progress.update(len(events) + written, "writing"))
    log.info("prepared data in %s", folder)
    return _prepared(folder, summary, split.events, split.items, reused=False)


def with_files(dataset: DatasetConfig, cache_dir: Path) -> DatasetConfig:
    """The dataset with the paths of its log and of what describes its items; generated files are made if need be."""
    scale = 1.0 if dataset.scale is None else dataset.scale
    if dataset.synthetic is not None:
        return _with_paths(dataset, generate(dataset.synthetic, scale, cache_dir))
    if dataset.profile is not None:
        return _with_paths(dataset, generate_profile(dataset.profile, scale, cache_dir))
    check_files(dataset)
    if dataset.scale is not None:
        raise UserError(
            f"dataset.scale={dataset.scale} sizes a generated log, but dataset={dataset.name} is read from "
            "files; leave it null"
        )
    return dataset


def _with_paths(dataset: DatasetConfig, generated: Path) -> DatasetConfig:
    items, vectors = dataset.items, generated / VECTORS
    items = dataclasses.replace(items, path=items.path or str(generated / "items.parquet"))
    if vectors.is_file():
        items = dataclasses.replace(items, vectors=items.vectors or str(vectors))
        if not (generated / IMAGES).is_dir():
            items = dataclasses.replace(items, image=None)
    return dataclasses.replace(dataset, path=str(generated / "events.parquet"), items=items)


def _identity(dataset: DatasetConfig) -> Identity:
    settings = dataclasses.asdict(dataset)
    for name in marked(DatasetConfig, Mark.UNHASHED):
        del settings[name]
    for name in ("keep_new_items", "cold_items"):  # off, they leave data what they were before there were any
        if not settings[name]:
            del settings[name]
    if dataset.split != "window":
        del settings["window"]
    if dataset.split not in ("share", "given"):
        del settings["test_share"]
    if dataset.split == "given":
        settings["num_files"] = len(find_files(dataset.path, within=dataset.files))
    if dataset.gap_over == "kept":  # likewise
        del settings["gap_over"]
    if dataset.split == "days":  # so it was before there were others
        del settings["split"]
    for group, name in ((settings, "list_item"), (settings["columns"], "milliseconds")):  # likewise
        if group[name] is None:
            del group[name]
    try:
        return Identity.of(FORMAT_VERSION, settings, log_files(dataset))
    except OSError as error:
        raise UserError(
            f"{error.filename} cannot be read ({error.strerror}); check its permissions"
        ) from error


def log_files(dataset: DatasetConfig) -> list[Path]:
    """The files of a log, those of a given test part last, as they are read."""
    files = find_files(dataset.path, within=dataset.files)
    if dataset.split == "given":
        files += find_files(dataset.test_path, "dataset.test_path")
    return files


def _summary(split: SplitLog, events: Events) -> dict[str, Any]:
    summary: dict[str, Any] = {}
    parts = split.events["part"].cat.codes.to_numpy()
    is_first = np.diff(split.events["session_index"].to_numpy(), prepend=-1) != 0
    num_events = np.bincount(parts, minlength=len(PARTS)).tolist()
    num_sessions = np.bincount(parts[is_first], minlength=len(PARTS)).tolist()
    for part, sessions, count in zip(PARTS, num_sessions, num_events, strict=True):
        if count:
            summary[part] = {"sessions": sessions, "events": count}
    summary |= {"items": len(split.items), "dropped": events.dropped | split.dropped}
    summary |= {"rows": sum(events.rows_of_files), "rows_of_files": events.rows_of_files}
    if split.ranks_last_only:
        summary["ranks_last_only"] = True
    if num_unseen := int((split.items["support"] == 0).sum()):
        summary["unseen_items"] = num_unseen
    return summary | {"first": float(events.time[0]), "last": float(events.time[-1])}


def _write(split: SplitLog, summary: dict[str, Any], folder: Path, report: Callable[[int], None]) -> None:
    """Writes the files of prepared data; report: called with the number of events written so far."""
    _write_events(split, folder / "events.parquet", report)
    items = pa.Table.from_pandas(split.items, preserve_index=False)
    pq.write_table(items, folder / "items.parquet", store_schema=False)
    write_json(folder / "summary.json", summary)


def _write_events(split: SplitLog, path: Path, report: Callable[[int], None]) -> None:
    """Writes events.parquet, a row group at a time."""
    with contextlib.ExitStack() as stack:
        writer: pq.ParquetWriter | None = None
        written = 0
        for table in prefetch(_event_tables(split)):
            writer = writer or stack.enter_context(pq.ParquetWriter(path, table.schema, **STORAGE))
            writer.write_table(table)
            written += len(table)
            report(written)


def _event_tables(split: SplitLog) -> Iterator[pa.Table]:
    """The events in blocks; sessions stand together, so that the ids of a block's are a slice of all ids."""
    for start in range(0, len(split.events), ROWS_PER_GROUP):
        rows = split.events.iloc[start : start + ROWS_PER_GROUP]
        index = rows["session_index"].to_numpy()
        ids = split.session_ids.slice(index[0], index[-1] - index[0] + 1)
        session_id = pa.DictionaryArray.from_arrays(pa.array((index - index[0]).astype(np.int32)), ids)
        table = pa.Table.from_pandas(rows, preserve_index=False).replace_schema_metadata()
        yield table.add_column(0, "session_id", session_id)


def _load(folder: Path, identity: Identity) -> PreparedData:
    check_seal(folder, identity)
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    columns = ["session_index", "item_index", "part"]
    table = pq.read_table(folder / "events.parquet", columns=columns, read_dictionary=["part"])
    items = pq.read_table(folder / "items.parquet").to_pandas()
    return _prepared(folder, summary, table.to_pandas(), items, reused=True)


def _prepared(
    folder: Path, summary: dict[str, Any], events: pd.DataFrame, items: pd.DataFrame, reused: bool
) -> PreparedData:
    last_only = summary.get("ranks_last_only", False)
    parts = {
        part: sessions_of(events, part, len(items), last_only and part != "train")
        for part in PARTS
        if part in summary
    }
    item_ids, support = items["item_id"].to_numpy(dtype=object), items["support"].to_numpy(dtype=np.int64)
    for array in (item_ids, support):
        array.flags.writeable = False
    return PreparedData(
        folder=folder,
        data_hash=folder.name,
        summary=summary,
        train=parts["train"],
        validation=parts.get("validation"),
        test=parts["test"],
        item_ids=item_ids,
        support=support,
        reused=reused,
        read_train_times=partial(_times_of, folder / "events.parquet", "train"),
    )


def _times_of(events: Path, part: str) -> np.ndarray:
    times: np.ndarray = pq.read_table(events, columns=["time"], filters=[("part", "==", part)])[
        "time"
    ].to_numpy()
    return times
