"""Checks of the contracts that prnn relies on: anything that a configuration can name is made, and used as prnn would.

Each check raises `AssertionError` with a sentence where the contract is broken. The tests use them for prnn's own
entries, and `prnn check` for those of extensions. Shapes: B slots, M scored items, N items, E events.
"""

import dataclasses
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor

from prnn_cli.baselines.baseline import Baseline
from prnn_cli.data.prepare import PreparedData, prepare
from prnn_cli.errors import UserError
from prnn_cli.evaluation.methods import ChosenBaseline
from prnn_cli.evaluation.metrics import check_metric
from prnn_cli.experiment.build import baselines_of
from prnn_cli.experiment.settings import composed, typed_options
from prnn_cli.extensions import Extension, bound
from prnn_cli.features.extract import catalogue_of
from prnn_cli.features.extractor import Extractor
from prnn_cli.features.source_vectors import seen_by
from prnn_cli.networks.inputs import OneHot
from prnn_cli.networks.readouts import Readout, initial_tables, logits
from prnn_cli.networks.subnet import Subnet
from prnn_cli.schema import TrainCommand
from prnn_cli.scoring import NUM_SLOTS, assert_same, check_scorer
from prnn_cli.training.strategies import Phase

NUM_ITEMS, HIDDEN_SIZE = 9, 5

# A log that is generated and prepared in a second.
SMALL_LOG = (
    "dataset.synthetic.num_items=60",
    "dataset.synthetic.num_sessions=400",
    "dataset.synthetic.num_intents=4",
    "dataset.synthetic.num_days=4",
)


@dataclasses.dataclass(frozen=True)
class Verdict:
    """The result of a check: of what, and the reason why the contract is broken, if it is."""

    what: str
    reason: str = ""

    @property
    def kept(self) -> bool:
        """Whether the contract is kept."""
        return not self.reason


def check_extension(extension: Extension) -> Iterator[Verdict]:
    """Yields a verdict for each of the extension's configs, and for each entry that it adds."""
    module = extension.module()
    configs = extension.configs
    beside = {file.stem for file in extension.file.parent.glob("*.py")} - {extension.file.stem}
    with TemporaryDirectory(prefix="prnn-check-") as folder:
        for group, name in _configs_in(configs):
            if name in beside:  # the config of another extension, which has the name of its file
                continue
            yield _verdict(f"config {group}={name}", lambda g=group, n=name: _compose(g, n, folder))  # type: ignore[misc]
        for kind, check in CHECKS.items():
            for name, entry in getattr(module, kind, {}).items():
                what = f"{NOUNS[kind]} {name}"
                yield _verdict(what, lambda c=check, n=name, e=entry: c(n, e, configs, folder))  # type: ignore[misc]


def check_readout(readout_of: Callable[[Sequence[Subnet]], Readout], num_subnets: int = 2) -> None:
    """Checks a readout of `num_subnets` equal subnets: any first few of them may score, as strategies train them."""
    names = [f"s{number}" for number in range(num_subnets)]
    inputs = (OneHot(NUM_ITEMS),)
    readout = readout_of([Subnet(name, inputs, HIDDEN_SIZE, weight=1.0) for name in names])
    tables = initial_tables(readout, NUM_ITEMS, seed=0)
    assert tables, "it has no output table"
    assert all(name.startswith("readout.") for name in tables), "a table's name must be table_of(its owner)"
    generator = torch.Generator().manual_seed(0)
    states = {name: torch.randn(NUM_SLOTS, HIDDEN_SIZE, generator=generator) for name in names}
    for count in range(1, num_subnets + 1):
        hidden = {name: states[name].requires_grad_() for name in names[:count]}
        leaves = {name: value.detach().requires_grad_() for name, value in tables.items()}
        scores = logits(readout, leaves, hidden)
        shape = (NUM_SLOTS, NUM_ITEMS)
        assert scores.shape == shape, (
            f"logits of {count} subnets are {tuple(scores.shape)}, not (slots, items)"
        )
        assert bool(torch.isfinite(scores).all()), f"a logit of {count} subnets is not finite"
        some = torch.tensor([2, 0, 2])
        rows = {name: value[some] for name, value in leaves.items()}
        assert_same(
            logits(readout, rows, hidden),
            scores[:, some],
            "an item's logit depends on the other items asked for",
        )
        used = torch.autograd.grad(scores.sum(), list(hidden.values()), allow_unused=True)
        idle = [
            name
            for name, gradient in zip(hidden, used, strict=True)
            if gradient is None or not gradient.any()
        ]
        assert not idle, (
            f"{', '.join(idle)} takes part in the score of {count} subnets but cannot learn from it"
        )


