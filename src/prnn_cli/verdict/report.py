"""What a verdict leaves: verdict.json for programs, verdict.md and verdict.html for people."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from prnn_cli.reporting.table_formats import TextTable, markdown_text, to_markdown
from prnn_cli.reporting.tables import signed, signed_percent
from prnn_cli.reporting.terminal import say, show
from prnn_cli.run_folder import read_json
from prnn_cli.schema import VerdictCommand
from prnn_cli.system.durations import shown_duration
from prnn_cli.system.files import write_json, write_text
from prnn_cli.verdict.claims import CANNOT_TELL, DOES_NOT_HELP, HELPS, Claim, Lead
from prnn_cli.verdict.judging import Judgement
from prnn_cli.verdict.page import page, settings_table, slices_of
from prnn_cli.verdict.planning import Plan
from prnn_cli.verdict.rows import TEST, VerdictRow, VerdictRun
from prnn_cli.verdict.trainer import Trainer

FORMAT = 2
FILE = "verdict.json"


@dataclass(frozen=True)
class Verdicts:
    """All that is reported: what was planned, trained and judged.

    tried: the rows that the hold-out chose from; covered: which items have features, (num_items,) bool
    """

    settings: VerdictCommand
    plan: Plan
    trainer: Trainer
    judgement: Judgement
    tried: Sequence[VerdictRow]
    covered: np.ndarray

    @property
    def claims(self) -> list[Claim]:
        return self.judgement.claims

    @property
    def network(self) -> VerdictRow:
        return self.judgement.chosen.network

    @property
    def control(self) -> VerdictRow:
        return self.judgement.chosen.control

    @property
    def seeds(self) -> int:
        return len(self.judgement.values[self.network])

    @cached_property
    def sentences(self) -> list[str]:
        """A sentence for each claim."""
        metric, interest = self.settings.metric, self.settings.interest
        return [sentence(claim, metric, self.network.name, interest) for claim in self.claims]

    def rows(self) -> list[dict[str, Any]]:
        """A line for each row that was trained: its metric on the hold-out, and on the test part by seed."""
        metric, trainer = self.settings.metric, self.trainer
        seeds = range(1, self.settings.looks[-1] + 1)
        lines = []
        for row in dict.fromkeys([*self.tried, *self.judgement.chosen.compared]):
            on_hold_out = VerdictRun.on_hold_out(row)
            values = [trainer.measured(VerdictRun(row, TEST, seed), metric) for seed in seeds]
            lines.append(
                {
                    "name": row.name,
                    "overrides": list(row.arguments),
                    "hold_out": trainer.measured(on_hold_out, metric),
                    "test": [value for value in values if value is not None],
                    **self._last_run(row),
                }
            )
        return lines

    def _last_run(self, row: VerdictRow) -> dict[str, Any]:
        """The epochs, parameters and seconds of training of a row's first run that is finished."""
        for run in (VerdictRun(row, TEST, 1), VerdictRun.on_hold_out(row)):
            if self.trainer.is_finished(run):
                metrics = self.trainer.folder_of(run).metrics()
                return {
                    "epochs": metrics["selected_epochs"],
                    "num_parameters": metrics["num_parameters"],
                    "seconds": metrics["train"]["seconds"],
                }
        return {"epochs": [], "num_parameters": None, "seconds": None}

    @cached_property
    def cost(self) -> dict[str, float]:
        """What the p-RNN takes more than IDs alone: how many times as long to train, and as many parameters."""
        network, control = (self._last_run(row) for row in (self.network, self.control))
        return {
            "training": network["seconds"] / max(1e-9, control["seconds"]),
            "parameters": network["num_parameters"] / control["num_parameters"],
        }

    def metrics_of(self, row: VerdictRow) -> dict[str, Any]:
        """The metrics.json of the row's first run on the test part."""
        return self.trainer.folder_of(VerdictRun(row, TEST, 1)).metrics()

    @property
    def unranked_clicks(self) -> int:
        """The clicks of the test part on items that training does not have, which no network here can rank."""
        metrics = self.metrics_of(self.network)
        return int(metrics["data"]["dropped"].get("test: items unknown in training", 0))

    def facts(self) -> dict[str, Any]:
        """The content of verdict.json."""
        first, decides = self.claims[0], self.claims[0].deciding
        settings, judgement = self.settings, self.judgement
        return {
            "format": FORMAT,
            "answer": first.answer,
            "sentence": self.sentences[0],
            "metric": settings.metric,
            "effect": decides.value,
            "interval": [decides.low, decides.high],
            "smallest_detectable": first.smallest,
            "placebo_effect": judgement.capacity.value,
            "content_effect": judgement.content.value,
            "slices": [
                *(
                    {"kind": "claim", "sentence": told, "smallest_detectable": claim.smallest} | asdict(claim)
                    for claim, told in zip(self.claims, self.sentences, strict=True)
                ),
                *({"kind": "information"} | asdict(each) for each in judgement.slices),
            ],
            "beside": {
                "content": asdict(judgement.content),
                "capacity": asdict(judgement.capacity),
                "recipes": [{"network": name} | asdict(lead) for name, lead in judgement.of_other_recipes],
                "baselines": [asdict(lead) for lead in judgement.over_baselines],
            },
            "rows": self.rows(),
            "network": self.network.name,
            "control": self.control.name,
            "seeds": self.seeds,
            "hours": self.trainer.hours,
            "jobs": self.plan.jobs,
            "cost": self.cost,
            "level": settings.level,
            "looks": list(settings.looks),
            "interest": settings.interest,
            "shared": list(self.trainer.shared),
            "left_out": self.plan.left_out,
            "failures": self.trainer.failures,
            "missing": judgement.missing,
            "items_with_features": int(self.covered.sum()),
            "items": len(self.covered),
            "unranked_clicks": self.unranked_clicks,
        }

    @cached_property
    def notes(self) -> list[str]:
        """What a reader of the sentence must know beside it, in sentences."""
        metric, judgement = self.settings.metric, self.judgement
        content, capacity = judgement.content, judgement.capacity
        notes = [
            f"Content: {self.network.name} stands at {_told(content)} in {metric} against the mean of its placebos.",
            f"Capacity: the placebos, which have no content, stand at {_told(capacity)} against {capacity.over}.",
            f"Cost: it trains {self.cost['training']:.1f} times as long as {self.control.name}, and has "
            f"{self.cost['parameters']:.1f} times as many parameters.",
        ]
        for name, lead in judgement.of_other_recipes:
            notes.append(
                f"By another recipe {name} stands at {_told(lead)} against {lead.over}; no placebos were trained."
            )
        if baselines := judgement.over_baselines:
            best = baselines[0]
            stands = "above" if best.low > 0 else "below" if best.high < 0 else "neither above nor below"
            notes.append(
                f"The best baseline, {best.over}, reaches {best.reached:.4f}: {self.network.name} stands {stands} it, "
                f"at {_told(best)}."
            )
        if lacking := judgement.missing:
            notes.append(f"Lacking, as it could not be trained: {', '.join(lacking)}.")
        with_features, of_items = int(self.covered.sum()), len(self.covered)
        if with_features < of_items:
            notes.append(
                f"{with_features:,} of {of_items:,} items have features ({with_features / of_items:.0%}); the others "
                "are known by their IDs alone."
            )
        if self.unranked_clicks:
            notes.append(
                f"{self.unranked_clicks:,} clicks of the test part are of items that training does not have: no "
                "network here can rank these, so nothing is said of new items."
            )
        if self.claims[0].answer == CANNOT_TELL and not self.claims[0].lacks_rivals:
            notes.append(self._what_could_tell())
        return notes

    def _what_could_tell(self) -> str:
        if self.judgement.claims_of_more_seeds[0].answer == CANNOT_TELL:
            return (
                "At these means more seeds could not tell it: what is short is sessions of the test part "
                "(dataset.test_days)."
            )
        if self.seeds < self.settings.looks[-1]:
            return "More seeds could tell it: go on in this folder with resume=true and more hours."
        return (
            "More seeds could tell it (looks); but another verdict on the same test part has an error of its own, "
            "beside that of this one."
        )


