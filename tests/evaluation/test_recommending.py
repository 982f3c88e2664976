"""The best next items, by a scorer whose order is known: the sum of the clicks, modulo ten, then the items after it."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from torch import Tensor

from evaluation.test_replay import NUM_ITEMS, SESSIONS, SumScorer
from prnn_cli.data.sessions import Sessions
from prnn_cli.errors import RunError
from prnn_cli.evaluation import recommending
from prnn_cli.evaluation.item_rules import ItemRules
from prnn_cli.evaluation.recommending import best_next, highest
from prnn_cli.networks.network import Activation
from prnn_cli.networks.scorer import NetworkScorer
from small import CPU, id_network, parameters_of, random_sessions

LogOf = Callable[[list[list[int]], int], Sessions]


class SumLogits(SumScorer):
    """`SumScorer` as a product: row i holds item i's score after each sum, of which a slot chooses one."""

    activation: Activation | None = None

    def item_vectors(self, items: slice | Tensor) -> Tensor:
        return -((torch.arange(NUM_ITEMS)[items][:, None] - torch.arange(NUM_ITEMS)) % NUM_ITEMS).float()

    def state_vectors(self) -> Tensor:
        return torch.eye(NUM_ITEMS)[[sum(seen) % NUM_ITEMS for seen in self.seen]]


@pytest.fixture(params=[1, 4])
def num_workers(request: pytest.FixtureRequest) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.mark.parametrize("most_slots", [1, 2, 100])
def test_each_session_is_scored_by_its_own_clicks_alone(
    log_of: LogOf, most_slots: int, num_workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sessions of one to seven clicks stand side by side; what pads the short ones is forgotten."""
    monkeypatch.setitem(recommending.MAX_SLOTS, "cpu", most_slots)
    items, scores = best_next(
        SumLogits(), log_of(SESSIONS, NUM_ITEMS), 3, ItemRules(exclude_clicked=False), CPU
    )
    assert items.tolist() == [[(sum(session) + k) % NUM_ITEMS for k in range(3)] for session in SESSIONS]
    assert scores.tolist() == [[0, -1, -2]] * len(SESSIONS)


def test_clicked_items_can_be_left_out(log_of: LogOf) -> None:
    items, _ = best_next(
        SumLogits(), log_of([[1, 3], [0]], NUM_ITEMS), 3, ItemRules(exclude_clicked=True), CPU
    )
    assert items.tolist() == [[4, 5, 6], [1, 2, 3]]


def test_only_some_items_may_be_recommended_at_all(log_of: LogOf) -> None:
    """After clicks whose sum is 4 the order is 4, 5, … 9, 0, … 3."""
    rules = ItemRules(among=np.array([0, 3, 5, 9]))
    items, scores = best_next(SumLogits(), log_of([[1, 3], [9, 5]], NUM_ITEMS), 5, rules, CPU)
    assert items[0, :3].tolist() == [5, 9, 0]  # 3 was clicked
    assert items[1, :2].tolist() == [0, 3]
    assert np.isfinite(scores).sum(axis=1).tolist() == [3, 2]


def test_some_sessions_have_rules_of_their_own(log_of: LogOf) -> None:
    rules = ItemRules(
        exclude_clicked=False, denied={1: np.array([4, 6])}, allowed={2: np.array([8, 5]), 0: np.array([9])}
    )
    items, scores = best_next(SumLogits(), log_of([[4], [1, 3], [2, 2]], NUM_ITEMS), 3, rules, CPU)
    told = [of[np.isfinite(score)].tolist() for of, score in zip(items, scores, strict=True)]
    assert told == [[9], [5, 7, 8], [5, 8]]


def test_a_rule_may_leave_nothing(log_of: LogOf) -> None:
    rules = ItemRules(among=np.array([3]))
    _, scores = best_next(SumLogits(), log_of([[3]], NUM_ITEMS), 2, rules, CPU)
    assert scores.tolist() == [[-np.inf, -np.inf]]


def test_scores_are_the_activation_of_logits_and_clicked_items_stay_out_of_it(log_of: LogOf) -> None:
    scorer = SumLogits()
    scorer.activation = torch.tanh
    items, scores = best_next(
        scorer, log_of([[0, 1]], NUM_ITEMS), NUM_ITEMS, ItemRules(exclude_clicked=True), CPU
    )
    assert items[0, :8].tolist() == [2, 3, 4, 5, 6, 7, 8, 9]
    assert scores[0, :8].tolist() == torch.tanh(-torch.arange(1.0, 9)).tolist()
    assert scores[0, 8:].tolist() == [-torch.inf, -torch.inf]


def test_slots_are_so_few_that_their_logits_fit_into_memory(
    log_of: LogOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recommending, "MAX_LOGITS", 3 * NUM_ITEMS)
    scorer = SumLogits()
    best_next(scorer, log_of([[1, 2]] * 6, NUM_ITEMS), 1, ItemRules(exclude_clicked=False), CPU)
    assert scorer.num_slots == 3


def test_a_nan_is_refused(log_of: LogOf) -> None:
    class Broken(SumLogits):
        def state_vectors(self) -> Tensor:
            return super().state_vectors() * torch.nan

    with pytest.raises(RunError, match=r"a score is NaN, .*lower learning_rate"):
        best_next(Broken(), log_of([[1]], NUM_ITEMS), 3, ItemRules(exclude_clicked=True), CPU)


@pytest.mark.parametrize("num_columns", [5, 16, 80, 87, 200])
@pytest.mark.parametrize("n", [1, 5])
def test_the_highest_values_are_those_of_a_sort(num_columns: int, n: int) -> None:
    values = torch.randperm(3 * num_columns, generator=torch.Generator().manual_seed(n)).float().view(3, -1)
    found, columns = highest(values, n)
    expected = values.sort(dim=1, descending=True)
    assert torch.equal(found, expected.values[:, :n])
    assert torch.equal(columns, expected.indices[:, :n])


@pytest.mark.parametrize("num_columns", [5, 80, 337])
def test_of_equal_values_the_lower_columns_come_first(num_columns: int) -> None:
    """Few different values, also at the place where the highest end."""
    generator = torch.Generator().manual_seed(num_columns)
    for num_values in (1, 2, 30):
        values = torch.randint(num_values, (20, num_columns), generator=generator).float()
        found, columns = highest(values, 4)
        expected = values.sort(dim=1, descending=True, stable=True)
        assert torch.equal(found, expected.values[:, :4])
        assert torch.equal(columns, expected.indices[:, :4])


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_recommends_as_the_cpu_does() -> None:
    found = []
    for device in (CPU, torch.device("cuda")):
        parameters = {name: value.to(device) for name, value in parameters_of(id_network()).items()}
        scorer = NetworkScorer(id_network(), parameters)
        found.append(best_next(scorer, random_sessions(seed=4), 3, ItemRules(), device))
    (items, scores), (gpu_items, gpu_scores) = found
    assert gpu_items.tolist() == items.tolist()
    assert gpu_scores == pytest.approx(scores, abs=1e-5)
