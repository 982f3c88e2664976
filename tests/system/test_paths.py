"""Paths as they are stored: the same file has one of them, wherever it is named from."""

from pathlib import Path

import pytest

from prnn_cli.system.paths import absolute_path


def test_paths_have_no_dots_and_begin_at_the_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("HOME", str(tmp_path))
    wanted = tmp_path / "shop" / "events-*.csv"
    for written in ("../shop/events-*.csv", "../work/.././shop/events-*.csv", wanted, "~/shop/events-*.csv"):
        assert absolute_path(written) == wanted


def test_a_dot_dot_leads_to_the_folder_that_a_link_points_to(tmp_path: Path) -> None:
    (tmp_path / "far" / "away").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "far" / "away")
    assert absolute_path(tmp_path / "link" / ".." / "log.csv") == tmp_path / "far" / "log.csv"
    assert absolute_path(tmp_path / "link" / "log.csv") == tmp_path / "link" / "log.csv"


def test_what_a_glob_stands_for_is_not_guessed(tmp_path: Path) -> None:
    assert absolute_path(f"{tmp_path}/*/../log.csv") == tmp_path / "*" / ".." / "log.csv"
