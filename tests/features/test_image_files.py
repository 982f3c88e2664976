import logging
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor, nn

from prnn_cli.errors import UserError
from prnn_cli.features import image_files
from prnn_cli.features.googlenet import MEAN, STD, GoogLeNet
from prnn_cli.features.image_files import crop, extract_images, preprocess, read_image
from prnn_cli.schema import ImagesConfig

RED = (255, 0, 0)


def noise(width: int, height: int, seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def test_white_is_one_minus_the_mean_in_deviations() -> None:
    image = preprocess(Image.new("RGB", (300, 400), "white"))
    expected = [(1 - mean) / std for mean, std in zip(MEAN, STD, strict=True)]
    assert image.shape == (3, 224, 224)
    assert image.dtype == torch.float32
    torch.testing.assert_close(image, torch.tensor(expected).view(3, 1, 1).expand(3, 224, 224))


@pytest.mark.parametrize(("width", "height", "left", "top"), [(256, 512, 16, 144), (401, 256, 88, 16)])
def test_the_crop_is_the_centre_where_the_shorter_side_has_256_pixels(
    width: int, height: int, left: int, top: int
) -> None:
    image = noise(width, height)
    expected = np.asarray(image)[top : top + 224, left : left + 224]
    np.testing.assert_array_equal(crop(image).permute(1, 2, 0).numpy(), expected)


@pytest.mark.parametrize("size", [(300, 400), (640, 333), (1, 7), (37, 1000), (1500, 2000)])
def test_the_crop_is_that_of_the_resized_image_within_a_grey_level(size: tuple[int, int]) -> None:
    image = noise(*size)
    width, height = (256 * side // min(size) for side in size)
    left, top = round((width - 224) / 2), round((height - 224) / 2)
    resized = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR), dtype=int)
    expected = resized[top : top + 224, left : left + 224]
    assert abs(crop(image).permute(1, 2, 0).numpy() - expected).max() <= 1


def test_fine_patterns_are_averaged_when_an_image_shrinks() -> None:
    pattern = 255 * (np.indices((2048, 2048)).sum(0) % 2).astype(np.uint8)
    assert set(crop(Image.fromarray(pattern).convert("RGB")).unique().tolist()) <= {127, 128}


def test_a_ribbon_is_cropped_without_being_resized_as_a_whole() -> None:
    assert crop(Image.new("RGB", (1, 60_000), RED))[:, 0, 0].tolist() == list(RED)


def test_preprocessing_equals_torchvisions() -> None:
    try:
        from torchvision.models import GoogLeNet_Weights
    except (ImportError, RuntimeError, OSError) as error:
        pytest.skip(f"torchvision cannot be imported: {error}")
    theirs = GoogLeNet_Weights.IMAGENET1K_V1.transforms()
    levels = 255 * torch.tensor(STD).view(3, 1, 1)
    for size in [(300, 400), (640, 333), (224, 224), (256, 300), (1500, 2000)]:
        assert ((preprocess(noise(*size)) - theirs(noise(*size))) * levels).abs().max() < 1.01


@pytest.mark.parametrize(
    ("mode", "colour", "name", "expected"),
    [
        ("RGB", RED, "red.png", RED),
        ("1", 1, "white.png", (255, 255, 255)),
        ("L", 100, "grey.png", (100, 100, 100)),
        ("I;16", 100 * 256 + 7, "deep_grey.png", (100, 100, 100)),
        ("P", 0, "palette.gif", (0, 0, 0)),
        ("CMYK", (0, 255, 255, 0), "print.tiff", RED),
        ("RGBA", (*RED, 255), "opaque.webp", RED),
        ("RGBA", (0, 0, 0, 0), "transparent.png", (255, 255, 255)),
        ("RGBA", (0, 0, 0, 127), "half.png", (128, 128, 128)),
        ("LA", (0, 0), "transparent_grey.png", (255, 255, 255)),
    ],
)
def test_every_kind_of_colour_is_read_as_rgb_on_white(
    mode: str, colour: int | tuple[int, ...], name: str, expected: tuple[int, ...], tmp_path: Path
) -> None:
    lossless = {"lossless": True} if name.endswith("webp") else {}
    Image.new(mode, (8, 8), colour).save(tmp_path / name, **lossless)
    image = read_image(tmp_path / name)
    assert image.mode == "RGB"
    assert image.getpixel((4, 4)) == expected


def test_a_colour_that_a_palette_declares_transparent_is_white(tmp_path: Path) -> None:
    image = Image.new("P", (8, 8), 0)
    image.putpalette([0, 0, 0, *RED])
    image.putpixel((0, 0), 1)
    image.save(tmp_path / "image.png", transparency=0)
    assert read_image(tmp_path / "image.png").getpixel((0, 0)) == RED
    assert read_image(tmp_path / "image.png").getpixel((4, 4)) == (255, 255, 255)


