"""The GRU cell of the reference: its reset gate acts before the recurrent product, unlike torch.nn.GRUCell's."""

import torch
from torch import Tensor


def gru_cell(x: Tensor, h: Tensor, recurrent_gates: Tensor, recurrent_candidate: Tensor) -> Tensor:
    """h' = (1 − z) ∘ h + z ∘ c, with r, z = σ(x_rz + h U_rz) and c = tanh(x_c + (r ∘ h) U_c).

    x: (B, 3H), the inputs' projections and the bias, for r, z and c side by side; h: (B, H);
    recurrent_gates U_rz: (H, 2H); recurrent_candidate U_c: (H, H).
    """
    x_gates, x_candidate = torch.split(x, [2 * h.shape[1], h.shape[1]], dim=1)
    reset, update = torch.sigmoid(x_gates + h @ recurrent_gates).chunk(2, dim=1)
    candidate = torch.tanh(x_candidate + (reset * h) @ recurrent_candidate)
    return torch.lerp(h, candidate, update)
