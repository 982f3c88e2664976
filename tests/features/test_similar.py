from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.sparse import csr_array

from prnn_cli.features.similar import Tile, cosines, draw_tiles, nearest
from prnn_cli.features.table import FeatureTable

VECTORS = np.array([[1, 0], [3, 4], [0, 0], [2, 0], [0, 5]], dtype=np.float32)
COVERED = np.array([True, True, False, True, True])


@pytest.mark.parametrize("kind", [np.array, csr_array])
def test_the_nearest_items_are_those_of_the_largest_cosine(kind: type) -> None:
    table = FeatureTable("image", kind(VECTORS), COVERED)
    np.testing.assert_allclose(cosines(table.vectors, 0), [1, 0.6, 0, 1, 0], rtol=1e-6)
    assert nearest(table, 0, 2) == [(3, pytest.approx(1)), (1, pytest.approx(0.6))]
    assert [item for item, _ in nearest(table, 4, 9)] == [1, 0, 3]


def test_a_file_that_is_no_image_leaves_a_grey_tile(tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_text("no image")
    Image.new("RGB", (400, 100), "red").save(tmp_path / "red.png")
    red = Tile(tmp_path / "red.png", ("red", "query"))
    row = [red, Tile(None, ("none", "cosine 0.500")), Tile(tmp_path / "broken.png", ("x" * 90, "…"))]
    draw_tiles([row, [red]], tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as picture:
        assert picture.size == (20 + 3 * 220, 20 + 2 * 266)
        centres = [picture.getpixel((120 + 220 * column, 120)) for column in range(3)]
        assert centres == [(255, 0, 0), (211, 211, 211), (211, 211, 211)]
        assert picture.getpixel((120, 120 + 266)) == (255, 0, 0)
