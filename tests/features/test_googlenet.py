"""Images as the network's weights expect them, and the vectors that it makes of them."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor

from features.conftest import encoder, noise
from prnn_cli.features.extractors.googlenet import GoogLeNetPooling, crop, normalise
from prnn_cli.features.googlenet_network import MEAN, STD, GoogLeNet
from prnn_cli.features.image_files import extract_images
from prnn_cli.schema import ImagesConfig

RED = (255, 0, 0)


def preprocess(image: Image.Image) -> Tensor:
    return normalise(crop(image))


def extract(
    files: list[Path | None], config: ImagesConfig, store: Path, device: str = "cpu"
) -> tuple[np.ndarray, np.ndarray]:
    return extract_images(files, encoder(GoogLeNetPooling, config, device), config, store)


def test_white_is_one_minus_the_mean_in_deviations() -> None:
    image = preprocess(Image.new("RGB", (300, 400), "white"))
    expected = [(1 - mean) / std for mean, std in zip(MEAN, STD, strict=True)]
    assert image.shape == (3, 224, 224)
    assert image.dtype == torch.float32
    torch.testing.assert_close(image, torch.tensor(expected).view(3, 1, 1).expand(3, 224, 224))


@pytest.mark.parametrize(("width", "height", "left", "top"), [(256, 512, 16, 144), (401, 256, 88, 16)])
def test_the_crop_is_the_centre_where_the_shorter_side_has_256_pixels(
    width: int, height: int, left: int, top: int
) -> None:
    image = noise(width, height)
    expected = np.asarray(image)[top : top + 224, left : left + 224]
    np.testing.assert_array_equal(crop(image).permute(1, 2, 0).numpy(), expected)


@pytest.mark.parametrize("size", [(300, 400), (640, 333), (1, 7), (37, 1000), (1500, 2000)])
def test_the_crop_is_that_of_the_resized_image_within_a_grey_level(size: tuple[int, int]) -> None:
    image = noise(*size)
    width, height = (256 * side // min(size) for side in size)
    left, top = round((width - 224) / 2), round((height - 224) / 2)
    resized = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR), dtype=int)
    expected = resized[top : top + 224, left : left + 224]
    assert abs(crop(image).permute(1, 2, 0).numpy() - expected).max() <= 1


def test_fine_patterns_are_averaged_when_an_image_shrinks() -> None:
    pattern = 255 * (np.indices((2048, 2048)).sum(0) % 2).astype(np.uint8)
    assert set(crop(Image.fromarray(pattern).convert("RGB")).unique().tolist()) <= {127, 128}


def test_a_ribbon_is_cropped_without_being_resized_as_a_whole() -> None:
    assert crop(Image.new("RGB", (1, 60_000), RED))[:, 0, 0].tolist() == list(RED)


def test_preprocessing_equals_torchvisions() -> None:
    try:
        from torchvision.models import GoogLeNet_Weights
    except (ImportError, RuntimeError, OSError) as error:
        pytest.skip(f"torchvision cannot be imported: {error}")
    theirs = GoogLeNet_Weights.IMAGENET1K_V1.transforms()
    levels = 255 * torch.tensor(STD).view(3, 1, 1)
    for size in [(300, 400), (640, 333), (224, 224), (256, 300), (1500, 2000)]:
        assert ((preprocess(noise(*size)) - theirs(noise(*size))) * levels).abs().max() < 1.01


def test_the_network_is_googlenet_with_the_weights_of_the_file(
    files: list[Path | None], tmp_path: Path
) -> None:
    torch.manual_seed(0)
    network = GoogLeNet().eval()
    save_file(network.state_dict(), tmp_path / "weights.safetensors")
    config = ImagesConfig(str(tmp_path / "weights.safetensors"), batch_size=2, workers=0, max_bad_share=0)
    vectors, _ = extract(files[:3], config, tmp_path)
    with torch.no_grad():
        expected = network(torch.stack([preprocess(noise(40 + seed, 50, seed)) for seed in range(3)]))
    np.testing.assert_allclose(vectors, F.normalize(expected).numpy(), atol=1e-5)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_the_gpu_gives_the_vectors_of_the_cpu(files: list[Path | None], tmp_path: Path) -> None:
    torch.manual_seed(0)
    save_file(GoogLeNet().state_dict(), tmp_path / "weights.safetensors")
    config = ImagesConfig(str(tmp_path / "weights.safetensors"), batch_size=2, workers=2, max_bad_share=0)
    on_cpu, _ = extract(files, config, tmp_path / "cpu")
    on_gpu, _ = extract(files, config, tmp_path / "gpu", "cuda")
    np.testing.assert_allclose(on_gpu, on_cpu, atol=1e-4)
