"""Options of the group features: which vectors items have, and how they are made."""

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING

from prnn_cli.errors import UserError
from prnn_cli.schema.fields import Mark, bounded, one_of, option, options_of

RESERVED = ("id", "output", "vectors")  # names in the parameters' that no source of features can have


@dataclass
class TfidfConfig:
    max_ngram: int = bounded(at_least=1, at_most=3)
    min_documents: int = bounded(at_least=1)
    max_characters: int = bounded(at_least=1)
    stopwords: list[str] = MISSING


@dataclass
class ImagesConfig:
    weights: str | None = option(Mark.PATH)
    batch_size: int = bounded(at_least=1)
    workers: int = bounded(at_least=0)
    max_bad_share: float = bounded(at_least=0, at_most=1)


@dataclass
class PrecomputedConfig:
    path: str | None = option(Mark.PATH)
    item_ids: str | None = option(Mark.PATH)
    normalise: bool = MISSING


@dataclass
class FeaturesConfig:
    """The kinds of item features.

    sources: the subnet that is fed -> how its vectors are made, the name of an extractor
    placebo: what stands for the vectors, drawn with placebo_seed; None for the vectors themselves
    options: those of an extension's extractors, by name
    """

    name: str = MISSING
    sources: dict[str, str] = MISSING
    placebo: str | None = one_of("shuffled", "noise", "constant", "ids")
    placebo_seed: int = bounded(at_least=0, marks=[Mark.SHARES_ROW])
    options: dict[str, Any] = options_of("EXTRACTORS")
    tfidf: TfidfConfig = field(default_factory=TfidfConfig)
    images: ImagesConfig = field(default_factory=ImagesConfig)
    precomputed: PrecomputedConfig = field(default_factory=PrecomputedConfig)

    def check_values(self, path: str) -> None:
        for name, how in self.sources.items():
            if name in RESERVED or not name.isidentifier():
                raise UserError(
                    f"{path}sources.{name}={how}: call it by a word of letters, digits and _ that is none of "
                    f"{', '.join(RESERVED)}, which name other things"
                )
