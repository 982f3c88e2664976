"""prnn fetch NAME: the files of a public log that may be had without an account."""

import sys
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from prnn_cli.data.public_logs import PublicLog, missing_files, public_logs
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
    if len(names) != 1 or options.keys() - {"to", "yes"}:
        raise UserError(
            f"prnn fetch {' '.join(arguments)}: write prnn fetch NAME, perhaps with to=DIR and yes=true"
        )
    log = _fetchable(names[0])
    folder = Path(options["to"]).expanduser() if "to" in options else log.folder
    if folder.is_dir() and not missing_files(log.source, folder):
        say(f"the files of {log.name} are in {folder} already")
        return 0
    _announce(log, folder)
    if options.get("yes") != "true" and not _is_agreed():
        raise UserError("nothing was fetched; yes=true agrees without being asked")
    for each in log.source.fetch:
        _get(each, folder)
    if missing := missing_files(log.source, folder):
        raise RunError(f"what was fetched does not hold {', '.join(missing)}; {log.source.page} may say why")
    said = "" if "to" not in options else f" dataset.path={folder}"
    say(f"the files are in {folder}; begin with prnn preprocess dataset={log.name}{said}")
    return 0


def _fetchable(name: str) -> PublicLog:
    logs = public_logs()
    able = [each for each, log in logs.items() if log.source.fetch]
    if name not in logs:
        raise UserError(
            f"no public log is called {name}; {', '.join(able)} can be fetched, prnn datasets lists all"
        )
    if not (log := logs[name]).source.fetch:
        raise UserError(
            f"{name} cannot be fetched: it takes an account, or consent to its terms, at {log.source.page}; put its "
            f"files into {log.folder}. {', '.join(able)} can be fetched"
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


def _get(wanted: DownloadConfig, folder: Path) -> None:
    """Fetches one file, and unpacks it where it is an archive."""
    name = PurePosixPath(wanted.url).name
    work = folder / WORK
    archive = work / name
    if not archive.exists():
        found = download(wanted.url, archive, wanted.bytes, wanted.checksum)
        known = "as its publisher gives it" if wanted.checksum else "its publisher gives none to compare with"
        say(f"{name} has the checksum {found} ({known})")
    if name.endswith(ARCHIVES):
        unpack(archive, folder, wanted.unpack or "")
        archive.unlink()
    else:
        archive.rename(folder / name)
    for left in work.iterdir():
        left.unlink()
    work.rmdir()
