"""The baselines of a run: which are ranked, what they need, and whether they fit the data before a network trains."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from prnn_cli.baselines.baseline import LEAVE_OUT, Baseline, FeatureOptions
from prnn_cli.data.prepare import PreparedData
from prnn_cli.errors import UserError
from prnn_cli.evaluation.methods import ChosenBaseline, extension_explained, labels_of
from prnn_cli.extensions import chosen
from prnn_cli.features.extract import check_features, extract, fetch_needed
from prnn_cli.features.table import FeatureTable
from prnn_cli.schema import DatasetConfig, FeaturesConfig

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RankedBaselines:
    """The baselines that are ranked beside a network.

    options: name -> typed options
    features: that some of them compare items by, never a placebo's; no source where none does
    has_placebo: whether the network has a placebo in their place
    left_out: those that were named, but have no features to go by -> why
    """

    options: dict[str, Any]
    features: FeaturesConfig
    has_placebo: bool
    dataset: DatasetConfig
    left_out: dict[str, str]

    @classmethod
    def of(
        cls, baselines: Mapping[str, Any], features: FeaturesConfig, dataset: DatasetConfig
    ) -> "RankedBaselines":
        """The baselines that a configuration names.

        Raises `UserError` where two have one label, and where one needs features that cannot be had, unless it is then
        to be left out.
        """
        by_features = [name for name in baselines if _entry(name).uses_features]
        lacking = _lacking(features, dataset) if by_features else ""
        left_out = [name for name in by_features if lacking and _may_be_left_out(baselines[name])]
        if lacking and (refused := [name for name in by_features if name not in left_out]):
            raise UserError(
                f"baselines=[{','.join(refused)}] compares items by their features: {lacking}; or leave it out"
            )
        kept = {name: options for name, options in baselines.items() if name not in left_out}
        labels_of(kept)
        sources = features.sources if set(by_features) & set(kept) else {}
        needed = replace(features, sources=sources, placebo=None)
        return cls(kept, needed, bool(features.placebo), dataset, dict.fromkeys(left_out, lacking))

    def check_fits(self, data: PreparedData) -> None:
        """Raises `UserError` for one that cannot be fitted on the part train with its options."""
        for name, options in self.options.items():
            with extension_explained(name):
                _entry(name).check(data.for_fitting(), options)

    def chosen(
        self, data: PreparedData, at_hand: Mapping[str, FeatureTable], cache_dir: Path, device: torch.device
    ) -> list[ChosenBaseline]:
        """The baselines, ready to be fitted; warns of those that are left out.

        at_hand: tables of the same features that need not be extracted again
        """
        for name, reason in self.left_out.items():
            log.warning("%s is left out: %s", name, reason)
        at_hand = {} if self.has_placebo else at_hand
        missing = {name: how for name, how in self.features.sources.items() if name not in at_hand}
        fetch_needed(replace(self.features, sources=missing), cache_dir)
        made = extract(replace(self.features, sources=missing), self.dataset, data, cache_dir, device)
        tables = {name: made[name] if name in made else at_hand[name] for name in self.features.sources}
        entries = {name: _entry(name) for name in self.options}
        return [
            ChosenBaseline(name, entry, self.options[name], tables if entry.uses_features else {})
            for name, entry in entries.items()
        ]


def check_same_features(baselines: Sequence[ChosenBaseline], metrics: Mapping[str, Any]) -> None:
    """Raises `UserError` for one that compares items by other features than when the run of these metrics ranked it."""
    for each in baselines:
        before = metrics["baseline_options"].get(each.name, {}).get("features")
        if before is not None and before != each.settings.get("features"):
            raise UserError(
                f"the features that {each.name} compares items by are no longer those of the run; restore the items "
                "table, or leave it out"
            )


def _may_be_left_out(options: Any) -> bool:
    return isinstance(options, FeatureOptions) and options.without_features == LEAVE_OUT


def _entry(name: str) -> Baseline:
    entry: Baseline = chosen("BASELINES", name, "baselines")
    return entry


def _lacking(features: FeaturesConfig, dataset: DatasetConfig) -> str:
    """Why there are no features; empty where there are."""
    if not features.sources:
        return f"features={features.name} has none, choose others, such as features=text"
    try:
        check_features(features, dataset)
    except UserError as error:
        return str(error)
    return ""
