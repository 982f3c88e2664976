import pytest
import torch

from prnn_cli.networks.inputs import Dense, OneHot
from prnn_cli.networks.network import Network
from prnn_cli.networks.readouts import READOUTS
from prnn_cli.networks.subnet import Subnet
from prnn_cli.networks.summary import layout


def composed(readout: str) -> Network:
    subnets = (
        Subnet("id", (OneHot(1000),), 8, weight=1.0),
        Subnet("image", (Dense("image", torch.zeros(1000, 320)),), 8, weight=0.5),
    )
    return Network(subnets, READOUTS[readout](subnets), "tanh", 1000)


@pytest.mark.parametrize("readout", ["separate", "shared", "interaction"])
def test_the_diagram_is_drawn_from_the_composed_network(readout: str) -> None:
    pytest.importorskip("matplotlib")
    from prnn_cli.reporting.diagram import architectures

    (axes,) = architectures({readout: layout(composed(readout))}).axes
    texts = {text.get_text() for text in axes.texts}
    assert {"id: one of 1,000", "image: 320 values", "GRU id\n8 units", "GRU image\n8 units", "+"} <= texts
    assert "tanh → scores of 1,000 items" in texts
    assert ("∘" in texts) == (readout == "interaction")
    assert ("W shared" in texts) == (readout == "shared")
    assert ("W image" in texts) == (readout != "shared")
    assert "× 0.5" in texts  # the weight of the image's subnet


def test_a_readout_of_the_users_own_is_drawn_by_its_name() -> None:
    pytest.importorskip("matplotlib")
    from prnn_cli.reporting.diagram import architectures

    (axes,) = architectures({"mine": layout(composed("separate")) | {"readout": "pooled"}}).axes
    texts = {text.get_text() for text in axes.texts}
    assert "pooled" in texts
    assert "W id" not in texts
