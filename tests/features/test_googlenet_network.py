import hashlib
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from prnn_cli.errors import UserError
from prnn_cli.features import googlenet_network
from prnn_cli.features.googlenet_network import (
    MEAN,
    STD,
    GoogLeNet,
    Inception,
    TransformInput,
    load_googlenet,
)

NUM_TENSORS = 285  # five for each of 57 convolutions
NUM_PARAMETERS = 5_599_904  # torchvision's 6,624,904 without the last layer
NAMES_AND_SHAPES = "5169debe9265bcaac282b92016bdc9516b8bd0d593ecd361ee186349afd675db"  # of torchvision 0.29


@torch.no_grad()
def with_random_numbers(network: nn.Module, seed: int = 0) -> nn.Module:
    """Also where a new network has zeros and ones, so that nothing is equal by luck; activations stay near 1."""
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.weight.uniform_(0.5, 1.5, generator=generator)
            module.bias.normal_(0, 0.1, generator=generator)
            module.running_mean.normal_(0, 0.1, generator=generator)
            module.running_var.uniform_(0.1, 0.3, generator=generator)
    return network.eval()


@pytest.fixture(scope="module")
def state() -> dict[str, Tensor]:
    torch.manual_seed(0)
    return with_random_numbers(GoogLeNet()).state_dict()


@pytest.fixture(scope="module")
def images() -> Tensor:
    return torch.randn(3, 3, 224, 224, generator=torch.Generator().manual_seed(1))


def saved(state: dict[str, Tensor], path: Path) -> str:
    if path.suffix == ".safetensors":
        save_file(state, path)
    else:
        torch.save(state, path)
    return str(path)


def load(weights: str | None, cache_dir: Path) -> GoogLeNet:
    return load_googlenet(weights, cache_dir, "cpu")


def test_names_and_shapes_are_those_of_torchvision(state: dict[str, Tensor]) -> None:
    shapes = {name: value.shape for name, value in state.items() if "num_batches" not in name}
    lines = [f"{name} {'×'.join(map(str, shape))}" for name, shape in shapes.items()]
    assert len(shapes) == NUM_TENSORS
    assert shapes["inception3a.branch3.1.conv.weight"] == (32, 16, 3, 3)  # where the paper has 5×5
    assert hashlib.sha256("\n".join(lines).encode()).hexdigest() == NAMES_AND_SHAPES
    assert sum(parameter.numel() for parameter in GoogLeNet().parameters()) == NUM_PARAMETERS


def test_poolings_round_sizes_up(images: Tensor) -> None:
    """112 → 56 → 28 → 14 → 7; rounded down it would be 55, 27, 13, 6."""
    x, sizes = images[:1], []
    with torch.no_grad():
        for name, layer in GoogLeNet().eval().named_children():
            x = layer(x)
            if "pool" in name:
                sizes.append(x.shape[-1])
    assert sizes == [56, 28, 14, 7, 1]


def test_images_become_rows_of_1024_that_depend_on_their_image_alone(
    state: dict[str, Tensor], images: Tensor
) -> None:
    network = GoogLeNet().eval()
    network.load_state_dict(state)
    with torch.no_grad():
        together, alone = network(images), network(images[1:2])
    assert together.shape == (3, 1024)
    assert together.std(dim=0).mean() > 0.001
    torch.testing.assert_close(together[1:2], alone)


def test_the_same_weights_give_the_same_bits(
    state: dict[str, Tensor], images: Tensor, tmp_path: Path
) -> None:
    weights = saved(state, tmp_path / "weights.pth")
    with torch.no_grad():
        assert torch.equal(load(weights, tmp_path)(images), load(weights, tmp_path)(images))


def test_black_and_white_enter_the_first_convolution_as_minus_one_and_one() -> None:
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (MEAN, STD))
    transform = TransformInput()
    torch.testing.assert_close(transform((0 - mean) / std), -torch.ones(1, 3, 1, 1))
    torch.testing.assert_close(transform((1 - mean) / std), torch.ones(1, 3, 1, 1))


