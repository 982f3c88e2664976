import pytest
import torch

from prnn_cli.training import ticks
from small import random_sessions
from training.test_trainer import trainer_of


def test_random_numbers_depend_on_seed_phase_epoch_and_tick_alone() -> None:
    maker = trainer_of(random_sessions(seed=0)).ticks

    def numbers(phase: int, epoch: int) -> tuple[torch.Tensor, torch.Tensor]:
        batches = maker.make(phase, epoch, 0, 4).batches
        return batches.keep_masks["id"], batches.outputs.index[:, 4:]

    mask, negatives = numbers(0, 1)
    again = numbers(0, 1)
    assert torch.equal(mask, again[0])
    assert torch.equal(negatives, again[1])
    for other in ((1, 1), (0, 2)):
        assert not torch.equal(mask, numbers(*other)[0])


def test_each_tick_has_its_own_random_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ticks, "STEPS", 5)
    maker = trainer_of(random_sessions(seed=0)).ticks
    masks = [maker.make(0, 0, start, start + 5).batches.keep_masks["id"] for start in (0, 5, 10)]
    assert not torch.equal(masks[0], masks[1])
    assert not torch.equal(masks[1], masks[2])
