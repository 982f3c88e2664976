"""How text is to be read: its encoding, separator, header, comments and quotes."""

import io
from dataclasses import dataclass, replace

from prnn_cli.data.formats.text_lines import ONE_SEPARATOR, is_plain
from prnn_cli.errors import UserError
from prnn_cli.schema import DatasetConfig


@dataclass(frozen=True)
class TextOptions:
    """The options of text formats; JSON Lines need the encoding alone.

    separator: one character or several; None: found by the header
    header: the names of the columns of a file without a header line; None: its first line names them
    comment: what lines begin with that are no rows; None: there are none
    quoting: auto, double or none; auto is double, but refuses a file whose quotes swallow rows

    Raises `UserError` for an encoding that does not exist.
    """

    encoding: str
    separator: str | None = None
    header: tuple[str, ...] | None = None
    comment: str | None = None
    quoting: str = "auto"

    def __post_init__(self) -> None:
        try:
            io.TextIOWrapper(io.BytesIO(), self.encoding)
            "".encode(self.encoding)
        except (LookupError, ValueError) as error:
            raise UserError(
                f"dataset.encoding={self.encoding!r} does not exist; try utf-8 or cp1252"
            ) from error

    @classmethod
    def of_log(cls, dataset: DatasetConfig) -> "TextOptions":
        header = None if dataset.header is None else tuple(dataset.header)
        return cls(dataset.encoding, dataset.separator, header, dataset.comment, dataset.quoting)

    @classmethod
    def of_items(cls, dataset: DatasetConfig) -> "TextOptions":
        """Those of the items table, which may have another separator than the log."""
        header = None if dataset.items.header is None else tuple(dataset.items.header)
        return replace(cls.of_log(dataset), separator=None, header=header)

    def with_separator(self, separator: str) -> "TextOptions":
        return replace(self, separator=separator)

    @property
    def one_separator(self) -> str:
        """The character that stands for the separator while the text is read."""
        separator = str(self.separator)
        return separator if is_plain(separator) else ONE_SEPARATOR

    @property
    def has_quotes(self) -> bool:
        """Whether quotes hold cells together, which they don't beside a separator of several characters."""
        return self.quoting != "none" and (self.separator is None or is_plain(self.separator))