def check_strategy(strategy: Callable[[Sequence[str], int], list[Phase]]) -> None:
    """Checks a strategy for two and for three subnets: each of them learns, and only while it scores."""
    for names in (("id", "text"), ("id", "image", "text")):
        for epochs in (1, 3):
            phases = strategy(names, epochs)
            assert phases, "it has no phase"
            assert phases == strategy(names, epochs), (
                "two calls give different phases, so no run could be resumed"
            )
            for phase in phases:
                assert phase.epochs >= 1, "a phase has no epoch"
                assert phase.updates, "a phase makes no update"
                for update in phase.updates:
                    assert update.learns, "an update lets nothing learn"
                    assert set(update.scores) <= set(names), (
                        f"{update.scores} names a subnet that there is not"
                    )
                    idle = set(update.learns) - set(update.scores)
                    assert not idle, f"{', '.join(sorted(idle))} learns without taking part in the score"
            learned = {name for phase in phases for name in phase.learning}
            missing = set(names) - learned
            assert not missing, f"{', '.join(sorted(missing))} never learns"


def check_loss(loss: Callable[..., Tensor]) -> None:
    """Checks a loss of scores (B, M), in which column b is the target of slot b; an idle slot has no part in it."""
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(NUM_SLOTS, NUM_SLOTS + 3, generator=generator)
    active = torch.tensor([1.0, 1.0, 1.0, 0.0])
    losses = loss(scores, active)
    assert losses.shape == (NUM_SLOTS,), f"losses are {tuple(losses.shape)}, not one for each slot"
    assert float(losses[3]) == 0, "an idle slot has a loss"
    for scale in (1.0, 50.0):
        leaf = (scale * scores).requires_grad_()
        (gradient,) = torch.autograd.grad(loss(leaf, active).sum(), leaf)
        assert bool(torch.isfinite(gradient).all()), (
            f"scores of ±{scale:g} have a gradient that is not finite"
        )
        assert not bool(gradient[3].any()), "an idle slot has a gradient"
        assert not bool(gradient[:, 3].any()), "the column of an idle slot has a gradient"
    higher = scores.clone()
    higher[0, 0] += 1
    assert float(loss(higher, active)[0]) <= float(losses[0]), (
        "a higher score of the target makes the loss larger"
    )


def check_extractor(
    extractor: type[Extractor], settings: TrainCommand, data: PreparedData, folder: Path
) -> None:
    """Checks an extractor, as it makes the first source of features: a vector for each item, the same each time, zero
    where it says that nothing is known."""
    dataset = seen_by(next(iter(settings.features.sources)), settings.dataset)
    extractor.check(settings.features, dataset)
    catalogue = catalogue_of(dataset, data, Path(settings.cache_dir))
    made = extractor(settings.features, catalogue, torch.device("cpu"))
    identity, files = made.identity()
    json.dumps(identity)  # raises where it is no plain value
    assert all(file.is_file() for file in files), "its identity names a file that is not there"
    vectors, covered = made.extract(folder / "first")
    num_items = len(data.item_ids)
    assert vectors.shape[0] == num_items, f"it makes {vectors.shape[0]} vectors for {num_items} items"
    assert covered.shape == (num_items,), "it does not say of each item whether its vector says something"
    assert covered.dtype == bool, "it does not say of each item whether its vector says something"
    dense = vectors.toarray() if isinstance(vectors, csr_array) else vectors
    assert dense.dtype in (np.float32, np.float16), f"its vectors are {dense.dtype}, not float32 or float16"
    assert np.isfinite(dense).all(), "a vector holds what is no finite number"
    assert not dense[~covered].any(), "an item of which nothing is known has a vector that is not zero"
    again, _ = extractor(settings.features, catalogue, torch.device("cpu")).extract(folder / "second")
    twin = again.toarray() if isinstance(again, csr_array) else again
    assert np.array_equal(dense, twin), "it makes other vectors when it is asked again"


def small_data(overrides: Sequence[str], cache_dir: Path | str) -> tuple[TrainCommand, PreparedData]:
    """The settings of `prnn train` with these overrides, and a generated log for them, prepared in `cache_dir`."""
    settings: TrainCommand = composed("train", [*SMALL_LOG, f"cache_dir={cache_dir}", *overrides])
    return settings, prepare(settings.dataset, Path(settings.cache_dir))


