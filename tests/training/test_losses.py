import math

import pytest
import torch

from prnn_cli.training.losses import cross_entropy, gbce, top1


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def slow_top1(scores: list[list[float]], active: list[bool]) -> list[float]:
    """From the equation, one slot and one column after the other."""
    slots, columns = len(scores), len(scores[0])
    used = [j for j in range(columns) if j >= slots or active[j]]
    losses = []
    for i in range(slots):
        if not active[i]:
            losses.append(0.0)
            continue
        r = scores[i]
        total = sum(sigmoid(r[j] - r[i]) + sigmoid(r[j] ** 2) for j in used)
        losses.append(total / len(used) - sigmoid(r[i] ** 2) / len(used))
    return losses


@pytest.mark.parametrize("num_sampled", [0, 4])
@pytest.mark.parametrize("active", [[True] * 3, [True, False, True], [False, False, True]])
def test_top1_equals_the_equation(active: list[bool], num_sampled: int) -> None:
    scores = torch.randn(3, 3 + num_sampled, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    found = top1(scores, torch.tensor(active).float())
    assert found.tolist() == pytest.approx(slow_top1(scores.tolist(), active))


def test_top1_by_hand() -> None:
    """Two slots with all scores 0: both pairwise terms and one regularisation are σ(0) = 1/2, M = 2."""
    losses = top1(torch.zeros(2, 2), torch.ones(2))
    assert losses.tolist() == pytest.approx([0.75, 0.75])


def test_the_targets_own_score_is_not_regularised() -> None:
    """With all others at −∞-like distance the loss must keep falling in the target's score."""
    scores = torch.zeros(2, 2, requires_grad=True)
    top1(scores, torch.ones(2)).sum().backward()
    own = scores.grad.diagonal()
    pairwise = -0.25 / 2  # −σ'(0) / M from the one negative; a regularised target would add σ'(r²)·2r
    assert own.tolist() == pytest.approx([pairwise, pairwise])


def test_saturated_and_huge_scores_stay_finite() -> None:
    scores = torch.tensor([[1e4, -1e4], [-1e4, 1e4]], requires_grad=True)
    losses = top1(scores, torch.ones(2))
    losses.sum().backward()
    assert torch.isfinite(losses).all()
    assert torch.isfinite(scores.grad).all()


def test_cross_entropy_over_all_items_is_that_of_torch() -> None:
    scores = torch.randn(3, 7, generator=torch.Generator().manual_seed(1))
    targets, active = torch.tensor([6, 0, 6]), torch.tensor([1.0, 0.0, 1.0])
    for smoothing in (0.0, 0.2):
        expected = torch.nn.functional.cross_entropy(
            scores, targets, reduction="none", label_smoothing=smoothing
        )
        found = cross_entropy(scores, active, targets, label_smoothing=smoothing)
        torch.testing.assert_close(found, active * expected)


def test_smoothing_spreads_a_share_of_the_targets_weight_over_the_active_columns() -> None:
    """One idle slot of three, and a sampled negative: M = 3 columns."""
    scores = torch.randn(3, 4, generator=torch.Generator().manual_seed(1))
    found = cross_entropy(scores, torch.tensor([1.0, 0.0, 1.0]), label_smoothing=0.3)
    expected = torch.nn.functional.cross_entropy(
        scores[:, [0, 2, 3]], torch.tensor([0, 0, 1]), reduction="none", label_smoothing=0.3
    )
    torch.testing.assert_close(found, expected * torch.tensor([1, 0, 1]))


def test_gbce_by_hand() -> None:
    """One of two slots' targets and one negative, all at 0: β = 0.5 (1 · (1 − 2) + 2) = 0.5, each log is log 1/2."""
    losses = gbce(torch.zeros(1, 2), torch.ones(1), calibration=1.0, sampling_rate=0.5)
    assert losses.tolist() == pytest.approx([1.5 * math.log(2)])


def test_gbce_without_calibration_is_binary_cross_entropy_whatever_the_sampling_rate() -> None:
    scores = torch.tensor([[30.0, -2.0, 1.0], [0.5, -40.0, 200.0]])
    labels = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    expected = torch.nn.functional.binary_cross_entropy_with_logits(scores, labels, reduction="none").sum(
        dim=1
    )
    torch.testing.assert_close(gbce(scores, torch.ones(2), sampling_rate=0.01), expected)
