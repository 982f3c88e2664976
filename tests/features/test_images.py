"""Every kind of image file is read as RGB, or refused."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from features.conftest import noise
from prnn_cli.features.images import read_image

RED = (255, 0, 0)
ORIENTATION = 0x0112  # the number of EXIF's tag


@pytest.mark.parametrize(
    ("mode", "colour", "name", "expected"),
    [
        ("RGB", RED, "red.png", RED),
        ("1", 1, "white.png", (255, 255, 255)),
        ("L", 100, "grey.png", (100, 100, 100)),
        ("I;16", 100 * 256 + 7, "deep_grey.png", (100, 100, 100)),
        ("P", 0, "palette.gif", (0, 0, 0)),
        ("CMYK", (0, 255, 255, 0), "print.tiff", RED),
        ("CMYK", (0, 255, 255, 0), "print.jpg", RED),
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


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tiff"])
@pytest.mark.parametrize(
    ("orientation", "size", "corner"),
    [(1, (16, 8), (0, 0)), (3, (16, 8), (15, 7)), (6, (8, 16), (7, 0)), (8, (8, 16), (0, 15))],
)
def test_a_photo_is_turned_as_its_camera_says(
    orientation: int, size: tuple[int, int], corner: tuple[int, int], suffix: str, tmp_path: Path
) -> None:
    image = Image.new("RGB", (16, 8), "blue")
    image.paste("red", (0, 0, 4, 4))
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    lossless = {"lossless": True} if suffix == "webp" else {}
    image.save(tmp_path / f"photo.{suffix}", exif=exif, **lossless)
    read = read_image(tmp_path / f"photo.{suffix}")
    assert read.size == size
    pixels = [read.getpixel((x, y)) for x in (0, size[0] - 1) for y in (0, size[1] - 1)]
    assert [pixel[0] > 200 for pixel in pixels].count(True) == 1  # type: ignore[index]
    assert read.getpixel(corner)[0] > 200  # type: ignore[index]


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0\0\x08\0\x09"]
)
def test_damaged_exif_data_hide_no_picture(exif: bytes, tmp_path: Path) -> None:
    Image.new("RGB", (8, 8), RED).save(tmp_path / "photo.jpg", exif=exif)
    assert read_image(tmp_path / "photo.jpg").getpixel((4, 4)) == (254, 0, 0)


@pytest.mark.parametrize(
    ("colour_type", "pixel", "expected"),
    [
        (2, (65535, 25607, 0), (255, 100, 0)),
        (6, (0, 0, 0, 0), (255, 255, 255)),
        (4, (25607, 65535), (100, 100, 100)),
    ],
)
def test_colours_of_16_bits_are_read_as_8(
    colour_type: int, pixel: tuple[int, ...], expected: tuple[int, ...], tmp_path: Path
) -> None:
    (tmp_path / "deep.png").write_bytes(png_of_16_bits(colour_type, pixel))
    assert read_image(tmp_path / "deep.png").getpixel((4, 4)) == expected


def png_of_16_bits(colour_type: int, pixel: tuple[int, ...]) -> bytes:
    """8 × 8 pixels of one colour; Pillow writes no more than 8 bits of each."""

    def chunk(name: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + checksum

    rows = (b"\0" + struct.pack(f">{len(pixel)}H", *pixel) * 8) * 8
    header = struct.pack(">IIBBBBB", 8, 8, 16, colour_type, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("kind", [np.int32, np.float32])
def test_numbers_whose_brightness_nobody_agrees_on_are_refused(kind: type, tmp_path: Path) -> None:
    Image.fromarray(np.full((8, 8), 100, dtype=kind)).save(tmp_path / "scan.tiff")
    with pytest.raises(ValueError, match="numbers of 32 bits have no agreed brightness"):
        read_image(tmp_path / "scan.tiff")


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "gif", "bmp", "tiff"])
def test_a_file_that_breaks_off_is_refused(suffix: str, tmp_path: Path) -> None:
    file = tmp_path / f"half.{suffix}"
    noise(64, 64).save(file)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(OSError, match=r"truncated|could not create decoder"):
        read_image(file)


def test_a_transparent_colour_of_a_picture_without_a_palette_is_white(tmp_path: Path) -> None:
    for mode, colour in (("RGB", RED), ("L", 7), ("1", 1)):
        Image.new(mode, (8, 8), colour).save(tmp_path / "image.png", transparency=colour)
        assert read_image(tmp_path / "image.png").getpixel((4, 4)) == (255, 255, 255)


def test_a_palette_may_be_half_transparent(tmp_path: Path) -> None:
    image = Image.new("P", (8, 8), 0)
    image.putpalette([0, 0, 0, *RED])
    image.save(tmp_path / "image.png", transparency=bytes([127, 255]))
    assert read_image(tmp_path / "image.png").getpixel((4, 4)) == (128, 128, 128)


def test_a_colour_that_a_palette_declares_transparent_is_white(tmp_path: Path) -> None:
    image = Image.new("P", (8, 8), 0)
    image.putpalette([0, 0, 0, *RED])
    image.putpixel((0, 0), 1)
    image.save(tmp_path / "image.png", transparency=0)
    assert read_image(tmp_path / "image.png").getpixel((0, 0)) == RED
    assert read_image(tmp_path / "image.png").getpixel((4, 4)) == (255, 255, 255)


@pytest.mark.parametrize("suffix", ["gif", "webp", "png", "tiff"])
def test_of_an_animation_the_first_picture_is_read(suffix: str, tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    lossless = {"lossless": True} if suffix == "webp" else {}
    frames[0].save(tmp_path / f"moving.{suffix}", save_all=True, append_images=frames[1:], **lossless)
    assert read_image(tmp_path / f"moving.{suffix}").getpixel((0, 0)) == RED


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
