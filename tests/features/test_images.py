"""Every kind of image file is read as RGB, or refused."""

from pathlib import Path

import pytest
from PIL import Image

from prnn_cli.features.images import read_image

RED = (255, 0, 0)


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
