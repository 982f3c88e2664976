"""A folded network as an ONNX file: one click of each session -> scores, the best items, and the new states.

| input | | |
| item | (B,) int64 | item_index of the click |
| state_NAME | (B, H) float32, one of each subnet | zeros for a session that begins |
| k | (1,) int64 | how many of the best items |

| output | | |
| top_items, top_scores | (B, k) int64, float32 | item_index and score, best first; of equal logits the lower index |
| scores | (B, N) float32 | of all items |
| logits | (B, N) float32 | before the final activation, which may make different logits equal scores |
| new_state_NAME | (B, H) float32 | to go on with |

Runtimes compute the outputs that are asked for alone.
"""

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from prnn_cli.networks.folded import FoldedNetwork, FoldedSubnet
from prnn_cli.system.extras import require

LARGEST_IN_ONE_FILE = 1.5e9  # bytes of tensors; protobuf ends at 2 GB, and the rest stands in a file beside


class OneClick(nn.Module):
    """The step that is exported, from the same functions that the evaluation calls."""

    def __init__(self, network: FoldedNetwork) -> None:
        super().__init__()
        self.folded = network
        # Tensors in a frozen dataclass would be copied into the graph as constants without a name.
        for subnet in network.subnets:
            self.register_buffer(f"inputs_{subnet.name}", subnet.inputs)
            self.register_buffer(f"recurrent_gates_{subnet.name}", subnet.recurrent_gates)
            self.register_buffer(f"recurrent_candidate_{subnet.name}", subnet.recurrent_candidate)
        self.register_buffer("item_vectors", network.item_vectors)

    def forward(self, item: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, ...]:
        names = [subnet.name for subnet in self.folded.subnets]
        new = self._network().after(item, dict(zip(names, states, strict=True)))
        logits = self.folded.session_vectors(new) @ self.get_buffer("item_vectors").T
        return (self.folded.scores_of(logits), logits, *new.values())

    def _network(self) -> FoldedNetwork:
        """The network with the buffers for its tensors."""
        subnets = tuple(
            FoldedSubnet(
                subnet.name,
                self.get_buffer(f"inputs_{subnet.name}"),
                self.get_buffer(f"recurrent_gates_{subnet.name}"),
                self.get_buffer(f"recurrent_candidate_{subnet.name}"),
            )
            for subnet in self.folded.subnets
        )
        return FoldedNetwork(self.folded.network, subnets, self.get_buffer("item_vectors"))


def write_onnx(network: FoldedNetwork, path: Path) -> None:
    """Writes the network to `path`, with its tensors in `path`.data beside it where they are too large for one file.

    Raises `UserError` where the extra `export` is not installed.
    """
    require("prnn export")
    import onnx

    model = _with_best_items(_exported(network))
    for node in model.graph.node:
        node.ClearField("doc_string")  # lines of this code
        node.ClearField("metadata_props")
    onnx.checker.check_model(model)
    size = sum(value.numel() * value.element_size() for value in OneClick(network).buffers())
    onnx.save(model, path, save_as_external_data=size > LARGEST_IN_ONE_FILE, location=f"{path.name}.data")


def _exported(network: FoldedNetwork) -> Any:
    names = [subnet.name for subnet in network.subnets]
    states = tuple(network.initial_states(2)[name] for name in names)
    sessions = torch.export.Dim("sessions")
    with _quiet(), torch.no_grad():
        program = torch.onnx.export(
            OneClick(network),
            (torch.zeros(2, dtype=torch.int64), states),
            input_names=["item", *(f"state_{name}" for name in names)],
            output_names=["scores", "logits", *(f"new_state_{name}" for name in names)],
            dynamic_shapes={"item": {0: sessions}, "states": tuple({0: sessions} for _ in names)},
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    assert program is not None
    return program.model_proto


def _with_best_items(model: Any) -> Any:
    """The graph with the input k, and the k best items as outputs. They are found by logits: scores may tie."""
    from onnx import TensorProto, helper

    graph = model.graph
    graph.input.append(helper.make_tensor_value_info("k", TensorProto.INT64, [1]))
    graph.node.extend(
        [
            helper.make_node(
                "TopK", ["logits", "k"], ["top_logits", "top_items"], axis=1, largest=1, sorted=1
            ),
            helper.make_node("GatherElements", ["scores", "top_items"], ["top_scores"], axis=1),
        ]
    )
    graph.output.extend(
        [
            helper.make_tensor_value_info("top_items", TensorProto.INT64, ["sessions", "k"]),
            helper.make_tensor_value_info("top_scores", TensorProto.FLOAT, ["sessions", "k"]),
        ]
    )
    return model


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what torch's exporter says of itself."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
