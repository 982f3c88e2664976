"""Images -> the last average pooling of GoogLeNet, l2-normalised, as in section 4 of the paper."""

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from PIL import Image
from torch import Tensor

from prnn_cli.features.extractor import Extractor
from prnn_cli.features.googlenet_network import (
    MEAN,
    NUM_FEATURES,
    STD,
    GoogLeNet,
    load_googlenet,
    weights_file,
)
from prnn_cli.features.image_extractor import ImageExtractor
from prnn_cli.schema import DatasetConfig, FeaturesConfig

SHORTER_SIDE, CROP = 256, 224  # pixels


class GoogLeNetPooling(ImageExtractor):
    """Extracts 1024 values an image."""

    size = NUM_FEATURES

    @staticmethod
    def check(features: FeaturesConfig, dataset: DatasetConfig) -> None:
        ImageExtractor.check(features, dataset)
        if features.images.weights is not None:
            weights_file(features.images.weights, Path())

    @staticmethod
    def fetch(features: FeaturesConfig) -> None:
        weights_file(features.images.weights, _checkpoints())

    def identity(self) -> tuple[Any, list[Path]]:
        settings, files = super().identity()
        if self.config.weights is None:
            return settings, files
        return [settings, "own weights"], [Path(self.config.weights).expanduser(), *files]

    @staticmethod
    def describe(image: Image.Image) -> Tensor:
        # uint8 crosses from the workers in a quarter of the shared memory that normalised images would take
        return crop(image)

    @cached_property
    def weights(self) -> list[Path]:
        return [weights_file(self.config.weights, _checkpoints())]

    @cached_property
    def network(self) -> GoogLeNet:
        return load_googlenet(str(self.weights[0]), _checkpoints(), self.device)

    def embed(self, described: Tensor) -> np.ndarray:
        network = self.network
        with torch.inference_mode():
            images = normalise(described.to(self.device))
            if images.device.type == "cpu":
                images = images.contiguous(memory_format=torch.channels_last)  # 1.5 times as fast there
            # without TF32, or vectors from a GPU would differ from a CPU's in the third digit
            with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
                vectors: Tensor = network(images)
            return F.normalize(vectors, dim=1).cpu().numpy()


def crop(image: Image.Image) -> Tensor:
    """Cuts (3, 224, 224) uint8 out of the centre of an RGB image, as if it were resized to a shorter side of 256.

    Nothing outside the crop is computed, which bounds the work on a picture as long as a ribbon.
    """
    shorter = min(image.size)
    (left, right), (top, bottom) = (_centre(side, shorter) for side in image.size)
    pixels = image.resize((CROP, CROP), Image.Resampling.BILINEAR, box=(left, top, right, bottom))
    return torch.from_numpy(np.array(pixels)).permute(2, 0, 1).contiguous()


def normalise(pixels: Tensor) -> Tensor:
    """Shifts and scales uint8 (…, 3, height, width) to float32 by the mean and the deviation of each channel."""
    mean, std = (torch.tensor(values, device=pixels.device).view(3, 1, 1) for values in (MEAN, STD))
    return (pixels.float() / 255 - mean) / std


def _centre(side: int, shorter: int) -> tuple[float, float]:
    """Where the crop begins and ends, in pixels of the original image."""
    resized = SHORTER_SIDE * side // shorter
    start = round((resized - CROP) / 2)
    return start * side / resized, (start + CROP) * side / resized


def _checkpoints() -> Path:
    """The folder of downloaded weights, shared with torchvision."""
    return Path(torch.hub.get_dir()) / "checkpoints"


EXTRACTORS: dict[str, type[Extractor]] = {"googlenet": GoogLeNetPooling}
