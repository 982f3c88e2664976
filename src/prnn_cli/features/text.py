"""Texts -> TF-IDF of words and bigrams, as in section 4 of the paper."""

import logging
import re
import unicodedata
from collections.abc import Iterable, Sequence

import numpy as np
from scipy.sparse import csr_array

from prnn_cli.errors import UserError
from prnn_cli.features.stopwords import STOPWORDS
from prnn_cli.schema import TfidfConfig

log = logging.getLogger(__name__)

# A word is a run of letters, digits and the marks that belong to them, as vowels do in many scripts of India. What
# is written without spaces, Chinese and Japanese, is cut into characters; its words are bigrams then.
MARKS = "".join(
    chr(code) for code in range(0x300, 0x10000) if unicodedata.category(chr(code)).startswith("M")
)
UNSPACED = "\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
WORD = rf"[{UNSPACED}]|(?:(?![{UNSPACED}_])[\w{MARKS}])+"


def tfidf(texts: Sequence[str], config: TfidfConfig) -> csr_array:
    """(num_texts, F) float32, rows of l2 norm 1; zero where a text holds no word that counts.

    Stopwords are taken out before bigrams are made, so a bigram may span one; as the paper's texts are joined
    before, it may also span a title's end. Weights as in scikit-learn: tf · (ln((1 + n) / (1 + df)) + 1).
    """
    from sklearn.feature_extraction.text import TfidfVectorizer  # takes a second to import

    vectorizer = TfidfVectorizer(
        preprocessor=normalised,
        token_pattern=WORD,
        stop_words=sorted(stopwords(config.stopwords)) or None,
        ngram_range=(1, config.max_ngram),
        min_df=config.min_documents,
        dtype=np.float32,
    )
    try:
        matrix = csr_array(vectorizer.fit_transform(cut(texts, config.max_characters)))
    except ValueError as error:  # its way to say that the vocabulary is empty
        raise UserError(
            f"no word stands in {config.min_documents} of the {len(texts)} texts of items; check "
            "dataset.items.text, or lower features.tfidf.min_documents"
        ) from error
    return matrix


def cut(texts: Sequence[str], length: int) -> list[str]:
    """A text of megabytes, such as a page pasted into a title, would take minutes and the vocabulary with it."""
    if too_long := sum(len(text) > length for text in texts):
        log.warning(
            "%d texts of items are longer than features.tfidf.max_characters=%d; the rest of them is left out",
            *(too_long, length),
        )
    return [text[:length] for text in texts]


def joined(columns: Sequence[Sequence[str | None]]) -> list[str]:
    """One text a row: its columns in order, without those that the next one repeats at its beginning."""
    return [join(row) for row in zip(*columns, strict=True)]


def join(parts: Iterable[str | None]) -> str:
    text = ""
    for part in parts:
        part = " ".join((part or "").split())
        text = part if _begins_with(part, text) else f"{text} {part}".strip()
    return text


def words(text: str) -> list[str]:
    return re.findall(WORD, normalised(text))


def normalised(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def stopwords(languages: Sequence[str]) -> set[str]:
    """Cut like the texts: "l'" becomes "l". Raises `UserError` for a language that has no list."""
    for language in languages:
        if language not in STOPWORDS:
            raise UserError(
                f"features.tfidf.stopwords: there is no list for {language!r}; choose from {', '.join(STOPWORDS)}"
            )
    return {word for language in languages for word in words(STOPWORDS[language])}


def _begins_with(text: str, start: str) -> bool:
    text, start = text.casefold(), start.casefold()
    return text.startswith(start) and not text[len(start) :][:1].isalnum()
