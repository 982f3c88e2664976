"""GoogLeNet (Szegedy et al., CVPR 2015) as torchvision publishes it for ImageNet, up to its last average pooling.

It differs from the paper's Caffe model: batch normalisation, an input transform of its own, and a 3×3 filter where
the architecture says 5×5. Parameters have torchvision's names and order, so that its checkpoint loads.
"""

import logging
from collections import OrderedDict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from prnn_cli.errors import UserError, first_line

NUM_FEATURES = 1024

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of RGB in 0..1: how images come in

HASH_PREFIX = "1378be20"  # of the file's SHA-256
URL = f"https://download.pytorch.org/models/googlenet-{HASH_PREFIX}.pth"

# Numbers of channels: in; 1×1; 3×3 reduced, 3×3; "5×5" reduced, "5×5"; projection of the pooling.
INCEPTION = {
    "3a": (192, 64, 96, 128, 16, 32, 32),
    "3b": (256, 128, 128, 192, 32, 96, 64),
    "4a": (480, 192, 96, 208, 16, 48, 64),
    "4b": (512, 160, 112, 224, 24, 64, 64),
    "4c": (512, 128, 128, 256, 24, 64, 64),
    "4d": (512, 112, 144, 288, 32, 64, 64),
    "4e": (528, 256, 160, 320, 32, 128, 128),
    "5a": (832, 256, 160, 320, 32, 128, 128),
    "5b": (832, 384, 192, 384, 48, 128, 128),
}

log = logging.getLogger(__name__)


class GoogLeNet(nn.Sequential):
    """The network up to its last average pooling: images (B, 3, 224, 224), normalised by MEAN and STD -> (B, 1024)."""

    def __init__(self) -> None:
        super().__init__(
            OrderedDict(
                transform_input=TransformInput(),
                conv1=convolution(3, 64, 7, stride=2, padding=3),
                maxpool1=max_pool(3),
                conv2=convolution(64, 64, 1),
                conv3=convolution(64, 192, 3, padding=1),
                maxpool2=max_pool(3),
                inception3a=Inception(*INCEPTION["3a"]),
                inception3b=Inception(*INCEPTION["3b"]),
                maxpool3=max_pool(3),
                inception4a=Inception(*INCEPTION["4a"]),
                inception4b=Inception(*INCEPTION["4b"]),
                inception4c=Inception(*INCEPTION["4c"]),
                inception4d=Inception(*INCEPTION["4d"]),
                inception4e=Inception(*INCEPTION["4e"]),
                maxpool4=max_pool(2),
                inception5a=Inception(*INCEPTION["5a"]),
                inception5b=Inception(*INCEPTION["5b"]),
                avgpool=nn.AdaptiveAvgPool2d(1),
                flatten=nn.Flatten(),
            )
        )


class Inception(nn.Module):
    """A block of four branches side by side, whose channels are stacked; arguments as in `INCEPTION`."""

    def __init__(
        self, inputs: int, one: int, three_reduced: int, three: int, five_reduced: int, five: int, pooled: int
    ) -> None:
        super().__init__()
        self.branch1 = convolution(inputs, one, 1)
        self.branch2 = nn.Sequential(
            convolution(inputs, three_reduced, 1), convolution(three_reduced, three, 3, padding=1)
        )
        self.branch3 = nn.Sequential(
            convolution(inputs, five_reduced, 1), convolution(five_reduced, five, 3, padding=1)
        )
        self.branch4 = nn.Sequential(max_pool(3, stride=1, padding=1), convolution(inputs, pooled, 1))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], dim=1)


class TransformInput(nn.Module):
    """Takes images from MEAN and STD to the mean and deviation of 0.5 with which these weights were trained."""

    scale: Tensor  # (3, 1, 1)
    shift: Tensor

    def __init__(self) -> None:
        super().__init__()
        mean, std = torch.tensor([MEAN, STD], dtype=torch.float64).view(2, 3, 1, 1)
        self.register_buffer("scale", (std / 0.5).float(), persistent=False)
        self.register_buffer("shift", ((mean - 0.5) / 0.5).float(), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        return images * self.scale + self.shift


def convolution(inputs: int, outputs: int, size: int, stride: int = 1, padding: int = 0) -> nn.Sequential:
    """A convolution without biases, batch normalisation and rectifier, named as torchvision names them."""
    return nn.Sequential(
        OrderedDict(
            conv=nn.Conv2d(inputs, outputs, size, stride, padding, bias=False),
            bn=nn.BatchNorm2d(outputs, eps=0.001),
            relu=nn.ReLU(inplace=True),
        )
    )


def max_pool(size: int, stride: int = 2, padding: int = 0) -> nn.MaxPool2d:
    """A pooling that rounds sizes up, as Caffe does."""
    return nn.MaxPool2d(size, stride, padding, ceil_mode=True)


def load_googlenet(weights: str | None, cache_dir: Path, device: torch.device | str) -> GoogLeNet:
    """The network with its weights, ready for evaluation. `weights`, `cache_dir`: see `weights_file`.

    Raises `UserError` where the file is absent, damaged, or holds the parameters of another network.
    """
    path = weights_file(weights, cache_dir)
    stored = _read(path)
    network = GoogLeNet()
    wanted = {name: value for name, value in network.state_dict().items() if not _is_counter(name)}
    for name, value in wanted.items():
        if getattr(stored.get(name), "shape", None) != value.shape:
            raise UserError(
                f"{path} holds another network than torchvision's GoogLeNet: {name} is "
                f"{_shape(stored.get(name))} there and should be {_shape(value)}"
            )
    network.load_state_dict({name: stored[name] for name in wanted}, strict=False)
    return network.eval().requires_grad_(False).to(device)


def weights_file(weights: str | None, cache_dir: Path) -> Path:
    """The file of the weights: `weights` (.pth or .safetensors), or torchvision's, downloaded once to `cache_dir`.

    Raises `UserError` where there is no such file and where the download fails or has another hash.
    """
    if weights is not None:
        path = Path(weights).expanduser()
        if not path.is_file():
            raise UserError(
                f"features.images.weights={weights} does not exist; give a .pth or .safetensors file"
            )
        return path
    path = cache_dir / Path(URL).name
    if not path.is_file():
        _download(path)
    return path


def _download(path: Path) -> None:
    log.info("downloading GoogLeNet's weights (50 MB) from %s to %s", URL, path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(URL, str(path), HASH_PREFIX, progress=False)
    except Exception as error:  # of the network, its protocols, the disk, or a wrong hash
        reason = getattr(error, "reason", None) or error
        raise UserError(
            f"cannot download GoogLeNet's weights from {URL} to {path} ({reason}); "
            "give features.images.weights=PATH, or take colours, which need none: features=colour_histogram, with text "
            "features=image_and_text features.sources.image=colour_histogram"
        ) from error


def _read(path: Path) -> dict[str, Any]:
    """The content of a weights file by name; none of it can run."""
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        stored = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged files make torch raise errors of many kinds
        reason = first_line(error)
        raise UserError(
            f"{path} is not a readable weights file ({reason}); give a .pth or .safetensors file of "
            "torchvision's GoogLeNet, or remove it if it was downloaded"
        ) from error
    return stored if isinstance(stored, dict) else {}


def _is_counter(name: str) -> bool:
    # older checkpoints lack them, and only training reads them
    return name.endswith("num_batches_tracked")


def _shape(value: Any) -> str:
    return "×".join(map(str, value.shape)) if isinstance(value, Tensor) else "absent"
