"""From the runs of a verdict to its claims, and to what is said beside them."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from prnn_cli.errors import RunError
from prnn_cli.run_folder import RunFolder
from prnn_cli.schema import VerdictCommand
from prnn_cli.verdict.claims import Claim, Evidence, Lead, decided, difference, evidence
from prnn_cli.verdict.measures import Events, values_of
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
        first = folders[chosen.network][:1]
        labels = first[0].metrics()["labels"]
        return cls(
            settings,
            chosen,
            events,
            {row: values_of(each, settings.metric, events) for row, each in folders.items()},
            {label: values_of(first, settings.metric, events, name) for name, label in labels.items()},
        )

    @cached_property
    def everything(self) -> np.ndarray:
        return np.ones(len(self.events.frame), dtype=bool)

    def claims(self, seeds_vary: bool = True) -> list[Claim]:
        """The claims about all events, and about those of the rarest targets, by Holm at a look's share of the level.

        seeds_vary: False for what ever more seeds with these means would come to
        """
        rare = self.events.rarest(self.settings.rare)
        parts = {"": self.everything, f"the {rare.mean():.0%} of clicks with the rarest targets": rare}
        known = [self._evidence(told, which, seeds_vary) for told, which in parts.items()]
        level = self.settings.level / len(self.settings.looks)
        claims = decided([each for each in known if each], level, NUM_CLAIMS)
        return [replace(claim, missing=self.missing).without_rivals() for claim in claims]

    def _evidence(self, told: str, which: np.ndarray, seeds_vary: bool) -> Evidence | None:
        counts = self.events.counts(which)
        if len(counts) < LEAST_SESSIONS:
            log.warning(
                "too few sessions have clicks with rare targets to judge these apart: %d", len(counts)
            )
            return None
        own, rivals = self.chosen.network, [self.chosen.control, *self.placebos]
        sums = {row.as_rival: self.sums(row, which) for row in rivals}
        return evidence(told, self.sums(own, which), sums, counts, self.settings.interest, seeds_vary)

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

    def lead(self, own: np.ndarray, other: np.ndarray, over: str, which: np.ndarray | None = None) -> Lead:
        """A lead with an interval of its own, at the level of the whole: for information."""
        counts = self.events.counts(self.everything if which is None else which)
        return difference(own, other, counts, over).at(self.settings.level)

    def content(self) -> Lead:
        """What the features gain over the mean of the placebos."""
        own = self.sums(self.chosen.network, self.everything)
        return self.lead(own, self.of_placebos(self.everything), "the mean of its placebos")

    def capacity(self) -> Lead:
        """What the mean of the placebos gains over IDs alone."""
        control = self.sums(self.chosen.control, self.everything)
        return self.lead(self.of_placebos(self.everything), control, self.chosen.control.name)

    def slices(self) -> list[SliceLeads]:
        """The leads over IDs alone and over the mean of the placebos, by support and by position."""
        found = []
        for by, name, which in self.events.slices():
            if len(counts := self.events.counts(which)) < LEAST_SESSIONS:
                continue
            own, control = self.sums(self.chosen.network, which), self.sums(self.chosen.control, which)
            over_ids = self.lead(own, control, self.chosen.control.name, which)
            over_placebos = self.lead(own, self.of_placebos(which), "the mean of its placebos", which)
            found.append(SliceLeads(by, name, int(counts.sum()), over_ids, over_placebos))
        return found

    def of_other_recipes(self) -> list[tuple[str, Lead]]:
        """By each other recipe, what its best p-RNN gains over its best network of IDs."""
        return [
            (
                network.name,
                self.lead(
                    self.sums(network, self.everything), self.sums(control, self.everything), control.name
                ),
            )
            for network, control in self.chosen.others
            if network in self.values and control in self.values
        ]

    def over_baselines(self) -> list[Lead]:
        """The p-RNN's leads over the baselines, the strongest first."""
        own = self.sums(self.chosen.network, self.everything)
        leads = [
            self.lead(own, self.events.by_session(values, self.everything), name)
            for name, values in self.baselines.items()
        ]
        return sorted(leads, key=lambda lead: -lead.reached)


def _folders(trainer: Trainer, row: VerdictRow, seeds: Sequence[int]) -> list[RunFolder]:
    runs = [VerdictRun(row, TEST, seed) for seed in seeds]
    for run in runs:
        if run.key in trainer.failures:
            raise RunError(
                f"{row.name} could not be trained: {trainer.failures[run.key]}; mend it, and add resume=true"
            )
    return [trainer.folder_of(run) for run in runs]
