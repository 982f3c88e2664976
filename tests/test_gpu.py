"""The same code on a CUDA device: agreement with the CPU, repeatability, resume. Skipped where there is none."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from commands.conftest import SMALL, Result
from prnn_cli.evaluation.candidates import Candidates
from prnn_cli.evaluation.replay import replay
from prnn_cli.networks.scorer import NetworkScorer
from prnn_cli.system.tree import tensors_of, with_tensors
from prnn_cli.training import executors
from prnn_cli.training.executors import EagerExecutor, GraphExecutor
from prnn_cli.training.losses import top1
from prnn_cli.training.negatives import NegativeSampler
from prnn_cli.training.optim import LearningSettings
from prnn_cli.training.state import TrainState
from prnn_cli.training.step import Step
from prnn_cli.training.strategies import simultaneous
from small import CPU, batches_of, id_network, parameters_of, random_sessions
from training.test_executors import assert_close, in_single_precision, trained
from training.test_step import network_of

Prnn = Callable[..., Result]
pytest_plugins = ["commands.conftest"]
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]
ON_GPU = [argument for argument in SMALL if not argument.startswith("hardware")] + ["hardware=gpu"]
BOTH_ON_GPU = [argument for argument in ON_GPU if not argument.startswith(("arch", "subnets"))]
CUDA = torch.device("cuda", 0)


def test_steps_agree_with_the_cpu() -> None:
    """An epoch with resets, duplicates and an idle tail, without dropout: equal up to rounding."""
    trained = {}
    for device in (torch.device("cpu"), torch.device("cuda", 0)):
        network = id_network()
        settings = {"id": LearningSettings(0.1, 0.2)}
        state = TrainState.initial(network, settings, 16, seed=0, device=device)
        state.parameters = {name: value.to(device) for name, value in parameters_of(network).items()}
        for batch in batches_of(network, random_sessions(seed=2), 16):
            on_device = with_tensors(batch, [each.to(device) for each in tensors_of(batch)])
            Step(network, top1, settings)(state, on_device, simultaneous(["id"], 1)[0])
        trained[device.type] = {name: value.cpu() for name, value in state.parameters.items()}
    for name, value in trained["cpu"].items():
        torch.testing.assert_close(trained["cuda"][name], value, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("strategy", ["simultaneous", "residual", "interleaving"])
@pytest.mark.parametrize("first_tick", [25, 5], ids=["", "rest-of-an-epoch-first"])
def test_the_captured_step_is_the_plain_one(strategy: str, first_tick: int) -> None:
    network, captured = network_of("parallel", "image_and_text"), []

    def graph(step: Step) -> GraphExecutor:
        captured.append(GraphExecutor(step))
        return captured[0]

    plain = trained(network, "top1", strategy, EagerExecutor, 0.2, CUDA)
    fast = trained(network, "top1", strategy, graph, 0.2, CUDA, first_tick)
    assert captured[0].used == "graph"
    assert_close(fast, plain)


def test_a_capture_that_fails_leaves_the_stream_and_training_as_they_were(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A value read by the host, which nothing captured may be."""
    network, broken = id_network(), []
    compiled = executors.CompiledExecutor.compiled

    def reads(self: executors.CompiledExecutor, *arguments: Any) -> Any:
        step = compiled(self, *arguments)

        def reading(*tensors: torch.Tensor) -> None:
            if torch.cuda.is_current_stream_capturing():
                broken.append(tensors[0].sum().item())
            step(*tensors)

        return reading

    monkeypatch.setattr(executors.CompiledExecutor, "compiled", reads)
    stream = torch.cuda.current_stream()
    plain = trained(network, "top1", "simultaneous", EagerExecutor, 0.0, CUDA)
    assert_close(trained(network, "top1", "simultaneous", GraphExecutor, 0.0, CUDA), plain)
    assert "no CUDA graph could be captured" in caplog.text
    assert torch.cuda.current_stream() == stream


@pytest.mark.parametrize("features", ["image", "text"])
def test_a_network_ranks_alike_on_both(features: str) -> None:
    sessions, ranks = random_sessions(seed=4, num_sessions=50), {}
    for device in (CPU, CUDA):
        network = in_single_precision(network_of("parallel", features), device)
        parameters = {name: value.to(device) for name, value in parameters_of(network).items()}
        candidates = Candidates.choose("all", np.arange(8), device)
        ranks[device.type] = replay(NetworkScorer(network, parameters), sessions, candidates, device)
    np.testing.assert_array_equal(ranks["cuda"].better, ranks["cpu"].better)


def test_a_run_trains_and_evaluates_on_the_gpu(
    prnn: Prnn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert prnn("train", *ON_GPU, "hydra.run.dir=runs/gpu").exit_code == 0
    monkeypatch.setenv("PRNN_CACHE_DIR", str(tmp_path / "cache"))  # else the baselines' ranks would be reused
    assert prnn("train", *SMALL, "hydra.run.dir=runs/cpu").exit_code == 0
    gpu, cpu = (json.loads(Path(f"runs/{name}/metrics.json").read_text()) for name in ("gpu", "cpu"))
    assert gpu["device"] == torch.cuda.get_device_name(0)
    assert gpu["baselines"] == cpu["baselines"]
    assert gpu["recall@20"] == pytest.approx(cpu["recall@20"], abs=0.1)  # other dropout masks


def test_the_same_seed_gives_the_same_metrics_captured(prnn: Prnn) -> None:
    metrics = []
    for name in ("one", "two"):
        run = ["hardware.compile=always", "features=text", "arch=parallel", "units.each=8"]
        assert prnn("train", *BOTH_ON_GPU, *run, f"hydra.run.dir=runs/{name}").exit_code == 0
        metrics.append(json.loads(Path(f"runs/{name}/metrics.json").read_text()))
    assert metrics[0]["train"]["executor"] == "graph"
    assert metrics[0]["recall@20"] == pytest.approx(metrics[1]["recall@20"], abs=0.01)


def test_a_model_trained_on_the_gpu_ranks_alike_on_the_cpu(prnn: Prnn) -> None:
    assert prnn("train", *ON_GPU, "hydra.run.dir=runs/gpu").exit_code == 0
    assert prnn("evaluate", "run=runs/gpu", "hardware=cpu", "hydra.run.dir=cpu").exit_code == 0
    gpu, cpu = (json.loads(Path(f"{name}/metrics.json").read_text()) for name in ("runs/gpu", "cpu"))
    assert cpu["recall@20"] == pytest.approx(gpu["recall@20"], abs=0.01)


def test_a_finished_checkpoint_is_read_back_onto_the_gpu(prnn: Prnn) -> None:
    assert prnn("train", *ON_GPU, "hydra.run.dir=runs/gpu").exit_code == 0
    Path("runs/gpu/metrics.json").unlink()
    model = load_file("runs/gpu/model.safetensors")
    assert prnn("train", *ON_GPU, "hydra.run.dir=runs/gpu", "resume=true").exit_code == 0
    again = load_file("runs/gpu/model.safetensors")
    assert all(torch.equal(model[name], again[name]) for name in model)


def test_negatives_are_drawn_on_the_gpu_in_proportion_to_support() -> None:
    device = torch.device("cuda", 0)
    support = np.array([100, 4, 25, 0])
    sampler = NegativeSampler(support, alpha=0.5, num_sampled=1000, device=device)
    drawn = sampler.draw(200, torch.Generator(device).manual_seed(0)).cpu().numpy()
    assert np.bincount(drawn.ravel(), minlength=4) / drawn.size == pytest.approx(
        [10 / 17, 2 / 17, 5 / 17, 0], abs=0.01
    )
