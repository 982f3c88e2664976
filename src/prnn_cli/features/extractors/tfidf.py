"""Item texts -> TF-IDF of words and bigrams, as in section 4 of the paper."""

import dataclasses
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from scipy.sparse import csr_array, vstack

from prnn_cli.errors import UserError
from prnn_cli.features.extractor import Extractor
from prnn_cli.features.items import ItemCatalogue
from prnn_cli.features.text import LABEL, WORD, join_columns, normalised, stopwords
from prnn_cli.schema import DatasetConfig, FeaturesConfig, TfidfConfig
from prnn_cli.system.progress import meter

TEXTS_A_TICK = 1000  # between two reports of progress

log = logging.getLogger(__name__)


class Tfidf:
    """Extracts TF-IDF vectors, fitted on all rows of the items table, of those too whose items are not in the log."""

    is_sparse: ClassVar[bool] = True

    def __init__(self, features: FeaturesConfig, catalogue: ItemCatalogue, device: torch.device) -> None:
        self.config, self.catalogue = features.tfidf, catalogue
        self.word = f"{LABEL}|{WORD}" if catalogue.dataset.items.has_properties else WORD

    @staticmethod
    def check(features: FeaturesConfig, dataset: DatasetConfig) -> None:
        stopwords(features.tfidf.stopwords)
        if not dataset.items.text and not dataset.items.has_properties:
            raise UserError(
                f"features={features.name} needs text, and dataset={dataset.name} names none; set "
                "dataset.items.text=[title,description] to its columns (dataset.items.path to their table), or train "
                "on the ids alone with arch=id_only"
            )

    def identity(self) -> tuple[Any, list[Path]]:
        items = self.catalogue.dataset.items
        settings: list[Any] = [dataclasses.asdict(self.config), items.item_id, items.text, items.header]
        settings += map(dataclasses.asdict, items.filters)
        if items.has_properties:
            dataset = self.catalogue.dataset
            settings += [dataclasses.asdict(items.properties), dataset.time_format, self.catalogue.before]
            settings += [dataset.max_bad_share, dataset.stray_years]  # which times are bad
        return settings, self.catalogue.files

    def extract(self, parts: Path) -> tuple[csr_array, np.ndarray]:
        of_table, self.fitted = tfidf(join_columns(self.catalogue.text_columns()), self.config, self.word)
        return self._of_items(of_table)

    def extract_new(self, fitted: Mapping[str, np.ndarray]) -> tuple[csr_array, np.ndarray]:
        """The same of items that came later, by the vocabulary and the weights of the first ones."""
        texts = join_columns(self.catalogue.text_columns())
        return self._of_items(weighted(texts, self.config, fitted, self.word))

    def _of_items(self, of_table: csr_array) -> tuple[csr_array, np.ndarray]:
        empty = csr_array((1, of_table.shape[1]), dtype=np.float32)
        # an item that the table does not describe has the row −1: the empty one
        vectors = csr_array(vstack([of_table, empty], format="csr")[self.catalogue.rows])
        return vectors, np.diff(vectors.indptr) > 0


def tfidf(
    texts: Sequence[str], config: TfidfConfig, word: str = WORD
) -> tuple[csr_array, dict[str, np.ndarray]]:
    """Vectors (num_texts, F) float32 with rows of l2 norm 1, zero where a text holds no word that counts; and what
    `weighted` needs of them.

    word: a pattern of what a word is
    Stopwords are taken out before bigrams are made, so a bigram may span one; as the paper's texts are joined
    before, it may also span a title's end. Weights as in scikit-learn: tf · (ln((1 + n) / (1 + df)) + 1).
    Raises `UserError` where no word stands in `config.min_documents` texts.
    """
    vectorizer = _vectorizer(config, word)
    try:
        matrix = csr_array(vectorizer.fit_transform(_watched(_cut(texts, config.max_characters))))
    except ValueError as error:  # its way to say that the vocabulary is empty
        raise UserError(
            f"no word stands in {config.min_documents} of the {len(texts)} texts of items; check "
            "dataset.items.text, or lower features.tfidf.min_documents"
        ) from error
    # They stand in the order of the words' first texts: sums over a row would round by the order of the table.
    matrix.sort_indices()
    terms = [term.encode() for term in vectorizer.get_feature_names_out()]
    return matrix, {
        "terms": np.frombuffer(b"".join(terms), dtype=np.uint8).copy(),
        "term_lengths": np.array([len(term) for term in terms], dtype=np.int32),
        "idf": vectorizer.idf_.astype(np.float32),
    }


def weighted(
    texts: Sequence[str], config: TfidfConfig, fitted: Mapping[str, np.ndarray], word: str = WORD
) -> csr_array:
    """Vectors (num_texts, F) of further texts, in the terms of those that `fitted` is of; other words do not count."""
    ends = np.cumsum(fitted["term_lengths"]).tolist()
    letters = fitted["terms"].tobytes()
    terms = [letters[start:end].decode() for start, end in zip([0, *ends], ends, strict=False)]
    vectorizer = _vectorizer(config, word, vocabulary={term: column for column, term in enumerate(terms)})
    vectorizer.idf_ = fitted["idf"]
    return csr_array(vectorizer.transform(_cut(texts, config.max_characters)), dtype=np.float32)


def _vectorizer(config: TfidfConfig, word: str, vocabulary: dict[str, int] | None = None) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer  # takes a second to import

    return TfidfVectorizer(
        preprocessor=normalised,
        token_pattern=word,
        stop_words=sorted(stopwords(config.stopwords)) or None,
        ngram_range=(1, config.max_ngram),
        min_df=config.min_documents,
        dtype=np.float32,
        vocabulary=vocabulary,
    )


def _cut(texts: Sequence[str], length: int) -> list[str]:
    """The beginnings of the texts, with a warning where there was more.

    A text of megabytes, such as a page pasted into a title, would take minutes and the vocabulary with it.
    """
    if too_long := sum(len(text) > length for text in texts):
        log.warning(
            "%d texts of items are longer than features.tfidf.max_characters=%d; the rest of them is left out",
            *(too_long, length),
        )
    return [text[:length] for text in texts]


def _watched(texts: list[str]) -> Iterator[str]:
    with meter("texts", len(texts)) as progress:
        for number, text in enumerate(texts, 1):
            yield text
            if number % TEXTS_A_TICK == 0:
                progress.update(number, "")


EXTRACTORS: dict[str, type[Extractor]] = {"tfidf": Tfidf}
