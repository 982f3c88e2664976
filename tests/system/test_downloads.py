"""Downloads that break off, go on, or are not what they should be; archives, harmless ones and others."""

import hashlib
import io
import random
import resource
import ssl
import tarfile
import zipfile
from collections.abc import Iterator
from http.client import HTTPResponse
from pathlib import Path

import pytest

from file_server import Server, serving
from prnn_cli.errors import RunError
from prnn_cli.system.downloads import download, unpack

CONTENT = bytes(range(256)) * 40
MD5 = f"md5:{hashlib.md5(CONTENT).hexdigest()}"
SHA256 = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(CONTENT) as found:
        yield found


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


def test_a_checksum_of_another_kind_is_told_before_anything_is_fetched(
    server: Server, tmp_path: Path
) -> None:
    with pytest.raises(RunError, match=r"the checksum crc:12 of .* is neither md5:… nor sha256:…"):
        download(server.url, tmp_path / "log.zip", None, "crc:12")
    assert server.asked == []


def test_a_folder_that_cannot_be_made_is_a_sentence(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match=r"cannot be put into .*file: .*choose another folder"):
        download(server.url, tmp_path / "file" / "log.zip", None, None)


def test_an_address_that_does_not_answer_is_a_sentence(server: Server, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"cannot be had: the server answers 404"):
        download(server.url.replace("log.zip", "other.zip"), tmp_path / "log.zip", None, None)
    with pytest.raises(RunError, match=r"did not arrive: .*the same command goes on"):
        download("http://127.0.0.1:1/log.zip", tmp_path / "log.zip", None, None)


def test_what_is_no_address_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"'log.zip' is no address: unknown url type"):
        download("log.zip", tmp_path / "log.zip", None, None)


def test_an_error_of_the_connection_is_not_taken_for_one_of_the_disk(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are OSErrors: TLS that breaks, and a disk that is full."""

    def breaking(response: HTTPResponse, size: int) -> bytes:
        raise ssl.SSLError(1, "unexpected eof")

    with monkeypatch.context() as patch:
        patch.setattr(HTTPResponse, "read", breaking)
        with pytest.raises(RunError, match=r"did not arrive: unexpected eof; the same command goes on"):
            download(server.url, tmp_path / "log.zip", None, None)
    assert download(server.url, tmp_path / "log.zip", None, None) == SHA256


def test_a_disk_that_is_full_is_a_sentence_and_the_part_is_gone_on_with(
    server: Server, tmp_path: Path
) -> None:
    """A limit of the size of a file stands for it."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.raises(RunError, match=r"cannot be put into .*: File too large; make room or choose"):
            download(server.url, tmp_path / "log.zip", len(CONTENT), MD5)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert download(server.url, tmp_path / "log.zip", len(CONTENT), MD5) == MD5
    assert server.asked == [None, "bytes=4096-"]


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


def test_no_other_file_is_replaced(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "ml.zip", "README", "ratings.dat")
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "README").write_text("mine")
    with pytest.raises(
        RunError, match="README is there already, and is another than what was fetched; move it"
    ):
        unpack(archive, folder, "")
    assert [path.name for path in folder.iterdir()] == ["README"]
    assert (folder / "README").read_text() == "mine"
    (folder / "README").write_text("README")  # what the archive holds, as an earlier call put it there
    assert unpack(archive, folder, "") == [folder / "README", folder / "ratings.dat"]


def test_an_archive_that_was_damaged_leaves_nothing_and_may_be_fetched_anew(tmp_path: Path) -> None:
    noise = random.Random(1).randbytes(
        200_000
    )  # which archives hold as it is, so that its checksum alone tells
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", "a line of text\n" * 1000)
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        member = tarfile.TarInfo("a.txt")
        member.size = len(noise)
        tar.addfile(member, io.BytesIO(noise))
    for path, place in ((tmp_path / "a.zip", 50), (tmp_path / "a.tar.gz", 100_000)):
        content = bytearray(path.read_bytes())
        content[place] ^= 0xFF
        path.write_bytes(content)
        with pytest.raises(RunError, match=f"{path.name} cannot be unpacked: .* fetches it anew"):
            unpack(path, tmp_path / "data", "")
    assert list(tmp_path.iterdir()) == []
