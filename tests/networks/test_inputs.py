import torch

from prnn_cli.batching import Clicks
from prnn_cli.networks.inputs import VECTORS, Dense, Embedded, FineTuned, OneHot

HALF = torch.randn(8, 3, generator=torch.Generator().manual_seed(0)).half()


def test_vectors_in_half_precision_are_projected_in_the_precision_of_the_weights() -> None:
    weight = torch.randn(3, 6)
    clicks = Clicks(torch.tensor([3, 1]), {})
    projected = Dense("image", HALF).project("w", {"w": weight}, clicks)
    torch.testing.assert_close(projected, HALF[[3, 1]].float() @ weight)


def test_vectors_that_learn_are_kept_in_full_precision() -> None:
    generator = torch.Generator().manual_seed(0)
    parameters = FineTuned("image", HALF).initial_parameters("w", 2, 3, generator)
    assert parameters["w" + VECTORS].dtype == torch.float32
    assert torch.equal(parameters["w" + VECTORS], HALF.float())


def test_an_embedding_layer_has_the_tables_of_what_it_embeds() -> None:
    assert list(Embedded(OneHot(8), 2).row_tables("w")) == ["w.embedding"]
    assert list(Embedded(FineTuned("image", HALF), 2).row_tables("w")) == ["w.embedding" + VECTORS]
    assert Embedded(Dense("image", HALF), 2).row_tables("w") == {}
