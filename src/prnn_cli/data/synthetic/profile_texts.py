"""Short texts of generated items in several languages, as sellers and uploaders write them.

A title has a few words of the item's intent and style, common ones and words of anything. A description, where there is
one, has some more of them, stopwords, misspellings and numbers; at times it is written in another language, or
begins with the title. Within each vocabulary the first words are the most frequent. All but stopwords are made of
syllables, as there may be any number of them; a language has endings of its own.
"""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from prnn_cli.data.synthetic.click_model import STYLES_PER_INTENT

STOPWORDS = {
    "en": "the and for with a of in to your is this it",
    "de": "der die das und für mit ein eine von in zu ist",
    "fr": "le la les et pour avec un une de en dans est",
    "es": "el la los las y para con un una de en es",
    "it": "il la gli le per con un una di in da è",
    "pt": "o os as e para com um uma de em do da",
    "nl": "de het een en voor met van in op is te dit",
    "hu": "a az és egy is nem hogy van ez mint meg csak",
}
ENDINGS = {
    "en": ("er", "ing", "y", "ness"),
    "de": ("en", "ung", "heit", "lich"),
    "fr": ("eur", "ette", "oir", "eux"),
    "es": ("ado", "ero", "illa", "ez"),
    "it": ("etto", "ina", "one", "io"),
    "pt": ("inho", "eira", "ão", "al"),
    "nl": ("je", "lijk", "sel", "aar"),
    "hu": ("ság", "ő", "ett", "ó"),
}
STOPWORDS_EACH, ENDINGS_EACH = 12, 4  # of every language
SYLLABLES = [consonant + vowel for consonant in "bcdfghjklmnprstv" for vowel in "aeiou"]
NUM_STEMS = len(SYLLABLES) ** 3
SCRAMBLE = 190_027  # prime to NUM_STEMS, so that words of neighbouring numbers look nothing alike

WORDS_PER_INTENT, WORDS_PER_STYLE, COMMON_WORDS = 12, 5, 300  # of each language
WORDS_OF_INTENT = WORDS_PER_INTENT + STYLES_PER_INTENT * WORDS_PER_STYLE  # with those of its styles

TITLE = {"intent": 0.5, "style": 0.25, "common": 0.15, "any": 0.1}
DESCRIPTION = {
    "intent": 0.2, "style": 0.1, "common": 0.1, "any": 0.1, "stop": 0.3, "misspelt": 0.1, "number": 0.1
}  # fmt: skip
TITLE_LENGTHS, DESCRIPTION_LENGTHS = (2, 5), (2, 14)  # words: from, and below
NO_DESCRIPTION, OTHER_LANGUAGE, BEGINS_WITH_TITLE = 0.2, 0.15, 0.15


def draw_texts(
    rng: np.random.Generator,
    intent: np.ndarray,
    style: np.ndarray,
    num_intents: int,
    languages: Mapping[str, float],
) -> dict[str, pa.Array]:
    """Draws the columns title and description (null for some); languages: ISO 639-1 -> share of the items."""
    writer = _Writer(rng, intent, style, num_intents, list(languages))
    shares = np.array(list(languages.values())) / sum(languages.values())
    count = len(intent)
    language = rng.choice(len(shares), count, p=shares)
    title = writer.texts(language, rng.integers(*TITLE_LENGTHS, count), TITLE)
    another = rng.choice(len(shares), count, p=shares)
    language = np.where(rng.random(count) < OTHER_LANGUAGE, another, language)
    description = writer.texts(language, rng.integers(*DESCRIPTION_LENGTHS, count), DESCRIPTION)
    begins_with_title = pa.array(rng.random(count) < BEGINS_WITH_TITLE)
    longer = pc.binary_join_element_wise(title, description, " ")
    description = pc.if_else(begins_with_title, longer, description)
    missing = pa.array(rng.random(count) < NO_DESCRIPTION)
    return {"title": title, "description": pc.if_else(missing, pa.scalar(None, pa.string()), description)}


class _Writer:
    """Draws texts of the items with these intents and styles."""

    def __init__(
        self,
        rng: np.random.Generator,
        intent: np.ndarray,
        style: np.ndarray,
        num_intents: int,
        languages: list[str],
    ) -> None:
        self.rng, self.intent, self.style, self.num_intents = rng, intent, style, num_intents
        self.stopwords = pa.array([word for name in languages for word in STOPWORDS[name].split()])
        self.endings = pa.array([ending for name in languages for ending in ENDINGS[name]])
        self.syllables = pa.array(SYLLABLES)

    def texts(self, language: np.ndarray, lengths: np.ndarray, kinds: Mapping[str, float]) -> pa.Array:
        """Draws a text for each item, of so many words in its language; kinds: share of each kind of word."""
        offsets = np.append(0, np.cumsum(lengths)).astype(np.int32)
        item = np.repeat(np.arange(len(lengths)), lengths)
        names = list(kinds)
        kind = self.rng.choice(len(names), len(item), p=list(kinds.values()))
        words = self._words(item, language[item], {name: kind == n for n, name in enumerate(names)})
        return pc.utf8_capitalize(pc.binary_join(pa.ListArray.from_arrays(offsets, words), " "))

    def _words(self, item: np.ndarray, language: np.ndarray, is_kind: Mapping[str, np.ndarray]) -> pa.Array:
        rng, count = self.rng, len(item)
        intent = self.intent[item]
        place = rng.random(count) ** 2  # favours the front of each vocabulary
        of_intent = (place * WORDS_PER_INTENT).astype(np.int64)
        of_style = (self.style[item] % STYLES_PER_INTENT) * WORDS_PER_STYLE
        of_style += WORDS_PER_INTENT + (place * WORDS_PER_STYLE).astype(np.int64)
        of_any = rng.integers(self.num_intents * WORDS_OF_INTENT, size=count)
        number = COMMON_WORDS + intent * WORDS_OF_INTENT + of_intent
        number = np.where(is_kind["style"], number - of_intent + of_style, number)
        number = np.where(is_kind["common"], (place * COMMON_WORDS).astype(np.int64), number)
        number = np.where(is_kind["any"], COMMON_WORDS + of_any, number)
        words = self._spelt(number, language)
        if "misspelt" in is_kind:
            letters = pa.array(SYLLABLES).take(pa.array(rng.integers(len(SYLLABLES), size=count)))
            misspelt = pc.binary_join_element_wise(pc.utf8_slice_codeunits(words, 0, -1), letters, "")
            words = pc.if_else(pa.array(is_kind["misspelt"]), misspelt, words)
        if "number" in is_kind:
            numbers = pa.array(rng.integers(1, 100_000, count)).cast(pa.string())
            words = pc.if_else(pa.array(is_kind["number"]), numbers, words)
        if "stop" in is_kind:
            at = language * STOPWORDS_EACH + (place * STOPWORDS_EACH).astype(np.int64)
            words = pc.if_else(pa.array(is_kind["stop"]), self.stopwords.take(pa.array(at)), words)
        return words

    def _spelt(self, number: np.ndarray, language: np.ndarray) -> pa.Array:
        stem = (number * SCRAMBLE + 1_009 * language) % NUM_STEMS
        base = len(SYLLABLES)
        syllables = [self.syllables.take(pa.array(stem // base**n % base)) for n in range(3)]
        ending = language * ENDINGS_EACH + (stem // base + number // NUM_STEMS) % ENDINGS_EACH
        return pc.binary_join_element_wise(*syllables, self.endings.take(pa.array(ending)), "")
