"""Downloads that break off, go on, or are not what they should be; archives, harmless ones and others."""

import hashlib
import io
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from prnn_cli.errors import RunError
from prnn_cli.system.downloads import download, unpack

CONTENT = bytes(range(256)) * 40
MD5 = f"md5:{hashlib.md5(CONTENT).hexdigest()}"
SHA256 = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


class Server(ThreadingHTTPServer):
    """Serves CONTENT. knows_ranges: whether it goes on in the middle; breaks_after: bytes, once; asked: the ranges."""

    knows_ranges = True
    breaks_after: int | None = None
    etag = '"one"'

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/log.zip"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.server.asked.append(wanted)
        if self.path != "/log.zip":
            self.send_error(404)
            return
        is_same = self.headers.get("If-Range") in (None, self.server.etag)
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and is_same else 0
        if start > len(CONTENT):
            self.send_error(416)
            return
        start = start if self.server.knows_ranges else 0
        body = CONTENT[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", self.server.etag)
        self.end_headers()
        most, self.server.breaks_after = self.server.breaks_after, None
        self.wfile.write(body[:most])
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as found:
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield found
        found.shutdown()
        thread.join()


def broken_off(server: Server, file: Path) -> None:
    server.breaks_after = 3000
    with pytest.raises(RunError, match="the same command goes on where it broke off"):
        download(server.url, file, len(CONTENT), MD5)
    assert not file.exists()


def test_a_file_arrives_whole_and_its_checksum_is_told(server: Server, tmp_path: Path) -> None:
    assert download(server.url, tmp_path / "a" / "log.zip", len(CONTENT), MD5) == MD5
    assert (tmp_path / "a" / "log.zip").read_bytes() == CONTENT
    assert download(server.url, tmp_path / "log.zip", None, None) == SHA256
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "log.zip"]


@pytest.mark.parametrize("knows_ranges", [True, False])
def test_what_broke_off_goes_on_or_begins_anew(server: Server, tmp_path: Path, knows_ranges: bool) -> None:
    server.knows_ranges = knows_ranges
    broken_off(server, tmp_path / "log.zip")
    assert download(server.url, tmp_path / "log.zip", len(CONTENT), MD5) == MD5
    assert server.asked == [None, "bytes=3000-"]
    assert (tmp_path / "log.zip").read_bytes() == CONTENT


def test_a_part_of_another_version_is_not_gone_on_with(server: Server, tmp_path: Path) -> None:
    broken_off(server, tmp_path / "log.zip")
    part = tmp_path / "log.zip.part"
    part.write_bytes(b"x" * 3000)  # what the server had then
    server.etag = '"two"'
    assert download(server.url, tmp_path / "log.zip", len(CONTENT), MD5) == MD5


def test_a_part_longer_than_the_file_is_begun_anew(server: Server, tmp_path: Path) -> None:
    (tmp_path / "log.zip.part").write_bytes(b"x" * (len(CONTENT) + 5))
    assert download(server.url, tmp_path / "log.zip", len(CONTENT), MD5) == MD5


def test_a_part_that_is_whole_asks_for_nothing(server: Server, tmp_path: Path) -> None:
    (tmp_path / "log.zip.part").write_bytes(CONTENT)
    assert download(server.url, tmp_path / "log.zip", len(CONTENT), MD5) == MD5
    assert server.asked == []


def test_another_file_is_refused_and_leaves_nothing(server: Server, tmp_path: Path) -> None:
    with pytest.raises(
        RunError, match=r"has 10,240 bytes, not the 10,000 that are known; it is another file"
    ):
        download(server.url, tmp_path / "log.zip", 10_000, None)
    with pytest.raises(RunError, match=r"has the checksum md5:\w+, not md5:00; it is another file"):
        download(server.url, tmp_path / "log.zip", None, "md5:00")
    assert list(tmp_path.iterdir()) == []


def test_an_address_that_does_not_answer_is_a_sentence(server: Server, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"cannot be had: the server answers 404"):
        download(server.url.replace("log.zip", "other.zip"), tmp_path / "log.zip", None, None)
    with pytest.raises(RunError, match=r"did not arrive: .*the same command goes on"):
        download("http://127.0.0.1:1/log.zip", tmp_path / "log.zip", None, None)


# archives


def zipped(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, name)
    return path


def test_the_files_of_an_inner_folder_are_unpacked(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "ml.zip", "ml-1m/ratings.dat", "ml-1m/more/a.txt", "README")
    found = unpack(archive, tmp_path / "data", "ml-1m")
    assert found == [tmp_path / "data/more/a.txt", tmp_path / "data/ratings.dat"]
    assert found[1].read_text() == "ml-1m/ratings.dat"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "ml.zip"]


def test_a_tar_archive_is_unpacked_likewise(tmp_path: Path) -> None:
    archive = tmp_path / "log.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        member = tarfile.TarInfo("log/a.tsv")
        member.size = 2
        tar.addfile(member, io.BytesIO(b"hi"))
    assert unpack(archive, tmp_path / "data", "log")[0].read_bytes() == b"hi"


@pytest.mark.parametrize("name", ["../out.txt", "/tmp/out.txt", "a/../../out.txt"])
def test_an_archive_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(RunError, match=r"cannot be unpacked: .* leads out of its folder"):
        unpack(zipped(tmp_path / "bad.zip", "fine.txt", name), tmp_path / "inner" / "data", "")
    assert not (tmp_path / "inner").exists()
    assert not (tmp_path / "out.txt").exists()


def test_a_link_in_an_archive_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as archive:
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(RunError, match="leads out of its folder"):
        unpack(tmp_path / "link.zip", tmp_path / "data", "")
    with tarfile.open(tmp_path / "link.tar.gz", "w:gz") as tar:
        member = tarfile.TarInfo("link")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(member)
    with pytest.raises(RunError, match="cannot be unpacked"):
        unpack(tmp_path / "link.tar.gz", tmp_path / "data", "")


def test_an_archive_without_the_folder_or_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="holds no folder 'ml-1m' with files"):
        unpack(zipped(tmp_path / "other.zip", "a.txt"), tmp_path / "data", "ml-1m")
    (tmp_path / "page.zip").write_text("<html>")
    with pytest.raises(RunError, match="cannot be unpacked"):
        unpack(tmp_path / "page.zip", tmp_path / "data", "")
