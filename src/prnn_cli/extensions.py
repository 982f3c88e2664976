"""The entries that a configuration can name, and who defines them: prnn's own modules, and extensions from outside.

An extension is a module that defines any of these dicts, by the name that a configuration uses:

    BASELINES    a `baselines.baseline.Baseline`
    READOUTS     a class or function of the subnets; an architecture is a config that names it
    STRATEGIES   a function (subnets, epochs) -> phases
    LOSSES       a function (scores, active) -> losses
    EXTRACTORS   a class like `features.extractor.Extractor`
    METRICS      a function (ranks, k) -> a value for each event
    COMMANDS     a `commands.Command`

and whose folder may hold `configs/`, which Hydra then searches too. prnn's own modules define the same dicts and are
found in the same way. Only installed packages (entry points of the group `prnn.extensions`) and files that the command
line names (--extend FILE.py) are loaded: no configuration, and nothing in a run's folder, can load code.

`prnn --help` imports this, so what takes milliseconds to import is imported where it is needed.
"""

import importlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from prnn_cli.errors import UserError
from prnn_cli.loading import loading

GROUP = "prnn.extensions"
FLAG = "--extend"
RESERVED = ("network", "id_only")  # names that tables and ranks have for other things
# Attributes of an entry; those of other kinds are called.
NEEDED = {"BASELINES": ("label", "fit", "options"), "COMMANDS": ("options", "run")}
# By help, in order of use.
LISTED_FIRST = (
    "train",
    "preprocess",
    "features",
    "evaluate",
    "recommend",
    "serve",
    "export",
    "verdict",
    "tables",
)

# The module, or the package of modules, that holds prnn's own of each kind.
HOMES = {
    "BASELINES": "prnn_cli.baselines",
    "READOUTS": "prnn_cli.networks.readouts",
    "STRATEGIES": "prnn_cli.training.strategies",
    "LOSSES": "prnn_cli.training.losses",
    "EXTRACTORS": "prnn_cli.features.extractors",
    "METRICS": "prnn_cli.evaluation.metrics",
    "COMMANDS": "prnn_cli.commands",
}


class WithOptions(NamedTuple):
    """An entry that takes typed options: `make` is called with one argument more, an instance of the dataclass
    `options`. Its values stand in the configuration, in the node `options` beside the name."""

    make: Callable[..., Any]
    options: type


class Extension(NamedTuple):
    """A module from outside. origin: the package and its version, or the file, for messages."""

    name: str
    origin: str
    file: Path
    load: Callable[[], ModuleType]

    @property
    def configs(self) -> Path | None:
        """The folder of its configs, if it has one."""
        folder = self.file.parent / "configs"
        return folder if folder.is_dir() else None

    @property
    def fingerprint(self) -> str:
        """A hash of its source files, 8 hex digits, which is part of the key of what it made in the cache."""
        import hashlib

        from prnn_cli.extension_sources import source_files

        digest = hashlib.blake2b(digest_size=4)
        for path in source_files(self.file):
            digest.update(path.relative_to(self.file.parent).as_posix().encode() + b"\0" + path.read_bytes())
        return digest.hexdigest()

    def module(self) -> ModuleType:
        """Loads the module. Raises `UserError` where it cannot be loaded, whatever the reason."""
        try:
            return self.load()
        except (Exception, SystemExit) as error:
            # A script that ends itself would end prnn, with its exit code.
            raise UserError(
                f"the extension {self.origin} cannot be loaded ({type(error).__name__}: {error}); mend it, or leave it "
                "out"
            ) from error


# The files that the command line named.
_files: dict[Path, Extension] = {}


def take_flags(arguments: Sequence[str]) -> list[str]:
    """The arguments without `--extend FILE`, which may stand anywhere; the files are extensions from now on.

    Raises `UserError` for what is no Python file.
    """
    left, given = [], iter(arguments)
    for argument in given:
        flag, is_joined, file = argument.partition("=")
        if flag != FLAG:
            left.append(argument)
            continue
        add_file(file if is_joined else next(given, ""))
    return left


def add_file(name: str) -> Extension:
    """Makes a Python file an extension of this process, and returns it. Raises `UserError` for what is none."""
    path = Path(name).expanduser().absolute()
    if not name:
        raise UserError(f"{FLAG} needs a file; write {FLAG} FILE.py")
    if not (path.is_file() and path.suffix == ".py"):
        raise UserError(f"{FLAG} {name} is no Python file; write {FLAG} FILE.py")
    if path not in _files:
        _files[path] = Extension(path.stem, str(path), path, lambda: _module_of(path))
        registered.cache_clear()
    return _files[path]


def files() -> list[str]:
    """The files that the command line named, for the processes of a launcher."""
    return [str(path) for path in _files]


def extensions() -> list[Extension]:
    """The extensions, those of installed packages first; none is loaded yet."""
    return [*_installed(), *_files.values()]


def config_folders() -> list[Path]:
    """The folders of configs: prnn's own, then those of the extensions."""
    return [own_configs(), *(each.configs for each in extensions() if each.configs)]


def own_configs() -> Path:
    """The folder of prnn's own configs: inside the package where it was installed, beside src in a checkout."""
    package = Path(__file__).resolve().parent
    return next(path for path in (package / "configs", package.parents[1] / "configs") if path.is_dir())


