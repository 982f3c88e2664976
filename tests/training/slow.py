"""Every network and update once more, written from the equations: dense inputs, whole tables, float64 autograd."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from prnn_cli.batching import Batch
from prnn_cli.training.optim import LearningSettings
from prnn_cli.training.strategies import Phase


def sigmoid(x: Tensor) -> Tensor:
    return 1 / (1 + torch.exp(-x))


class SlowTrainer:
    """fed: subnet -> {input: (N, F) matrix, one row an item}; arch: the readout's formula by its name."""

    def __init__(
        self,
        arch: str,
        fed: Mapping[str, Mapping[str, Tensor]],
        weights: Mapping[str, float],
        parameters: Mapping[str, Tensor],
        settings: Mapping[str, LearningSettings],
        activation: Callable[[Tensor], Tensor],
        loss: Callable[[Tensor, int], Tensor],
        num_slots: int,
        tied: bool = False,
    ) -> None:
        self.arch, self.fed, self.weights = arch, fed, weights
        self.settings, self.activation, self.loss = settings, activation, loss
        self.tied = tied
        self.p = {name: value.clone().requires_grad_() for name, value in parameters.items()}
        self.acc = {name: torch.zeros_like(value) for name, value in parameters.items()}
        self.v = {name: torch.zeros_like(value) for name, value in parameters.items()}
        self.moments: dict[tuple[str, int], tuple[Tensor, Tensor, int]] = {}  # of Adam: m, v, t
        self.h = {
            name: torch.zeros(num_slots, self.p[f"subnets.{name}.recurrent_candidate"].shape[0]).double()
            for name in fed
        }

    def step(self, batch: Batch, phase: Phase) -> None:
        before, after = self.h, dict(self.h)
        for update in phase.updates:
            states = {}
            for name in update.scores:
                states[name] = self.gru(name, batch, before[name], name in update.learns)
                if name in update.learns:
                    states[name] = states[name] * batch.keep_masks[name] * 2  # dropped by a half
                after[name] = states[name].detach()
            self.learn(batch, self.scores(states), update.learns)
        self.h = after

    def gru(self, name: str, batch: Batch, h: Tensor, learns: bool) -> Tensor:
        n, prefix = h.shape[1], f"subnets.{name}."
        h = torch.where(batch.new_session[:, None], 0, h)
        x = self.p[prefix + "bias"]
        for source, matrix in self.fed[name].items():
            fed = self.fed_with(f"{prefix}input.{source}", matrix[batch.clicks.items], batch)
            if self.tied_to(name, source):
                fed = self.p[self.tied_to(name, source)][batch.clicks.items, :-1]
            if learns and f"{name}.input.{source}" in batch.keep_masks:
                fed = dropped_by_half(fed, batch.keep_masks[f"{name}.input.{source}"], batch, source)
            x = x + fed @ self.p[f"{prefix}input.{source}"][: fed.shape[1]]  # a text's last row pads
        gates, candidate = self.p[prefix + "recurrent_gates"], self.p[prefix + "recurrent_candidate"]
        r = sigmoid(x[:, :n] + h @ gates[:, :n])
        z = sigmoid(x[:, n : 2 * n] + h @ gates[:, n:])
        c = torch.tanh(x[:, 2 * n :] + (r * h) @ candidate)
        return (1 - z) * h + z * c

    def id_inputs(self) -> list[tuple[str, str]]:
        return [(name, "id") for name, fed in self.fed.items() if "id" in fed]

    def tied_to(self, name: str, source: str) -> str | None:
        """The output table whose rows the input is, where there are no rows of its own."""
        if source != "id" or not self.tied:
            return None
        return "readout.output" if self.arch == "shared_w" else f"readout.{name}"

    def fed_with(self, name: str, vectors: Tensor, batch: Batch) -> Tensor:
        """(B, F) the clicked items' vectors, tuned where they are, or (B, E) what an embedding makes of them."""
        embedding = self.p.get(f"{name}.embedding")
        name = name if embedding is None else f"{name}.embedding"
        if f"{name}.vectors" in self.p:
            vectors = self.p[f"{name}.vectors"][batch.clicks.items]
        return vectors if embedding is None else vectors @ embedding[: vectors.shape[1]]

    def scores(self, h: Mapping[str, Tensor]) -> Tensor:
        """(B, N) of the whole catalogue."""

        def part(table: str, state: Tensor) -> Tensor:
            w_and_b = self.p[f"readout.{table}"]
            return state @ w_and_b[:, :-1].T + w_and_b[:, -1]

        w = self.weights
        if self.arch == "shared_w":
            logits = part("output", sum(w[name] * h[name] for name in h))
        elif self.arch == "interaction":
            logits = w["id"] * part("id", h["id"])
            for name in h:
                if name != "id":
                    logits = logits + w[name] * part(name, h["id"] * h[name])
        else:
            logits = sum(w[name] * part(name, h[name]) for name in h)
        return self.activation(logits)

    def learn(self, batch: Batch, all_scores: Tensor, learns: tuple[str, ...]) -> None:
        num_slots = len(batch.active)
        slots = [b for b in range(num_slots) if batch.active[b]]
        if batch.outputs is None:
            asked = torch.arange(all_scores.shape[1])
            places = [int(batch.targets[b]) for b in slots]
        else:
            columns = [*slots, *range(num_slots, len(batch.outputs.index))]
            asked = batch.outputs.index[columns]
            places = list(range(len(slots)))
        total = torch.zeros((), dtype=torch.float64)
        for place, b in zip(places, slots, strict=True):
            scores = all_scores[b, asked]
            if batch.correction is not None:
                scores = scores - batch.correction[columns]
            total = total + self.loss(scores, place)
        learning = [name for name in self.p if name.split(".")[1] in (*learns, "output")]
        gradients = torch.autograd.grad(
            total / num_slots, [self.p[name] for name in learning], allow_unused=True, materialize_grads=True
        )
        clicked = batch.clicks.items[slots]
        for name, gradient in zip(learning, gradients, strict=True):
            kind, owner, *rest = name.split(".")
            moved = torch.ones(len(gradient), dtype=torch.bool)
            settings = self.settings[owner]
            if kind == "readout":
                moved = torch.zeros(len(gradient), dtype=torch.bool)
                moved[asked] = True
                if any(name == self.tied_to(*each) for each in self.id_inputs()):
                    moved[clicked] = True
            elif rest[-1] == "vectors":
                settings = self.settings[f"{owner}.vectors"]
                moved = torch.zeros(len(gradient), dtype=torch.bool)
                moved[clicked] = True
            elif rest[0] == "input" and rest[1] == "id" and self.tied:
                pass
            elif rest[0] == "input" and rest[1] in ("id", "text") and f"{name}.embedding" not in self.p:
                used = (self.fed[owner][rest[1]][clicked] != 0).any(dim=0)
                moved = torch.zeros(len(gradient), dtype=torch.bool)  # the text's last row, which pads, never
                moved[: len(used)] = used
            take = self.adam if settings.optimiser == "adam" else self.adagrad
            take(name, gradient, moved, settings)

    def adam(self, name: str, gradient: Tensor, moved: Tensor, settings: LearningSettings) -> None:
        """Each row on its own, and a dense parameter, whose rows all move at every step, too."""
        for row in moved.nonzero().flatten().tolist():
            g, m, v, t = gradient[row], *self.moments.get((name, row), (0, 0, 0))
            m, v, t = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2, t + 1
            self.moments[name, row] = (m, v, t)
            m, v = m / (1 - 0.9**t), v / (1 - 0.999**t)
            with torch.no_grad():
                self.p[name][row] -= settings.learning_rate * m / (torch.sqrt(v) + 1e-8)

    def adagrad(self, name: str, gradient: Tensor, moved: Tensor, settings: LearningSettings) -> None:
        self.acc[name] += gradient**2
        step = settings.learning_rate * gradient / torch.sqrt(self.acc[name] + 1e-6)
        self.v[name][moved] = settings.momentum * self.v[name][moved] - step[moved]
        with torch.no_grad():
            self.p[name][moved] += self.v[name][moved]


