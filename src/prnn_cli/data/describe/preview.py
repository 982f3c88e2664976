"""What a proposed config would keep of a log, before anyone trains on it."""

import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from prnn_cli.data.describe.dataset_settings import dataset_of
from prnn_cli.data.events import read_events
from prnn_cli.data.formats.time_units import shown_time, unit_advice
from prnn_cli.data.parts import DAY_S
from prnn_cli.data.session_filters import Log, filter_log
from prnn_cli.errors import UserError
from prnn_cli.schema import DatasetConfig
from prnn_cli.system.yaml_files import escaped

WHOLE_BYTES = 32 << 20  # larger logs are judged by their first rows


@dataclass(frozen=True)
class Preview:
    """Counts of a log after preparation, before it is split.

    rows: events that were read, good or bad; events, sessions, items: those that are kept
    is_sample: of the first rows alone
    dates: the first and the last time, as text; empty where no row could be read
    days: from the day (UTC) of the first time to that of the last, both counted
    problem: why nothing is kept; empty where something is
    dropped: events by reason
    """

    rows: int
    events: int
    sessions: int
    items: int
    is_sample: bool
    dates: str
    days: int
    problem: str
    dropped: dict[str, int]

    @property
    def share(self) -> float:
        return self.events / max(self.rows, 1)

    def sentence(self) -> str:
        of = "the first " if self.is_sample else ""
        kept = f"{self.events:,} of {of}{self.rows:,} events would be kept"
        if self.problem:
            return f"{kept}: {self.problem}"
        reasons = ", ".join(f"{reason}: {count:,}" for reason, count in self.dropped.items() if count)
        return (
            f"{kept}, in {self.sessions:,} sessions of {self.items:,} items, {self.dates}"
            f"{reasons and f' (left out: {reasons})'}"
        )


def preview(settings: dict[str, Any], sample: pa.Table, num_bytes: int) -> Preview:
    """Reads the log as the proposed settings of the group `dataset` say, and applies the rules of preparation.

    sample: its first rows, which stand for a log of more than `WHOLE_BYTES`
    """
    if num_bytes <= WHOLE_BYTES:
        return _of_config(dataset_of(escaped(settings)), is_sample=False)
    with tempfile.TemporaryDirectory(prefix="prnn-describe-") as folder:
        file = Path(folder) / "sample.parquet"
        pq.write_table(sample, file)
        return _of_config(dataset_of(escaped(settings | {"path": str(file)})), is_sample=True)


def _of_config(dataset: DatasetConfig, is_sample: bool) -> Preview:
    try:
        events = read_events(dataset)
    except UserError as error:
        return Preview(0, 0, 0, 0, is_sample, "", 0, str(error), {})
    rows, first, last = sum(events.rows_of_files), float(events.time[0]), float(events.time[-1])
    dates = f"{shown_time(first)} to {shown_time(last)} UTC"
    days = int(last // DAY_S - first // DAY_S) + 1
    dropped = Counter(events.dropped)
    try:
        log = filter_log(Log(events.session, events.item, events.time), dataset, dropped)
    except UserError as error:
        return Preview(rows, 0, 0, 0, is_sample, dates, days, str(error), dict(dropped))
    problem = unit_advice(first, last, dataset.time_format)
    sessions, items = (len(np.unique(each)) for each in (log.session, log.item))
    return Preview(rows, len(log), sessions, items, is_sample, dates, days, problem, dict(dropped))