def _told(lead: Lead) -> str:
    return f"{signed(lead.value)} ({signed(lead.low)} to {signed(lead.high)})"


def sentence(claim: Claim, metric: str, network: str, interest: float) -> str:
    """The claim in words."""
    weakest, where = claim.deciding, f" on {claim.events}" if claim.events else ""
    against = f"{network} against {weakest.over}"
    if claim.answer == HELPS:
        share = f", {signed_percent(weakest.value / weakest.reached)}" if weakest.reached else ""
        return (
            f"Item features help{where}: {metric} rises by {_told(weakest)}{share}; {against}, the closest of its "
            "rivals."
        )
    least = interest * weakest.reached
    if claim.answer == DOES_NOT_HELP:
        return (
            f"Item features do not help{where}: a gain of {least:.4f} in {metric} ({interest:.0%}) is ruled out; "
            f"{against}: {_told(weakest)}."
        )
    if claim.lacks_rivals:
        return (
            f"It cannot be told whether item features help{where}, as {' and '.join(claim.missing)} could not be "
            f"trained: {metric} differs by {_told(weakest)} ({against})."
        )
    return (
        f"This log cannot tell whether item features help{where}: {metric} differs by {_told(weakest)} ({against}), "
        f"and a gain below {claim.smallest:.4f} would have been missed more often than once in five times."
    )


def write_verdict(folder: Path, verdicts: Verdicts) -> None:
    """Writes the three files, verdict.json last."""
    facts = verdicts.facts()
    write_text(folder / "verdict.md", _markdown(verdicts, facts))
    write_text(folder / "verdict.html", _html(verdicts, facts))
    write_json(folder / FILE, facts | {"notes": verdicts.notes})


def show_verdict(folder: Path) -> None:
    """Prints the sentences, the notes and the leads of a verdict."""
    found = read_json(folder / FILE)
    claims = [part for part in found["slices"] if part["kind"] == "claim"]
    for part in claims:
        say(part["sentence"])
    for note in found["notes"]:
        say(note)
    for part in claims:
        print()
        show(leads_table([Lead(**each) for each in part["leads"]]), title=part["events"] or "all clicks")
    print(f"written to {folder}: verdict.html, verdict.md, verdict.json")


