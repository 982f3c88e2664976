"""A path, folder or glob -> its files, each opened by its format."""

import filecmp
import glob
import os
from collections.abc import Collection, Sequence
from pathlib import Path

from prnn_cli.data.formats.data_file import COMPRESSIONS, DataFile
from prnn_cli.data.formats.json_files import JsonLinesFile
from prnn_cli.data.formats.parquet_files import ParquetFile
from prnn_cli.data.formats.text_files import TextFile
from prnn_cli.data.formats.text_options import TextOptions
from prnn_cli.errors import UserError

TEXT_SUFFIXES = (".csv", ".tsv", ".txt", ".dat")
JSON_SUFFIXES = (".jsonl", ".ndjson", ".json")
PARQUET_SUFFIXES = (".parquet",)
NAMED_ONLY = (".json",)  # often says other things of a folder than its rows
KNOWN = (*TEXT_SUFFIXES, *JSON_SUFFIXES, *PARQUET_SUFFIXES)


def find_files(
    path: str | None, option: str = "dataset.path", within: Sequence[str] | None = None
) -> list[Path]:
    """The files of a log, sorted by path: the file itself, a folder's data files but for .json, or a glob's matches.

    Where a file is not there, but is compressed (`clicks.csv.gz`), that one is meant.
    `option` is where the path was set, for messages; `within`: names or globs, of a folder the files that are meant.
    Raises `UserError` where there is no file of a known format.
    """
    if not path:
        raise UserError(f"{option} is not set; give a file, a folder or a glob such as logs/*.csv")
    expanded = Path(path).expanduser()
    if within is not None:
        if not expanded.is_dir():
            raise UserError(f"{option}={path} is no folder; give the one that holds {', '.join(within)}")
        return sorted({file for each in within for file in _within(expanded, each, option)})
    if expanded.is_dir():
        return _files_in(expanded)
    if expanded.exists():
        return [_known(expanded)]
    if compressed := [each for each in _compressed(expanded) if each.exists()]:
        return [_known(compressed[0])]
    if glob.has_magic(path):
        return _matches_of(str(expanded), option)
    raise UserError(f"{option}={path} does not exist; give a file, a folder or a glob such as logs/*.csv")


def open_file(path: Path, options: TextOptions, wanted: Collection[str] = ()) -> DataFile:
    """Opens a file by its extension and reads its header only; `wanted` columns help to find a separator of None."""
    match _suffix(path):
        case suffix if suffix in PARQUET_SUFFIXES:
            return ParquetFile.open(path)
        case suffix if suffix in JSON_SUFFIXES:
            return JsonLinesFile.open(path, options.encoding)
        case _:
            return TextFile.open(path, options, wanted)


def check_no_copies(files: Sequence[Path]) -> None:
    """Raises `UserError` where two files hold the same bytes: each click would count twice."""
    by_size: dict[int, list[Path]] = {}
    for path in files:
        for other in by_size.setdefault(path.stat().st_size, []):
            if filecmp.cmp(path, other, shallow=False):
                raise UserError(f"{other} and {path} are copies of each other; leave one of them out")
        by_size[path.stat().st_size].append(path)


def glob_of(chosen: Sequence[Path], files: Sequence[Path]) -> str | None:
    """A path that reads the chosen ones of some files alone: a file, a glob in their folder, or None for neither."""
    if len(chosen) == 1:
        return str(chosen[0])
    if len({path.parent for path in files}) != 1:
        return None
    names, common = [path.name for path in chosen], os.path.commonprefix
    pattern = f"{common(names)}*{common([name[::-1] for name in names])[::-1]}"
    matches = {path for path in files if path.match(glob.escape(pattern).replace("[*]", "*"))}
    return str(files[0].parent / pattern) if matches == set(chosen) else None


def _is_data(path: Path) -> bool:
    hidden = path.name.startswith((".", "_"))
    return not hidden and _suffix(path) in KNOWN and _suffix(path) not in NAMED_ONLY


def _suffix(path: Path) -> str:
    """The extension that tells the format: the one before .gz or .zst, which Parquet has no need of."""
    name = path.name.lower()
    if path.suffix.lower() in COMPRESSIONS:
        inner = Path(Path(name).stem).suffix
        return "" if inner in PARQUET_SUFFIXES else inner
    return path.suffix.lower()


def _files_in(folder: Path) -> list[Path]:
    files = sorted(path for path in folder.iterdir() if path.is_file() and _is_data(path))
    if not files:
        raise UserError(f"{folder} holds no data files; they must end in {_suffixes()}")
    return files


def _matches_of(pattern: str, option: str) -> list[Path]:
    matches = [Path(match) for match in glob.glob(pattern, recursive=True)]  # noqa: PTH207 (may be absolute)
    files = sorted(path for path in matches if path.is_file())
    if not files:
        raise UserError(f"{option}={pattern} matches no file; check the folder and the pattern")
    return [_known(path) for path in files]


def files_within(folder: Path, pattern: str) -> list[Path]:
    """The files in a folder that a name or a glob means, compressed ones where there are no others."""
    for each in (pattern, *(f"{pattern}{suffix}" for suffix in COMPRESSIONS)):
        if found := sorted(path for path in folder.glob(each) if path.is_file()):
            return found
    return []


def _within(folder: Path, pattern: str, option: str) -> list[Path]:
    if not (files := files_within(folder, pattern)):
        raise UserError(f"{option}={folder} holds no file {pattern}; check the folder")
    return [_known(path) for path in files]


def _compressed(path: Path) -> list[Path]:
    return [path.with_name(f"{path.name}{suffix}") for suffix in COMPRESSIONS]


def _known(path: Path) -> Path:
    if _suffix(path) not in KNOWN:
        raise UserError(f"{path} has an unknown extension; a data file must end in {_suffixes()}")
    return path


def _suffixes() -> str:
    return f"{', '.join(KNOWN)}, the text formats also with {' or '.join(COMPRESSIONS)}"
