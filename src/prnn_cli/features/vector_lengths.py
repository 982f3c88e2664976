"""Which of several vectors is not as long as the others."""

import numpy as np


def odd_length(lengths: np.ndarray) -> tuple[int, str] | None:
    """(the place of the first vector that is not as long as most, what is wrong with it); None where all are equal.

    lengths: (num_vectors,). Where several lengths are the most frequent, that of the first vector is the right one.
    """
    if (lengths == lengths[:1]).all():
        return None
    counts = np.bincount(lengths)
    usual = lengths[0] if counts[lengths[0]] == counts.max() else counts.argmax()
    place = int((lengths != usual).argmax())
    odd = f"has {lengths[place]} values, but {counts[usual]:,} of the {len(lengths):,} vectors have {usual}"
    return place, odd
