"""The step against a slow one: dense one-hot inputs, whole tables, float64 autograd, written from the equations."""

import pytest
import torch

from prnn_cli.batching import Batch
from prnn_cli.networks.network import Network
from prnn_cli.training.losses import top1
from prnn_cli.training.optim import LearningSettings
from prnn_cli.training.state import TrainState
from prnn_cli.training.step import train_step
from prnn_cli.training.strategies import simultaneous
from small import CPU, batches_of, id_network, parameters_of, random_sessions, sessions_of

HIDDEN, ITEMS = 5, 8
PHASE = simultaneous(("id",), epochs=1)[0]


def state_of(network: Network, num_slots: int, settings: LearningSettings) -> TrainState:
    state = TrainState.initial(network, {"id": settings}, num_slots, seed=0, device=CPU)
    state.parameters = parameters_of(network, dtype=torch.float64)
    for group in (state.accumulators, state.velocities, state.carry):
        group.update({name: value.double() for name, value in group.items()})
    return state


class SlowTrainer:
    """GRU4Rec in one place: everything dense, active slots only."""

    def __init__(
        self, parameters: dict[str, torch.Tensor], settings: LearningSettings, num_slots: int
    ) -> None:
        self.p = {name: value.clone().requires_grad_() for name, value in parameters.items()}
        self.acc = {name: torch.zeros_like(value) for name, value in parameters.items()}
        self.v = {name: torch.zeros_like(value) for name, value in parameters.items()}
        self.h = torch.zeros(num_slots, HIDDEN, dtype=torch.float64)
        self.settings = settings

    def step(self, batch: Batch, mask: torch.Tensor | None) -> None:
        p, n = self.p, HIDDEN
        h = torch.where(batch.new_session[:, None], 0, self.h)
        one_hot = torch.nn.functional.one_hot(batch.input_items, ITEMS).double()
        x = one_hot @ p["subnets.id.input.id"] + p["subnets.id.bias"]
        u, u_c = p["subnets.id.recurrent_gates"], p["subnets.id.recurrent_candidate"]
        r = torch.sigmoid(x[:, :n] + h @ u[:, :n])
        z = torch.sigmoid(x[:, n : 2 * n] + h @ u[:, n:])
        c = torch.tanh(x[:, 2 * n :] + (r * h) @ u_c)
        h = (1 - z) * h + z * c
        if mask is not None:
            h = h * mask
        self.h = h.detach()

        readout = p["readout.id"]
        all_scores = torch.tanh(h @ readout[:, :n].T + readout[:, n])
        slots = [b for b in range(len(h)) if batch.active[b]]
        columns = [*slots, *range(len(h), len(batch.output_items))]
        loss = torch.zeros((), dtype=torch.float64)
        for i in slots:
            scores = all_scores[i, batch.output_items[columns]]
            target = all_scores[i, batch.output_items[i]]
            terms = torch.sigmoid(scores - target) + torch.sigmoid(scores**2)
            loss = loss + terms.mean() - torch.sigmoid(target**2) / len(columns)
        loss = loss / len(h)
        touched = {
            "subnets.id.input.id": batch.input_items[batch.active],
            "readout.id": batch.output_items[columns],
        }
        gradients = torch.autograd.grad(loss, list(p.values()))
        for (name, value), gradient in zip(p.items(), gradients, strict=True):
            rows = touched.get(name, slice(None))
            self._adagrad(name, value, gradient, rows)

    def _adagrad(
        self, name: str, value: torch.Tensor, gradient: torch.Tensor, rows: torch.Tensor | slice
    ) -> None:
        moved = torch.zeros(len(value), dtype=torch.bool)
        moved[rows] = True
        self.acc[name] += gradient**2
        step = self.settings.learning_rate * gradient / torch.sqrt(self.acc[name] + 1e-6)
        self.v[name][moved] = self.settings.momentum * self.v[name][moved] - step[moved]
        with torch.no_grad():
            value[moved] += self.v[name][moved]


