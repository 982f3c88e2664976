"""prnn fetch NAME: the files of a public log whose address is known."""

import difflib
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from signal import SIGINT
from urllib.parse import unquote, urlsplit

from prnn_cli.data.public_logs import PublicLog, public_logs
from prnn_cli.data.source_files import missing_files
from prnn_cli.errors import RunError, Stopped, UserError, refused_by_the_system
from prnn_cli.reporting.terminal import say
from prnn_cli.schema import DownloadConfig
from prnn_cli.system.downloads import ARCHIVES, download, place, unpack
from prnn_cli.system.locks import try_lock

HELP = """prnn fetch NAME [to=DIR] [yes=true]    the files of a public log whose address is known

Says first what it will fetch, from where, how large it is and under which licence, and asks; yes=true agrees. What
broke off goes on with the same command. Without to=DIR the files go where dataset=NAME looks for them. Of the other
logs prnn datasets NAME says from which page to get them.
"""
WORK = ".fetch"  # the folder of what is not whole yet


def run(arguments: Sequence[str]) -> int:
    """The exit code. Raises `UserError` for a log that cannot be fetched, `RunError` where it did not arrive."""
    if {"-h", "--help"} & set(arguments):
        print(HELP, end="")
        return 0
    name, options = _read(arguments)
    log = _fetchable(name)
    try:
        _fetch(log, _folder(log, options.get("to")), options)
    except OSError as error:
        if error.filename is None:  # of what is printed
            raise
        raise refused_by_the_system(error) from error
    return 0


def _read(arguments: Sequence[str]) -> tuple[str, dict[str, str]]:
    """The name, and the options by theirs."""
    names = [each for each in arguments if "=" not in each]
    options = dict(each.split("=", 1) for each in arguments if "=" in each)
    is_known = options.keys() <= {"to", "yes"} and options.get("yes", "true") in ("true", "false")
    if len(names) != 1 or len(arguments) != 1 + len(options) or not is_known:
        raise UserError(
            f"{' '.join(['prnn fetch', *arguments])} cannot be done; write prnn fetch NAME, perhaps with to=DIR and "
            "yes=true"
        )
    return names[0], options


def _folder(log: PublicLog, to: str | None) -> Path:
    """The folder that the files go into. Raises `UserError` for what cannot be one."""
    if to == "":
        raise UserError("to= names no folder; write to=DIR, or to=. for the current one")
    try:
        folder = Path(to or log.folder).expanduser()
    except RuntimeError as error:  # ~NAME of nobody
        raise UserError(f"to={to} names no folder: {error}") from error
    nearest = next(each for each in (folder, *folder.parents) if each.exists())
    if not nearest.is_dir():
        raise UserError(
            f"{nearest} is a file; write to=DIR with the folder into which the files of {log.name} go"
        )
    return folder


def _fetch(log: PublicLog, folder: Path, options: dict[str, str]) -> None:
    if _is_whole(log, folder):
        say(f"the files of {log.name} are in {folder} already")
        return
    _announce(log, folder)
    if options.get("yes") != "true" and not _is_agreed():
        raise UserError("nothing was fetched; yes=true agrees without being asked")
    _get(log.source.fetch, folder)
    if missing := missing_files(log.source, folder):
        raise RunError(f"what was fetched does not hold {', '.join(missing)}; {log.source.page} may say why")
    said = f" {shlex.quote(f'dataset.path={folder}')}" if "to" in options else ""
    say(f"the files are in {folder}; begin with prnn preprocess dataset={log.name}{said}")


def _is_whole(log: PublicLog, folder: Path) -> bool:
    """Whether the folder holds all files of the log, and no earlier call was stopped while it put them there."""
    return (
        folder.is_dir()
        and not (folder / WORK).exists()
        and not missing_files(log.source, folder, with_optional=True)
    )


def _fetchable(name: str) -> PublicLog:
    logs = public_logs()
    able = f"{', '.join(each for each, log in logs.items() if log.source.fetch)} can be fetched"
    if name not in logs:
        close = difflib.get_close_matches(name.lower(), logs, n=1)
        guess = f"did you mean {close[0]}? " if close else ""
        raise UserError(f"no public log is called {name!r}; {guess}{able}, prnn datasets lists all")
    if not (log := logs[name]).source.fetch:
        raise UserError(
            f"{name} cannot be fetched: no address is known that gives its files to everybody; get them from "
            f"{log.source.page} and put them into {log.folder}. {able}"
        )
    return log


def _announce(log: PublicLog, folder: Path) -> None:
    say(f"{log.source.title}; licence: {log.source.licence} ({log.source.page})")
    for each in log.source.fetch:
        size = "of a size that is not known" if each.bytes is None else f"{each.bytes / 1e6:,.1f} MB"
        say(f"  {each.url}, {size}", indent=4)
    say(f"into {folder}")


def _is_agreed() -> bool:
    if not sys.stdin.isatty():
        return False
    try:
        return input("fetch it? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        print()
        return False


def _get(wanted: Sequence[DownloadConfig], folder: Path) -> None:
    """Fetches files, and unpacks those that are archives once all are there."""
    with _workshop(folder) as work:
        try:
            files = [_downloaded(each, work) for each in wanted]
            for each, file in zip(wanted, files, strict=True):
                if file.name.endswith(ARCHIVES):
                    unpack(file, folder, each.unpack or "")
                else:
                    place({file: folder / file.name})
        except KeyboardInterrupt as stop:
            raise Stopped(SIGINT, "stopped; the same command goes on where it broke off") from stop
        shutil.rmtree(work)


@contextmanager
def _workshop(folder: Path) -> Iterator[Path]:
    """The folder for what is not whole yet, held against other processes. Of the folders that are made for it none
    stays empty. Raises `RunError` where it cannot be made, or another process holds it."""
    work = folder / WORK
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        _make(work)
        with try_lock(work / "lock") as is_ours:
            if not is_ours:
                raise RunError(f"another prnn fetch works in {folder}; wait until it has ended")
            yield work
    finally:
        with suppress(OSError):  # what is not empty stays, to go on with
            for each in (work, *made):
                each.rmdir()


def _make(work: Path) -> None:
    try:
        work.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(
            f"nothing can be put into {work.parent}: {error.strerror or error}; choose another folder with to=DIR"
        ) from error


def _downloaded(wanted: DownloadConfig, work: Path) -> Path:
    name = PurePosixPath(unquote(urlsplit(wanted.url).path)).name
    file = work / name
    if not file.exists():
        found = download(wanted.url, file, wanted.bytes, wanted.checksum)
        known = "as its publisher gives it" if wanted.checksum else "its publisher gives none to compare with"
        say(f"{name} has the checksum {found} ({known})")
    return file
