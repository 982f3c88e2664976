"""prnn fetch NAME: says what it does, asks, and leaves the files where dataset=NAME looks for them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from commands.conftest import Result
from prnn_cli.commands import fetch
from prnn_cli.data.public_logs import public_logs
from prnn_cli.errors import RunError
from prnn_cli.schema import DownloadConfig

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


def test_a_log_that_takes_an_account_names_its_page_and_folder(prnn: Prnn) -> None:
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
        (["nothing"], "no public log is called nothing"),
        ([], "write prnn fetch NAME"),
        (["movielens", "from=x"], "write prnn fetch NAME"),
        (["movielens", "to="], "write prnn fetch NAME"),
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
    assert not Path("data/movielens").exists()
    Path("here").mkdir()
    assert prnn("fetch", "movielens", "to=here", "yes=true").exit_code == 1
    assert list(Path("here").iterdir()) == []


def test_a_file_is_no_folder_to_fetch_into(prnn: Prnn, fetched: list[str]) -> None:
    Path("file").touch()
    result = prnn("fetch", "movielens", "to=file", "yes=true")
    assert result.exit_code == 2
    assert "to=file is a file; name the folder" in " ".join(result.err.split())
    assert fetched == []


@pytest.mark.parametrize("name", public_logs())
def test_every_log_is_looked_for_under_its_name(name: str) -> None:
    assert public_logs()[name].folder.name == name
