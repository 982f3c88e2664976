"""TF-IDF against weights worked out from the formulas, and what counts as a word."""

import math
from collections import Counter

import numpy as np
import pytest

from prnn_cli.errors import UserError
from prnn_cli.features.stopwords import STOPWORDS
from prnn_cli.features.text import join, joined, stopwords, tfidf, words
from prnn_cli.schema import TfidfConfig

FOUR = ["Red lamp", "red lamp, red shade", "Blue lamp for the shade", "garden"]


def settings(
    max_ngram: int = 2,
    min_documents: int = 2,
    stopwords: tuple[str, ...] = ("en",),
    max_characters: int = 20_000,
) -> TfidfConfig:
    return TfidfConfig(max_ngram, min_documents, max_characters, list(stopwords))


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


def test_stopwords_of_several_languages_add_up() -> None:
    assert stopwords(["en", "de"]) == stopwords(["en"]) | stopwords(["de"])
    assert stopwords([]) == set()


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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Red T-light, 50cm_wide!", ["red", "t", "light", "50cm", "wide"]),
        ("L'eau, c'est bon", ["l", "eau", "c", "est", "bon"]),
        ("Ärger STRASSE Straße", ["ärger", "strasse", "strasse"]),
        ("nai\u0308ve", ["naïve"]),
        ("Красная лампа", ["красная", "лампа"]),
        ("κόκκινη λάμπα", ["κόκκινη", "λάμπα"]),
        ("लाल हिन्दी", ["लाल", "हिन्दी"]),
        ("مصباح أحمر", ["مصباح", "أحمر"]),
        ("红色 LED灯", ["红", "色", "led", "灯"]),
        ("ドレス", ["ド", "レ", "ス"]),
        ("빨간 램프", ["빨간", "램프"]),
        ("★ – ♥ 🙂 _", []),
    ],
)
def test_words_are_letters_and_digits_of_any_script(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_chinese_texts_share_the_characters_and_pairs_that_they_have_in_common() -> None:
    first, second, third = tfidf(["红色连衣裙", "蓝色连衣裙", "LED灯"], settings()).toarray()
    assert (first > 0).sum() == 4 + 3  # 色 连 衣 裙 and their pairs
    np.testing.assert_array_equal(first, second)
    assert not third.any()


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        (["Red lamp", "With a foot"], "Red lamp With a foot"),
        (["Red lamp", "Red lamp with a foot"], "Red lamp with a foot"),
        (["Red Lamp ", "  red lamp: with a foot"], "red lamp: with a foot"),
        (["Red  lamp", "Red lamp"], "Red lamp"),
        (["Red", "Redmond house"], "Red Redmond house"),
        (["With a foot", "Red lamp, with a foot"], "With a foot Red lamp, with a foot"),
        ([None, "With a foot"], "With a foot"),
        (["Red lamp", None], "Red lamp"),
        (["Red lamp", "Red lamp", "Red lamp, blue"], "Red lamp, blue"),
        ([None, None], ""),
    ],
)
def test_the_title_is_not_repeated_where_the_description_begins_with_it(
    parts: list[str | None], text: str
) -> None:
    assert join(parts) == text


def test_columns_are_joined_row_by_row() -> None:
    assert joined([["Red", None], ["Red lamp", "Foot"]]) == ["Red lamp", "Foot"]


def test_of_a_huge_text_the_beginning_counts_and_the_rest_is_told(caplog: pytest.LogCaptureFixture) -> None:
    page = "red blue " + "noise " * 1_000_000
    vectors = tfidf([page, "red blue", "red"], settings(max_ngram=1, max_characters=100))
    assert vectors.shape == (3, 2)  # "noise" stands in one text
    assert "1 texts of items are longer than features.tfidf.max_characters=100" in caplog.text
