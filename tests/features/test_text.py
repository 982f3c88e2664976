"""What counts as a word, and how texts are joined."""

import pytest

from prnn_cli.features.text import join, join_columns, stopwords, words


def test_stopwords_of_several_languages_add_up() -> None:
    assert stopwords(["en", "de"]) == stopwords(["en"]) | stopwords(["de"])
    assert stopwords([]) == set()


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
    assert join_columns([["Red", None], ["Red lamp", "Foot"]]) == ["Red lamp", "Foot"]