def slow_convolution(x: np.ndarray, layer: Any) -> np.ndarray:
    """(in, side, side) -> (out, side, side): a product for each pixel, normalised with ε = 0.001, cut at 0."""
    weight = layer.conv.weight.numpy()
    side, margin = x.shape[1], weight.shape[2] // 2
    padded = np.pad(x, ((0, 0), (margin, margin), (margin, margin)))
    y = np.empty((len(weight), side, side))
    for channel, row, column in np.ndindex(*y.shape):
        window = padded[:, row : row + weight.shape[2], column : column + weight.shape[2]]
        y[channel, row, column] = (window * weight[channel]).sum()
    mean, var, gain, bias = (
        value.numpy()[:, None, None]
        for value in (layer.bn.running_mean, layer.bn.running_var, layer.bn.weight, layer.bn.bias)
    )
    return np.maximum(0, (y - mean) / np.sqrt(var + 0.001) * gain + bias)


def slow_pooling(x: np.ndarray) -> np.ndarray:
    """The largest of each pixel and its neighbours."""
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1)), constant_values=-np.inf)
    y = np.empty_like(x)
    for channel, row, column in np.ndindex(*x.shape):
        y[channel, row, column] = padded[channel, row : row + 3, column : column + 3].max()
    return y


@torch.no_grad()
def test_an_inception_block_stacks_its_four_branches() -> None:
    block: Any = with_random_numbers(Inception(3, 2, 4, 5, 2, 3, 4)).double().requires_grad_(False)
    x = torch.randn(3, 6, 6, dtype=torch.float64)
    one, reduced, pooled = slow_convolution(x.numpy(), block.branch1), x.numpy(), slow_pooling(x.numpy())
    three = slow_convolution(slow_convolution(reduced, block.branch2[0]), block.branch2[1])
    five = slow_convolution(slow_convolution(reduced, block.branch3[0]), block.branch3[1])
    expected = np.concatenate([one, three, five, slow_convolution(pooled, block.branch4[1])])
    np.testing.assert_allclose(block(x[None])[0].numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("name", ["weights.pth", "weights.safetensors"])
def test_weights_load_without_the_classifiers_and_the_counters(
    name: str, state: dict[str, Tensor], tmp_path: Path
) -> None:
    stored = {key: value for key, value in state.items() if "num_batches" not in key}
    stored |= {"fc.weight": torch.zeros(1000, 1024), "aux1.conv.conv.weight": torch.zeros(128, 512, 1, 1)}
    network = load(saved(stored, tmp_path / name), tmp_path)
    assert all(torch.equal(value, state[key]) for key, value in network.state_dict().items() if key in stored)
    assert not network.training


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"inception3a.branch1.conv.weight": None}, "inception3a.branch1.conv.weight is absent there"),
        (
            {"conv2.conv.weight": torch.zeros(64, 64, 3, 3)},
            "conv2.conv.weight is 64×64×3×3 there and should be 64×64×1×1",
        ),
        ({"conv1.conv.weight": "text"}, "conv1.conv.weight is absent there"),
    ],
)
def test_weights_of_another_network_are_refused_by_their_first_difference(
    change: dict[str, Any], sentence: str, state: dict[str, Tensor], tmp_path: Path
) -> None:
    other = {name: value for name, value in (state | change).items() if value is not None}
    with pytest.raises(UserError, match=sentence):
        load(saved(other, tmp_path / "other.pth"), tmp_path)


def test_a_file_without_parameters_is_another_network(tmp_path: Path) -> None:
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(UserError, match=r"list\.pth holds another network .* conv1\.conv\.weight is absent"):
        load(str(tmp_path / "list.pth"), tmp_path)


def test_a_weights_file_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"features\.images\.weights=nowhere\.pth does not exist"):
        load("nowhere.pth", tmp_path)


