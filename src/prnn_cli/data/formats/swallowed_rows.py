"""Rows that are lost where a cell begins with a quote that is a character like others: it holds lines together."""

import re
from collections.abc import Sequence


class SwallowedRows:
    """Looks through the rows of a text for such that stand on several lines, each of which looks like a row.

    num_rows: rows that are lost
    first_line, longest: where the first such row begins, and the most lines that one takes
    """

    def __init__(self, separator: str, width: int) -> None:
        self._separator, self._width = separator, width
        cell = rf'(?:"(?:[^"]|"")*"|[^"{re.escape(separator)}]*)'
        self._well_quoted = re.compile(rf"{cell}(?:{re.escape(separator)}{cell})*\s*")
        self._all_well_quoted = True
        self._num_long = self._num_swallowing = 0
        self.num_rows = self.first_line = self.longest = 0

    @property
    def is_certain(self) -> bool:
        """Text of several lines may look like rows by chance: rows are lost for certain where some quote of the file
        stands where no program writes one, or where most rows of several lines look so."""
        return self._num_swallowing > 0 and (
            not self._all_well_quoted or self._num_swallowing > self._num_long / 2
        )

    def look_at(self, lines: Sequence[tuple[int, str]]) -> None:
        """Takes the lines, with their numbers, of the next row."""
        self._all_well_quoted = self._all_well_quoted and self._is_well_quoted(lines)
        if len(lines) == 1:
            return
        self._num_long += 1
        if all(line.count(self._separator) == self._width - 1 for _, line in lines):
            self._num_swallowing += 1
            self.num_rows += len(lines) - 1
            self.first_line = self.first_line or lines[0][0]
            self.longest = max(self.longest, len(lines))

    def _is_well_quoted(self, lines: Sequence[tuple[int, str]]) -> bool:
        text = "".join(line for _, line in lines)
        return '"' not in text or self._well_quoted.fullmatch(text) is not None
