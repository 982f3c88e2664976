"""Ids that files write in several ways: one way is chosen, or a warning says how many there are."""

import logging

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

FRACTION_OF_ZEROS = r"^([+-]?\d+)\.0+$"
AROUND = "\"'`[](){}<> "

log = logging.getLogger(__name__)


def with_one_number_form(ids: pa.DictionaryArray, name: str) -> pa.DictionaryArray:
    """The ids of the column `name`, those written both as 17 and as 17.0 as 17, with a warning that counts them.

    An id that is written as 17.0 alone stays so.
    """
    texts = ids.dictionary
    fractions = np.flatnonzero(pc.match_substring(texts, ".0").to_numpy(zero_copy_only=False))
    if not len(fractions):
        return ids
    whole = pc.replace_substring_regex(texts.take(pa.array(fractions)), FRACTION_OF_ZEROS, r"\1")
    found = pc.index_in(whole, value_set=texts).fill_null(-1).to_numpy()
    is_double = (found >= 0) & (found != fractions)
    if not is_double.any():
        return ids
    doubles, codes = fractions[is_double], ids.indices.to_numpy()
    log.warning(
        "%d events write their %s like %s, others without the fraction: both are taken as one",
        *(np.isin(codes, doubles).sum(), name, texts[int(doubles[0])].as_py()),
    )
    same_as = np.arange(len(texts))
    same_as[doubles] = found[is_double]
    kept = np.delete(np.arange(len(texts)), doubles)
    new_code = np.zeros(len(texts), dtype=np.int32)
    new_code[kept] = np.arange(len(kept))
    return pa.DictionaryArray.from_arrays(pa.array(new_code[same_as][codes]), texts.take(pa.array(kept)))


def warn_of_odd_ids(ids: pa.DictionaryArray, name: str, splits_lists: bool) -> None:
    """Warns of ids that look like lists, hold line ends, or differ from others by quotes or brackets alone."""
    texts = ids.dictionary
    bare = pc.utf8_trim(texts, AROUND)
    if not bare.equals(texts):
        is_list = pc.and_(
            pc.match_substring_regex(texts, r"(?s)^\[.*\]$"), pc.match_substring_regex(texts, r"[\s,;|]")
        )
        is_twin = pc.and_(pc.not_equal(bare, texts), pc.is_in(bare, value_set=texts))
        if not splits_lists:
            _warn(ids, is_list, f"{name}s look like lists", "set dataset.list_separator to take them apart")
        advice = "they count as ids of their own"
        _warn(ids, is_twin, f"{name}s differ from others only by what is around them", advice)
    has_line_end = pc.match_substring(texts, "\n")
    _warn(ids, has_line_end, f"{name}s hold line ends", "they count as part of the id")


def _warn(ids: pa.DictionaryArray, which: pa.Array, what: str, consequence: str) -> None:
    chosen = np.flatnonzero(which.to_numpy(zero_copy_only=False))
    if len(chosen):
        num_events = int(np.isin(ids.indices.to_numpy(), chosen).sum())
        shown = ids.dictionary[int(chosen[0])].as_py()[:60]
        log.warning("%d %s, such as %r (%d events); %s", len(chosen), what, shown, num_events, consequence)
