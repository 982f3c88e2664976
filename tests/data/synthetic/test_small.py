"""The generated log as its readers see it: files, times, and what clicks, texts and thumbnails tell."""

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from omegaconf import OmegaConf
from PIL import Image

from prnn_cli.data.synthetic.small import generate
from prnn_cli.errors import UserError
from prnn_cli.schema import SyntheticConfig

CONFIG = Path(__file__).parents[3] / "configs" / "dataset" / "synthetic.yaml"
SHIPPED = SyntheticConfig(**OmegaConf.load(CONFIG).synthetic)
SMALL = SyntheticConfig(num_items=60, num_sessions=200, num_intents=4, num_days=3, seed=0)
DAY_S = 86_400


@dataclass
class Log:
    folder: Path
    events: pd.DataFrame
    items: pd.DataFrame

    @property
    def transitions(self) -> pd.DataFrame:
        """item_id and next_item_id of all clicks but the last of each session."""
        following = self.events.groupby("session_id").item_id.shift(-1)
        return self.events.assign(next_item_id=following).dropna()


def read(folder: Path) -> Log:
    return Log(folder, pd.read_parquet(folder / "events.parquet"), pd.read_parquet(folder / "items.parquet"))


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Log:
    return read(generate(SHIPPED, 1.0, tmp_path_factory.mktemp("cache")))


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = (generate(SMALL, 1.0, tmp_path / cache) for cache in ("a", "b"))
    assert first.name == second.name
    assert content(first) == content(second)


def test_the_log_is_still_the_one_that_published_figures_are_about(tmp_path: Path) -> None:
    log = read(generate(SMALL, 1.0, tmp_path))
    assert len(log.events) == 994
    assert log.events.head(3).to_dict("list") == {
        "session_id": [1, 1, 2],
        "item_id": ["item-08", "item-11", "item-11"],
        "time": [1473985109, 1473985146, 1473986183],
    }
    assert log.items.title[0] == "Design Datulel Sosos Peganar Dedolel"


def test_another_seed_gives_other_clicks_texts_and_images(tmp_path: Path) -> None:
    first = content(generate(SMALL, 1.0, tmp_path))
    second = content(generate(dataclasses.replace(SMALL, seed=1), 1.0, tmp_path))
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] == second[name]] == []


def test_a_log_that_exists_is_used_again(tmp_path: Path) -> None:
    folder = generate(SMALL, 1.0, tmp_path)
    (folder / "mark").touch()
    assert generate(SMALL, 1.0, tmp_path) == folder
    assert (folder / "mark").exists()


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(SyntheticConfig)])
def test_each_setting_has_a_log_of_its_own(tmp_path: Path, name: str) -> None:
    other = dataclasses.replace(SMALL, **{name: getattr(SMALL, name) + 1})
    assert content(generate(other, 1.0, tmp_path)) != content(generate(SMALL, 1.0, tmp_path))


def test_nothing_but_finished_logs_is_left_in_the_cache(tmp_path: Path) -> None:
    folder = generate(SMALL, 1.0, tmp_path)
    assert [path for path in folder.parent.iterdir() if path != folder] == []
    assert {path.name for path in folder.iterdir()} == {
        *("events.parquet", "items.parquet", "images", "checksums.json")
    }


@pytest.mark.parametrize("scale", [0.5, 3.0])
def test_scale_multiplies_the_sessions_and_leaves_the_items(tmp_path: Path, scale: float) -> None:
    plain, scaled = generate(SMALL, 1.0, tmp_path), generate(SMALL, scale, tmp_path)
    assert read(scaled).events.session_id.nunique() == scale * 200
    before, after = content(plain), content(scaled)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"events.parquet", "checksums.json"}


def test_more_intents_than_items_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"num_intents=61 is too large.*at most .*num_items=60"):
        generate(dataclasses.replace(SMALL, num_intents=61), 1.0, tmp_path)


def test_an_intent_for_each_item_is_possible(tmp_path: Path) -> None:
    log = read(generate(dataclasses.replace(SMALL, num_intents=60), 1.0, tmp_path))
    assert log.events.session_id.nunique() == 200


def test_a_scale_that_leaves_no_session_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"dataset.scale=0.001 is too small"):
        generate(SMALL, 0.001, tmp_path)


def test_every_clicked_item_is_described_once(log: Log) -> None:
    assert log.items.item_id.is_unique
    assert len(log.items) == SHIPPED.num_items
    assert set(log.events.item_id) <= set(log.items.item_id)


def test_sessions_have_two_clicks_or_more_and_a_long_tail(log: Log) -> None:
    lengths = log.events.groupby("session_id").size()
    assert len(lengths) == SHIPPED.num_sessions
    assert lengths.min() == 2
    assert 4 <= lengths.mean() <= 6
    assert lengths.quantile(0.99) > 4 * lengths.median()
    assert lengths.max() <= 200


def test_no_item_follows_itself(log: Log) -> None:
    assert not (log.transitions.item_id == log.transitions.next_item_id).any()


def test_some_items_come_back_within_a_session(log: Log) -> None:
    assert 0.02 < log.events.duplicated(["session_id", "item_id"]).mean() < 0.2


def test_events_lie_in_the_order_of_time_and_session_ids_in_that_of_first_events(log: Log) -> None:
    assert log.events.time.is_monotonic_increasing
    assert log.events.session_id.drop_duplicates().is_monotonic_increasing


