import numpy as np
import torch

from prnn_cli.networks.gru import gru_cell


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def test_cell_equals_the_equations() -> None:
    rng = np.random.default_rng(0)
    slots, hidden = 4, 3
    x, h = rng.normal(size=(slots, 3 * hidden)), rng.normal(size=(slots, hidden))
    u_r, u_z, u_c = rng.normal(size=(3, hidden, hidden))

    r = sigmoid(x[:, 0:3] + h @ u_r)
    z = sigmoid(x[:, 3:6] + h @ u_z)
    c = np.tanh(x[:, 6:9] + (r * h) @ u_c)
    expected = (1 - z) * h + z * c

    tensors = [torch.from_numpy(a) for a in (x, h, np.hstack([u_r, u_z]), u_c)]
    np.testing.assert_allclose(gru_cell(*tensors).numpy(), expected, rtol=1e-12)


def test_reset_acts_before_the_recurrent_product_unlike_torch() -> None:
    """torch.nn.GRUCell resets after the product: with the same weights it gives another state."""
    torch.manual_seed(0)
    hidden = 3
    x, h = torch.randn(2, 3 * hidden), torch.randn(2, hidden)
    gates, candidate = torch.randn(hidden, 2 * hidden), torch.randn(hidden, hidden)
    ours = gru_cell(x, h, gates, candidate)

    theirs = torch.nn.GRUCell(3 * hidden, hidden, bias=False)
    with torch.no_grad():
        theirs.weight_ih.copy_(torch.eye(3 * hidden))
        theirs.weight_hh.copy_(torch.cat([gates, candidate], dim=1).T)
        # torch's z keeps the old state where ours takes the new one: change its sign to match
        theirs.weight_ih[hidden : 2 * hidden] *= -1
        theirs.weight_hh[hidden : 2 * hidden] *= -1
        at_rest = torch.zeros_like(h)
        # At rest there is nothing to reset.
        assert torch.allclose(gru_cell(x, at_rest, gates, candidate), theirs(x, at_rest), atol=1e-6)
        assert not torch.allclose(ours, theirs(x, h), atol=1e-2)