def dropped_by_half(fed: Tensor, keep: Tensor, batch: Batch, source: str) -> Tensor:
    """Inverted dropout: of the values (B, F), or, where `keep` is a number a term, of whole terms."""
    if keep.dim() == 1:
        rows, terms = batch.clicks.rows[source], torch.zeros_like(fed)
        for slot, term, keeps in zip(rows.slot, rows.index, keep, strict=True):
            if term < fed.shape[1]:  # no padding
                terms[slot, term] = keeps
        keep = terms
    return fed * keep * 2


def top1(r: Tensor, i: int) -> Tensor:
    m = len(r)
    return (sigmoid(r - r[i]) + sigmoid(r**2)).sum() / m - sigmoid(r[i] ** 2) / m


def top1_max(r: Tensor, i: int) -> Tensor:
    others = torch.cat([r[:i], r[i + 1 :]])
    share = torch.exp(others) / torch.exp(others).sum()
    return (share * (sigmoid(others - r[i]) + sigmoid(others**2))).sum()


def bpr(r: Tensor, i: int) -> Tensor:
    return -torch.log(sigmoid(r[i] - r)).sum() / len(r)


def bpr_max(r: Tensor, i: int) -> Tensor:
    others = torch.cat([r[:i], r[i + 1 :]])
    share = torch.exp(others) / torch.exp(others).sum()
    return -torch.log((share * sigmoid(r[i] - others)).sum()) + (share * others**2).sum()


def cross_entropy(r: Tensor, i: int) -> Tensor:
    return -torch.log(torch.exp(r[i]) / torch.exp(r).sum())


def smoothed_cross_entropy(r: Tensor, i: int) -> Tensor:
    """The target has the weight 0.7, and all columns share 0.3."""
    weights = torch.full_like(r, 0.3 / len(r))
    weights[i] += 0.7
    return -(weights * torch.log(torch.exp(r) / torch.exp(r).sum())).sum()


def gbce(r: Tensor, i: int) -> Tensor:
    """t = 0.75 at a sampling rate of 0.2."""
    alpha, t = 0.2, 0.75
    beta = alpha * (t * (1 - 1 / alpha) + 1 / alpha)
    negatives = torch.cat([r[:i], r[i + 1 :]])
    return -beta * torch.log(sigmoid(r[i])) - torch.log(1 - sigmoid(negatives)).sum()


LOSSES = {"top1": top1, "top1_max": top1_max, "bpr": bpr, "bpr_max": bpr_max, "cross_entropy": cross_entropy}
LOSSES["gbce"] = gbce
LOSSES["smoothed_cross_entropy"] = smoothed_cross_entropy
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "linear": lambda x: x,
    "elu": lambda x: torch.where(x > 0, x, 0.5 * (torch.exp(x) - 1)),
    "elu_1": lambda x: torch.where(x > 0, x, torch.exp(x) - 1),
}