def test_of_an_animation_the_first_picture_is_read(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    assert read_image(tmp_path / "moving.gif").getpixel((0, 0)) == RED


def test_an_image_of_too_many_pixels_is_refused_before_it_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("RGB", (11, 10)).save(tmp_path / "bomb.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(Image.DecompressionBombWarning):
        read_image(tmp_path / "bomb.png")


def test_postscript_is_no_image_here(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "program.eps")
    with pytest.raises(Image.UnidentifiedImageError):
        read_image(tmp_path / "program.eps")


class Thumbnail(nn.Module):
    """Instead of GoogLeNet, and faster: 16 × 16 pixels of each channel, and zeros."""

    def forward(self, images: Tensor) -> Tensor:
        return F.pad(F.adaptive_avg_pool2d(images, 16).flatten(1), (0, 256))


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ImagesConfig:
    monkeypatch.setattr(image_files, "PART_SIZE", 2)
    monkeypatch.setattr(image_files, "load_googlenet", lambda *_: Thumbnail())
    (tmp_path / "weights.pth").write_text("1")
    return ImagesConfig(weights=str(tmp_path / "weights.pth"), batch_size=2, workers=0, max_bad_share=0.2)


@pytest.fixture
def files(tmp_path: Path) -> list[Path | None]:
    files: list[Path | None] = []
    for seed in range(6):
        files.append(tmp_path / f"{seed}.png")
        noise(40 + seed, 50, seed).save(tmp_path / f"{seed}.png")
    return files


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are decoded from now on."""
    names: list[str] = []

    def read(file: Path) -> Image.Image:
        names.append(file.name)
        return read_image(file)

    monkeypatch.setattr(image_files, "read_image", read)
    return names


def changed(config: ImagesConfig, **options: object) -> ImagesConfig:
    return ImagesConfig(**(vars(config) | options))


def extract(files: list[Path | None], config: ImagesConfig, tmp_path: Path) -> tuple[np.ndarray, np.ndarray]:
    return extract_images(files, config, "cpu", tmp_path / "store")


def test_each_vector_is_the_networks_for_its_image_at_length_one(
    files: list[Path | None], config: ImagesConfig, tmp_path: Path
) -> None:
    vectors, found = extract(files, config, tmp_path)
    assert found.tolist() == [True] * 6
    assert vectors.dtype == np.float32
    images = torch.stack([preprocess(noise(40 + seed, 50, seed)) for seed in range(6)])
    np.testing.assert_allclose(vectors, F.normalize(Thumbnail()(images)).numpy(), atol=1e-6)
    np.testing.assert_allclose((vectors**2).sum(axis=1), 1, atol=1e-5)


def test_the_network_is_googlenet_with_the_weights_of_the_file(
    files: list[Path | None], tmp_path: Path
) -> None:
    torch.manual_seed(0)
    network = GoogLeNet().eval()
    save_file(network.state_dict(), tmp_path / "weights.safetensors")
    config = ImagesConfig(str(tmp_path / "weights.safetensors"), batch_size=2, workers=0, max_bad_share=0)
    vectors, _ = extract(files[:3], config, tmp_path)
    with torch.no_grad():
        expected = network(torch.stack([preprocess(noise(40 + seed, 50, seed)) for seed in range(3)]))
    np.testing.assert_allclose(vectors, F.normalize(expected).numpy(), atol=1e-5)


def test_workers_change_no_bit(files: list[Path | None], config: ImagesConfig, tmp_path: Path) -> None:
    alone, _ = extract_images(files, config, "cpu", tmp_path / "alone")
    helped, _ = extract_images(files, changed(config, workers=2), "cpu", tmp_path / "helped")
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
    whole, _ = extract_images(files, config, "cpu", tmp_path / "whole")

    def stop(file: Path) -> Image.Image:
        if file.name == "3.png":
            raise KeyboardInterrupt
        return read_image(file)

    with monkeypatch.context() as patch:
        patch.setattr(image_files, "read_image", stop)
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
        patch.setattr(image_files, "read_image", fail)
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


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_the_gpu_gives_the_vectors_of_the_cpu(files: list[Path | None], tmp_path: Path) -> None:
    torch.manual_seed(0)
    save_file(GoogLeNet().state_dict(), tmp_path / "weights.safetensors")
    config = ImagesConfig(str(tmp_path / "weights.safetensors"), batch_size=2, workers=2, max_bad_share=0)
    on_cpu, _ = extract_images(files, config, "cpu", tmp_path / "cpu")
    on_gpu, _ = extract_images(files, config, "cuda", tmp_path / "gpu")
    np.testing.assert_allclose(on_gpu, on_cpu, atol=1e-4)
