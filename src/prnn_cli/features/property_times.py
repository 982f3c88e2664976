"""The times of a table of properties -> seconds since 1970; what can be no time of a property is bad, as in a log."""

import logging

import numpy as np
import pyarrow as pa

from prnn_cli.data.bad_rows import BadRows
from prnn_cli.data.formats.column_values import value_text
from prnn_cli.data.formats.rows import FileRows
from prnn_cli.data.formats.time_units import format_advice, is_likely, shown_time
from prnn_cli.data.formats.times import TimeParser
from prnn_cli.errors import UserError
from prnn_cli.schema import DatasetConfig

OPTION = "dataset.items.properties.time_format"

log = logging.getLogger(__name__)


class PropertyTimes:
    """Reads the column of times of a table of properties, block by block.

    before: when the log's test part begins, in seconds since 1970. Where clicks are likely to be from that time, a
        property's time that no click is likely to be from is bad: read in another unit than it was written in, it would
        lie before all clicks, or after them. `dataset.stray_years=null` says that such times are right.
    """

    def __init__(self, dataset: DatasetConfig, before: float | None) -> None:
        properties = dataset.items.properties
        self.dataset, self.name = dataset, str(properties.time)
        self.time_format = properties.time_format or dataset.time_format
        self.must_be_likely = before is not None and is_likely(before) and dataset.stray_years is not None
        self.bad, self.num_rows = BadRows(), 0
        self.parser = TimeParser(self.time_format, OPTION)
        self.file: object = None

    def seconds(self, rows: FileRows) -> np.ndarray:
        """The times of some rows of the table, (num_rows,) float64, NaN where they are bad.

        Raises `UserError` for a column that holds no times.
        """
        if (
            rows.file is not self.file
        ):  # another file may write them in another way, where the format is to be told
            self.file, self.parser = rows.file, TimeParser(self.time_format, OPTION)
        column = rows.table[self.name]
        times = self._parsed(column, rows)
        self.num_rows += len(times)
        unknown = np.isnan(times)
        self._add_bad(rows, unknown, f"cannot be read as a time with {OPTION}={self.parser.time_format}")
        if self.must_be_likely:
            unlikely = ~unknown & ~is_likely(times)
            written = "it stands" if pa.types.is_temporal(column.type) else self.parser.time_format
            first = f"the first is {shown_time(times[unlikely.argmax()])}; " if unlikely.any() else ""
            what = f"is no time from 1990 to 2049, as the log's are, if it is read as {written}"
            self._add_bad(rows, unlikely, what, first)
            times[unlikely] = np.nan
        return times

    def check_share(self) -> None:
        """Warns of bad rows; raises `UserError` where they are more than `dataset.max_bad_share`."""
        what = f"rows of dataset.items.path={self.dataset.items.path}"
        self.bad.check_share(self.num_rows, self.dataset.max_bad_share, what)

    def _parsed(self, column: pa.ChunkedArray, rows: FileRows) -> np.ndarray:
        try:
            if pa.types.is_nested(column.type):
                raise pa.ArrowTypeError
            return self.parser.seconds(column)
        except pa.ArrowException as error:
            raise UserError(
                f"{rows.file.path}, column {self.name!r} is of type {column.type}, which holds no times"
            ) from error

    def _add_bad(self, rows: FileRows, bad: np.ndarray, what: str, first: str = "") -> None:
        if not bad.any():
            return
        column = rows.table[self.name]
        advice = format_advice(value_text(column, int(bad.argmax())), OPTION)
        others = ", or bring these rows to the form of the others" if advice.startswith("as ") else ""
        escape = "; dataset.stray_years=null takes such times as they are" if first else ""
        self.bad.add(rows, bad, self.name, column, what, f"{first}{advice}{others}{escape}")
