"""Format numbers of the files that outlive a version of prnn."""

from dataclasses import dataclass
from pathlib import Path

from prnn_cli.errors import UserError

FORMAT = "format"  # the number's name in a file
UNNUMBERED = 1  # the format of files that name none


class OtherFormatError(UserError):
    """A file is whole, but written in another format than this version reads."""


@dataclass(frozen=True)
class FileFormat:
    """A way in which files are written, such as a checkpoint of format 2. Raise the number with every change of it.

    remedy: what to do with a file of another number, such as "train in another folder"
    """

    kind: str
    number: int
    remedy: str

    def check(self, path: Path, found: object) -> None:
        """Raises `OtherFormatError` where the number `found` in the file, None for a file without, is another one."""
        number = UNNUMBERED if found is None else found
        if str(number) != str(self.number):
            raise OtherFormatError(
                f"{path} is a {self.kind} of format {number}, and this prnn reads format {self.number}; {self.remedy}"
            )