@pytest.mark.parametrize("name", ["weights.pth", "weights.safetensors"])
@pytest.mark.parametrize("content", [b"", b"no weights", b"PK\x03\x04" + bytes(100)])
def test_a_damaged_weights_file_is_named(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=f"{name} is not a readable weights file"):
        load(str(tmp_path / name), tmp_path)


class Trap:
    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.touch, (Path("sprung"),)


def test_a_weights_file_cannot_run_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"conv1.conv.weight": Trap()}, "trap.pth")
    Path("plain.pth").write_bytes(pickle.dumps(Trap(), protocol=2))
    for name in ("trap.pth", "plain.pth"):
        with pytest.raises(UserError, match="not a readable weights file"):
            load(name, tmp_path)
    assert not Path("sprung").exists()


@pytest.fixture
def server(state: dict[str, Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that is served."""
    file = tmp_path / "server" / "googlenet.pth"
    file.parent.mkdir()
    saved(state, file)
    monkeypatch.setattr(googlenet_network, "URL", file.as_uri())
    monkeypatch.setattr(googlenet_network, "HASH_PREFIX", hashlib.sha256(file.read_bytes()).hexdigest()[:8])
    return file


def test_without_a_path_the_weights_are_downloaded_once(server: Path, tmp_path: Path) -> None:
    load(None, tmp_path / "cache" / "deeper")
    server.unlink()
    load(None, tmp_path / "cache" / "deeper")
    assert [file.name for file in (tmp_path / "cache" / "deeper").iterdir()] == ["googlenet.pth"]


def test_a_download_with_another_hash_is_refused_and_not_kept(server: Path, tmp_path: Path) -> None:
    server.write_bytes(server.read_bytes()[:-1])
    with pytest.raises(UserError, match="invalid hash value"):
        load(None, tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())


def test_without_a_network_the_ways_on_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(googlenet_network, "URL", "http://127.0.0.1:9/googlenet.pth")
    monkeypatch.setenv("no_proxy", "*")
    with pytest.raises(UserError, match=r"refused.*give features\.images\.weights=PATH, or take colours"):
        load(None, tmp_path / "cache")


def torchvisions(aux_logits: bool) -> Any:
    """Its GoogLeNet with random weights, or a skipped test: beside another torch build the import itself fails."""
    try:
        from torchvision.models import googlenet as build
    except (ImportError, RuntimeError, OSError) as error:
        pytest.skip(f"torchvision cannot be imported: {error}")
    torch.manual_seed(2)
    return with_random_numbers(build(init_weights=False, aux_logits=aux_logits, transform_input=True))


def difference(aux_logits: bool, device: str, images: Tensor, folder: Path) -> tuple[Tensor, Tensor]:
    theirs = torchvisions(aux_logits)
    ours = load_googlenet(saved(theirs.state_dict(), folder / "theirs.pth"), folder, device)
    theirs.fc = nn.Identity()
    with torch.no_grad(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        return ours(images.to(device)), theirs.to(device)(images.to(device))


@pytest.mark.parametrize("aux_logits", [True, False])
def test_equals_torchvisions_module(aux_logits: bool, images: Tensor, tmp_path: Path) -> None:
    ours, theirs = difference(aux_logits, "cpu", images, tmp_path)
    assert theirs.abs().mean() > 0.01
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


def test_torchvisions_names_and_shapes_are_still_the_frozen_ones() -> None:
    shapes = {
        name: value.shape
        for name, value in torchvisions(aux_logits=True).state_dict().items()
        if not name.startswith(("aux", "fc")) and "num_batches" not in name
    }
    lines = [f"{name} {'×'.join(map(str, shape))}" for name, shape in shapes.items()]
    assert hashlib.sha256("\n".join(lines).encode()).hexdigest() == NAMES_AND_SHAPES


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_equals_torchvisions_module_on_the_gpu(images: Tensor, tmp_path: Path) -> None:
    ours, theirs = difference(True, "cuda", images, tmp_path)
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)
