"""Generated logs of the paper's sizes as their readers see them: Table 1, files, and what texts and images tell."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from prnn_cli.data.prepare import prepare, with_files
from prnn_cli.data.synthetic import profile, profile_sessions
from prnn_cli.data.synthetic.profile import generate_profile
from prnn_cli.data.synthetic.profile_sessions import popularity_of_ranks, session_lengths
from prnn_cli.errors import UserError
from prnn_cli.features.extractors.tfidf import tfidf
from prnn_cli.features.text import join_columns
from prnn_cli.schema import (
    GENERATED_CLICKS,
    GENERATED_LANGUAGES,
    DatasetConfig,
    GeneratedVectorsConfig,
    ProfileConfig,
    TfidfConfig,
    check,
)

DatasetOf = Callable[..., DatasetConfig]
PROFILES = ("vidxl_like", "class_like")
DAY_S = 86_400


@pytest.fixture
def profile_of(dataset_config: DatasetOf) -> Callable[..., ProfileConfig]:
    """profile_of(name, key=value, …): a shipped profile drawn in this process, with some of its options changed."""

    def build(name: str, **overrides: object) -> ProfileConfig:
        profile = dataset_config(name).profile
        assert profile is not None
        return dataclasses.replace(profile, **{"workers": 1, **overrides})

    return build


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize(("scale", "seed"), [(0.001, 0), (0.001, 1), (0.003, 0)])
def test_preparation_leaves_the_papers_table_1(
    name: str, scale: float, seed: int, dataset_config: DatasetOf, tmp_path: Path
) -> None:
    dataset = dataset_config(name, scale=scale, profile={"workers": 1, "seed": seed, "max_image_files": 0})
    profile = dataset.profile
    assert profile is not None
    summary = prepare(dataset, tmp_path).summary
    assert summary["train"]["sessions"] == pytest.approx(profile.train.sessions * scale, rel=0.05)
    assert summary["train"]["events"] == pytest.approx(profile.train.events * scale, rel=0.05)
    assert summary["items"] == pytest.approx(profile.num_items * scale, rel=0.05)
    assert summary["test"]["sessions"] == pytest.approx(profile.test.sessions * scale, rel=0.05)


def test_items_scale_with_sessions_so_that_supports_stay_alike(
    dataset_config: DatasetOf, tmp_path: Path
) -> None:
    def supports(scale: float) -> np.ndarray:
        dataset = dataset_config("class_like", scale=scale, profile={"workers": 1, "max_image_files": 0})
        return prepare(dataset, tmp_path).support

    small, large = (np.percentile(supports(scale), [10, 50, 90]) for scale in (0.002, 0.02))
    assert small == pytest.approx(large, rel=0.15)


@pytest.mark.parametrize("images", [0, pytest.param(20_000, marks=pytest.mark.nightly)])
def test_any_number_of_processes_gives_the_same_bytes(
    images: int, profile_of: Callable[..., ProfileConfig], tmp_path: Path
) -> None:
    config = profile_of("class_like", max_image_files=images)
    one = generate_profile(config, 0.001, tmp_path / "one")
    two = generate_profile(dataclasses.replace(config, workers=2), 0.001, tmp_path / "two")
    assert one.name == two.name
    assert content(one) == content(two)


def test_another_seed_gives_other_clicks_texts_and_images(
    profile_of: Callable[..., ProfileConfig], tmp_path: Path
) -> None:
    def generated(seed: int) -> dict[str, bytes]:
        return content(
            generate_profile(profile_of("class_like", seed=seed, without_image=0), 0.001, tmp_path)
        )

    first, second = generated(0), generated(1)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] == second[name]] == []


def test_a_log_that_exists_is_used_again(profile_of: Callable[..., ProfileConfig], tmp_path: Path) -> None:
    folder = generate_profile(profile_of("class_like"), 0.001, tmp_path)
    (folder / "mark").touch()
    assert generate_profile(profile_of("class_like"), 0.001, tmp_path) == folder
    assert (folder / "mark").exists()


def test_blocks_follow_each_other_in_time_and_number_the_sessions(
    profile_of: Callable[..., ProfileConfig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(profile_sessions, "SESSIONS_A_BLOCK", 300)
    folder = generate_profile(profile_of("class_like"), 0.001, tmp_path)
    events = pd.read_parquet(folder / "events.parquet")
    starts = events.groupby("session_id").time.min()
    assert starts.index.tolist() == list(range(1, len(starts) + 1))
    assert starts.is_monotonic_increasing
    block = (events.session_id - 1) // 300  # the last one is that of the test day, and smaller
    assert all(times.is_monotonic_increasing for _, times in events.groupby(block).time)
    assert events.groupby("session_id").size().min() == 2


def test_the_last_day_holds_the_test_sessions(
    profile_of: Callable[..., ProfileConfig], tmp_path: Path
) -> None:
    config = profile_of("vidxl_like")
    events = pd.read_parquet(generate_profile(config, 0.001, tmp_path) / "events.parquet")
    days = events.groupby("session_id").time.min() // DAY_S
    per_day = days.value_counts().sort_index()
    assert len(per_day) == config.num_days
    assert events.time.max() // DAY_S == days.max()
    drawn = config.test.sessions * (1 + config.surplus.sessions)  # some of which preparation drops
    assert per_day.iloc[-1] == pytest.approx(drawn * 0.001, rel=0.01)
    assert per_day.iloc[:-1].max() - per_day.iloc[:-1].min() <= 2


@pytest.mark.parametrize("mean", [2.5, 3.98, 7.68])
def test_lengths_have_the_mean_asked_for_two_clicks_or_more_and_a_long_tail(mean: float) -> None:
    lengths = session_lengths((np.arange(20_000) + 0.5) / 20_000, mean)
    assert lengths.mean() == pytest.approx(mean, rel=0.002)
    assert lengths.min() == 2
    assert lengths.max() <= 200
    assert np.quantile(lengths, 0.99) > 3 * np.median(lengths)


def test_the_most_popular_tenth_has_the_same_share_of_any_number_of_items() -> None:
    few, many = popularity_of_ranks(100, 1.45, 0.01), popularity_of_ranks(10_000, 1.45, 0.01)
    assert few.sum() == pytest.approx(1)
    assert few[:10].sum() == pytest.approx(many[:1000].sum())
    assert (np.diff(few) < 0).all()


def test_thumbnails_are_image_files_up_to_a_number_of_items(
    profile_of: Callable[..., ProfileConfig], tmp_path: Path
) -> None:
    folder = generate_profile(profile_of("vidxl_like", without_image=0.25), 0.001, tmp_path)
    items = pd.read_parquet(folder / "items.parquet")
    assert items.image.isna().mean() == pytest.approx(0.25, abs=0.06)
    with Image.open(folder / items.image.dropna().iloc[0]) as image:
        assert (image.format, image.size) == ("PNG", (32, 32))
    assert len(list((folder / "images").iterdir())) == items.image.notna().sum()
    vectors = np.load(folder / "vectors.npy")
    np.testing.assert_array_equal((vectors == 0).all(axis=1), items.image.isna())


def test_vectors_are_alike_within_an_intent_and_more_so_within_a_style(
    profile_of: Callable[..., ProfileConfig], tmp_path: Path
) -> None:
    tells = GeneratedVectorsConfig(size=300, of_style=0.7, scatter=1.2, threshold=0)
    config = profile_of("vidxl_like", max_image_files=100, without_image=0, vectors=tells)
    folder = generate_profile(config, 0.001, tmp_path)
    vectors = np.load(folder / "vectors.npy")
    items = pd.read_parquet(folder / "items.parquet")
    assert (vectors.dtype, vectors.shape) == (np.float16, (len(items), 300))
    assert "image" not in items
    assert np.linalg.norm(vectors.astype(np.float32), axis=1) == pytest.approx(1, abs=0.01)
    catalogue = profile.GeneratedLog(config, 0.001, folder).catalogue
    cosine = vectors.astype(np.float32) @ vectors.astype(np.float32).T
    np.fill_diagonal(cosine, np.nan)
    same_style = catalogue.style[:, None] == catalogue.style
    same_intent = (catalogue.intent[:, None] == catalogue.intent) & ~same_style
    others = np.nanmean(cosine[~same_intent & ~same_style])
    assert np.nanmean(cosine[same_intent]) > others + 0.1
    assert np.nanmean(cosine[same_style]) > np.nanmean(cosine[same_intent]) + 0.05


def test_texts_are_short_in_several_languages_and_partly_noise(
    profile_of: Callable[..., ProfileConfig], tmp_path: Path
) -> None:
    folder = generate_profile(profile_of("class_like", max_image_files=0, without_text=0.1), 0.02, tmp_path)
    items = pd.read_parquet(folder / "items.parquet")
    assert items.title.isna().mean() == pytest.approx(0.1, abs=0.02)
    assert items.description[items.title.isna()].isna().all()
    items = items.dropna(subset="title")
    assert items.title.str.fullmatch(r"[A-Z]\w+( \w+){1,3}").all()
    assert items.description.isna().mean() == pytest.approx(0.2, abs=0.03)
    words = items.description.dropna().str.lower().str.split()
    languages = {"es": "los", "en": "the", "pt": "os"}
    shares = [words.map(lambda text, stop=stop: stop in text).mean() for stop in languages.values()]
    assert min(shares) > 0.02
    assert words.map(lambda text: any(word.isdigit() for word in text)).mean() > 0.3
    every = TfidfConfig(
        max_ngram=2,
        min_documents=2,
        max_characters=20_000,
        stopwords=["en", "de", "fr", "es", "it", "pt", "nl"],
    )
    vectors, _ = tfidf(join_columns([items.title.tolist(), items.description.fillna("").tolist()]), every)
    assert vectors.nnz / len(items) == pytest.approx(5.2, abs=0.5)


def test_rare_items_read_like_the_items_that_they_are_clicked_with(
    dataset_config: DatasetOf, tmp_path: Path
) -> None:
    dataset = with_files(
        dataset_config("class_like", scale=0.005, profile={"workers": 1, "max_image_files": 0}), tmp_path
    )
    assert dataset.path is not None
    assert dataset.items.path is not None
    events, items = pd.read_parquet(dataset.path), pd.read_parquet(dataset.items.path)
    every = TfidfConfig(max_ngram=1, min_documents=2, max_characters=20_000, stopwords=["en", "es", "pt"])
    vectors, _ = tfidf(items.title.fillna("").tolist(), every)
    events = events.sort_values(["session_id", "time"], kind="stable")
    pairs = events.assign(following=events.groupby("session_id").item_id.shift(-1)).dropna()
    support = events.item_id.value_counts()
    pairs = pairs[pairs.following.map(support) < 10]
    first, second = pairs.item_id.to_numpy(), pairs.following.to_numpy(dtype=np.int64)

    def likeness(first: np.ndarray, second: np.ndarray) -> float:
        return float(vectors[first].multiply(vectors[second]).sum(axis=1).mean())

    assert likeness(first, second) > 3 * likeness(np.random.default_rng(0).permutation(first), second)


def test_each_language_and_each_kind_of_click_that_the_settings_know_can_be_generated(
    profile_of: Callable[..., ProfileConfig], tmp_path: Path
) -> None:
    for kind in GENERATED_CLICKS:
        generate_profile(profile_of("class_like", clicks={kind: 2}, max_image_files=0), 0.001, tmp_path)
    texts = set()
    for language in GENERATED_LANGUAGES:
        config = profile_of("class_like", languages={language: 1}, max_image_files=0, without_text=0)
        items = pd.read_parquet(generate_profile(config, 0.001, tmp_path) / "items.parquet")
        texts.add(" ".join(items.title))
    assert len(texts) == len(GENERATED_LANGUAGES)


def test_too_few_items_are_refused(profile_of: Callable[..., ProfileConfig], tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"dataset.scale=0.001 is too small.*items_per_intent=500"):
        generate_profile(profile_of("class_like", items_per_intent=500), 0.001, tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"clicks": {"teleport": 1.0}}, r"profile\.clicks=.*are no shares.*successor"),
        ({"languages": {"en": 0.0}}, r"profile\.languages=.*not all 0"),
        ({"seed": -1}, r"profile\.seed=-1 is too small"),
    ],
)
def test_settings_that_no_log_can_have_are_refused(
    changes: dict[str, object], message: str, profile_of: Callable[..., ProfileConfig]
) -> None:
    with pytest.raises(UserError, match=message):
        check(profile_of("class_like", **changes), "profile.")
