"""Files of the web: downloads that go on where they broke off and are checked at the end, and archives."""

import hashlib
import json
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Iterator
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
RANGE_NOT_SATISFIABLE, PARTIAL_CONTENT = 416, 206


def download(url: str, file: Path, size: int | None, checksum: str | None) -> str:
    """Downloads to `file`, whose part that an earlier call left is gone on with where the server can.

    size: in bytes, and checksum, "md5:…" or "sha256:…": None where they are not known. Returns the checksum found, by
    SHA-256 where none was known. Raises `RunError` for what breaks off, or is not what was to be had: nothing then has
    the file's name.
    """
    part = file.with_name(f"{file.name}.part")
    part.parent.mkdir(parents=True, exist_ok=True)
    if not (size is not None and part.exists() and part.stat().st_size == size):
        with _explained(url):
            _receive(url, part)
    if size is not None and (found_size := part.stat().st_size) != size:
        _refuse(part, f"{url} has {found_size:,} bytes, not the {size:,} that are known; it is another file")
    kind, _, known = (checksum or "sha256:").partition(":")
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

    Raises `RunError` for an archive that cannot be read, has no such folder, or names a place outside.
    """
    temporary = archive.with_name(f"{archive.name}.unpacked")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        if archive.suffix == ".zip":
            _unpack_zip(archive, temporary)
        else:
            with tarfile.open(archive) as tar:
                tar.extractall(temporary, filter="data")  # refuses links and paths that lead out
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, OSError) as error:
        raise RunError(f"{archive} cannot be unpacked: {first_line(error)}") from error
    top = temporary / inner
    found = sorted(path for path in top.rglob("*") if path.is_file()) if top.is_dir() else []
    if not found:
        raise RunError(
            f"{archive} holds no folder {inner!r} with files; it is another archive than was expected"
        )
    folder.mkdir(parents=True, exist_ok=True)
    placed = []
    for path in found:
        target = folder / path.relative_to(top)
        target.parent.mkdir(parents=True, exist_ok=True)
        placed.append(path.replace(target))
    shutil.rmtree(temporary)
    return placed


def _receive(url: str, part: Path) -> None:
    """Writes what the server sends into `part`, behind what is there where it is of the same file."""
    have = part.stat().st_size if part.exists() else 0
    headers = {"User-Agent": "prnn"}
    if have:
        headers |= {"Range": f"bytes={have}-"} | _condition(part)
    try:
        response: HTTPResponse = urlopen(Request(url, headers=headers), timeout=TIMEOUT_S)
    except HTTPError as error:
        if error.code != RANGE_NOT_SATISFIABLE:
            raise
        part.unlink()  # it is longer than the file, or whole and of no size that was known
        response = urlopen(Request(url, headers={"User-Agent": "prnn"}), timeout=TIMEOUT_S)
    with response:
        goes_on = response.status == PARTIAL_CONTENT
        done = have if goes_on else 0
        length = response.headers.get("Content-Length")
        total = done + int(length) if length else None
        marks = {name: response.headers[name] for name in ("ETag", "Last-Modified") if response.headers[name]}
        write_text(_marks_of(part), json.dumps(marks))
        with part.open("ab" if goes_on else "wb") as file, meter("fetching", total or 0) as progress:
            while block := response.read(BLOCK):
                file.write(block)
                done += len(block)
                progress.update(done, f"{done / 1e6:,.1f} MB")
    if total is not None and done < total:
        raise URLError(f"it broke off after {done:,} of {total:,} bytes")


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
def _explained(url: str) -> Iterator[None]:
    try:
        yield
    except HTTPError as error:
        raise RunError(f"{url} cannot be had: the server answers {error.code} ({error.reason})") from error
    except (URLError, HTTPException, TimeoutError, ConnectionError) as error:
        reason = first_line(getattr(error, "reason", None) or error)
        raise RunError(
            f"{url} did not arrive: {reason}; the same command goes on where it broke off"
        ) from error


def _unpack_zip(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as content:
        for member in content.infolist():
            path = PurePosixPath(member.filename)
            if path.is_absolute() or ".." in path.parts or stat.S_ISLNK(member.external_attr >> 16):
                raise zipfile.BadZipFile(f"{member.filename!r} leads out of its folder")
        content.extractall(folder)
