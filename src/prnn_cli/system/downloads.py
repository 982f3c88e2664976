"""Files of the web: downloads that go on where they broke off and are checked at the end, and archives."""

import filecmp
import gzip
import hashlib
import json
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse
from pathlib import Path, PurePosixPath
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from prnn_cli.errors import RunError, first_line
from prnn_cli.system.files import write_text
from prnn_cli.system.progress import meter

TIMEOUT_S = 60
BLOCK = 1 << 20
ARCHIVES = (".zip", ".tar.gz", ".tgz")
CHECKSUMS = ("md5", "sha256")
UNREADABLE = (  # what archives that are damaged, or are none, raise; RuntimeError: encrypted ones
    zipfile.BadZipFile,
    tarfile.TarError,
    gzip.BadGzipFile,
    zlib.error,
    EOFError,
    RuntimeError,
)
RANGE_NOT_SATISFIABLE, PARTIAL_CONTENT = 416, 206


def download(url: str, file: Path, size: int | None, checksum: str | None) -> str:
    """Downloads to `file`, whose part that an earlier call left is gone on with where the server can.

    size: in bytes, and checksum, "md5:…" or "sha256:…": None where they are not known. Returns the checksum found, by
    SHA-256 where none was known. Raises `RunError` for what breaks off, or is not what was to be had: nothing then has
    the file's name.
    """
    kind, _, known = (checksum or "sha256:").partition(":")
    if kind not in CHECKSUMS:
        raise RunError(f"the checksum {checksum} of {url} is neither md5:… nor sha256:…")
    part = file.with_name(f"{file.name}.part")
    with _explained(url, part.parent):
        part.parent.mkdir(parents=True, exist_ok=True)
        if not (size is not None and part.exists() and part.stat().st_size == size):
            _receive(url, part)
    if size is not None and (found_size := part.stat().st_size) != size:
        _refuse(part, f"{url} has {found_size:,} bytes, not the {size:,} that are known; it is another file")
    with part.open("rb") as content:
        found = hashlib.file_digest(content, kind).hexdigest()
    if known and found != known.lower():
        _refuse(
            part, f"{url} has the checksum {kind}:{found}, not {checksum}; it is another file, or was damaged"
        )
    part.rename(file)
    _marks_of(part).unlink(missing_ok=True)
    return f"{kind}:{found}"


