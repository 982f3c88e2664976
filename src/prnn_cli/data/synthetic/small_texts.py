"""Texts of the items of the small generated log: what can be read of their intents and styles.

They mix words of the item's intent and of its style with stopwords, common words and words of anything (other intents
too); within each vocabulary the first words are the most frequent. Some items have no description. The words of intents
and styles are made of syllables, as there may be any number of them.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

STOPWORDS = "the and for with a of in to your is this it on or from as by an at that"
COMMON_WORDS = (
    "new classic small large set gift home style made light soft simple modern handy quality everyday pack "
    "colour design size piece season value easy care long short fine bright natural original"
)
CONSONANTS, VOWELS, ENDINGS = "bcdfghjklmnprstvw", "aeiou", "lmnrstxy"
WORDS_PER_INTENT, WORDS_PER_STYLE, WORDS_OF_NONE = 12, 5, 600
TITLE = ("common", "style", "intent", "intent", "any")
DESCRIPTION = {"stop": 0.35, "common": 0.2, "intent": 0.2, "style": 0.1, "any": 0.15}
DESCRIPTION_LENGTHS = (8, 26)
NO_DESCRIPTION = 0.15


def draw_texts(
    rng: np.random.Generator, intent: np.ndarray, style: np.ndarray
) -> dict[str, list[str | None]]:
    """Draws the columns title and description (None for some) of the items with these intents and styles."""
    num_intents, num_styles = intent.max() + 1, style.max() + 1
    of_intents, of_styles = num_intents * WORDS_PER_INTENT, num_styles * WORDS_PER_STYLE
    words = _make_words(rng, of_intents + of_styles + WORDS_OF_NONE)
    intent_words = words[:of_intents].reshape(num_intents, WORDS_PER_INTENT)
    style_words = words[of_intents : of_intents + of_styles].reshape(num_styles, WORDS_PER_STYLE)
    vocabularies = {"stop": STOPWORDS.split(), "common": COMMON_WORDS.split(), "any": rng.permutation(words)}
    columns: dict[str, list[str | None]] = {"title": [], "description": []}
    for item_intent, item_style in zip(intent, style, strict=True):
        own = {"intent": intent_words[item_intent], "style": style_words[item_style], **vocabularies}
        kinds = rng.choice(
            list(DESCRIPTION), rng.integers(*DESCRIPTION_LENGTHS), p=list(DESCRIPTION.values())
        )
        description = _draw_words(rng, own, kinds).capitalize() + "."
        columns["title"].append(_draw_words(rng, own, TITLE).title())
        columns["description"].append(None if rng.random() < NO_DESCRIPTION else description)
    return columns


def _make_words(rng: np.random.Generator, count: int) -> np.ndarray:
    """Draws (count,) different words of five or seven letters."""
    words: dict[str, None] = {}
    while len(words) < count:
        letters = [CONSONANTS, VOWELS] * rng.integers(2, 4) + [ENDINGS]
        words["".join(choices[rng.integers(len(choices))] for choices in letters)] = None
    return np.array(list(words))


def _draw_words(
    rng: np.random.Generator, vocabularies: Mapping[str, Sequence[str] | np.ndarray], kinds: Iterable[str]
) -> str:
    def draw(words: Sequence[str] | np.ndarray) -> str:
        return str(words[int(len(words) * rng.random() ** 2)])  # the square favours the front

    return " ".join(draw(vocabularies[kind]) for kind in kinds)
