"""What is cached is made once, and believed only where it is whole and carries its own identity."""

import json
import logging
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from prnn_cli.errors import RunError
from prnn_cli.system.cache import (
    Identity,
    cached_folder,
    check_seal,
    load_arrays,
    load_or_make,
    save_arrays,
    sealed_folder,
)
from prnn_cli.system.files import hash_of
from prnn_cli.system.tensor_files import DamagedFileError

ONE, TWO = Identity.of(1, "one"), Identity.of(1, "two")
LATER = Identity(2, ONE.hash)  # another format, which nothing but the number tells

Lookup = Callable[[Identity], int]


@pytest.fixture(params=["file", "folder"])
def look_up(request: pytest.FixtureRequest, tmp_path: Path) -> Lookup:
    """look_up(identity): what lies in the cache for it, 7 once it was made; each making leaves a letter in `made`."""

    def note() -> None:
        with (tmp_path / "made").open("a") as made:
            made.write("x")

    def in_file(identity: Identity) -> int:
        file = tmp_path / "cache" / identity.hash

        def make() -> int:
            note()
            save_arrays(file, identity, {"number": np.array([7])})
            return 7

        return load_or_make(file, lambda: int(load_arrays(file, identity)["number"][0]), make, what="it")

    def in_folder(identity: Identity) -> int:
        def fill(folder: Path) -> None:
            note()
            (folder / "number").write_text("7")

        return int((cached_folder(tmp_path / "cache", identity, fill) / "number").read_text())

    return in_file if request.param == "file" else in_folder


def times_made(tmp_path: Path) -> int:
    return len((tmp_path / "made").read_text())


def content(path: Path) -> Path:
    """The file to damage of a cached file or folder."""
    return path / "number" if path.is_dir() else path


def test_the_second_time_nothing_is_made(look_up: Lookup, tmp_path: Path) -> None:
    assert [look_up(ONE), look_up(ONE)] == [7, 7]
    assert times_made(tmp_path) == 1
    assert look_up(TWO) == 7
    assert times_made(tmp_path) == 2


def test_it_is_made_once_while_others_wait(tmp_path: Path) -> None:
    def fill(folder: Path) -> None:
        time.sleep(0.2)
        with (tmp_path / "made").open("a") as made:
            made.write("x")

    context = multiprocessing.get_context("fork")
    processes = [
        context.Process(target=cached_folder, args=(tmp_path / "cache", ONE, fill)) for _ in range(3)
    ]
    for each in processes:
        each.start()
    for each in processes:
        each.join()
    assert [each.exitcode for each in processes] == [0, 0, 0]
    assert times_made(tmp_path) == 1
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [ONE.hash]


