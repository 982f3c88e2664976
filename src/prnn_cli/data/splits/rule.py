"""What a split rule is: how it makes the parts, and what others need to know of it."""

from collections.abc import Callable
from dataclasses import dataclass

from prnn_cli.data.events import Events
from prnn_cli.data.parts import Parted
from prnn_cli.data.session_filters import Log
from prnn_cli.schema import DatasetConfig


@dataclass(frozen=True)
class SplitRule:
    """A way to choose the test part, and a validation part like it.

    parts: makes them of the filtered log, the events that it is of, and the settings
    options: what makes the test part, of the dataset's options, in the order in which to show them
    of_hold_out: others that the validation part depends on, beside `validation_days`
    decided_by: the event that decides on the part of a session, last_event or first_event
    hold_out_days: the `validation_days` of a validation part like the test part; AUTO where only the log tells
    advice: (part, dataset) -> what would bring more sessions into the part
    """

    parts: Callable[[Log, Events, DatasetConfig], Parted]
    options: tuple[str, ...]
    decided_by: Callable[[DatasetConfig], str]
    hold_out_days: Callable[[DatasetConfig], float | str]
    advice: Callable[[str, DatasetConfig], str]
    of_hold_out: tuple[str, ...] = ()
