"""TF-IDF against weights worked out from the formulas, fitted on the items table and given by item_index."""

import logging
import math
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array

from features.conftest import dense, extracted, prepared
from prnn_cli.errors import UserError
from prnn_cli.features.extract import extract
from prnn_cli.features.extractors.tfidf import tfidf as fitted_tfidf
from prnn_cli.features.extractors.tfidf import weighted
from prnn_cli.features.stopwords import STOPWORDS
from prnn_cli.features.text import words
from prnn_cli.schema import FeaturesCommand, TfidfConfig
from test_configs import composed

FOUR = ["Red lamp", "red lamp, red shade", "Blue lamp for the shade", "garden"]
TEXT = ["features=text", "dataset.items.text=[title]"]
TITLES = ["item_id,title", "a,red lamp", "b,red vase", "d,vase", "c,blue bowl", "e,unsold bowl"]


def settings(
    max_ngram: int = 2,
    min_documents: int = 2,
    stopwords: tuple[str, ...] = ("en",),
    max_characters: int = 20_000,
) -> TfidfConfig:
    return TfidfConfig(max_ngram, min_documents, max_characters, list(stopwords))


def tfidf(texts: list[str], config: TfidfConfig) -> csr_array:
    return fitted_tfidf(texts, config)[0]


def slow_tfidf(documents: list[list[str]], min_documents: int) -> list[dict[str, float]]:
    """Term -> weight of each document, given as its list of terms; `ln((1 + n) / (1 + df)) + 1`, l2-normalised."""
    frequency = Counter(term for document in documents for term in set(document))
    rows = []
    for document in documents:
        row = {}
        for term, count in Counter(document).items():
            if frequency[term] >= min_documents:
                row[term] = count * (math.log((1 + len(documents)) / (1 + frequency[term])) + 1)
        norm = math.sqrt(sum(weight**2 for weight in row.values()))
        rows.append({term: weight / norm for term, weight in row.items()})
    return rows


def test_four_documents_have_the_weights_of_the_formulas() -> None:
    terms = [
        ["red", "lamp", "red lamp"],
        ["red", "lamp", "red", "shade", "red lamp", "lamp red", "red shade"],
        ["blue", "lamp", "shade", "blue lamp", "lamp shade"],
        ["garden"],
    ]
    expected = slow_tfidf(terms, min_documents=2)
    names = sorted({name for row in expected for name in row})
    assert names == ["lamp", "red", "red lamp", "shade"]
    by_hand = [[row.get(name, 0.0) for name in names] for row in expected]
    matrix = tfidf(FOUR, settings())
    assert matrix.dtype == np.float32
    np.testing.assert_allclose(matrix.toarray(), by_hand, rtol=1e-6)


def test_rows_have_norm_1_and_a_text_without_known_words_is_zero() -> None:
    norms = np.linalg.norm(tfidf(FOUR, settings()).toarray(), axis=1)
    np.testing.assert_allclose(norms, [1, 1, 1, 0], rtol=1e-6)


def test_the_order_of_the_texts_changes_neither_weights_nor_the_order_in_which_they_are_added_up() -> None:
    there, back = tfidf(FOUR, settings()), tfidf(FOUR[::-1], settings())[[3, 2, 1, 0]]
    np.testing.assert_array_equal(back.indices, there.indices)
    np.testing.assert_array_equal(back.data, there.data)


def test_what_stands_in_one_document_only_is_discarded_however_often() -> None:
    assert tfidf(["red red red", "blue", "blue"], settings()).shape == (3, 1)
    assert tfidf(["red red red", "blue", "blue"], settings(min_documents=1)).shape == (3, 3)


def test_max_ngram_1_makes_no_bigrams() -> None:
    assert tfidf(FOUR, settings(max_ngram=1)).shape == (4, 3)


def test_stopwords_are_taken_out_before_bigrams_are_made() -> None:
    spanning, plain, other = tfidf(["lamp for the garden", "lamp garden", "lamp"], settings()).toarray()
    np.testing.assert_array_equal(spanning, plain)
    assert (spanning > 0).sum() == 3
    assert not np.array_equal(plain, other)


@pytest.mark.parametrize("language", STOPWORDS)
def test_stopwords_of_every_language_leave_nothing_to_weigh(language: str) -> None:
    text = STOPWORDS[language]
    assert len(words(text)) > 80
    matrix = tfidf([f"{text.upper()} lamp", "lamp"], settings(stopwords=(language,)))
    np.testing.assert_array_equal(matrix.toarray(), [[1], [1]])


