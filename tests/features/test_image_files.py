"""What of an extraction is kept, what is done again, and how damaged images are counted."""

import logging
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from PIL import Image
from torch import Tensor, nn

from features.conftest import encoder, noise
from prnn_cli.errors import UserError
from prnn_cli.features import image_files, images
from prnn_cli.features.extractors import googlenet
from prnn_cli.features.extractors.googlenet import GoogLeNetPooling, crop, normalise
from prnn_cli.features.image_files import extract_images
from prnn_cli.features.images import read_image
from prnn_cli.schema import ImagesConfig


class Thumbnail(nn.Module):
    """Instead of GoogLeNet, and faster: 16 × 16 pixels of each channel, and zeros."""

    def forward(self, images: Tensor) -> Tensor:
        return F.pad(F.adaptive_avg_pool2d(images, 16).flatten(1), (0, 256))


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ImagesConfig:
    monkeypatch.setattr(image_files, "PART_SIZE", 2)
    monkeypatch.setattr(googlenet, "load_googlenet", lambda *_: Thumbnail())
    (tmp_path / "weights.pth").write_text("1")
    return ImagesConfig(weights=str(tmp_path / "weights.pth"), batch_size=2, workers=0, max_bad_share=0.2)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are decoded from now on."""
    names: list[str] = []

    def read(file: Path) -> Image.Image:
        names.append(file.name)
        return read_image(file)

    monkeypatch.setattr(images, "read_image", read)
    return names


def changed(config: ImagesConfig, **options: object) -> ImagesConfig:
    return ImagesConfig(**(vars(config) | options))


def extracted(files: list[Path | None], config: ImagesConfig, store: Path) -> tuple[np.ndarray, np.ndarray]:
    return extract_images(files, encoder(GoogLeNetPooling, config), config, store)


def extract(files: list[Path | None], config: ImagesConfig, tmp_path: Path) -> tuple[np.ndarray, np.ndarray]:
    return extracted(files, config, tmp_path / "store")


def test_each_vector_is_the_networks_for_its_image_at_length_one(
    files: list[Path | None], config: ImagesConfig, tmp_path: Path
) -> None:
    vectors, found = extract(files, config, tmp_path)
    assert found.tolist() == [True] * 6
    assert vectors.dtype == np.float32
    images = torch.stack([normalise(crop(noise(40 + seed, 50, seed))) for seed in range(6)])
    np.testing.assert_allclose(vectors, F.normalize(Thumbnail()(images)).numpy(), atol=1e-6)
    np.testing.assert_allclose((vectors**2).sum(axis=1), 1, atol=1e-5)


def test_workers_change_no_bit(files: list[Path | None], config: ImagesConfig, tmp_path: Path) -> None:
    alone, _ = extracted(files, config, tmp_path / "alone")
    helped, _ = extracted(files, changed(config, workers=2), tmp_path / "helped")
    np.testing.assert_array_equal(alone, helped)


def test_without_an_image_the_vector_is_zero_and_the_item_counted(
    files: list[Path | None], config: ImagesConfig, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    files[0], files[2] = None, tmp_path / "gone.png"
    (tmp_path / "3.png").write_text("no picture")
    vectors, found = extract(files, changed(config, max_bad_share=0.25), tmp_path)
    assert found.tolist() == [False, True, False, False, True, True]
    assert not vectors[~found].any()
    assert "3 of 6 items have an image, 2 have no file" in caplog.text
    assert f"1 of 4 images cannot be read, the first is {tmp_path / '3.png'} (not one of JPEG" in caplog.text


def test_where_no_item_has_a_file_no_weights_are_needed(config: ImagesConfig, tmp_path: Path) -> None:
    vectors, found = extract([None, None], changed(config, weights="nowhere.pth"), tmp_path)
    assert not found.any()
    assert vectors.shape == (2, 1024)
    assert not vectors.any()


def truncated(format: str) -> Callable[[Path], None]:
    def write(file: Path) -> None:
        noise(64, 64).save(file, format)
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])

    return write


def bomb(file: Path) -> None:
    Image.new("1", (20_000, 10_000)).save(file, "PNG")


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda file: file.write_bytes(b""), "not one of"),
        (lambda file: file.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(50)), ""),
        (truncated("JPEG"), "truncated"),
        (truncated("PNG"), "truncated"),
        (truncated("WEBP"), ""),
        (truncated("TIFF"), ""),
        (bomb, "exceeds limit"),
        (lambda file: (file.unlink(), file.mkdir()), "Is a directory"),
    ],
    ids=["empty", "header alone", "JPEG", "PNG", "WEBP", "TIFF", "bomb", "folder"],
)
def test_more_damaged_images_than_allowed_stop_with_the_first_and_its_reason(
    damage: Callable[[Path], object],
    reason: str,
    files: list[Path | None],
    config: ImagesConfig,
    tmp_path: Path,
) -> None:
    damage(tmp_path / "1.png")
    with pytest.raises(UserError, match=rf"1 of 3 images .*max_bad_share=0\.3 .*1\.png \(.*{reason}.*\)"):
        extract(files[:3], changed(config, max_bad_share=0.3), tmp_path)
    assert extract(files[:3], changed(config, max_bad_share=0.34), tmp_path)[1].tolist() == [
        True,
        False,
        True,
    ]


def test_missing_files_are_not_damaged_ones(
    files: list[Path | None], config: ImagesConfig, tmp_path: Path
) -> None:
    """One damaged file of five is a share of 0.2, one of one is all."""
    (tmp_path / "5.png").write_text("no picture")
    extract([None, *files[1:]], config, tmp_path)
    with pytest.raises(UserError, match="1 of 1 images"):
        extract([None] * 5 + files[5:], config, tmp_path)


def test_an_interrupted_extraction_goes_on_and_ends_with_the_same_bits(
    files: list[Path | None],
    config: ImagesConfig,
    tmp_path: Path,
    reads: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole, _ = extracted(files, config, tmp_path / "whole")

    def stop(file: Path) -> Image.Image:
        if file.name == "3.png":
            raise KeyboardInterrupt
        return read_image(file)

    with monkeypatch.context() as patch:
        patch.setattr(images, "read_image", stop)
        with pytest.raises(KeyboardInterrupt):
            extract(files, config, tmp_path)
    reads.clear()
    vectors, found = extract(files, config, tmp_path)
    assert reads == ["2.png", "3.png", "4.png", "5.png"]
    assert found.all()
    np.testing.assert_array_equal(vectors, whole)


def test_a_finished_extraction_decodes_nothing(
    files: list[Path | None], config: ImagesConfig, tmp_path: Path, reads: list[str]
) -> None:
    first, _ = extract(files, config, tmp_path)
    reads.clear()
    again, found = extract(files, config, tmp_path)
    assert reads == []
    assert found.all()
    np.testing.assert_array_equal(first, again)


def test_a_changed_file_or_another_order_makes_its_part_anew(
    files: list[Path | None], config: ImagesConfig, tmp_path: Path, reads: list[str]
) -> None:
    extract(files, config, tmp_path)
    reads.clear()
    noise(90, 90).save(tmp_path / "3.png")
    os.utime(tmp_path / "5.png", (0, 0))  # of the same size, but another time
    extract(files, config, tmp_path)
    assert reads == ["2.png", "3.png", "4.png", "5.png"]
    reads.clear()
    extract([files[1], files[0], *files[2:]], config, tmp_path)
    assert reads == ["1.png", "0.png"]


def test_other_weights_make_all_anew(
    files: list[Path | None], config: ImagesConfig, tmp_path: Path, reads: list[str]
) -> None:
    extract(files, config, tmp_path)
    reads.clear()
    (tmp_path / "weights.pth").write_text("2")
    extract(files, config, tmp_path)
    assert len(reads) == 6


def test_what_could_not_be_read_is_tried_again(
    files: list[Path | None],
    config: ImagesConfig,
    tmp_path: Path,
    reads: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A disk that failed for a moment leaves no trace in the file, and none in the vectors."""

    def fail(file: Path) -> Image.Image:
        if file.name == "4.png":
            raise OSError(5, "Input/output error")
        return read_image(file)

    with monkeypatch.context() as patch:
        patch.setattr(images, "read_image", fail)
        assert extract(files, config, tmp_path)[1].tolist() == [True] * 4 + [False, True]
    assert extract(files, config, tmp_path)[1].all()
    assert reads == ["4.png"]


@pytest.mark.parametrize("content", [b"", b"no tensors", None])
def test_a_damaged_part_is_named_and_made_anew(
    content: bytes | None,
    files: list[Path | None],
    config: ImagesConfig,
    tmp_path: Path,
    reads: list[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    whole, _ = extract(files, config, tmp_path)
    part = sorted((tmp_path / "store").iterdir())[0]
    part.write_bytes(part.read_bytes()[:-9] if content is None else content)
    reads.clear()
    vectors, _ = extract(files, config, tmp_path)
    assert len(reads) == 2
    assert f"{part} is damaged" in caplog.text
    np.testing.assert_array_equal(vectors, whole)
