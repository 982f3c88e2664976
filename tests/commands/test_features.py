import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from commands.conftest import SMALL, Result

Prnn = Callable[..., Result]
DATASET = [*SMALL[:4], "hydra.run.dir=out", "features.images.workers=0"]
TITLES = ["[SALE] red | lamp", "red vase", "blue lamp", "red lamp"]


@pytest.fixture
def shop(workplace: Path) -> list[str]:
    """Overrides for a shop of four items; the last one has no image."""
    rows = [f"{s},{item},{86400 * (s // 4) + n}" for s in range(8) for n, item in enumerate("abcd")]
    Path("clicks.csv").write_text("\n".join(["session_id,item_id,time", *rows]) + "\n")
    items = [f"{item},{title},{item}.png" for item, title in zip("abcd", TITLES, strict=True)]
    items[-1] = "d,red lamp,"
    Path("items.csv").write_text("\n".join(["item_id,title,image", *items]) + "\n")
    for item, colour in zip("abc", ("#ff0000", "#0000ff", "#f00000"), strict=True):
        Image.new("RGB", (30, 40), colour).save(f"{item}.png")
    options = ["dataset.path=clicks.csv", "dataset.items.path=items.csv", "dataset.items.text=[title]"]
    return ["dataset=generic", *options, "dataset.items.image=image", *DATASET[4:]]


def test_features_says_what_is_covered(prnn: Prnn) -> None:
    result = prnn("features", *DATASET)
    assert result.exit_code == 0
    written = json.loads(Path("out/features.json").read_text())
    assert written["features"] == "text"
    (source,) = written["sources"]
    assert (source["source"], source["extractor"]) == ("text", "tfidf")
    assert source["covered_items"] == source["items"]
    assert "similar" not in written
    table = Path("out/features.md").read_text()
    assert table.startswith("| Source | Extractor | dimensions | non-zeros an item | covered items |")
    assert f"| text | tfidf | {source['dimensions']:,} |" in table
    assert f"{source['dimensions']:,}" in result.out
    assert not Path("out/similar.md").exists()


def test_similar_lists_the_nearest_texts(prnn: Prnn, shop: list[str]) -> None:
    result = prnn("features", *shop, "similar=a")
    assert result.exit_code == 0
    found = json.loads(Path("out/features.json").read_text())["similar"]
    assert [(each["rank"], each["item_id"]) for each in found] == [(0, "a"), (1, "d"), (2, "b"), (3, "c")]
    assert found[0]["text"] == TITLES[0]
    assert found[1]["similarity"] == pytest.approx(1)
    assert "| text | query | a | 1.000 | [SALE] red \\| lamp |" in Path("out/similar.md").read_text()
    assert "[SALE] red | lamp" in result.out
    assert not Path("out/similar.png").exists()


def test_similar_draws_the_nearest_images_side_by_side(prnn: Prnn, shop: list[str]) -> None:
    result = prnn("features", *shop, "features=colour_histogram", "similar=a")
    assert result.exit_code == 0
    found = json.loads(Path("out/features.json").read_text())["similar"]
    assert [(each["item_id"], each["similarity"]) for each in found] == [
        ("a", 1),
        ("c", pytest.approx(1)),
        ("b", 0),
    ]
    with Image.open("out/similar.png") as picture:
        middle = 20 + 100
        colours = [picture.getpixel((20 + 220 * column + 100, middle)) for column in range(3)]
    assert colours == [(255, 0, 0), (240, 0, 0), (0, 0, 255)]


def test_an_unknown_item_is_answered_with_known_ones(prnn: Prnn, shop: list[str]) -> None:
    result = prnn("features", *shop, "similar=nope")
    assert result.exit_code == 2
    assert "similar=nope is no item of the prepared log" in result.err
    assert "its most frequent ones are a, b, c" in result.err


def test_an_item_that_nothing_covers_is_refused(prnn: Prnn, shop: list[str]) -> None:
    result = prnn("features", *shop, "features=colour_histogram", "similar=d")
    assert result.exit_code == 2
    assert "similar=d has no features: none of image covers it" in result.err


def test_features_none_is_refused(prnn: Prnn) -> None:
    result = prnn("features", "features=none", *DATASET)
    assert result.exit_code == 2
    assert "features=none makes none; choose another, such as features=text" in result.err
    assert not Path("out").exists()


def test_features_are_reused(prnn: Prnn) -> None:
    prnn("features", *DATASET)
    result = prnn("features", *DATASET[:4], "hydra.run.dir=again")
    assert "reusing the features in" in result.err


def test_weights_that_cannot_be_had_are_told_before_the_log_is_read(
    prnn: Prnn, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what works without them; where vectors may lie in the cache, the log is read to see."""

    def unreachable(*_: object, **__: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr("torch.hub.download_url_to_file", unreachable)
    monkeypatch.setattr("torch.hub.get_dir", lambda: str(workplace / "hub"))
    monkeypatch.setenv("PRNN_CACHE_DIR", str(workplace / "own_cache"))
    for command in ("features", "train"):
        result = prnn(command, *SMALL[:4], "features=image_and_text", f"hydra.run.dir={command}")
        assert result.exit_code == 2
        assert "cannot download GoogLeNet's weights" in result.err
        assert "features=image_and_text features.sources.image=colour_histogram" in result.err
        assert not (workplace / "own_cache").exists()
    assert prnn("features", *SMALL[:4], "hydra.run.dir=text").exit_code == 0
    late = prnn("features", *SMALL[:4], "features=image_and_text", "hydra.run.dir=out")
    assert late.exit_code == 2
    assert "reusing prepared data" in late.err
    works = ["features=image_and_text", "features.sources.image=colour_histogram"]
    assert prnn("features", *SMALL[:4], *works, "hydra.run.dir=colours").exit_code == 0
