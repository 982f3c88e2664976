"""What a verdict says: a sentence for each claim, what must be known beside it, and how it was reached."""

from prnn_cli.data.splits.rules import advice_on_test_part
from prnn_cli.reporting.tables import signed_percent
from prnn_cli.system.durations import shown_duration
from prnn_cli.verdict.claims import CANNOT_TELL, DOES_NOT_HELP, HELPS, Claim
from prnn_cli.verdict.findings import Findings
from prnn_cli.verdict.tables import lead_told


def sentences_of(findings: Findings) -> list[str]:
    """A sentence for each claim."""
    metric, interest = findings.settings.metric, findings.settings.interest
    return [sentence(claim, metric, findings.network.name, interest) for claim in findings.claims]


def sentence(claim: Claim, metric: str, network: str, interest: float) -> str:
    """The claim in words."""
    weakest, where = claim.deciding, f" on {claim.events}" if claim.events else ""
    against = f"{network} against {weakest.over}"
    if claim.answer == HELPS:
        share = f", {signed_percent(weakest.value / weakest.reached)}" if weakest.reached else ""
        return (
            f"Item features help{where}: {metric} rises by {lead_told(weakest)}{share}; {against}, the closest of its "
            "rivals."
        )
    least = interest * weakest.reached
    if claim.answer == DOES_NOT_HELP:
        return (
            f"Item features do not help{where}: a gain of {least:.4f} in {metric} ({interest:.0%}) is ruled out; "
            f"{against}: {lead_told(weakest)}."
        )
    if claim.lacks_rivals:
        return (
            f"It cannot be told whether item features help{where}, as {' and '.join(claim.missing)} could not be "
            f"trained: {metric} differs by {lead_told(weakest)} ({against})."
        )
    alone = (
        f"; by itself that is a loss, but it is one of {len(claim.leads)} comparisons"
        if weakest.high < 0
        else ""
    )
    return (
        f"This log cannot tell whether item features help{where}: {metric} differs by {lead_told(weakest)} ({against})"
        f"{alone}. A gain of {claim.smallest:.4f} over any one of its rivals would have been seen four times in five."
    )


def notes_of(findings: Findings) -> list[str]:
    """What a reader of the sentence must know beside it, in sentences."""
    metric, judgement = findings.settings.metric, findings.judgement
    content, capacity = judgement.content, judgement.capacity
    notes = [
        f"Content: {findings.network.name} stands at {lead_told(content)} in {metric} against the mean of "
        "its placebos.",
        f"Capacity: the placebos, which have no content, stand at {lead_told(capacity)} against {capacity.over}.",
        f"Cost: it trains {findings.cost['training']:.1f} times as long as {findings.control.name}, and has "
        f"{findings.cost['parameters']:.1f} times as many parameters.",
    ]
    for name, lead in judgement.of_other_recipes:
        notes.append(
            f"By another recipe {name} stands at {lead_told(lead)} against {lead.over}; no placebos were trained."
        )
    if baselines := judgement.over_baselines:
        best = baselines[0]
        stands = "above" if best.low > 0 else "below" if best.high < 0 else "neither above nor below"
        notes.append(
            f"The best baseline, {best.over}, reaches {best.reached:.4f}: {findings.network.name} stands {stands} it, "
            f"at {lead_told(best)}."
        )
    if lacking := judgement.missing:
        notes.append(f"Lacking, as it could not be trained: {', '.join(lacking)}.")
    with_features, of_items = int(findings.covered.sum()), len(findings.covered)
    if with_features < 0.99 * of_items:
        told = (
            f"{with_features:,} of {of_items:,} items have features ({with_features / of_items:.0%}); the others "
            "are known by their IDs alone."
        )
        notes.insert(0 if with_features < of_items / 2 else len(notes), told)
    if findings.settings.training.select != "best":
        longer = (
            f" (of {findings.control.name} twice as many)" if "id_only_long" in findings.control.key else ""
        )
        notes.insert(
            0,
            f"All networks were given {findings.settings.epochs} epochs{longer}, be they at their best after so many "
            "or not: epochs=auto finds the best of each.",
        )
    if findings.unranked_clicks:
        notes.append(
            f"{findings.unranked_clicks:,} clicks of the test part are of items that training does not have: no "
            "network here can rank these, so nothing is said of new items."
        )
    if findings.claims[0].answer == CANNOT_TELL and not findings.claims[0].lacks_rivals:
        notes.append(_what_could_tell(findings))
    return notes


def _what_could_tell(findings: Findings) -> str:
    if findings.judgement.claims_of_more_seeds[0].answer == CANNOT_TELL:
        return (
            "At these means more seeds could not tell it: what is short is sessions of the test part "
            f"({advice_on_test_part(findings.settings.dataset)})."
        )
    if findings.seeds < findings.settings.looks[-1]:
        return "More seeds could tell it: go on in this folder with resume=true and more hours."
    return (
        "More seeds could tell it (looks); but another verdict on the same test part has an error of its own, "
        "beside that of this one."
    )


def small_print(findings: Findings) -> list[str]:
    """How it was reached, in sentences."""
    settings, plan = findings.settings, findings.plan
    level, number = settings.level / len(settings.looks), len(settings.looks)
    looks = f"{number} looks" if number > 1 else "one look"
    told = [
        f"{findings.network.name} and {findings.control.name} were chosen on the hold-out, out of the networks above; "
        f"the test part decided nothing but the answer. Seeds: 1 to {findings.seeds}. Trained for "
        f"{shown_duration(findings.trainer.seconds)}, {plan.jobs} at a time.",
        f"Level of error: {settings.level:.0%} of the whole, divided by {looks}; the two claims by "
        f"Holm's procedure at {level:.2%}. Other intervals are for information, at {settings.level:.0%} each. They "
        "hold for these networks trained on this log, and take sessions as independent.",
    ]
    if plan.left_out:
        told.append(f"Left out: {'; '.join(plan.left_out)}.")
    told += [f"Failed: {key}: {reason}" for key, reason in findings.trainer.failures.items()]
    return told
