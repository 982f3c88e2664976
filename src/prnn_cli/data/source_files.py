"""The files of a public log (a dataset with a `source`): which are missing, and the advice where one is amiss."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prnn_cli.data.formats.log_files import files_within
from prnn_cli.errors import UserError
from prnn_cli.schema import DatasetConfig, SourceConfig

SHOWN = 6  # names of a folder's files, in a message


def check_files(dataset: DatasetConfig) -> None:
    """Raises `UserError` where the folder of a public log lacks a file that the log needs."""
    if dataset.source is None:
        return
    folder = Path(str(dataset.path)).expanduser()
    advice = f"prnn datasets {dataset.name} says how to get them"
    if not folder.is_dir():
        wrong = "is a file" if folder.exists() else "does not exist"
        raise UserError(
            f"dataset.path={dataset.path} {wrong}; dataset={dataset.name} reads the folder that holds "
            f"{', '.join(dataset.source.files)}; {advice}"
        )
    if missing := missing_files(dataset.source, folder):
        name, what = next(iter(missing.items()))
        raise UserError(
            f"dataset.path={dataset.path} lacks {name} ({what}), which dataset={dataset.name} reads; it holds "
            f"{_content(folder)}{_elsewhere(folder, name)}; {advice}"
        )


@contextmanager
def advised(dataset: DatasetConfig) -> Iterator[None]:
    """Has a `UserError` over a file of a public log say where it comes from."""
    try:
        yield
    except UserError as error:
        if dataset.source is None:
            raise
        raise UserError(
            f"{error} (dataset={dataset.name} reads the files of {dataset.source.title}; prnn datasets {dataset.name} "
            "says which, and how to get them)"
        ) from error


def missing_files(source: SourceConfig, folder: Path, with_optional: bool = False) -> dict[str, str]:
    """The files that the log needs and a folder does not hold, with what they are."""
    wanted = {**source.files, **(source.optional if with_optional else {})}
    return {name: what for name, what in wanted.items() if not files_within(folder, name)}


def _content(folder: Path) -> str:
    names = sorted(entry.name + "/" * entry.is_dir() for entry in folder.iterdir())
    others = [f"{len(names) - SHOWN} others"] if len(names) > SHOWN else []
    return ", ".join([*names[:SHOWN], *others]) or "nothing"


def _elsewhere(folder: Path, name: str) -> str:
    """Where below the folder the file lies, as archives unpack into folders of their own."""
    for inner in sorted(entry for entry in folder.iterdir() if entry.is_dir()):
        if files_within(inner, name):
            return f" (it lies in {inner}: give dataset.path={inner})"
    return ""