def test_without_stopword_lists_every_word_counts() -> None:
    assert tfidf(["the lamp", "the lamp"], settings(max_ngram=1, stopwords=())).shape == (2, 2)


def test_an_unknown_language_is_answered_with_the_known_ones() -> None:
    with pytest.raises(
        UserError, match=r"there is no list for 'xx'; choose from en, de, fr, es, it, pt, nl, hu"
    ):
        tfidf(FOUR, settings(stopwords=("en", "xx")))


@pytest.mark.parametrize("texts", [["red", "blue"], ["the and", "for"], [""], []])
def test_texts_without_a_word_in_common_are_a_sentence(texts: list[str]) -> None:
    with pytest.raises(UserError, match=rf"no word stands in 2 of the {len(texts)} texts of items"):
        tfidf(texts, settings())


def test_chinese_texts_share_the_characters_and_pairs_that_they_have_in_common() -> None:
    first, second, third = tfidf(["红色连衣裙", "蓝色连衣裙", "LED灯"], settings()).toarray()
    assert (first > 0).sum() == 4 + 3  # 色 连 衣 裙 and their pairs
    np.testing.assert_array_equal(first, second)
    assert not third.any()


def test_of_a_huge_text_the_beginning_counts_and_the_rest_is_told(caplog: pytest.LogCaptureFixture) -> None:
    page = "red blue " + "noise " * 1_000_000
    vectors = tfidf([page, "red blue", "red"], settings(max_ngram=1, max_characters=100))
    assert vectors.shape == (3, 2)  # "noise" stands in one text
    assert "1 texts of items are longer than features.tfidf.max_characters=100" in caplog.text


def test_tfidf_is_fitted_on_the_whole_table_and_then_given_by_item_index(
    command: Callable[..., FeaturesCommand], write_items: Callable[..., str]
) -> None:
    """`vase` stands in b and in d, `bowl` in c and in e; the log's items are a, b and c."""
    table = extracted(command(*TEXT, write_items(*TITLES)))["text"]
    bowl, red, vase = range(3)
    assert table.is_sparse
    assert table.size == 3
    vectors = dense(table)
    assert vectors.shape == (3, 3)
    assert np.flatnonzero(vectors[0]).tolist() == [red]
    assert np.flatnonzero(vectors[1]).tolist() == [red, vase]
    assert np.flatnonzero(vectors[2]).tolist() == [bowl]
    assert vectors[1][red] == vectors[1][vase] == pytest.approx(np.sqrt(0.5))


def test_items_without_a_known_word_are_zero_rows_and_counted(
    command: Callable[..., FeaturesCommand],
    write_items: Callable[..., str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    table = extracted(command(*TEXT, write_items("item_id,title", "a,red lamp", "d,red", "b,unique")))["text"]
    assert table.covered.tolist() == [True, False, False]
    assert dense(table).tolist() == [[1], [0], [0]]
    assert "text: 1 dimensions, 0.3 non-zeros an item, 1 of 3 items" in caplog.text


def test_online_retail_takes_the_descriptions_from_its_log(online_retail: Path, tmp_path: Path) -> None:
    config = composed(
        "features",
        "features=text",
        "dataset=online_retail",
        f"dataset.path={online_retail}",
        f"cache_dir={tmp_path}",
    )
    assert isinstance(config, FeaturesCommand)
    data = prepared(config)
    table = extract(config.features, config.dataset, data, tmp_path, "cpu")["text"]
    assert table.vectors.shape == (len(data.item_ids), table.size)
    assert table.size > 1000
    assert table.num_covered > 0.99 * table.num_items
    white, red = (
        list(data.item_ids).index(item) for item in ("85123A", "21733")
    )  # HANGING HEART T-LIGHT HOLDER
    assert dense(table)[white] @ dense(table)[red] > 0.5


def test_further_texts_are_weighted_as_the_first_ones_were() -> None:
    matrix, fitted = fitted_tfidf(FOUR, settings())
    again = weighted(FOUR, settings(), fitted)
    np.testing.assert_allclose(again.toarray(), matrix.toarray(), rtol=1e-6)
    known, unknown = weighted(["a new RED lamp", "nothing of it"], settings(), fitted).toarray()
    np.testing.assert_allclose(known, matrix.toarray()[0], rtol=1e-6)
    assert not unknown.any()


def test_terms_of_any_script_are_kept() -> None:
    texts = ["лампа красная", "लाल दीपक", "红灯", "лампа", "लाल", "红"]
    matrix, fitted = fitted_tfidf(texts, settings(min_documents=1))
    np.testing.assert_allclose(weighted(texts, settings(), fitted).toarray(), matrix.toarray(), rtol=1e-6)
