"""Any items table, matrix or picture becomes vectors of every item, or a sentence."""

import io
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from features.conftest import CLICKS, ITEMS, extracted
from generated.cases import EDITS, cases, edited
from prnn_cli.errors import UserError
from prnn_cli.features.extractors.colour_histogram import SIZE, colour_histogram
from prnn_cli.features.images import load_images
from prnn_cli.schema import FeaturesCommand
from test_configs import composed

TEXTS = st.lists(st.text(max_size=40), min_size=3, max_size=3)


def command(folder: str, *overrides: str) -> FeaturesCommand:
    Path(folder, "clicks.csv").write_text("\n".join(["session_id,item_id,time", *CLICKS]) + "\n")
    base = ["dataset=generic", f"dataset.path={folder}/clicks.csv", "dataset.min_item_support=2"]
    base += [f"cache_dir={folder}/cache", "features.images.workers=0"]
    config = composed("features", *base, *overrides)
    assert isinstance(config, FeaturesCommand)
    return config


def check(config: FeaturesCommand) -> None:
    try:
        (table,) = extracted(config).values()
    except UserError as error:
        assert str(error)  # noqa: PT017
        return
    vectors = table.vectors if isinstance(table.vectors, np.ndarray) else table.vectors.toarray()
    assert vectors.shape == (len(ITEMS), table.size)
    assert np.isfinite(vectors).all()
    assert not vectors[~table.covered].any()


@cases(15)
@given(TEXTS, EDITS)
def test_texts(texts: list[str], edits: list[tuple[str, float, bytes]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        rows = [f'{item},"{text.replace(chr(34), "")}"' for item, text in zip(ITEMS, texts, strict=True)]
        content = "\n".join(["item_id,title", *rows]).encode(errors="replace")
        Path(folder, "items.csv").write_bytes(edited(content, edits))
        check(
            command(
                folder,
                "features=text",
                f"dataset.items.path={folder}/items.csv",
                "dataset.items.text=[title]",
                "features.tfidf.min_documents=1",
            )
        )


@cases(15)
@given(st.sampled_from(["float32", "float64", "int8", "float16"]), EDITS)
def test_matrices(dtype: str, edits: list[tuple[str, float, bytes]]) -> None:
    stream = io.BytesIO()
    np.save(stream, np.arange(6).reshape(3, 2).astype(dtype))
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "m.npy").write_bytes(edited(stream.getvalue(), edits))
        Path(folder, "ids.txt").write_text("\n".join(ITEMS))
        own = [f"features.precomputed.path={folder}/m.npy", f"features.precomputed.item_ids={folder}/ids.txt"]
        check(command(folder, "features=precomputed", *own))


@cases(15)
@given(st.sampled_from(["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"]), EDITS)
def test_pictures(kind: str, edits: list[tuple[str, float, bytes]]) -> None:
    stream = io.BytesIO()
    Image.new("RGB", (20, 15), "red").save(stream, kind)
    with tempfile.TemporaryDirectory() as folder:
        for item in ITEMS:
            Path(folder, f"{item}.png").write_bytes(
                edited(stream.getvalue(), edits) if item == "b" else stream.getvalue()
            )
        own = ["features=colour_histogram", "dataset.items.image_pattern='{item_id}.png'"]
        check(command(folder, *own, "features.images.max_bad_share=0.5"))


MODES = ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "LAB", "I", "I;16", "F"]


@cases(40)
@given(
    st.sampled_from(MODES),
    st.sampled_from(["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"]),
    st.integers(1, 3),
    st.integers(0, 9),
    EDITS | st.just([]),
)
def test_pictures_of_any_mode(
    mode: str, kind: str, frames: int, orientation: int, edits: list[tuple[str, float, bytes]]
) -> None:
    stream, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = orientation
    pictures = [Image.new(mode, (7, 5)) for _ in range(frames)]
    several = {"save_all": True, "append_images": pictures[1:]} if frames > 1 and kind != "BMP" else {}
    try:
        pictures[0].save(stream, kind, exif=exif, **several)
    except (OSError, ValueError, KeyError):  # a mode that the format has not
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "picture")
        path.write_bytes(edited(stream.getvalue(), edits))
        ((described, (reason,)),) = load_images([path], [[0]], colour_histogram, workers=0)
    assert described.shape == (1, SIZE)
    assert described.isfinite().all()
    assert reason or edits or described.any()
