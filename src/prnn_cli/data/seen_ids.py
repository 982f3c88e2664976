"""Ids that were met before, kept as hashes: eight bytes each, however many there are."""

import numpy as np
import pandas as pd
import pyarrow as pa

from prnn_cli.errors import UserError


class SeenIds:
    """The ids of the blocks so far."""

    def __init__(self) -> None:
        self._hashes = np.empty(0, dtype=np.uint64)  # rising

    def checked(self, block: pa.Table, name: str) -> pa.Table:
        """The block, whose ids in the column `name` (a dictionary) no block before had, nor it itself at two places.

        Raises `UserError` for one that comes again.
        """
        column = block[name].combine_chunks()
        codes = column.indices.to_numpy()
        begins = np.flatnonzero(np.diff(codes, prepend=-1))
        ids = column.dictionary.take(pa.array(codes[begins]))
        hashes = pd.util.hash_array(ids.to_numpy(zero_copy_only=False).astype(object))
        order = np.argsort(hashes, kind="stable")
        rising = hashes[order]
        place = np.searchsorted(self._hashes, rising)
        again = np.zeros(len(rising), dtype=bool)
        again[1:] = rising[1:] == rising[:-1]
        inside = place < len(self._hashes)
        again[inside] |= self._hashes[place[inside]] == rising[inside]
        if again.any():
            raise UserError(
                f"the session {ids[int(order[again.argmax()])].as_py()} goes on after others; with stream=true the "
                "clicks of a session stand together, so sort the log by session and time, or leave stream out"
            )
        self._hashes = np.insert(self._hashes, place, rising)
        return block
