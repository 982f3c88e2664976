import torch

from prnn_cli.networks.initialisation import gate_blocks, uniform


def test_blocks_are_drawn_one_after_the_other_as_if_each_stood_alone() -> None:
    found = gate_blocks(4, 3, 2, torch.Generator().manual_seed(1))
    generator = torch.Generator().manual_seed(1)
    assert torch.equal(found, torch.cat([uniform(4, 3, generator), uniform(4, 3, generator)], dim=1))
