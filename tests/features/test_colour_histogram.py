"""The colours of images that can be checked by eye."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from features.conftest import encoder
from prnn_cli.errors import UserError
from prnn_cli.features.extractors.colour_histogram import ColourHistogram, colour_histogram
from prnn_cli.features.image_files import extract_images
from prnn_cli.schema import ImagesConfig

Paint = Callable[..., Path]


def colour_histograms(
    files: list[Path | None], store: Path, max_bad_share: float = 0.5, workers: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    config = ImagesConfig(weights=None, batch_size=2, workers=workers, max_bad_share=max_bad_share)
    return extract_images(files, encoder(ColourHistogram, config), config, store)


def colour_index(red: int, green: int, blue: int) -> int:
    return (red // 64 * 4 + green // 64) * 4 + blue // 64


def test_an_image_of_one_colour_has_one_entry_in_each_region() -> None:
    vector = colour_histogram(Image.new("RGB", (50, 30), (255, 0, 130)))
    assert vector.shape == (5 * 64,)
    entries = np.flatnonzero(vector)
    assert entries.tolist() == [region * 64 + colour_index(255, 0, 130) for region in range(5)]
    np.testing.assert_allclose(vector[entries] ** 2, [1 / 2] + 4 * [1 / 8], rtol=1e-6)


def test_quarters_are_told_apart() -> None:
    image = Image.new("RGB", (20, 20), "black")
    image.paste("white", (10, 0, 20, 10))  # the quarter at the top on the right
    whole, *quarters = colour_histogram(image).reshape(5, 64)
    black, white = colour_index(0, 0, 0), colour_index(255, 255, 255)
    np.testing.assert_allclose(whole[[black, white]] ** 2 * 2, [0.75, 0.25], rtol=1e-6)
    assert [int(quarter.argmax()) for quarter in quarters] == [black, white, black, black]


def test_files_without_an_image_get_a_zero_vector(
    paint: Paint, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken = paint("broken.png", "red")
    broken.write_bytes(broken.read_bytes()[:60])
    files = [
        paint("red.png", "red"),
        None,
        broken,
        paint("dark_red.png", "#d00000"),
        paint("blue.png", "blue"),
    ]
    vectors, found = colour_histograms(files, tmp_path)
    assert found.tolist() == [True, False, False, True, True]
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), found, rtol=1e-6)
    assert vectors[0] @ vectors[3] == pytest.approx(1)
    assert vectors[0] @ vectors[4] == 0
    assert "1 of 4 images cannot be read, the first is" in caplog.text


def test_too_many_bad_images_are_a_sentence_that_names_the_first(paint: Paint, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_text("no image")
    with pytest.raises(
        UserError, match=r"1 of 2 images cannot be read, more than .* the first is .*broken\.png \(not one of"
    ):
        colour_histograms([paint("red.png", "red"), broken], tmp_path, max_bad_share=0.4)


def test_workers_change_nothing(paint: Paint, tmp_path: Path) -> None:
    files = [paint(f"{colour}.png", colour) for colour in ("red", "green", "blue")]
    alone, _ = colour_histograms(files, tmp_path / "alone")
    together, _ = colour_histograms(files, tmp_path / "together", workers=2)
    np.testing.assert_array_equal(alone, together)
