from pathlib import Path

import pytest
from omegaconf import OmegaConf

from prnn_cli.run_start import with_absolute_paths


@pytest.mark.parametrize("key", ["dataset.items.vectors", "features.images.weights", "dataset.path"])
def test_a_run_remembers_its_files_wherever_it_is_taken_up(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = OmegaConf.from_dotlist([f"{key}=there/file"])
    assert OmegaConf.select(with_absolute_paths(config), key) == str(tmp_path / "there/file")
