"""From the runs of a verdict to its claims, and to what is said beside them."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from prnn_cli.errors import RunError
from prnn_cli.run_folder import RunFolder
from prnn_cli.schema import VerdictCommand
from prnn_cli.verdict.claims import Claim, Evidence, Lead, SeedVariance, decided, difference, evidence
from prnn_cli.verdict.measures import Events, values_of, values_of_baselines
from prnn_cli.verdict.rows import TEST, VerdictRow, VerdictRun, placebo_rows
from prnn_cli.verdict.trainer import Trainer

NUM_CLAIMS = 2  # about all clicks, and about those of rare targets
LEAST_SESSIONS = 30  # below, an interval says next to nothing

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Chosen:
    """What the hold-out chose: the best p-RNN, the best network of IDs, and the same two of each other recipe."""

    network: VerdictRow
    control: VerdictRow
    others: list[tuple[VerdictRow, VerdictRow]] = field(default_factory=list)

    @property
    def placebos(self) -> list[VerdictRow]:
        return placebo_rows(self.network)

    @property
    def rows(self) -> list[VerdictRow]:
        """The rows that decide."""
        return [self.network, self.control, *self.placebos]

    @property
    def compared(self) -> list[VerdictRow]:
        """All rows of the test part."""
        return list(dict.fromkeys([*self.rows, *(row for pair in self.others for row in pair)]))


@dataclass(frozen=True)
class SliceLeads:
    """Leads on some events, for information. by: what the events are told apart by"""

    by: str
    events: str
    num_events: int
    over_ids: Lead
    over_placebos: Lead


@dataclass(frozen=True)
class Judgement:
    """The metric of all rows on the test part, and what follows from it.

    values: (K, E) by row; baselines: (1, E) by their labels
    """

    settings: VerdictCommand
    chosen: Chosen
    events: Events
    values: Mapping[VerdictRow, np.ndarray]
    baselines: Mapping[str, np.ndarray]

    @classmethod
    def of(
        cls, settings: VerdictCommand, trainer: Trainer, chosen: Chosen, seeds: Sequence[int]
    ) -> "Judgement":
        """Reads the runs of these seeds. Raises `RunError` where the p-RNN or the network of IDs failed, or all
        placebos did; others that failed are left out."""
        finished = [
            row
            for row in chosen.compared
            if all(trainer.is_finished(VerdictRun(row, TEST, seed)) for seed in seeds)
        ]
        needed = [
            chosen.network,
            chosen.control,
            *(chosen.placebos if not set(chosen.placebos) & {*finished} else []),
        ]
        folders = {row: _folders(trainer, row, seeds) for row in dict.fromkeys([*needed, *finished])}
        events = Events.of(folders[chosen.network][0])
        first = folders[chosen.network][0]
        labels = first.metrics()["labels"]
        return cls(
            settings,
            chosen,
            events,
            {row: values_of(each, settings.metric, events) for row, each in folders.items()},
            values_of_baselines(first, settings.metric, labels),
        )

    @cached_property
    def claims(self) -> list[Claim]:
        """The claims about all events, and about those of the rarest targets, at a look's share of the level."""
        return self._claims(seeds_vary=True)

    @cached_property
    def claims_of_more_seeds(self) -> list[Claim]:
        """What ever more seeds with these means would come to."""
        return self._claims(seeds_vary=False)

    def _claims(self, seeds_vary: bool) -> list[Claim]:
        known = [self._evidence(told, which, seeds_vary) for told, which in self._parts.items()]
        level = self.settings.level / len(self.settings.looks)
        return [claim.without_rivals(self.missing) for claim in decided(known, level, NUM_CLAIMS)]

    @cached_property
    def _parts(self) -> dict[str, np.ndarray]:
        """The events of the claims; those of rare targets only where enough sessions have any."""
        rare = self.events.rarest(self.settings.rare)
        parts = {"": self.everything, f"the {rare.mean():.0%} of clicks with the rarest targets": rare}
        if (number := len(self.events.counts(rare))) < LEAST_SESSIONS:
            log.warning("too few sessions have clicks with rare targets to judge these apart: %d", number)
            return {"": self.everything}
        return parts

    def _evidence(self, told: str, which: np.ndarray, seeds_vary: bool) -> Evidence:
        rivals = {row.as_rival: self.sums(row, which) for row in [self.chosen.control, *self.placebos]}
        own, counts = self.sums(self.chosen.network, which), self.events.counts(which)
        return evidence(told, own, rivals, counts, self.settings.interest, seeds_vary)

    @cached_property
    def everything(self) -> np.ndarray:
        return np.ones(len(self.events.frame), dtype=bool)

    @property
    def placebos(self) -> list[VerdictRow]:
        """The placebos that could be trained."""
        return [row for row in self.chosen.placebos if row in self.values]

    @property
    def missing(self) -> list[str]:
        """The rivals that could not be trained."""
        return [row.as_rival for row in self.chosen.placebos if row not in self.values]

    def sums(self, row: VerdictRow, which: np.ndarray) -> np.ndarray:
        return self.events.by_session(self.values[row], which)

    def of_placebos(self, which: np.ndarray) -> np.ndarray:
        """The mean of the placebos."""
        mean: np.ndarray = np.mean([self.sums(row, which) for row in self.placebos], axis=0)
        return mean

    def lead(self, own: np.ndarray, other: np.ndarray, over: str, which: np.ndarray, rows: float) -> Lead:
        """A lead with an interval of its own, at the level of the whole: for information."""
        counts = self.events.counts(which)
        judged = [self.sums(row, which) for row in self.chosen.rows if row in self.values]
        seeds = SeedVariance.of(judged, counts)
        return difference(own, other, counts, over, seeds, rows).at(self.settings.level)

    def _over_placebos(self, which: np.ndarray) -> Lead:
        own, mean = self.sums(self.chosen.network, which), self.of_placebos(which)
        return self.lead(own, mean, "the mean of its placebos", which, 1 + 1 / len(self.placebos))

    @cached_property
    def content(self) -> Lead:
        """What the features gain over the mean of the placebos."""
        return self._over_placebos(self.everything)

    @cached_property
    def capacity(self) -> Lead:
        """What the mean of the placebos gains over IDs alone."""
        control, rows = self.chosen.control, 1 + 1 / len(self.placebos)
        mean, alone = self.of_placebos(self.everything), self.sums(control, self.everything)
        return self.lead(mean, alone, control.name, self.everything, rows)

    @cached_property
    def slices(self) -> list[SliceLeads]:
        """The leads over IDs alone and over the mean of the placebos, by support and by position."""
        found = []
        for by, name, which in self.events.slices():
            if len(counts := self.events.counts(which)) < LEAST_SESSIONS:
                continue
            own, control = self.sums(self.chosen.network, which), self.sums(self.chosen.control, which)
            over_ids = self.lead(own, control, self.chosen.control.name, which, 2)
            found.append(SliceLeads(by, name, int(counts.sum()), over_ids, self._over_placebos(which)))
        return found

    @cached_property
    def of_other_recipes(self) -> list[tuple[str, Lead]]:
        """By each other recipe, what its best p-RNN gains over its best network of IDs."""
        found = []
        for network, control in self.chosen.others:
            if network in self.values and control in self.values:
                own, other = (self.sums(row, self.everything) for row in (network, control))
                found.append((network.name, self.lead(own, other, control.name, self.everything, 2)))
        return found

    @cached_property
    def over_baselines(self) -> list[Lead]:
        """The p-RNN's leads over the baselines, the strongest first."""
        own = self.sums(self.chosen.network, self.everything)
        leads = [
            self.lead(own, self.events.by_session(values, self.everything), name, self.everything, 1)
            for name, values in self.baselines.items()
        ]
        return sorted(leads, key=lambda lead: -lead.reached)


def _folders(trainer: Trainer, row: VerdictRow, seeds: Sequence[int]) -> list[RunFolder]:
    runs = [VerdictRun(row, TEST, seed) for seed in seeds]
    for run in runs:
        if run.key in trainer.failures:
            raise RunError(
                f"{row.name} could not be trained: {trainer.failures[run.key]}; mend it, and "
                f"{RunFolder(trainer.folder).how_to_resume}"
            )
    return [trainer.folder_of(run) for run in runs]
