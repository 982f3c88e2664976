"""prnn fetch NAME: the files of a public log that may be had without an account."""

import shutil
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from prnn_cli.data.public_logs import PublicLog, public_logs
from prnn_cli.data.source_files import missing_files
from prnn_cli.errors import RunError, UserError
from prnn_cli.reporting.terminal import say
from prnn_cli.schema import DownloadConfig
from prnn_cli.system.downloads import ARCHIVES, download, unpack

HELP = """prnn fetch NAME [to=DIR] [yes=true]    the files of a public log, where licence and address allow

Says first what it will fetch, from where, how large it is and under which licence, and asks; yes=true agrees. What
broke off goes on with the same command. Without to=DIR the files go where dataset=NAME looks for them. Of the other
logs prnn datasets NAME says how to get them.
"""
WORK = ".fetch"  # the folder of what is not whole yet


def run(arguments: Sequence[str]) -> int:
    """The exit code. Raises `UserError` for a log that cannot be fetched, `RunError` where it did not arrive."""
    if {"-h", "--help"} & set(arguments):
        print(HELP, end="")
        return 0
    names = [each for each in arguments if "=" not in each]
    options = dict(each.split("=", 1) for each in arguments if "=" in each)
    if len(names) != 1 or not _are_known(options):
        raise UserError(
            f"{' '.join(['prnn fetch', *arguments])} cannot be done; write prnn fetch NAME, perhaps with to=DIR and "
            "yes=true"
        )
    log = _fetchable(names[0])
    folder = Path(options["to"]).expanduser() if "to" in options else log.folder
    if folder.exists() and not folder.is_dir():
        raise UserError(f"to={folder} is a file; name the folder into which the files of {log.name} go")
    if _is_whole(log, folder):
        say(f"the files of {log.name} are in {folder} already")
        return 0
    _announce(log, folder)
    if options.get("yes") != "true" and not _is_agreed():
        raise UserError("nothing was fetched; yes=true agrees without being asked")
    _get(log.source.fetch, folder)
    if missing := missing_files(log.source, folder):
        raise RunError(f"what was fetched does not hold {', '.join(missing)}; {log.source.page} may say why")
    said = "" if "to" not in options else f" dataset.path={folder}"
    say(f"the files are in {folder}; begin with prnn preprocess dataset={log.name}{said}")
    return 0


def _are_known(options: dict[str, str]) -> bool:
    return (
        options.keys() <= {"to", "yes"}
        and options.get("to") != ""
        and options.get("yes", "true") in ("true", "false")
    )


def _is_whole(log: PublicLog, folder: Path) -> bool:
    """Whether the folder holds all files of the log, and no earlier call was stopped while it put them there."""
    return (
        folder.is_dir()
        and not (folder / WORK).exists()
        and not missing_files(log.source, folder, with_optional=True)
    )


def _fetchable(name: str) -> PublicLog:
    logs = public_logs()
    able = [each for each, log in logs.items() if log.source.fetch]
    if name not in logs:
        raise UserError(
            f"no public log is called {name}; {', '.join(able)} can be fetched, prnn datasets lists all"
        )
    if not (log := logs[name]).source.fetch:
        raise UserError(
            f"{name} cannot be fetched: no address is known that gives its files to everybody; get them from "
            f"{log.source.page} and put them into {log.folder}. {', '.join(able)} can be fetched"
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
        return False


def _get(wanted: Sequence[DownloadConfig], folder: Path) -> None:
    """Fetches files, and unpacks those that are archives once all are there."""
    work, is_new = folder / WORK, not folder.exists()
    try:
        files = [_downloaded(each, work) for each in wanted]
    except RunError:
        with suppress(OSError):  # what is not empty stays, to go on with
            work.rmdir()
            if is_new:
                folder.rmdir()
        raise
    for each, file in zip(wanted, files, strict=True):
        if file.name.endswith(ARCHIVES):
            unpack(file, folder, each.unpack or "")
        else:
            file.rename(folder / file.name)
    shutil.rmtree(work)


def _downloaded(wanted: DownloadConfig, work: Path) -> Path:
    name = PurePosixPath(unquote(urlsplit(wanted.url).path)).name
    file = work / name
    if not file.exists():
        found = download(wanted.url, file, wanted.bytes, wanted.checksum)
        known = "as its publisher gives it" if wanted.checksum else "its publisher gives none to compare with"
        say(f"{name} has the checksum {found} ({known})")
    return file
