"""The split rules by the names that `dataset.split` takes."""

from collections.abc import Callable

from prnn_cli.data.events import Events
from prnn_cli.data.parts import Parted
from prnn_cli.data.session_filters import Log
from prnn_cli.data.splits.days import days
from prnn_cli.data.splits.given import given
from prnn_cli.data.splits.gru4rec2023 import gru4rec2023
from prnn_cli.data.splits.leave_one_out import leave_one_out
from prnn_cli.data.splits.share import share
from prnn_cli.data.splits.window import window
from prnn_cli.schema import DatasetConfig

# A rule takes the filtered log, the events that it is of, and the settings.
SPLITS: dict[str, Callable[[Log, Events, DatasetConfig], Parted]] = {
    "days": days,
    "gru4rec2023": gru4rec2023,
    "window": window,
    "given": given,
    "share": share,
    "leave_one_out": leave_one_out,
}