def unpack(archive: Path, folder: Path, inner: str) -> list[Path]:
    """Unpacks the files below the folder `inner` of an archive ("" for all) into `folder`; returns them.

    Raises `RunError` for an archive that cannot be read, has no such folder, or names a place outside, and removes it:
    it would be no better the next time. Raises it too where a file would take the place of another one; then none is
    moved, and the archive stays.
    """
    temporary = archive.with_name(f"{archive.name}.unpacked")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        _extract(archive, temporary)
        return _moved(temporary / inner, folder)
    except UNREADABLE as error:
        archive.unlink()
        raise RunError(
            f"{archive.name} cannot be unpacked: {first_line(error)}; it was removed, and the same command fetches it "
            "anew"
        ) from error
    except OSError as error:
        raise RunError(
            f"{archive.name} cannot be unpacked into {folder}: {error.strerror or error}; make room or choose another "
            "folder, then run the same command again"
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _extract(archive: Path, folder: Path) -> None:
    if archive.suffix == ".zip":
        _extract_zip(archive, folder)
        return
    with gzip.open(archive) as content:  # tarfile stops before the checksum at its end
        while content.read(BLOCK):
            pass
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")  # refuses links and paths that lead out


def _moved(source: Path, folder: Path) -> list[Path]:
    found = sorted(path for path in source.rglob("*") if path.is_file()) if source.is_dir() else []
    if not found:
        raise tarfile.TarError(
            f"it holds no folder {source.name!r} with files, and is another than was expected"
        )
    return place({path: folder / path.relative_to(source) for path in found})


def place(targets: Mapping[Path, Path]) -> list[Path]:
    """Moves files, each to its target; returns the targets. Raises `RunError`, and moves none, where a target is there
    already and holds something else."""
    for path, target in targets.items():
        if target.exists() and not (target.is_file() and filecmp.cmp(path, target, shallow=False)):
            raise RunError(
                f"{target} is there already, and is another than what was fetched; move it away or choose another "
                "folder, then run the same command again"
            )
    for target in targets.values():
        target.parent.mkdir(parents=True, exist_ok=True)
    return [path.replace(target) for path, target in targets.items()]


def _receive(url: str, part: Path) -> None:
    """Writes what the server sends into `part`, behind what is there where it is of the same file."""
    have = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={have}-"} | _condition(part) if have else {}
    try:
        response = _answer(url, headers)
    except HTTPError as error:
        if error.code != RANGE_NOT_SATISFIABLE:
            raise
        part.unlink()  # it is longer than the file, or whole and of no size that was known
        response = _answer(url, {})
    with response:
        goes_on = response.status == PARTIAL_CONTENT
        done = have if goes_on else 0
        length = response.headers.get("Content-Length")
        total = done + int(length) if length else None
        marks = {name: response.headers[name] for name in ("ETag", "Last-Modified") if response.headers[name]}
        write_text(_marks_of(part), json.dumps(marks))
        with part.open("ab" if goes_on else "wb") as file, meter("fetching", total or 0) as progress:
            for block in _blocks(response):
                file.write(block)
                done += len(block)
                progress.update(done, f"{done / 1e6:,.1f} MB")
    if total is not None and done < total:
        raise URLError(f"it broke off after {done:,} of {total:,} bytes")


def _answer(url: str, headers: dict[str, str]) -> HTTPResponse:
    with _failing_as_the_network():
        answer: HTTPResponse = urlopen(
            Request(url, headers={"User-Agent": "prnn"} | headers), timeout=TIMEOUT_S
        )
    return answer


def _blocks(response: HTTPResponse) -> Iterator[bytes]:
    while True:
        with _failing_as_the_network():
            block = response.read(BLOCK)
        if not block:
            return
        yield block


@contextmanager
def _failing_as_the_network() -> Iterator[None]:
    """Tells the errors of a connection, such as those of TLS, from those of the disk, which are of the same class."""
    try:
        yield
    except URLError:
        raise
    except OSError as error:
        raise URLError(error) from error


def _condition(part: Path) -> dict[str, str]:
    """The header that has the server send all of a file that is another one by now."""
    marks = json.loads(_marks_of(part).read_text()) if _marks_of(part).exists() else {}
    known = marks.get("ETag") or marks.get("Last-Modified")
    return {"If-Range": known} if known and not known.startswith("W/") else {}


def _marks_of(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _refuse(part: Path, why: str) -> None:
    part.unlink()
    _marks_of(part).unlink(missing_ok=True)
    raise RunError(why)


@contextmanager
def _explained(url: str, folder: Path) -> Iterator[None]:
    try:
        yield
    except HTTPError as error:
        raise RunError(f"{url} cannot be had: the server answers {error.code} ({error.reason})") from error
    except (URLError, HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        said = getattr(reason, "strerror", None) or first_line(reason)
        raise RunError(
            f"{url} did not arrive: {said}; the same command goes on where it broke off"
        ) from error
    except ValueError as error:
        raise RunError(f"{url!r} is no address: {first_line(error)}") from error
    except OSError as error:
        raise RunError(
            f"{url} cannot be put into {folder}: {error.strerror or error}; make room or choose another folder, then "
            "run the same command again"
        ) from error


def _extract_zip(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as content:
        for member in content.infolist():
            path = PurePosixPath(member.filename)
            if path.is_absolute() or ".." in path.parts or stat.S_ISLNK(member.external_attr >> 16):
                raise zipfile.BadZipFile(f"{member.filename!r} leads out of its folder")
        content.extractall(folder)