def test_clicks_of_a_session_are_seconds_to_minutes_apart(log: Log) -> None:
    gaps = log.events.groupby("session_id").time.diff().dropna()
    assert gaps.min() >= 1
    assert 20 < gaps.median() < 120
    assert gaps.max() <= 30 * 60


def test_days_are_alike_and_none_follows_the_last(log: Log) -> None:
    per_day = (log.events.time // DAY_S).value_counts()
    assert len(per_day) == SHIPPED.num_days
    assert per_day.max() < 1.3 * per_day.min()


def test_evenings_are_busier_than_mornings(log: Log) -> None:
    per_hour = (log.events.time % DAY_S // 3600).value_counts()
    assert per_hour.loc[[18, 19, 20]].sum() > 3 * per_hour.loc[[6, 7, 8]].sum()


def test_popularity_has_a_head_and_a_tail(log: Log) -> None:
    support = log.events.item_id.value_counts().reindex(log.items.item_id, fill_value=0).sort_values()
    assert support.iloc[-200:].sum() > 0.5 * len(log.events)
    assert (support < 20).sum() > 200
    assert 0 < (support < 5).sum() < 100


def test_the_order_of_ids_tells_nothing_of_popularity(log: Log) -> None:
    support = log.events.item_id.value_counts().reindex(sorted(log.items.item_id), fill_value=0)
    rank_correlation = np.corrcoef(support.rank(), np.arange(len(support)))[0, 1]
    assert abs(rank_correlation) < 0.1


def test_every_image_is_a_png_of_32_by_32(log: Log) -> None:
    for path in log.items.image:
        with Image.open(log.folder / path) as image:
            assert (image.format, image.size, image.mode) == ("PNG", (32, 32), "RGB")


def test_every_item_has_a_title_and_some_lack_a_description(log: Log) -> None:
    assert log.items.title.str.fullmatch(r"[A-Z][a-z]+( [A-Z][a-z]+)+").all()
    assert 0.05 < log.items.description.isna().mean() < 0.3
    assert log.items.description.dropna().str.fullmatch(r"[A-Z][a-z]*( [a-z]+)+\.").all()


def text_vectors(log: Log) -> np.ndarray:
    """(num_items, num_words) TF-IDF of title and description, rows of length 1."""
    texts = (log.items.title + " " + log.items.description.fillna("")).str.lower().str.findall(r"[a-z]+")
    counts = texts.explode().groupby(level=0).value_counts().unstack(fill_value=0).to_numpy()
    vectors = counts * np.log(len(counts) / (counts > 0).sum(axis=0))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def mean_colours(log: Log) -> np.ndarray:
    """(num_items, 3) red, green and blue in 0…1."""
    return np.array(
        [np.asarray(Image.open(log.folder / path)).mean(axis=(0, 1)) / 255 for path in log.items.image]
    )


def text_likeness(log: Log) -> Callable[[np.ndarray, np.ndarray], float]:
    vectors = text_vectors(log)
    return lambda first, second: float((vectors[first] * vectors[second]).sum(axis=1).mean())


def colour_likeness(log: Log) -> Callable[[np.ndarray, np.ndarray], float]:
    colours = mean_colours(log)
    return lambda first, second: 1 / float(np.linalg.norm(colours[first] - colours[second], axis=1).mean())


@pytest.mark.parametrize(("likeness", "factor"), [(text_likeness, 2.0), (colour_likeness, 1.15)])
@pytest.mark.parametrize("kind", ["any", "rare"])
def test_items_of_a_session_look_and_read_alike(
    log: Log, likeness: Callable[[Log], Callable[[np.ndarray, np.ndarray], float]], factor: float, kind: str
) -> None:
    support = log.events.item_id.value_counts()
    pairs = log.transitions
    if kind == "rare":
        pairs = pairs[pairs.next_item_id.map(support) < 20]
    number = pd.Series(np.arange(len(log.items)), index=log.items.item_id)
    first, second = (pairs[column].map(number).to_numpy() for column in ("item_id", "next_item_id"))
    mean_of = likeness(log)
    assert mean_of(first, second) > factor * mean_of(np.random.default_rng(0).permutation(first), second)


def test_no_two_items_share_an_image_or_a_title(log: Log) -> None:
    images = {(log.folder / path).read_bytes() for path in log.items.image}
    assert len(images) == len(log.items)
    assert log.items.title.nunique() > 0.95 * len(log.items)


def test_the_last_item_tells_the_next_far_better_than_popularity(log: Log) -> None:
    last_day = log.events.time.max() // DAY_S
    is_test = log.transitions.time // DAY_S == last_day
    train, test = log.transitions[~is_test], log.transitions[is_test]
    followers: dict[str, Counter[str]] = defaultdict(Counter)
    for item, following in zip(train.item_id, train.next_item_id, strict=True):
        followers[item][following] += 1
    popular = set(train.next_item_id.value_counts().index[:20])
    likely = {
        item: {follower for follower, _ in counts.most_common(20)} for item, counts in followers.items()
    }
    targets = list(zip(test.item_id, test.next_item_id, strict=True))
    markov = np.mean([target in likely.get(item, set()) for item, target in targets])
    popularity = np.mean([target in popular for _, target in targets])
    assert 0.3 < markov < 0.6
    assert popularity < 0.2
