from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array

from prnn_cli.data.sessions import Sessions
from prnn_cli.evaluation.candidates import Candidates
from prnn_cli.evaluation.methods import ChosenBaseline
from prnn_cli.evaluation.replay import Scorer, replay
from prnn_cli.experiment.settings import composed
from prnn_cli.extensions import registered
from prnn_cli.features.table import FeatureTable
from prnn_cli.scoring import check_scorer
from small import prepared

LogOf = Callable[[list[list[int]], int], Sessions]
NUM_ITEMS = 30
# Options with which the small log below can be fitted.
SMALL = {
    "item_knn": {"num_neighbours": 8},
    **{name: {"k": 9, "sample_size": 30} for name in ("s_knn", "v_sknn", "stan", "vstan")},
}


def features() -> dict[str, FeatureTable]:
    """Terms of items, of which some have none and some the same."""
    terms = np.random.default_rng(7).integers(0, 3, (NUM_ITEMS, 4)).astype(np.float32)
    return {"text": FeatureTable("text", csr_array(terms), terms.any(axis=1))}


@cache
def options_of(name: str) -> Any:
    changes = [f"baselines.{name}.{key}={value}" for key, value in SMALL.get(name, {}).items()]
    return composed("train", [f"baselines=[{name}]", *changes]).baselines[name]


def fitted(name: str, log: Sessions) -> Scorer:
    entry = registered("BASELINES")[name]
    baseline = ChosenBaseline(name, entry, options_of(name), features() if entry.uses_features else {})
    return baseline.fit(prepared(log))


def random_log(log_of: LogOf, seed: int) -> Sessions:
    generator = np.random.default_rng(seed)
    lengths = generator.integers(1, 9, size=80)
    return log_of([generator.integers(0, NUM_ITEMS, size=n).tolist() for n in lengths], NUM_ITEMS)


@pytest.fixture(params=registered("BASELINES"))
def scorer(request: Any, log_of: LogOf) -> Scorer:
    return fitted(request.param, random_log(log_of, seed=0))


def test_it_keeps_the_contract_of_scorers(scorer: Scorer) -> None:
    check_scorer(scorer, NUM_ITEMS)


@pytest.mark.parametrize("candidates", ["all", 7])
def test_the_number_of_slots_does_not_change_a_baselines_ranks(
    scorer: Scorer, log_of: LogOf, candidates: str | int
) -> None:
    chosen = Candidates.choose(candidates, np.arange(NUM_ITEMS))
    test = random_log(log_of, seed=1)
    one = replay(scorer, test, chosen, num_slots=1)
    for num_slots in (2, 13, 500, None):
        many = replay(scorer, test, chosen, num_slots=num_slots)
        for field in ("session", "position", "target", "better", "equal"):
            np.testing.assert_array_equal(getattr(many, field), getattr(one, field))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("candidates", ["all", 7])
def test_a_gpu_ranks_as_the_cpu_does(scorer: Scorer, log_of: LogOf, candidates: str | int) -> None:
    test = random_log(log_of, seed=1)
    on_cpu = replay(scorer, test, Candidates.choose(candidates, np.arange(NUM_ITEMS)))
    on_gpu = replay(scorer, test, Candidates.choose(candidates, np.arange(NUM_ITEMS), "cuda"), "cuda")
    np.testing.assert_array_equal(on_gpu.better, on_cpu.better)
    np.testing.assert_array_equal(on_gpu.equal, on_cpu.equal)


def test_an_item_has_the_same_score_however_it_is_asked_for(scorer: Scorer) -> None:
    """To the bit, as items tie by it."""
    scorer.reset(2)
    scorer.advance(torch.tensor([3, 5]), torch.tensor([True, True]))
    every = scorer.scores(slice(0, NUM_ITEMS))
    asked = torch.tensor([4, 29, 0, 4, 11])
    assert every.shape == (2, NUM_ITEMS)
    assert every.any()
    assert torch.equal(scorer.scores(asked), every[:, asked])
    assert torch.equal(scorer.scores(slice(10, 20)), every[:, 10:20])
