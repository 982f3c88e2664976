"""A comparison beside the published values of its experiment, of the same data or of others."""

import pandas as pd

from prnn_cli.reporting.comparison import Comparison
from prnn_cli.reporting.published import published, published_value
from prnn_cli.reporting.tables import signed

# What may be set on the command line while the events that are ranked stay the published ones.
SAME_EVENTS = (
    "dataset",  # its name is compared
    "dataset.path",
    "dataset.window.number",
    "dataset.max_bad_share",
    "dataset.min_ranked_events",
)


def shows_published(comparison: Comparison) -> bool:
    """Whether published values are asked for, and there are any of the experiment."""
    return comparison.config.published and len(_values(comparison)) > 0


def value_published(comparison: Comparison, method: str, metric: str) -> float | None:
    """What was published of a method of this comparison; None where nothing was."""
    row = next((row for row in comparison.finished if row.name == method), None)
    first = (row.runs[0] if row else comparison.first).metrics
    return published_value(first.get("experiment"), first.get("row") if row else method, metric)


def departures(comparison: Comparison) -> list[str]:
    """What the runs rank that the published values are not of, such as "dataset=shop" or "dataset.test_days".

    None of values that were published for this dataset, where no option of it was changed.
    """
    of = set(_values(comparison)["dataset"])
    runs = [run for row in comparison.finished for run in row.runs]
    found = [f"dataset={run.metrics['dataset']}" for run in runs if run.metrics["dataset"] not in of]
    found += [
        option
        for run in runs
        for option in sorted(run.given - set(SAME_EVENTS))
        if option.startswith(("dataset.", "evaluation"))
    ]
    return list(dict.fromkeys(found))


def published_header(comparison: Comparison) -> list[str]:
    """The names of the columns that `published_cells` fills."""
    if not is_of_same_data(comparison):
        whose = "paper's" if is_the_papers(comparison) else "published"
        return [f"{whose} {metric}, other data" for metric in comparison.metrics]
    return [
        name for metric in comparison.metrics for name in (f"published {metric}", f"difference in {metric}")
    ]


def published_cells(comparison: Comparison, method: str) -> list[str]:
    """The published value of each metric, and where it is of the same data ours less the published one."""
    cells: list[str] = []
    for metric in comparison.metrics:
        value = value_published(comparison, method, metric)
        cells.append("" if value is None else f"{value:.4f}")
        if is_of_same_data(comparison):
            cells.append("" if value is None else signed(comparison.mean(method, metric) - value))
    return cells


def published_notes(comparison: Comparison) -> list[str]:
    """The sentences that say where the published values are from, and how far they compare."""
    if is_the_papers(comparison):
        return ["The paper's values were measured on other data; they are for orientation."]
    sources = _values(comparison)["source"].unique()
    notes = [
        f"Published values: {', '.join(sources)}; docs/published.md says what differs from that protocol."
    ]
    if changed := departures(comparison):
        notes.append(
            f"They are of other data, as these runs have {', '.join(changed)}; no difference is told."
        )
    return notes


def is_of_same_data(comparison: Comparison) -> bool:
    """Whether the published values are of the events that the runs rank."""
    return not departures(comparison)


def is_the_papers(comparison: Comparison) -> bool:
    """Whether the published values are those of the paper's tables, whose data nobody else has."""
    return bool(_values(comparison)["dataset"].eq("").all())


def _values(comparison: Comparison) -> pd.DataFrame:
    """What was published for the experiments of the comparison."""
    experiments = {run.metrics.get("experiment") for row in comparison.finished for run in row.runs}
    values = published()
    return values[values.index.get_level_values("table").isin(experiments)]
