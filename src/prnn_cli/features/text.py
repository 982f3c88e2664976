"""Texts of items: how their columns are joined, and what a word of them is."""

import re
import unicodedata
from collections.abc import Iterable, Sequence

from prnn_cli.errors import UserError
from prnn_cli.features.stopwords import STOPWORDS

# A word is a run of letters, digits and the marks that belong to them, as vowels do in many scripts of India. What
# is written without spaces, Chinese and Japanese, is cut into characters; its words are bigrams then.
MARKS = "".join(
    chr(code) for code in range(0x300, 0x10000) if unicodedata.category(chr(code)).startswith("M")
)
UNSPACED = "\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
WORD = rf"[{UNSPACED}]|(?:(?![{UNSPACED}_])[\w{MARKS}])+"

LABEL = r"\S+_\S+"  # a value of a property, with the property's name


def join_columns(columns: Sequence[Sequence[str | None]]) -> list[str]:
    """One text for each row: what `join` makes of its columns."""
    return [join(row) for row in zip(*columns, strict=True)]


def join(parts: Iterable[str | None]) -> str:
    """One text of the parts in order, without those that the next one repeats at its beginning, as descriptions do."""
    text = ""
    for part in parts:
        part = " ".join((part or "").split())
        text = part if _begins_with(part, text) else f"{text} {part}".strip()
    return text


def words(text: str) -> list[str]:
    """The words of a text, normalised, in their order."""
    return re.findall(WORD, normalised(text))


def normalised(text: str) -> str:
    """The text with one spelling for characters that have several, and without capitals."""
    return unicodedata.normalize("NFKC", text).casefold()


def stopwords(languages: Sequence[str]) -> set[str]:
    """The stopwords of all the languages (ISO 639-1), cut into words like the texts: "l'" becomes "l".

    Raises `UserError` for a language that has no list.
    """
    for language in languages:
        if language not in STOPWORDS:
            raise UserError(
                f"features.tfidf.stopwords: there is no list for {language!r}; choose from {', '.join(STOPWORDS)}"
            )
    return {word for language in languages for word in words(STOPWORDS[language])}


def _begins_with(text: str, start: str) -> bool:
    text, start = text.casefold(), start.casefold()
    return text.startswith(start) and not text[len(start) :][:1].isalnum()
