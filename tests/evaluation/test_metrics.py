"""Metrics of ranks that can be checked in the head."""

import numpy as np
import pytest

from prnn_cli.errors import UserError
from prnn_cli.evaluation.metrics import (
    check_metrics,
    measured_metrics,
    mrr,
    ndcg,
    recall,
    shown_metrics,
    value_of,
)
from prnn_cli.schema import EvaluationConfig


def test_recall_at_20_counts_rank_20_and_not_rank_21() -> None:
    assert recall(np.array([1.0, 20.0, 20.5, 21.0]), 20).tolist() == [1, 1, 0, 0]


def test_mrr_is_the_reciprocal_rank_and_0_beyond_the_cutoff() -> None:
    assert mrr(np.array([1.0, 2.0, 4.0, 5.0]), 4).tolist() == [1, 0.5, 0.25, 0]


def test_ndcg_discounts_by_the_logarithm_of_the_rank() -> None:
    assert ndcg(np.array([1.0, 3.0, 7.0, 8.0]), 7).tolist() == [1, 0.5, 1 / 3, 0]


def test_hit_is_another_name_of_recall_where_one_item_is_relevant() -> None:
    ranks = np.array([1.0, 6.0])
    assert value_of("hit@5", ranks).tolist() == value_of("recall@5", ranks).tolist() == [1, 0]


def test_of_two_names_of_one_metric_the_first_is_shown() -> None:
    assert shown_metrics(["recall", "mrr", "hit"], [5, 20]) == ["recall@5", "mrr@5", "recall@20", "mrr@20"]
    assert shown_metrics(["hit", "recall"], [20]) == ["hit@20"]
    assert shown_metrics(["of_an_extension_that_is_gone"], [20]) == ["of_an_extension_that_is_gone@20"]


def test_the_papers_metrics_are_always_measured_at_its_cutoff() -> None:
    config = EvaluationConfig(
        part="test", metrics=["ndcg"], cutoffs=[5], candidates="all", tie_break="standard"
    )
    assert measured_metrics(config) == ["recall@5", "mrr@5", "ndcg@5", "recall@20", "mrr@20", "ndcg@20"]


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["mmr"], "evaluation.metrics=mmr does not exist; choose one of recall, mrr, ndcg, hit"),
        ([], r"evaluation.metrics=\[\] cannot be measured; give different names"),
        (["mrr", "mrr"], r"evaluation.metrics=\[mrr,mrr\] cannot be measured"),
    ],
)
def test_what_is_no_metric_is_refused_with_those_that_are(names: list[str], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        check_metrics(names)