def test_reuse_is_told_by_name(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    file = tmp_path / "it"
    load_or_make(file, str, lambda: file.write_text("made"), what="the plan")
    assert caplog.text == ""
    load_or_make(file, file.read_text, str, what="the plan")
    assert f"reusing the plan in {file}" in caplog.text
    caplog.clear()
    load_or_make(file, file.read_text, str)
    assert caplog.text == ""


@pytest.mark.parametrize("damage", ["flipped", "truncated", "empty"])
def test_what_is_damaged_is_set_aside_and_made_again(
    look_up: Lookup, damage: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    look_up(ONE)
    path = tmp_path / "cache" / ONE.hash
    whole = content(path).read_bytes()
    flipped = whole[:-1] + bytes([whole[-1] ^ 1])
    damaged = {"flipped": flipped, "truncated": whole[:-1], "empty": b""}[damage]
    content(path).write_bytes(damaged)
    assert look_up(ONE) == 7
    assert f"{path} is damaged (" in caplog.text
    assert f"set aside as {ONE.hash}.damaged, making it again" in caplog.text
    assert content(path.with_name(f"{ONE.hash}.damaged")).read_bytes() == damaged
    assert look_up(ONE) == 7
    assert times_made(tmp_path) == 2


def test_what_was_made_from_something_else_is_not_believed(
    look_up: Lookup, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Under the name of another, each whole in itself."""
    look_up(ONE)
    (tmp_path / "cache" / ONE.hash).rename(tmp_path / "cache" / TWO.hash)
    assert look_up(TWO) == 7
    assert f"{TWO.hash} is damaged (it was made from something else); set aside as" in caplog.text
    assert times_made(tmp_path) == 2


def test_another_format_is_told_from_damage_and_made_again(
    look_up: Lookup, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    look_up(ONE)
    assert look_up(LATER) == 7
    assert f"{ONE.hash} is of another format (1, not 2); set aside as" in caplog.text
    assert "damaged (" not in caplog.text
    assert times_made(tmp_path) == 2


def test_a_folder_sealed_without_an_identity_is_of_another_format(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / ONE.hash).mkdir()
    (tmp_path / ONE.hash / "number").write_text("7")
    checksum = hash_of(None, [tmp_path / ONE.hash / "number"])
    (tmp_path / ONE.hash / "checksums.json").write_text(json.dumps({"number": checksum}))
    cached_folder(tmp_path, ONE, lambda folder: None)
    assert "is of another format (none, not 1)" in caplog.text


@pytest.mark.parametrize("seal", ["", "[]", "7", "{}", '{"format": "1", "files"', None])
def test_a_damaged_seal_is_noticed(seal: str | None, tmp_path: Path) -> None:
    folder = cached_folder(tmp_path, ONE, lambda folder: None)
    check_seal(folder, ONE)
    (folder / "checksums.json").unlink()
    if seal is not None:
        (folder / "checksums.json").write_text(seal)
    with pytest.raises(DamagedFileError):
        check_seal(folder, ONE)


def test_a_damaged_seal_names_no_file_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    folder = cached_folder(tmp_path, ONE, lambda folder: None)
    files = {"../secret": hash_of(None, [tmp_path / "secret"])}
    (folder / "checksums.json").write_text(json.dumps({**ONE.marks(), "files": files}))
    with pytest.raises(DamagedFileError, match="No such file"):
        check_seal(folder, ONE)


def test_work_on_a_folder_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").write_text("half")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        cached_folder(tmp_path / "cache" / "made", ONE, fail)
    assert list(tmp_path.iterdir()) == []


def test_an_identity_is_that_of_format_value_and_content(tmp_path: Path) -> None:
    one, same, other = (tmp_path / name for name in ("one", "same", "other"))
    for file, text in ((one, "a"), (same, "a"), (other, "b")):
        file.write_text(text)
    identity = Identity.of(1, {"setting": 2}, [one])
    assert identity == Identity.of(1, {"setting": 2}, [same])
    others = [
        Identity.of(2, {"setting": 2}, [one]),
        Identity.of(1, {}, [one]),
        Identity.of(1, {"setting": 2}, [other]),
    ]
    assert len({identity.hash, *(each.hash for each in others)}) == 4


@pytest.fixture
def as_another_user() -> Iterator[Path]:
    """An open folder; what is chmod 0 in it cannot be read by this process, who may be root otherwise."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        is_root = os.geteuid() == 0
        if is_root:
            os.seteuid(65_534)
        try:
            yield folder
        finally:
            if is_root:
                os.seteuid(0)


@pytest.mark.parametrize("closed", ["whole", "inside"])
def test_what_only_another_user_may_read_is_no_damage(closed: str, as_another_user: Path) -> None:
    folder, identity = as_another_user / "data", Identity.of(1, "a")
    with sealed_folder(folder, identity) as empty:
        (empty / "file").write_text("whole")
    (folder if closed == "whole" else folder / "file").chmod(0)
    with pytest.raises(RunError, match=r"cannot be read: another user .* PRNN_CACHE_DIR"):
        load_or_make(folder, lambda: check_seal(folder, identity), lambda: pytest.fail("made again"))
    folder.chmod(0o700)
    (folder / "file").chmod(0o600)
    assert [path.name for path in as_another_user.iterdir()] == ["data"]
    check_seal(folder, identity)


def test_a_file_that_only_another_user_may_read_is_no_damage(as_another_user: Path) -> None:
    file, identity = as_another_user / "arrays", Identity.of(1, "a")
    save_arrays(file, identity, {"x": np.arange(3)})
    file.chmod(0)
    with pytest.raises(RunError, match=r"arrays cannot be read: another user"):
        load_or_make(file, lambda: load_arrays(file, identity), lambda: pytest.fail("made again"))
    assert file.exists()
