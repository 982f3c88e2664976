"""Rows that cannot be read: counted by reason, and refused above a share of the log."""

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
import pyarrow as pa

from prnn_cli.data.formats.column_values import value_text
from prnn_cli.data.formats.data_file import DataFile
from prnn_cli.data.formats.rows import FileRows
from prnn_cli.errors import UserError

SHOWN = 3
LONGEST_SHOWN = 60

log = logging.getLogger(__name__)


@dataclass
class BadRows:
    """Rows that cannot be read, as they are met.

    counts: rows by reason
    examples: (file, row, what is wrong, what to do), the first few of each block and reason
    unparsed: files in which some rows are no rows of the table, such as those of another width
    """

    counts: Counter[str] = field(default_factory=Counter)
    examples: list[tuple[DataFile, int, str, str]] = field(default_factory=list)
    unparsed: list[DataFile] = field(default_factory=list)

    def add(
        self, rows: FileRows, bad: np.ndarray, name: str, column: pa.ChunkedArray, what: str, hint: str
    ) -> None:
        """Counts the rows where `bad` holds as wrong in the column `name`.

        `what` follows the value in messages, and `hint` says what to do about it.
        """
        if not bad.any():
            return
        self.counts[f"bad rows: {name} {what}"] += int(bad.sum())
        for row in np.flatnonzero(bad)[:SHOWN].tolist():
            wrong = f"column {name!r}:{_shown(value_text(column, row))} {what}"
            self.examples.append((rows.file, int(rows.numbers[row]), wrong, hint))

    def add_unparsed(self, file: DataFile) -> None:
        """Counts the broken rows of a file of which all blocks have been read."""
        if file.num_unparsed:
            self.counts["bad rows: no rows of the table"] += file.num_unparsed
            self.unparsed.append(file)

    def check_share(self, num_rows: int, max_share: float, what: str = "rows") -> None:
        """Warns of bad rows; raises `UserError` with the first examples where they exceed `max_share` of `num_rows`.

        what: is counted, for the warning
        """
        count = self.counts.total()
        if not count:
            return
        if count <= max_share * num_rows:
            log.warning("%d of %d %s cannot be read and are left out", count, num_rows, what)
            return
        shown = list(islice(self._places(), SHOWN))
        more = "; …" if count > SHOWN else ""
        raise UserError(
            f"{'; '.join(place for place, _ in shown)}{more}; {shown[0][1]} ({count:,} of {num_rows:,} rows cannot be "
            f"read, and dataset.max_bad_share={max_share:g})"
        )

    def _places(self) -> Iterator[tuple[str, str]]:
        """Yields (what is wrong where, what to do), file by file in the order of the rows, broken rows last."""
        for file in dict.fromkeys(file for file, *_ in self.examples):
            rows = sorted((row, wrong, hint) for other, row, wrong, hint in self.examples if other is file)
            yield from ((f"{file.place(row)}, {wrong}", hint) for row, wrong, hint in rows)
        for file in self.unparsed:
            hint = f"mend the line{file.layout and f' (read {file.layout})'}"
            yield from ((wrong, hint) for wrong in file.unparsed())


def _shown(text: str) -> str:
    return f" {text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + '…'!r}" if text else ""
