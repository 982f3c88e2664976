"""prnn clean: lists what runs and the cache have left that nobody needs, and removes it where it is asked to."""

from pathlib import Path

from prnn_cli.commands import Command
from prnn_cli.leftovers import DAY_S, Leftover, leftovers
from prnn_cli.run_folder import RunFolder
from prnn_cli.schema import CleanCommand


class Clean(Command):
    """The command `prnn clean`."""

    options = CleanCommand
    writes = False

    def run(self, settings: CleanCommand, folder: RunFolder) -> None:
        runs, cache = Path(settings.runs), Path(settings.cache_dir)
        found = leftovers(runs, cache, settings.days, settings.sweeps, settings.checkpoints)
        for each in found:
            print(_line(each))
            if settings.remove:
                each.remove()
        total = _size(sum(each.size for each in found))
        where = f"below {runs} and {cache}, unused for {settings.days:g} days"
        if not found:
            print(f"nothing to remove {where}")
        elif settings.remove:
            print(f"removed: {len(found)}, {total} {where}")
        else:
            print(f"{len(found)}, {total} {where}; nothing was removed: add remove=true to remove them")


def _line(leftover: Leftover) -> str:
    return (
        f"{_size(leftover.size):>9}  {leftover.age_s / DAY_S:4.0f} days  {leftover.path}  ({leftover.what})"
    )


def _size(size: float) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            break
        size /= 1000
    return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"


COMMANDS = {"clean": Clean()}
