"""A stable order of codes in linear time, for logs of millions of events."""

import numpy as np
from scipy import sparse


def counting_argsort(codes: np.ndarray) -> np.ndarray:
    """The result of np.argsort(codes, kind="stable"), int32, in linear time: equal codes stay in their order.

    codes: (n,) integers from 0. A sparse matrix with a row for each code sorts them when it is built.
    """
    places = np.arange(len(codes), dtype=np.int32)
    order: np.ndarray = sparse.csr_matrix((np.ones(len(codes), dtype=np.int8), (codes, places))).indices
    return order