@pytest.mark.parametrize("num_sampled", [0, 3])
@pytest.mark.parametrize("momentum", [0.0, 0.4])
@pytest.mark.parametrize("num_slots", [4, 40])
def test_an_epoch_equals_the_slow_one(num_slots: int, momentum: float, num_sampled: int) -> None:
    """Resets, duplicates (40 slots, 8 items), idle slots in the tail, dropout: to float64 rounding."""
    network = id_network(ITEMS, HIDDEN)
    settings = LearningSettings(learning_rate=0.1, momentum=momentum)
    state = state_of(network, num_slots, settings)
    slow = SlowTrainer(state.parameters, settings, num_slots)
    negatives = torch.tensor([1, 1, 7])[:num_sampled]
    generator = torch.Generator().manual_seed(5)
    for number, batch in enumerate(batches_of(random_sessions(seed=2), num_slots, negatives)):
        mask = (
            torch.bernoulli(torch.full((num_slots, HIDDEN), 0.5, dtype=torch.float64), generator=generator)
            * 2
        )
        batch.dropout["id"] = mask
        train_step(network, top1, {"id": settings}, state, batch, PHASE, number)
        slow.step(batch, mask)
    for name, value in slow.p.items():
        torch.testing.assert_close(state.parameters[name], value.detach(), rtol=1e-9, atol=1e-11)


def test_only_touched_rows_are_read_or_written() -> None:
    """Rows of items that the batch does not hold are NaN: whatever read them would show it."""
    network = id_network()
    settings = LearningSettings(0.1, 0.0)
    state = state_of(network, 2, settings)
    batch = batches_of(sessions_of([0, 1], [2, 3]), num_slots=2, negatives=torch.tensor([4]))[0]
    clicked, scored = [0, 2], [1, 3, 4]
    for table, touched in (("subnets.id.input.id", clicked), ("readout.id", scored)):
        untouched = [item for item in range(ITEMS) if item not in touched]
        state.parameters[table][untouched] = torch.nan
    train_step(network, top1, {"id": settings}, state, batch, PHASE, 0)
    for name, value in state.parameters.items():
        touched = {"subnets.id.input.id": clicked, "readout.id": scored}.get(name, list(range(len(value))))
        whole = torch.isfinite(value).reshape(len(value), -1).all(dim=1)
        assert whole.nonzero().flatten().tolist() == touched, name


def test_every_touched_row_learns() -> None:
    network = id_network()
    settings = LearningSettings(0.1, 0.0)
    state = state_of(network, 2, settings)
    before = {name: value.clone() for name, value in state.parameters.items()}
    batch = batches_of(sessions_of([0, 1], [2, 3]), num_slots=2)[0]
    train_step(network, top1, {"id": settings}, state, batch, PHASE, 0)
    moved = {name: (value != before[name]) for name, value in state.parameters.items()}
    assert moved["subnets.id.input.id"].any(dim=1).tolist() == [True, False, True] + [False] * 5
    assert moved["readout.id"].any(dim=1).tolist() == [False, True, False, True] + [False] * 4
    assert moved["subnets.id.bias"].any()
    assert not moved["subnets.id.recurrent_gates"].any()  # the state was 0: nothing to learn from it


def test_a_loss_that_is_not_finite_is_noticed_with_its_first_step() -> None:
    network = id_network()
    settings = LearningSettings(0.1, 0.0)
    state = state_of(network, 2, settings)
    batches = batches_of(sessions_of([0, 1, 2, 3], [4, 5, 6, 7]), num_slots=2)
    state.parameters["subnets.id.input.id"][5] = torch.nan  # clicked at step 1
    for number, batch in enumerate(batches):
        train_step(network, top1, {"id": settings}, state, batch, PHASE, number)
    assert int(state.tally["first_bad_step"]) == 1