def commands() -> dict[str, str]:
    """The commands: name -> what it does, from the first line of the config of that name. No module is imported."""
    files = {file.stem: file for folder in config_folders() for file in sorted(folder.glob("*.yaml"))}
    names = dict.fromkeys([*LISTED_FIRST, *files])
    return {name: _first_line(files[name]).partition(": ")[2] for name in names}


@cache
def registered(kind: str) -> dict[str, Any]:
    """The entries of a kind by name, prnn's own first. Raises `UserError` where two define one name."""
    found: dict[str, Any] = {}
    owner: dict[str, str] = {}
    with loading():
        sources = [("prnn", module) for module in _own_modules(HOMES[kind])]
        sources += [(each.origin, each.module()) for each in extensions()]
    for origin, module in sources:
        for name, entry in entries_of(module, kind, origin).items():
            if name in found:
                raise UserError(
                    f"{origin} defines {name} in {kind}, which {owner[name]} defines too; give it another name"
                )
            found[name], owner[name] = entry, origin
    return found


def entries_of(module: ModuleType, kind: str, origin: str) -> dict[str, Any]:
    """What a module defines of a kind. Raises `UserError` for what is no dict of usable entries."""
    entries = getattr(module, kind, {})
    if not isinstance(entries, dict):
        raise UserError(f"{origin} defines {kind}={entries!r}; it must be a dict of names and entries")
    for name, entry in entries.items():
        if not (isinstance(name, str) and name.isidentifier()) or name in RESERVED:
            raise UserError(
                f"{origin} defines {name!r} in {kind}; a name is a word of letters, digits and _ that is none of "
                f"{', '.join(RESERVED)}"
            )
        if not all(hasattr(entry, need) for need in NEEDED.get(kind, ())) or (
            kind not in NEEDED and not callable(entry) and not isinstance(entry, WithOptions)
        ):
            raise UserError(
                f"{origin} defines {name} in {kind} as {entry!r}; docs/extending.md shows what it must be"
            )
    return entries


def chosen(kind: str, name: str, option: str) -> Any:
    """The entry that `option`=`name` asks for. Raises `UserError` with the valid names where there is none."""
    known = registered(kind)
    if name not in known:
        hint = "" if extensions() else f" (one of an extension needs its package, or {FLAG} FILE.py)"
        raise UserError(f"{option}={name} does not exist; choose one of {', '.join(known)}{hint}")
    return known[name]


def bound(entry: Any, options: Any) -> Callable[..., Any]:
    """The entry as a function of its usual arguments, its typed options filled in."""
    if not isinstance(entry, WithOptions):
        return entry  # type: ignore[no-any-return]
    return lambda *arguments: entry.make(*arguments, options)


def options_class(entry: Any) -> type | None:
    """The dataclass of an entry's typed options; None where it takes none."""
    found: type | None = getattr(entry, "options", None)
    return found if isinstance(found, type) else None


def fingerprint_of(kind: str, name: str) -> list[str]:
    """The fingerprint of the extension that defines an entry, in a list, for the key of its results in the cache.

    The list is empty for prnn's own, whose changes are counted in the formats of what is cached.
    """
    return [each.fingerprint for each in extensions() if name in getattr(each.module(), kind, {})]


def versions() -> dict[str, str]:
    """The extensions that are loaded, for the record of a run: name -> origin and fingerprint of the source."""
    return {each.name: f"{each.origin}, {each.fingerprint}" for each in extensions()}


def _first_line(file: Path) -> str:
    with file.open(encoding="utf-8") as stream:
        return stream.readline().strip()


def _own_modules(home: str) -> Iterator[ModuleType]:
    import pkgutil

    module = importlib.import_module(home)
    yield module
    for found in sorted(pkgutil.iter_modules(getattr(module, "__path__", [])), key=lambda each: each.name):
        yield importlib.import_module(f"{home}.{found.name}")


@cache
def _installed() -> tuple[Extension, ...]:
    """The extensions of installed packages; none is loaded."""
    if not _any_package_names_the_group():
        return ()
    from importlib.metadata import entry_points

    found = []
    for entry in sorted(entry_points(group=GROUP), key=lambda each: each.name):
        package = f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.name
        found.append(Extension(entry.name, package, _source_of(entry.value, package), entry.load))
    return tuple(found)


def _any_package_names_the_group() -> bool:
    """Whether an installed package has entry points of the group, by its files alone.

    importlib.metadata takes longer to import than all of prnn's help.
    """
    for folder in sys.path:
        try:
            with os.scandir(folder or ".") as entries:
                packages = [each.path for each in entries if each.name.endswith((".dist-info", ".egg-info"))]
        except OSError:
            continue
        for package in packages:
            try:
                if f"[{GROUP}]" in Path(package, "entry_points.txt").read_text(encoding="utf-8"):
                    return True
            except (OSError, ValueError):
                continue
    return False


def _source_of(value: str, package: str) -> Path:
    """The file of an entry point's module, which is not imported for it."""
    import importlib.util

    module = value.partition(":")[0].strip()
    try:
        spec = importlib.util.find_spec(module)
    except ImportError as error:
        raise UserError(
            f"the extension {package} names {module}, which cannot be imported: {error}"
        ) from error
    if spec is None or spec.origin is None:
        raise UserError(f"the extension {package} names {module}, which is not installed; install it again")
    return Path(spec.origin)


def _module_of(path: Path) -> ModuleType:
    """A file as a module, under a name that no package has; others beside it can be imported by it."""
    import importlib.util

    name = f"prnn_extension_{path.stem}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))  # last, so that a file there hides no package
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