def _html(verdicts: Verdicts, facts: Mapping[str, Any]) -> str:
    slices, metrics = verdicts.judgement.slices, verdicts.metrics_of(verdicts.network)
    others = tables(verdicts, facts)[len(verdicts.claims) :]  # the page draws those of the claims
    shared = verdicts.trainer.shared
    settings = ("Settings", settings_table(facts["rows"], shared, metrics["versions"]))
    return page(
        f"Do item features make next-click recommendation better on {metrics['dataset']}?",
        verdicts.claims,
        verdicts.sentences,
        verdicts.notes,
        [(f"By {by}", slices_of(slices, by)) for by in dict.fromkeys(each.by for each in slices)],
        [*others, settings],
        small_print(verdicts),
    )


def _markdown(verdicts: Verdicts, facts: Mapping[str, Any]) -> str:
    first, *others = verdicts.sentences
    parts = [f"# {markdown_text(first)}\n", *(f"{markdown_text(each)}\n" for each in others)]
    parts += ["".join(f"- {markdown_text(note)}\n" for note in verdicts.notes)]
    for heading, table in tables(verdicts, facts):
        parts.append(f"## {heading}\n\n{to_markdown(table)}")
    parts.append("".join(f"{markdown_text(each)}\n\n" for each in small_print(verdicts)))
    return "\n".join(parts)


def tables(verdicts: Verdicts, facts: Mapping[str, Any]) -> list[tuple[str, TextTable]]:
    """All tables under their headings."""
    found = [
        (
            f"{verdicts.network.name} over its rivals, on {claim.events or 'all clicks'}",
            leads_table(claim.leads),
        )
        for claim in verdicts.claims
    ]
    found.append(("All networks", rows_table(facts["rows"], verdicts.settings.metric)))
    if baselines := verdicts.judgement.over_baselines:
        found.append(("Beside baselines, at their defaults", _baselines_table(baselines)))
    found.append(("By support and position, for information", _slices_table(verdicts.judgement)))
    return found


def small_print(verdicts: Verdicts) -> list[str]:
    """How it was reached, in sentences."""
    settings, plan = verdicts.settings, verdicts.plan
    level = settings.level / len(settings.looks)
    told = [
        f"{verdicts.network.name} and {verdicts.control.name} were chosen on the hold-out, out of the networks above; "
        f"the test part decided nothing but the answer. Seeds: 1 to {verdicts.seeds}. Trained for "
        f"{shown_duration(3600 * verdicts.trainer.hours)}, {plan.jobs} at a time.",
        f"Level of error: {settings.level:.0%} of the whole, divided by {len(settings.looks)} looks; the two claims by "
        f"Holm's procedure at {level:.2%}. Other intervals are for information, at {settings.level:.0%} each. They "
        "hold for these networks trained on this log, and take sessions as independent.",
    ]
    if plan.left_out:
        told.append(f"Left out: {'; '.join(plan.left_out)}.")
    told += [f"Failed: {key}: {reason}" for key, reason in verdicts.trainer.failures.items()]
    return told


def leads_table(leads: Sequence[Lead]) -> TextTable:
    """The leads over each rival."""
    return TextTable(
        ["lead over", "lead", "interval", "mostly seen from"],
        [[each.over, signed(each.value), _interval(each), f"{each.smallest:.4f}"] for each in leads],
    )


def _interval(each: Lead) -> str:
    return f"{signed(each.low)} to {signed(each.high)}"


def _baselines_table(leads: Sequence[Lead]) -> TextTable:
    lines = [[each.over, f"{each.reached:.4f}", signed(each.value), _interval(each)] for each in leads]
    return TextTable(["baseline", "reaches", "the p-RNN's lead", "interval"], lines)


def _slices_table(judgement: Judgement) -> TextTable:
    lines = [
        [
            f"{each.events} ({each.by})",
            f"{each.num_events:,}",
            signed(each.over_ids.value),
            _interval(each.over_ids),
            signed(each.over_placebos.value),
            _interval(each.over_placebos),
        ]
        for each in judgement.slices
    ]
    header = ["clicks", "number", "over IDs", "interval", "over its placebos", "interval"]
    return TextTable(header, lines)


def rows_table(rows: Sequence[Mapping[str, Any]], metric: str) -> TextTable:
    """A line for each row: its metric on the hold-out and on the test part."""
    lines = [
        [
            str(row["name"]),
            "" if row["hold_out"] is None else f"{row['hold_out']:.4f}",
            ", ".join(f"{value:.4f}" for value in row["test"]),
            "+".join(map(str, row["epochs"])),
            "" if row["num_parameters"] is None else f"{row['num_parameters']:,}",
            "" if row["seconds"] is None else f"{row['seconds']:,.0f}",
        ]
        for row in rows
    ]
    header = ["network", f"{metric}, hold-out", "test part, by seed", "epochs", "parameters", "seconds"]
    return TextTable(header, lines)
