"""The results of a finished run: metrics.json, results.md, results.csv, ranks.parquet."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from prnn_cli.evaluation.methods import ChosenBaseline, labels_of, measure
from prnn_cli.evaluation.metrics import measured_metrics
from prnn_cli.evaluation.ranking import Ranks
from prnn_cli.evaluation.ties import rank
from prnn_cli.reporting.table_formats import TextTable, markdown_text, to_markdown, write_csv
from prnn_cli.reporting.tables import epochs_text, gain, results_table, run_name, weights_text
from prnn_cli.reporting.terminal import say, show
from prnn_cli.reporting.unseen import unseen_sentence, unseen_table
from prnn_cli.run_folder import CHECKSUMS, METRICS, read_json
from prnn_cli.schema import EvaluationConfig
from prnn_cli.system.file_format import FORMAT
from prnn_cli.system.files import atomic_write, hash_of, write_json, write_text

READ_AGAIN = ("ranks.parquet", "epochs.csv")  # files of a run that tables and figures are made from
TIES_TO_WARN_OF = 0.01  # of the network's events
COLLAPSED = 0.5  # … with ties, from which on a network's scores are hardly scores

log = logging.getLogger(__name__)


def measured(
    ranks: dict[str, Ranks],
    config: EvaluationConfig,
    baselines: Sequence[ChosenBaseline],
    gain_over: str | None,
) -> dict[str, Any]:
    """The part of metrics.json that the ranks decide.

    gain_over: one of the baselines, else gains are over the first
    """
    metrics = measured_metrics(config)
    values = {name: measure(ranks[name], metrics, config.tie_break) for name in ranks}
    num_events = {name: int(method.pop("num_events")) for name, method in values.items()}
    network = values.pop("network")
    reference = gain_over if gain_over in values else next(iter(values), None)
    return {
        "num_test_events": num_events["network"],
        "part": config.part,
        "metrics": config.metrics,
        "cutoffs": config.cutoffs,
        "candidates": config.candidates,
        "tie_break": config.tie_break,
        **network,
        "baselines": values,
        "labels": labels_of(values),
        "baseline_options": {each.name: each.settings for each in baselines},
        "gain_over": reference,
        "gain": {key: gain(network[key], values[reference][key]) for key in metrics} if reference else {},
    }


def warn_of_ties(results: Mapping[str, Any]) -> None:
    """Logs a warning where many candidates score exactly as the target: the mode of ties decides the metrics then."""
    if results["tie_rate"] > TIES_TO_WARN_OF:
        log.warning(
            "%.1f%% of the events have candidates that score exactly as the target, more than %.0f%%: recall and MRR "
            "depend on evaluation.tie_break=%s; where scores are saturated, lower recipe.learning_rate or set "
            "recipe.activation=linear",
            *(100 * results["tie_rate"], 100 * TIES_TO_WARN_OF, results["tie_break"]),
        )
    if results["tie_rate"] > COLLAPSED:
        log.warning(
            "the network's scores have collapsed, so that it no longer tells items from each other: its metrics say "
            "little; lower recipe.learning_rate (to a tenth, say) or recipe.dropout, or choose another recipe.loss or "
            "recipe.activation"
        )


def write_results(
    folder: Path, results: dict[str, Any], ranks: dict[str, Ranks], support: np.ndarray
) -> None:
    """Writes all four files. results: metrics.json; support: (num_items,) training events of each item"""
    tables = [to_markdown(table) for table in (_as_text(results), unseen_table(results)) if table]
    sentences = [_footer(results), unseen_sentence(results)]
    told = [f"{markdown_text(sentence)}\n" for sentence in sentences if sentence]
    write_text(folder / "results.md", "\n".join([*tables, *told]))
    write_csv(folder / "results.csv", _plain_rows(results))
    with atomic_write(folder / "ranks.parquet") as temporary:
        ranks_frame(ranks, results["tie_break"], support).to_parquet(temporary, index=False)
    checksums = {name: hash_of(None, [folder / name]) for name in READ_AGAIN if (folder / name).is_file()}
    # Last, as its presence says that the others are whole.
    write_json(folder / "metrics.json", {FORMAT: METRICS.number} | results | {CHECKSUMS: checksums})


def show_results(folder: Path) -> None:
    """Prints the table of a finished run."""
    results = read_json(folder / "metrics.json")
    show(_as_text(results), title=results["dataset"])
    if unseen := unseen_table(results):
        show(unseen, title="Items that training has not seen (cold), and the others (warm)")
        say(unseen_sentence(results))
    say(_footer(results))
    print(f"written to {folder}")


def _as_text(results: dict[str, Any]) -> TextTable:
    frame = results_table({run_name(results): results})
    return TextTable(list(map(str, frame)), frame.values.tolist())


def _footer(results: dict[str, Any]) -> str:
    """The sentence that states how the metrics were measured."""
    return (
        f"{_gains(results)}{results['num_test_events']:,} {results['part']} events, "
        f"candidates: {results['candidates']}, ties: {results['tie_break']}{_length(results['train'])}."
        f"{_weights(results)}{_lowered_rates(results)}"
    )


def _weights(results: Mapping[str, Any]) -> str:
    """The weights of subnets that the validation part chose; nothing of runs where it chose none."""
    if not (weights := results.get("weights")):
        return ""
    return f" Weights chosen on the validation part: {weights_text(weights)}."


def _lowered_rates(results: Mapping[str, Any]) -> str:
    """That training began anew at lower rates; nothing of other runs, and of older ones, which never did."""
    factor = results.get("rate_factor", 1)
    if factor == 1:
        return ""
    return f" Training diverged at first: all learning rates were lowered to {factor:g} of theirs."


def _length(train: Mapping[str, Any]) -> str:
    """How long the network was trained; nothing of older runs, which kept no count."""
    if "updates" not in train:
        return ""
    return f"; epochs: {epochs_text(train)}, updates: {train['updates']:,}"


def _gains(results: Mapping[str, Any]) -> str:
    reference = results["gain_over"]
    return f"Gains over {results['labels'][reference]} in parentheses; " if reference else ""


def ranks_frame(ranks: dict[str, Ranks], tie_break: str, support: np.ndarray) -> pd.DataFrame:
    """A row for each predicted event: session_index, position in the session, item_index, its support in training,
    a rank for each method."""
    events = ranks["network"]
    frame = pd.DataFrame(
        {"session_index": events.session, "position": events.position, "item_index": events.target}
    )
    frame["support"] = support[events.target]
    for name, method in ranks.items():
        frame[f"rank_{name}"] = rank(method.better, method.equal, tie_break)
    return frame


def _plain_rows(results: dict[str, Any]) -> pd.DataFrame:
    """The rows of results.csv: the network, then each baseline, in plain numbers."""
    keys = ("label", "dataset", "arch", "strategy", "hidden_size", "seed")
    described = {"run": run_name(results)} | {key: results[key] for key in keys}
    return pd.DataFrame(
        [
            described
            | {"method": method}
            | {key: values[key] for key in values if "@" in key or key == "tie_rate"}
            for method, values in ({"network": results} | results["baselines"]).items()
        ]
    )
