"""The sentences beneath a table of results: what it was measured on, and what its signs mean."""

from collections.abc import Sequence
from typing import Any

from prnn_cli.reporting.beside_published import BesidePublished
from prnn_cli.reporting.comparison import Comparison
from prnn_cli.reporting.published import rank_correlation
from prnn_cli.reporting.runs import seeds_averaged
from prnn_cli.reporting.significance import enough_resamples
from prnn_cli.reporting.tables import signed, weights_text

FEWEST_RANKED = 4  # methods in a rank correlation


def footer(comparison: Comparison) -> list[str]:
    """Sentences that state how the table was measured."""
    config, metrics = comparison.config, comparison.first.metrics
    runs = [run.metrics for row in comparison.finished for run in row.runs]
    found = (comparison.reference(metric) for metric in comparison.metrics)
    references = dict.fromkeys(comparison.names[reference] for reference in found if reference)
    rates = [run["tie_rate"] for run in runs]
    averaged = seeds_averaged(comparison.finished)
    sentences = [
        f"Gains over {' and '.join(references)} in parentheses, best values bold."
        if references
        else "Best values bold.",
        f"Data: {metrics['dataset']}; {metrics['num_test_events']:,} {metrics['part']} events "
        f"of {comparison.measures.events['session_index'].nunique():,} sessions; "
        f"candidates: {_candidates(metrics)}; ties: {metrics['tie_break']}, "
        f"tie rate {_span(rates)} of the networks{_tie_rate_of_baseline(comparison)}.",
        f"Features: {_listed(run['features'] for run in runs if run['features'] != 'none') or 'none'}; "
        f"seeds: {_listed(run['seed'] for run in runs)}"
        + (f"; a row is the mean ± standard deviation (n − 1) of {averaged}." if averaged else "."),
    ]
    if config.gain_over == "id_only" and comparison.strongest_id_only(comparison.metrics[0]) is None:
        sentences.append(
            f"No ID-only row is among them, so gains are over {' and '.join(references) or 'nothing'}."
        )
    elif config.gain_over not in (None, "id_only") and not comparison.has(config.gain_over):
        sentences.append(
            f"{config.gain_over} is not in this table, so gains are over {' and '.join(references) or 'nothing'}."
        )
    sentences += _tests(comparison)
    beside = BesidePublished([comparison], comparison.mean)
    if beside.is_shown:
        sentences += beside.notes
        sentences += _rank_correlations(comparison, beside)
    sentences += [
        f"{row.name}: weights chosen on the validation part: "
        + "; ".join(f"{weights_text(run.metrics['weights'])} (seed {run.metrics['seed']})" for run in weighed)
        + "."
        for row in comparison.finished
        if (weighed := [run for run in row.runs if run.metrics.get("weights")])
    ]
    sentences += [
        f"{row.name} diverged at first (seed {run.metrics['seed']}): all learning rates were lowered to "
        f"{run.metrics['rate_factor']:g} of theirs."
        for row in comparison.finished
        for run in row.runs
        if run.metrics.get("rate_factor", 1) != 1
    ]
    sentences += [
        f"Failed: {row.name}: {reason}" for row in comparison.rows for reason in dict.fromkeys(row.failures)
    ]
    return sentences


def _tie_rate_of_baseline(comparison: Comparison) -> str:
    name = comparison.main_baseline
    return f", {comparison.baselines[name]['tie_rate']:.2%} of {comparison.names[name]}" if name else ""


def _span(shares: Sequence[float]) -> str:
    low, high = f"{min(shares):.2%}", f"{max(shares):.2%}"
    return low if low == high else f"{low} to {high}"


def _tests(comparison: Comparison) -> list[str]:
    """What * and † mean, and which rows had more updates than any ID-only row; nothing where no row is compared."""
    if not comparison.differences:
        return []
    config = comparison.config
    sentences = [
        f"* above, † below an ID-only row at the {1 - config.confidence:.0%} level: the strongest of those that had at "
        f"least as many updates, else the strongest ({_opponents(comparison)}); paired bootstrap over sessions, "
        f"{config.resamples:,} resamples, corrected by Holm's method for as many rows as there are besides "
        f"({len(comparison.finished) - 1}). It tells how far other sessions would bear a difference out, not other "
        "seeds."
    ]
    num_tests, level = len(comparison.finished) - 1, 1 - config.confidence
    if 2 * num_tests / (config.resamples + 1) >= level:
        sentences.append(
            f"With {config.resamples:,} resamples none of {num_tests} differences can have a p below {level:g}; set "
            f"table.resamples={enough_resamples(num_tests, config.confidence)}."
        )
    if longer := comparison.trained_longer:
        sentences.append(
            f"No ID-only row had as many updates as {', '.join(longer)}: a difference may be that of longer training."
        )
    if any(row.updates is None for row in comparison.finished):
        sentences.append("Runs of older versions kept no count of their updates.")
    return sentences


def _rank_correlations(comparison: Comparison, beside: BesidePublished) -> list[str]:
    """How far the methods stand in the published order (Spearman); of fewer than four, nothing."""
    whose = "the paper's" if beside.is_the_papers else "the published"
    groups = {
        "methods": comparison.methods,
        "p-RNNs": [row.name for row in comparison.finished if row.is_parallel],
    }
    sentences = []
    for kind, methods in groups.items():
        found = []
        for metric in comparison.metrics:
            pairs = {
                method: (comparison.mean(method, metric), value)
                for method in methods
                if (value := beside.value(method, metric)) is not None
            }
            if len(pairs) >= FEWEST_RANKED:
                found.append(
                    f"{metric} {signed(rank_correlation(list(pairs.values())), 2)} ({len(pairs)} {kind})"
                )
        if found:
            sentences.append(f"Rank correlation with {whose} {kind}: {', '.join(found)}.")
    return sentences


def _opponents(comparison: Comparison) -> str:
    by_metric = {
        metric: ", ".join(dict.fromkeys(comparison.opponents(metric).values()))
        for metric in comparison.metrics
    }
    if len(set(by_metric.values())) == 1:
        return next(iter(by_metric.values()))
    return "; ".join(f"{names} by {metric}" for metric, names in by_metric.items())


def _candidates(metrics: dict[str, Any]) -> str:
    candidates, items = metrics["candidates"], metrics.get("data", {}).get("items")
    if candidates == "all":
        return "all items" if items is None else f"all {items:,} items"
    if items is not None and int(candidates) >= items:
        return f"the {int(candidates):,} items of most training support, here all {items:,}"
    return f"the {int(candidates):,} items of most training support"


def _listed(values: Any) -> str:
    return ", ".join(map(str, sorted(set(values))))
