"""What a verdict leaves: verdict.json for programs, verdict.md and verdict.html for people."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from prnn_cli.reporting.table_formats import markdown_text, to_markdown
from prnn_cli.reporting.terminal import say, show
from prnn_cli.run_folder import read_json
from prnn_cli.system.files import write_json, write_text
from prnn_cli.verdict.claims import Lead
from prnn_cli.verdict.findings import Findings
from prnn_cli.verdict.page import ANSWERS, page, settings_table, slices_of
from prnn_cli.verdict.sentences import notes_of, sentences_of, small_print
from prnn_cli.verdict.tables import leads_table, tables_of

FORMAT = 2
FILE = "verdict.json"


def write_verdict(folder: Path, findings: Findings) -> None:
    """Writes the three files, verdict.json last."""
    write_text(folder / "verdict.md", _markdown(findings))
    write_text(folder / "verdict.html", _html(findings))
    write_json(folder / FILE, facts_of(findings))


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


def _html(findings: Findings) -> str:
    slices, metrics = findings.judgement.slices, findings.metrics_of(findings.network)
    others = tables_of(findings)[len(findings.claims) :]  # the page draws those of the claims
    shared = findings.trainer.shared
    settings = ("Settings", settings_table(findings.rows, shared, metrics["versions"]))
    return page(
        f"Do item features make next-click recommendation better on {metrics['dataset']}?",
        findings.claims,
        sentences_of(findings),
        notes_of(findings),
        [(f"By {by}", slices_of(slices, by)) for by in dict.fromkeys(each.by for each in slices)],
        [*others, settings],
        small_print(findings),
    )


def _markdown(findings: Findings) -> str:
    parts = [f"# {ANSWERS[findings.claims[0].answer]}\n"]
    parts += [f"{markdown_text(each)}\n" for each in sentences_of(findings)]
    parts += ["".join(f"- {markdown_text(note)}\n" for note in notes_of(findings))]
    for heading, table in tables_of(findings):
        parts.append(f"## {heading}\n\n{to_markdown(table)}")
    parts.append("".join(f"{markdown_text(each)}\n\n" for each in small_print(findings)))
    return "\n".join(parts)


def facts_of(findings: Findings) -> dict[str, Any]:
    """The content of verdict.json."""
    sentences = sentences_of(findings)
    first, decides = findings.claims[0], findings.claims[0].deciding
    settings, judgement = findings.settings, findings.judgement
    return {
        "format": FORMAT,
        "answer": first.answer,
        "sentence": sentences[0],
        "metric": settings.metric,
        "effect": decides.value,
        "interval": [decides.low, decides.high],
        "smallest_detectable": first.smallest,
        "placebo_effect": judgement.capacity.value,
        "content_effect": judgement.content.value,
        "slices": [
            *(
                {"kind": "claim", "sentence": told, "smallest_detectable": claim.smallest} | asdict(claim)
                for claim, told in zip(findings.claims, sentences, strict=True)
            ),
            *({"kind": "information"} | asdict(each) for each in judgement.slices),
        ],
        "beside": {
            "content": asdict(judgement.content),
            "capacity": asdict(judgement.capacity),
            "recipes": [{"network": name} | asdict(lead) for name, lead in judgement.of_other_recipes],
            "baselines": [asdict(lead) for lead in judgement.over_baselines],
        },
        "rows": findings.rows,
        "network": findings.network.name,
        "control": findings.control.name,
        "seeds": findings.seeds,
        "hours": findings.trainer.hours,
        "jobs": findings.plan.jobs,
        "cost": findings.cost,
        "level": settings.level,
        "looks": list(settings.looks),
        "interest": settings.interest,
        "shared": list(findings.trainer.shared),
        "left_out": findings.plan.left_out,
        "failures": findings.trainer.failures,
        "notes": notes_of(findings),
        "missing": judgement.missing,
        "items_with_features": int(findings.covered.sum()),
        "items": len(findings.covered),
        "unranked_clicks": findings.unranked_clicks,
    }
