"""Files that lie at two places."""

from pathlib import Path

import pytest

from prnn_cli.system import files
from prnn_cli.system.files import link_or_copy


def test_a_file_of_the_same_permissions_is_linked(tmp_path: Path) -> None:
    (tmp_path / "cached").write_text("items")
    link_or_copy(tmp_path / "cached", tmp_path / "kept")
    assert (tmp_path / "kept").samefile(tmp_path / "cached")


@pytest.mark.parametrize("umask", [0o077, 0o002])
def test_under_another_umask_a_file_is_copied_and_keeps_its_permissions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, umask: int
) -> None:
    """A private run must not make a shared cache private, nor the other way round."""
    cached = tmp_path / "cached"
    cached.write_text("items")
    cached.chmod(0o644)
    monkeypatch.setattr(files, "_UMASK", umask)
    link_or_copy(cached, tmp_path / "kept")
    assert (tmp_path / "kept").read_text() == "items"
    assert (tmp_path / "kept").stat().st_mode & 0o777 == 0o666 & ~umask
    assert cached.stat().st_mode & 0o777 == 0o644
