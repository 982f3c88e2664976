"""Nothing that prnn reads can run code, leave its folder, or fill the memory."""

import os
import pickle
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from commands.conftest import SMALL, Result
from prnn_cli.app.safety import refuse_foreign_code
from prnn_cli.errors import UserError
from prnn_cli.features.images import read_image
from prnn_cli.features.items import _inside
from prnn_cli.features.vector_files import read_ids, read_matrix

Prnn = Callable[..., Result]
pytest_plugins = ["commands.conftest"]


class Trap:
    """Unpickling it leaves a file."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("trapped",)


@pytest.mark.parametrize("key", ["_target_", "class", "()"])
def test_a_folder_of_configs_cannot_name_code(key: str, prnn: Prnn) -> None:
    Path("own/dataset").mkdir(parents=True)
    Path("own/dataset/shop.yaml").write_text(
        f"# @package _global_\nhydra:\n  callbacks:\n    trap: {{'{key}': os.mkdir, path: trapped}}\n"
    )
    result = prnn("train", "-cd", "own", "dataset=shop", *SMALL)
    assert result.exit_code == 2
    assert "shop.yaml names os.mkdir to be called" in result.err
    assert not Path("trapped").exists()


@pytest.mark.parametrize(
    "override",
    [
        "+hydra.callbacks.trap._target_=os.mkdir",
        "+hydra.callbacks={trap: {_target_: os.mkdir, path: trapped}}",
        "hydra.job_logging.handlers.file.class=os.system",
        "+recipe._target_=builtins.eval",
    ],
)
def test_an_override_cannot_name_code(override: str, prnn: Prnn) -> None:
    result = prnn("train", *SMALL, override)
    assert result.exit_code == 2
    assert "Traceback" not in result.err
    assert not Path("trapped").exists()


def test_the_projects_own_code_and_torchs_optimisers_may_be_named() -> None:
    refuse_foreign_code(None, None, ["+x._target_=torch.optim.Adagrad", "+y._target_=prnn_cli.logging.Own"])


def test_pickles_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("m.npy", np.array([Trap()], dtype=object), allow_pickle=True)
    for name in ("m.safetensors", "m.parquet"):
        Path(name).write_bytes(pickle.dumps(Trap()))
    torch.save(Trap(), "w.pth")
    for name in ("m.npy", "m.safetensors", "m.parquet"):
        with pytest.raises(UserError, match="cannot be used"):
            read_matrix(Path(name))
    with pytest.raises(UserError, match="cannot be used"):
        read_ids(Path("m.npy"))
    assert not Path("trapped").exists()


@pytest.mark.parametrize("name", ["../secret.png", "/etc/passwd", "a/../../secret.png"])
def test_the_images_of_a_table_lie_in_its_folder(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="lies outside"):
        _inside(tmp_path, name, "a")


def test_an_image_bomb_is_not_unpacked(tmp_path: Path) -> None:
    """A gigapixel in a kilobyte: its header is enough to refuse it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    header = (40_000).to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0])
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(10**6)))
    (tmp_path / "bomb.png").write_bytes(bomb)
    with pytest.raises((Image.DecompressionBombError, Image.DecompressionBombWarning)):
        read_image(tmp_path / "bomb.png")
