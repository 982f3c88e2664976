"""prnn fetch NAME: says what it does, asks, and leaves the files where dataset=NAME looks for them."""

import io
import random
import signal
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from commands.conftest import Result, wait_for
from file_server import Server, serving
from prnn_cli.commands import fetch
from prnn_cli.data.public_logs import public_logs
from prnn_cli.errors import RunError
from prnn_cli.schema import DownloadConfig
from prnn_cli.system.locks import try_lock

Prnn = Callable[..., Result]
FILES = ("ratings.dat", "movies.dat", "README")


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that were asked for; an archive of MovieLens is what comes."""
    asked: list[str] = []

    def download(url: str, file: Path, size: int | None, checksum: str | None) -> str:
        asked.append(url)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"archive")
        return checksum or "sha256:00"

    def unpack(archive: Path, folder: Path, inner: str) -> list[Path]:
        assert (archive.read_bytes(), inner) == (b"archive", "ml-1m")
        for name in FILES:
            (folder / name).write_text("x")
        return []

    monkeypatch.setattr(fetch, "download", download)
    monkeypatch.setattr(fetch, "unpack", unpack)
    return asked


def test_what_is_agreed_to_lies_where_the_dataset_is_looked_for(prnn: Prnn, fetched: list[str]) -> None:
    result = prnn("fetch", "movielens", "yes=true")
    assert result.exit_code == 0, result.err
    assert sorted(path.name for path in Path("data/movielens").iterdir()) == sorted(FILES)
    told = " ".join(result.out.split())
    for sentence in (
        "licence: research alone",
        "https://files.grouplens.org/datasets/movielens/ml-1m.zip, 5.9 MB",
        "into data/movielens",
        "ml-1m.zip has the checksum md5:c4d9eecfca2ab87c1945afe126590906 (as its publisher gives it)",
        "begin with prnn preprocess dataset=movielens",
    ):
        assert sentence in told
    again = prnn("fetch", "movielens", "yes=true")
    assert "are in data/movielens already" in again.out
    assert len(fetched) == 1


def test_another_folder_is_named_in_the_command_to_begin_with(prnn: Prnn, fetched: list[str]) -> None:
    result = prnn("fetch", "movielens", "to=here", "yes=true")
    assert "prnn preprocess dataset=movielens dataset.path=here" in " ".join(result.out.split())


def test_nothing_is_fetched_without_consent(prnn: Prnn, fetched: list[str]) -> None:
    result = prnn("fetch", "movielens")
    assert result.exit_code == 2
    assert "nothing was fetched; yes=true agrees" in result.err
    assert fetched == []
    assert not Path("data").exists()


def test_a_log_without_a_known_address_names_its_page_and_folder(prnn: Prnn) -> None:
    result = prnn("fetch", "coveo", "yes=true")
    assert result.exit_code == 2
    told = " ".join(result.err.split())
    assert (
        "no address is known that gives its files to everybody; get them from https://github.com/coveooss"
        in told
    )
    assert "them into data/coveo" in told
    assert "movielens" in told


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nothing"], "no public log is called 'nothing'; lastfm_1k, movielens can be fetched"),
        ([""], "no public log is called ''"),
        (["MovieLens"], "no public log is called 'MovieLens'; did you mean movielens?"),
        ([], "write prnn fetch NAME"),
        (["movielens", "from=x"], "write prnn fetch NAME"),
        (["movielens", "to="], "to= names no folder; write to=DIR, or to=. for the current one"),
        (["movielens", "to=~nobody-of-this-name/logs"], "to=~nobody-of-this-name/logs names no folder"),
        (["movielens", "to=a", "to=b"], "write prnn fetch NAME"),
        (["dataset=movielens"], "write prnn fetch NAME"),
        (["movielens", "yes=perhaps"], "write prnn fetch NAME"),
        (["movielens", "otto"], "write prnn fetch NAME"),
    ],
)
def test_a_mistake_is_a_sentence(prnn: Prnn, arguments: list[str], sentence: str) -> None:
    result = prnn("fetch", *arguments)
    assert result.exit_code == 2
    assert sentence in " ".join(result.err.split())


@pytest.mark.parametrize("left", ["without movies.dat", ".fetch"])
def test_a_folder_that_is_not_whole_is_no_finished_one(prnn: Prnn, fetched: list[str], left: str) -> None:
    folder = Path("data/movielens")
    folder.mkdir(parents=True)
    (folder / "ratings.dat").touch()
    if left == ".fetch":  # where an earlier call was stopped while it unpacked
        (folder / "movies.dat").touch()
        (folder / ".fetch").mkdir()
    assert "already" not in prnn("fetch", "movielens", "yes=true").out
    assert "already" in prnn("fetch", "movielens", "yes=true").out
    assert len(fetched) == 1


def test_of_several_files_those_that_arrived_are_not_fetched_again(
    prnn: Prnn, fetched: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = public_logs()["movielens"]
    more = DownloadConfig(url="https://example.org/posters.dat?version=2")
    log.source.fetch.append(more)
    monkeypatch.setattr(fetch, "public_logs", lambda: {"movielens": log})
    arriving = fetch.download

    def breaking(url: str, *rest: Any) -> str:
        if url == more.url:
            raise RunError(f"{url} did not arrive")
        return arriving(url, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(fetch, "download", breaking)
        assert prnn("fetch", "movielens", "yes=true").exit_code == 1
    assert [path.name for path in Path("data/movielens").iterdir()] == [".fetch"]
    assert prnn("fetch", "movielens", "yes=true").exit_code == 0
    assert sorted(path.name for path in Path("data/movielens").iterdir()) == sorted([*FILES, "posters.dat"])
    assert fetched == [log.source.fetch[0].url, more.url]


def test_what_does_not_arrive_is_gone_on_with(
    prnn: Prnn, fetched: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(url: str, file: Path, size: int | None, checksum: str | None) -> str:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.with_name(f"{file.name}.part").write_bytes(b"arch")
        raise RunError(f"{url} did not arrive")

    with monkeypatch.context() as patch:
        patch.setattr(fetch, "download", broken)
        assert prnn("fetch", "movielens", "yes=true").exit_code == 1
    assert Path("data/movielens/.fetch/ml-1m.zip.part").exists()
    assert prnn("fetch", "movielens", "yes=true").exit_code == 0
    assert not Path("data/movielens/.fetch").exists()


def test_what_fails_at_once_leaves_nothing(
    prnn: Prnn, fetched: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(url: str, file: Path, size: int | None, checksum: str | None) -> str:
        file.parent.mkdir(parents=True, exist_ok=True)
        raise RunError(f"{url} cannot be had")

    monkeypatch.setattr(fetch, "download", refused)
    assert prnn("fetch", "movielens", "yes=true").exit_code == 1
    assert not Path("data").exists()
    Path("here").mkdir()
    assert prnn("fetch", "movielens", "to=here", "yes=true").exit_code == 1
    assert list(Path("here").iterdir()) == []


@pytest.mark.parametrize("to", ["file", "file/logs"])
def test_a_file_is_no_folder_to_fetch_into(prnn: Prnn, fetched: list[str], to: str) -> None:
    Path("file").touch()
    result = prnn("fetch", "movielens", f"to={to}", "yes=true")
    assert result.exit_code == 2
    assert "file is a file; write to=DIR with the folder" in " ".join(result.err.split())
    assert fetched == []


def test_a_folder_of_spaces_is_quoted_in_the_command_to_begin_with(prnn: Prnn, fetched: list[str]) -> None:
    result = prnn("fetch", "movielens", "to=my logs", "yes=true")
    assert "dataset=movielens 'dataset.path=my logs'" in " ".join(result.out.split())


@pytest.mark.parametrize("name", public_logs())
def test_every_log_is_looked_for_under_its_name(name: str) -> None:
    assert public_logs()[name].folder.name == name


# With a web server of this machine.

TINY = """
defaults: [generic]
name: tiny
path: ${{oc.env:PRNN_DATA_DIR,data}}/tiny
source:
  title: A tiny log
  page: https://example.org
  licence: none
  size: 10 kB
  events: null
  sessions: null
  items: null
  files: {{clicks.csv: the clicks}}
  optional: {{}}
  features: none
  verified: nothing
  fetch: [{{url: "{url}", unpack: log}}]
