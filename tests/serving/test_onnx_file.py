"""An exported network in onnxruntime against the scorer of the evaluation."""

from pathlib import Path

import numpy as np
import pytest
import torch

from prnn_cli.evaluation.item_rules import ItemRules
from prnn_cli.evaluation.recommending import best_next
from prnn_cli.networks.folded import FoldedNetwork, FoldedScorer, fold
from prnn_cli.networks.scorer import NetworkScorer
from prnn_cli.serving.onnx_file import write_onnx
from small import CPU, id_network, parameters_of, random_sessions
from training.test_executors import in_single_precision
from training.test_step import network_of

onnxruntime = pytest.importorskip("onnxruntime")

CASES = [
    ("id_only", "none", "linear"),
    ("interaction", "image_and_text", "tanh"),
    pytest.param("feature_only", "text", "tanh", marks=pytest.mark.nightly),
    pytest.param("concatenated", "image_and_text", "elu", marks=pytest.mark.nightly),
    pytest.param("parallel", "image_and_text", "tanh", marks=pytest.mark.nightly),
    pytest.param("shared_w", "text", "tanh", marks=pytest.mark.nightly),
]


class Served:
    """The file in use: the state of some sessions, fed a click each."""

    def __init__(self, path: Path, num_sessions: int) -> None:
        self.session = onnxruntime.InferenceSession(path)
        sizes = {each.name: each.shape[1] for each in self.session.get_inputs() if "state_" in each.name}
        self.state = {name: np.zeros((num_sessions, size), np.float32) for name, size in sizes.items()}

    def click(self, items: np.ndarray, k: int, *outputs: str) -> list[np.ndarray]:
        asked = [*outputs, *(f"new_{name}" for name in self.state)]
        found = self.session.run(asked, {"item": items, "k": np.array([k]), **self.state})
        self.state = dict(zip(self.state, found[len(outputs) :], strict=True))
        return list(found[: len(outputs)])


@pytest.mark.parametrize(("arch", "features", "activation"), CASES)
def test_every_architecture_scores_as_in_the_evaluation(
    arch: str, features: str, activation: str, tmp_path: Path
) -> None:
    network = in_single_precision(network_of(arch, features, activation), CPU)
    parameters = parameters_of(network)
    write_onnx(fold(network, parameters), tmp_path / "model.onnx")
    served, scorer = Served(tmp_path / "model.onnx", 3), NetworkScorer(network, parameters)
    scorer.reset(3)
    for step, items in enumerate([[3, 0, 5], [1, 7, 2], [3, 3, 6]]):
        scorer.advance(torch.tensor(items), torch.full((3,), step == 0))
        scores, best, best_scores = served.click(np.array(items), 4, "scores", "top_items", "top_scores")
        expected = scorer.scores(slice(None)).numpy()
        np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(best_scores, np.sort(expected)[:, ::-1][:, :4], rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(np.take_along_axis(scores, best, axis=1), best_scores)


def with_equal_items(num_items: int) -> FoldedNetwork:
    """A network of saturating scores, in which every third item has the vector of the one before it."""
    network = id_network(num_items, hidden_size=16)
    parameters = parameters_of(network, seed=1)
    table = 40 * parameters["readout.id"]
    table[1::3] = table[0::3][: len(table[1::3])]
    return fold(network, parameters | {"readout.id": table})


def test_ten_thousand_sessions_get_the_same_twenty_items_ties_included(tmp_path: Path) -> None:
    network = with_equal_items(301)
    write_onnx(network, tmp_path / "model.onnx")
    sessions = random_sessions(5, num_sessions=10_000, num_items=301)
    items, scores = best_next(FoldedScorer(network), sessions, 20, ItemRules(exclude_clicked=False), CPU)
    assert (np.diff(scores) == 0).mean() > 0.3, "many scores are equal"
    lengths = np.diff(sessions.offsets)
    for length in np.unique(lengths):
        (which,) = np.nonzero(lengths == length)
        served = Served(tmp_path / "model.onnx", len(which))
        for step in range(length):
            found, values = served.click(
                sessions.items[sessions.offsets[which] + step].astype(np.int64), 20, "top_items", "top_scores"
            )
        np.testing.assert_allclose(values, scores[which], rtol=1e-5, atol=1e-6)
        assert_same_order(found, items[which], network, served)


def assert_same_order(
    found: np.ndarray, expected: np.ndarray, network: FoldedNetwork, served: Served
) -> None:
    """Items differ only where their logits are apart by rounding alone: equal vectors never."""
    rows, places = np.nonzero(found != expected)
    states = {name.removeprefix("state_"): torch.from_numpy(state) for name, state in served.state.items()}
    logits = (network.session_vectors(states) @ network.item_vectors.T).numpy()
    apart = np.abs(logits[rows, found[rows, places]] - logits[rows, expected[rows, places]])
    assert (apart < 1e-4).all()
    assert len(set(rows)) < 0.01 * len(found)
    vectors = network.item_vectors.numpy()
    same = (vectors[found[rows, places]] == vectors[expected[rows, places]]).all(axis=1)
    assert not same.any(), "of items with equal vectors the lower index comes first"


def test_large_tensors_stand_in_a_file_beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prnn_cli.serving.onnx_file.LARGEST_IN_ONE_FILE", 0)
    network = fold(id_network(500), parameters_of(id_network(500)))
    write_onnx(network, tmp_path / "model.onnx")
    assert {path.name for path in tmp_path.iterdir()} == {"model.onnx", "model.onnx.data"}
    (scores,) = Served(tmp_path / "model.onnx", 1).click(np.array([3]), 1, "scores")
    assert scores.shape == (1, 500)