def check_baseline(baseline: ChosenBaseline, data: PreparedData) -> None:
    """Checks a baseline fitted on prepared data: a scorer of the items that goes by the baseline's name."""
    assert baseline.entry.label, "it has no label for tables"
    baseline.entry.check(data.for_fitting(), baseline.options)
    scorer = baseline.fit(data)
    assert scorer.name == baseline.name, f"its scorer is called {scorer.name}"
    check_scorer(scorer, len(data.item_ids))


def _check_baseline(name: str, entry: Baseline, configs: Path | None, folder: str) -> None:
    settings, data = small_data([f"baselines=[{name}]"], folder)
    for baseline in baselines_of(settings).chosen(data, {}, Path(folder), torch.device("cpu")):
        check_baseline(baseline, data)


def _check_readout(name: str, entry: Any, configs: Path | None, folder: str) -> None:
    check_readout(_with_options("arch", name, entry, configs, folder))


def _check_strategy(name: str, entry: Any, configs: Path | None, folder: str) -> None:
    check_strategy(_with_options("strategy", name, entry, configs, folder))


def _check_loss(name: str, entry: Any, configs: Path | None, folder: str) -> None:
    check_loss(_with_options("recipe", name, entry, configs, folder))


def _with_options(group: str, name: str, entry: Any, configs: Path | None, folder: str) -> Callable[..., Any]:
    """The entry with the options of the extension's config that names it; where none does, with their defaults."""
    found = _settings_naming(group, name, configs, folder)
    return bound(
        entry, getattr(found, group).options if found else typed_options(entry, {}, f"{group}.options")
    )


def _check_extractor(name: str, entry: type[Extractor], configs: Path | None, folder: str) -> None:
    found = _settings_naming("features", name, configs, folder)
    assert found is not None, f"no config in configs/features has sources that name {name}"
    check_extractor(entry, found, prepare(found.dataset, Path(folder)), Path(folder) / "parts")


def _check_metric(name: str, entry: Any, configs: Path | None, folder: str) -> None:
    check_metric(entry)


def _check_command(name: str, entry: Any, configs: Path | None, folder: str) -> None:
    assert configs is not None, f"it has no config configs/{name}.yaml"
    assert (configs / f"{name}.yaml").is_file(), f"it has no config configs/{name}.yaml"
    assert dataclasses.is_dataclass(entry.options), "its options are no dataclass"


NOUNS = {"STRATEGIES": "strategy", "LOSSES": "loss"}
NOUNS |= {each: each.lower()[:-1] for each in ("BASELINES", "READOUTS", "EXTRACTORS", "METRICS", "COMMANDS")}

CHECKS: dict[str, Callable[[str, Any, Path | None, str], None]] = {
    "BASELINES": _check_baseline,
    "READOUTS": _check_readout,
    "STRATEGIES": _check_strategy,
    "LOSSES": _check_loss,
    "EXTRACTORS": _check_extractor,
    "METRICS": _check_metric,
    "COMMANDS": _check_command,
}


def _verdict(what: str, check: Callable[[], object]) -> Verdict:
    try:
        check()
    except (AssertionError, UserError) as error:
        return Verdict(what, str(error) or "it fails")
    except Exception as error:  # whatever an extension may do
        return Verdict(what, f"{type(error).__name__}: {error}")
    return Verdict(what)


def _configs_in(configs: Path | None) -> list[tuple[str, str]]:
    """The (group, choice) of each config that `prnn train` can take."""
    groups = ("arch", "baselines", "dataset", "features", "recipe", "strategy")
    found = (
        (group, path.stem) for group in groups if configs for path in sorted((configs / group).glob("*.yaml"))
    )
    return list(found)


def _compose(group: str, choice: str, cache_dir: str) -> TrainCommand:
    chosen = f"[{choice}]" if group == "baselines" else choice
    small = ["dataset.path=log.csv"] if group == "dataset" else list(SMALL_LOG)
    settings: TrainCommand = composed("train", [*small, f"cache_dir={cache_dir}", f"{group}={chosen}"])
    return settings


def _settings_naming(group: str, name: str, configs: Path | None, cache_dir: str) -> TrainCommand | None:
    """The settings with the extension's config in `group` that names the entry; None where none does."""
    for _, choice in (each for each in _configs_in(configs) if each[0] == group):
        settings = _compose(group, choice, cache_dir)
        named = {
            "arch": [settings.arch.readout],
            "strategy": [settings.strategy.name],
            "recipe": [settings.recipe.loss],
            "features": list(settings.features.sources.values()),
        }
        if name in named[group]:
            return settings
    return None