"""
NOISE = random.Random(1).randbytes(9000)  # which no archive makes smaller


def archive() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("log/clicks.csv", "session_id,item_id,time\n1,a,1\n")
        file.writestr("log/noise.bin", NOISE)
    return content.getvalue()


@pytest.fixture
def server(workplace: Path, forget_extensions: None) -> Iterator[Server]:
    """mine.py adds a log called tiny, whose archive this server has."""
    with serving(archive()) as found:
        Path("mine.py").write_text("METRICS = {}\n")
        Path("configs/dataset").mkdir(parents=True)
        Path("configs/dataset/tiny.yaml").write_text(TINY.format(url=found.url))
        yield found


FETCH = ("fetch", "tiny", "yes=true", "--extend", "mine.py")


def test_what_broke_off_goes_on_with_the_same_command(prnn: Prnn, server: Server) -> None:
    server.breaks_after = 5000
    result = prnn(*FETCH)
    assert (result.exit_code, "the same command goes on" in result.err) == (1, True)
    assert sorted(path.name for path in Path("data/tiny/.fetch").iterdir()) == [
        "log.zip.part",
        "log.zip.part.json",
    ]
    assert prnn(*FETCH).exit_code == 0
    assert server.asked == [None, "bytes=5000-"]
    assert sorted(path.name for path in Path("data/tiny").iterdir()) == ["clicks.csv", "noise.bin"]


def test_ctrl_c_says_how_to_go_on_and_the_same_command_does(
    prnn: Prnn, start_prnn: Callable[..., subprocess.Popen[str]], server: Server
) -> None:
    server.breaks_after, server.waits = 5000, True
    process = start_prnn(*FETCH)
    wait_for(lambda: bool(server.asked), process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "prnn: stopped; the same command goes on where it broke off\n")
    assert prnn(*FETCH).exit_code == 0
    assert Path("data/tiny/noise.bin").read_bytes() == NOISE


def test_without_a_network_nothing_is_left(prnn: Prnn, server: Server) -> None:
    file = Path("configs/dataset/tiny.yaml")
    file.write_text(file.read_text().replace(server.url, "http://127.0.0.1:1/log.zip"))
    result = prnn(*FETCH)
    assert (result.exit_code, "did not arrive: Connection refused" in result.err) == (1, True)
    assert not Path("data").exists()


def test_a_file_of_yours_is_not_replaced(prnn: Prnn, server: Server) -> None:
    Path("noise.bin").write_text("mine")
    result = prnn(*FETCH, "to=.")
    assert (result.exit_code, "noise.bin is there already" in result.err) == (1, True)
    assert Path("noise.bin").read_text() == "mine"
    Path("noise.bin").unlink()
    assert prnn(*FETCH, "to=.").exit_code == 0
    assert server.asked == [None]  # the archive was kept


def test_two_calls_at_once_do_not_write_one_file(prnn: Prnn, server: Server) -> None:
    with try_lock(Path("data/tiny/.fetch/lock")) as is_ours:
        assert is_ours
        result = prnn(*FETCH)
    assert (result.exit_code, "another prnn fetch works in data/tiny" in result.err) == (1, True)
    assert server.asked == []
    assert prnn(*FETCH).exit_code == 0


@pytest.mark.parametrize("to", ["/proc/logs", f"to{'o' * 300}"], ids=["unwritable", "too long"])
def test_a_folder_that_cannot_be_made_is_a_sentence(prnn: Prnn, server: Server, to: str) -> None:
    result = prnn(*FETCH, f"to={to}")
    assert result.exit_code == 1
    assert result.err.count("\n") == 1
    assert to in result.err
    assert server.asked == []
