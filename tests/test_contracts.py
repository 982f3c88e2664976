"""Whatever of prnn's own a configuration can name keeps its contract, and something small breaks each contract."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from scipy import sparse
from torch import Tensor

from prnn_cli.baselines.baseline import Baseline, NoOptions
from prnn_cli.contracts import (
    check_baseline,
    check_extractor,
    check_loss,
    check_metric,
    check_readout,
    check_scorer,
    check_strategy,
    small_data,
)
from prnn_cli.data.prepare import PreparedData
from prnn_cli.evaluation.methods import ChosenBaseline
from prnn_cli.experiment.build import baselines_of
from prnn_cli.extensions import registered
from prnn_cli.features.extractors.tfidf import Tfidf
from prnn_cli.features.googlenet_network import GoogLeNet
from prnn_cli.networks.readouts import Separate, table_of
from prnn_cli.networks.scorer import NetworkScorer
from prnn_cli.schema import TrainCommand
from prnn_cli.training.losses import bpr
from prnn_cli.training.strategies import Phase, Update, residual
from small import CPU, parameters_of
from training.test_executors import in_single_precision
from training.test_step import ITEMS, network_of

Prepared = tuple[TrainCommand, PreparedData]
ARCHITECTURES = [
    ("id_only", "none"),
    ("feature_only", "text"),
    ("feature_only", "image"),
    *((arch, "image_and_text") for arch in ("concatenated", "parallel", "shared_w", "interaction")),
]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def prepared(cache: Path, tmp_path: Path) -> Callable[..., Prepared]:
    """prepared("features=image"): the settings and the small log; the tests share its files."""
    return lambda *overrides: small_data(overrides, cache)


@pytest.mark.parametrize("name", registered("BASELINES"))
def test_a_baseline_keeps_the_contract(name: str, prepared: Callable[..., Prepared]) -> None:
    settings, data = prepared(f"baselines=[{name}]")
    (baseline,) = baselines_of(settings).chosen(data, {}, Path(settings.cache_dir), CPU)
    check_baseline(baseline, data)


@pytest.mark.parametrize(("arch", "features"), ARCHITECTURES)
def test_a_network_keeps_the_contract_of_scorers(arch: str, features: str) -> None:
    network = in_single_precision(network_of(arch, features), CPU)
    check_scorer(NetworkScorer(network, parameters_of(network)), ITEMS)


@pytest.mark.parametrize("arch", ["parallel", "shared_w", "interaction"])
def test_so_does_a_network_of_which_one_subnet_scores(arch: str) -> None:
    network = in_single_precision(network_of(arch, "image_and_text"), CPU)
    check_scorer(NetworkScorer(network, parameters_of(network), subnets=["id"]), ITEMS)


@pytest.mark.parametrize("num_subnets", [1, 2, 3])
@pytest.mark.parametrize("name", registered("READOUTS"))
def test_a_readout_keeps_the_contract(name: str, num_subnets: int) -> None:
    check_readout(registered("READOUTS")[name], num_subnets)


@pytest.mark.parametrize("name", registered("STRATEGIES"))
def test_a_strategy_keeps_the_contract(name: str) -> None:
    check_strategy(registered("STRATEGIES")[name])


@pytest.mark.parametrize("name", registered("LOSSES"))
def test_a_loss_keeps_the_contract(name: str) -> None:
    check_loss(registered("LOSSES")[name])


@pytest.mark.parametrize("name", registered("METRICS"))
def test_a_metric_keeps_the_contract(name: str) -> None:
    check_metric(registered("METRICS")[name])


def test_extractors_of_texts_and_colours_keep_the_contract(
    prepared: Callable[..., Prepared], tmp_path: Path
) -> None:
    for features, name in (("text", "tfidf"), ("colour_histogram", "colour_histogram")):
        settings, data = prepared(f"features={features}", "features.images.workers=0")
        check_extractor(registered("EXTRACTORS")[name], settings, data, tmp_path / name)


def test_so_does_that_of_precomputed_vectors(prepared: Callable[..., Prepared], tmp_path: Path) -> None:
    _, data = prepared()
    np.save(tmp_path / "vectors.npy", np.random.default_rng(0).random((len(data.item_ids) - 1, 3)))
    (tmp_path / "ids.txt").write_text("\n".join(data.item_ids[1:]))
    files = {"path": "vectors.npy", "item_ids": "ids.txt"}
    options = [f"features.precomputed.{key}={tmp_path / file}" for key, file in files.items()]
    settings, data = prepared("features=precomputed", *options)
    check_extractor(registered("EXTRACTORS")["precomputed"], settings, data, tmp_path)


def test_so_does_that_of_vector_columns(prepared: Callable[..., Prepared], tmp_path: Path) -> None:
    _, data = prepared()
    lines = [f"{item_id},[{n} 1]" for n, item_id in enumerate(data.item_ids[1:])]
    (tmp_path / "items.csv").write_text("\n".join(["item_id,of_title", *lines]) + "\n")
    options = [f"dataset.items.path={tmp_path / 'items.csv'}", "+dataset.items.vector_columns.text=of_title"]
    settings, data = prepared("features=vector_columns", *options)
    check_extractor(registered("EXTRACTORS")["vector_columns"], settings, data, tmp_path)


def test_so_does_googlenet(prepared: Callable[..., Prepared], tmp_path: Path) -> None:
    """With weights of no training, on three items."""
    torch.manual_seed(0)
    save_file(GoogLeNet().state_dict(), tmp_path / "weights.safetensors")
    weights = f"features.images.weights={tmp_path / 'weights.safetensors'}"
    settings, data = prepared("features=image", weights, "features.images.workers=0")
    few = replace(data, item_ids=data.item_ids[:3])
    check_extractor(registered("EXTRACTORS")["googlenet"], settings, few, tmp_path)


class Clicked:
    """Scores an item by how often the slot has clicked it since it forgot; keeps the contract."""

    name = "clicked"

    def reset(self, num_slots: int) -> None:
        self.counts = torch.zeros(num_slots, ITEMS)

    def advance(self, items: Tensor, new_session: Tensor) -> None:
        self.counts[new_session] = 0
        self.counts[torch.arange(len(items)), items] += 1

    def scores(self, items: slice | Tensor) -> Tensor:
        return self.counts[:, items]


class Remembering(Clicked):
    def advance(self, items: Tensor, new_session: Tensor) -> None:
        super().advance(items, torch.zeros_like(new_session))


class ForgettingAll(Clicked):
    def advance(self, items: Tensor, new_session: Tensor) -> None:
        super().advance(items, new_session | new_session.any())


class Mixing(Clicked):
    def scores(self, items: slice | Tensor) -> Tensor:
        return self.counts.mean(dim=0, keepdim=True).expand_as(self.counts)[:, items]


class Counting(Clicked):
    def scores(self, items: slice | Tensor) -> Tensor:
        self.counts[:, 0] += 1
        return super().scores(items)


class Unaware(Clicked):
    """Of which items are asked for."""

    def scores(self, items: slice | Tensor) -> Tensor:
        return self.counts if isinstance(items, slice) else self.counts[:, : len(items)]


class Infinite(Clicked):
    def scores(self, items: slice | Tensor) -> Tensor:
        return super().scores(items).log()


class Abridged(Clicked):
    def sparse_scores(self) -> sparse.csr_array:
        return sparse.csr_array(self.counts.clamp(max=1).numpy())


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (Abridged, "scores that are told in short are others"),
        (Remembering, "a new session remembers the one before it"),
        (ForgettingAll, "a new session makes other slots forget theirs"),
        (Mixing, "a slot's scores depend on the other slots"),
        (Counting, "asking for scores changes the scores"),
        (Unaware, "scores of some items are not those that they have among all"),
        (Infinite, "a score is not finite"),
    ],
)
def test_a_broken_scorer_is_named(kind: type[Clicked], sentence: str) -> None:
    check_scorer(Clicked(), ITEMS)
    with pytest.raises(AssertionError, match=sentence):
        check_scorer(kind(), ITEMS)


def test_a_broken_baseline_is_named(prepared: Callable[..., Prepared]) -> None:
    _, data = prepared()
    popularity = registered("BASELINES")["popularity"]
    with pytest.raises(AssertionError, match="its scorer is called popularity"):
        check_baseline(ChosenBaseline("mine", popularity, NoOptions()), data)
    with pytest.raises(AssertionError, match="it has no label"):
        check_baseline(ChosenBaseline("popularity", Baseline("", popularity.fit), NoOptions()), data)


class FirstOnly(Separate):
    """Ignores the second subnet."""

    def terms(self, hidden: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor, float]]:
        yield from list(super().terms(hidden))[:1]


class WeighsNothing(Separate):
    """The second subnet takes part with a weight of 0."""

    def terms(self, hidden: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor, float]]:
        for place, (table, state, weight) in enumerate(super().terms(hidden)):
            yield table, state, 0.0 if place else weight


class Renamed(Separate):
    @property
    def tables(self) -> dict[str, int]:
        return {name.removeprefix(table_of("")): size for name, size in super().tables.items()}


@pytest.mark.parametrize(
    ("readout", "sentence"),
    [
        (FirstOnly, "s1 takes part in the score of 2 subnets but cannot learn from it"),
        (WeighsNothing, "s1 takes part in the score of 2 subnets but cannot learn from it"),
        (Renamed, "a table's name must be"),
    ],
)
def test_a_broken_readout_is_named(readout: Any, sentence: str) -> None:
    with pytest.raises(AssertionError, match=sentence):
        check_readout(readout)


def lazy(subnets: Sequence[str], epochs: int) -> list[Phase]:
    return residual(subnets, epochs)[:-1]


def unheard(subnets: Sequence[str], epochs: int) -> list[Phase]:
    return [Phase(epochs, (Update(scores=(subnets[0],), learns=tuple(subnets)),))]


def resting(subnets: Sequence[str], epochs: int) -> list[Phase]:
    return [Phase(epochs // 2, phase.updates) for phase in residual(subnets, epochs)]


@pytest.mark.parametrize(
    ("strategy", "sentence"),
    [
        (lazy, "text never learns"),
        (unheard, "text learns without taking part in the score"),
        (resting, "a phase has no epoch"),
    ],
)
def test_a_broken_strategy_is_named(strategy: Any, sentence: str) -> None:
    with pytest.raises(AssertionError, match=sentence):
        check_strategy(strategy)


def of_idle_too(scores: Tensor, active: Tensor) -> Tensor:
    return bpr(scores, torch.ones_like(active))


def of_idle_columns_too(scores: Tensor, active: Tensor) -> Tensor:
    return torch.where(active > 0, of_idle_too(scores, active), 0)


@pytest.mark.parametrize(
    ("loss", "sentence"),
    [
        (of_idle_too, "an idle slot has a loss"),
        (of_idle_columns_too, "the column of an idle slot has a gradient"),
        (lambda scores, active: bpr(scores, active).mean(), "not one for each slot"),
        (lambda scores, active: bpr(-scores, active), "a higher score of the target makes the loss larger"),
        (lambda scores, active: bpr(torch.exp(9 * scores), active), "have a gradient that is not finite"),
    ],
)
def test_a_broken_loss_is_named(loss: Any, sentence: str) -> None:
    with pytest.raises(AssertionError, match=sentence):
        check_loss(loss)


@pytest.mark.parametrize(
    ("metric", "sentence"),
    [
        (lambda ranks, k: ranks, "a better rank is worth less"),
        (lambda ranks, k: np.mean(ranks <= k), "not one for each rank"),
        (lambda ranks, k: 1 / (ranks - ranks), "a value is not finite"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_a_broken_metric_is_named(metric: Any, sentence: str) -> None:
    with pytest.raises(AssertionError, match=sentence):
        check_metric(metric)


class Guessing(Tfidf):
    """Makes other vectors each time."""

    draw = np.random.default_rng(0).random

    def extract(self, parts: Path) -> tuple[np.ndarray, np.ndarray]:
        shape = (len(self.catalogue.item_ids), 2)
        return self.draw(shape, dtype=np.float32), np.ones(shape[0], dtype=bool)


class Inventing(Tfidf):
    """Has a vector of what it knows nothing about."""

    def extract(self, parts: Path) -> tuple[np.ndarray, np.ndarray]:
        num_items = len(self.catalogue.item_ids)
        return np.ones((num_items, 2), dtype=np.float32), np.zeros(num_items, dtype=bool)


class Short(Tfidf):
    def extract(self, parts: Path) -> tuple[np.ndarray, np.ndarray]:
        vectors, covered = super().extract(parts)
        return vectors.toarray()[1:], covered


@pytest.mark.parametrize(
    ("extractor", "sentence"),
    [
        (Guessing, "it makes other vectors when it is asked again"),
        (Inventing, "an item of which nothing is known has a vector that is not zero"),
        (Short, r"it makes \d+ vectors for \d+ items"),
    ],
)
def test_a_broken_extractor_is_named(
    extractor: Any, sentence: str, prepared: Callable[..., Prepared], tmp_path: Path
) -> None:
    settings, data = prepared("features=text")
    with pytest.raises(AssertionError, match=sentence):
        check_extractor(extractor, settings, data, tmp_path)
