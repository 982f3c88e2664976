"""Figures of a comparison, for PNG and PDF.

Methods differ by shade, hatch, dash and marker, so that figures bear black and white. They are made without pyplot,
which would want a display and keep what it draws.
"""

import importlib.util
import io
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from prnn_cli.reporting.comparison import Comparison
from prnn_cli.reporting.diagram import architectures
from prnn_cli.reporting.runs import Row
from prnn_cli.reporting.slices import POSITION, SUPPORT, Slice
from prnn_cli.run_folder import CHECKSUMS, RunFolder
from prnn_cli.system.files import atomic_write, hash_of

if TYPE_CHECKING:  # an optional extra
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Fill, hatch, marker, line.
STYLES = [
    ("white", "////", "o", ":"),
    ("0.75", "", "s", "--"),
    ("0.25", "", "^", "-"),
    ("white", "....", "D", "-."),
]
ACROSS = 4  # panels side by side
MOST_LINES = 100  # of panels: a higher picture could not be drawn
HEADROOM = 0.2  # above learning curves, where the names of the phases stand

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Picture:
    """A figure for the page: two PNGs, and the narrow one, for a phone, has its panels beneath each other."""

    name: str
    title: str
    wide: bytes
    narrow: bytes


def write_figures(folder: Path, comparison: Comparison) -> list[Picture]:
    """Writes each figure as PNG and PDF, and returns them. Without matplotlib there is none, and the log says so."""
    if importlib.util.find_spec("matplotlib") is None:
        log.warning("no figures, as matplotlib is not installed; pip install 'prnn-cli[figures]' adds it")
        return []
    from matplotlib import rc_context

    with rc_context({"text.parse_math": False}):  # a label is text, whatever stands between its $
        return _written(folder, comparison)


def _written(folder: Path, comparison: Comparison) -> list[Picture]:
    pictures = []
    for (name, title, figure), (_, _, narrow) in zip(
        _figures(comparison), _figures(comparison, across=1), strict=True
    ):
        wide = _drawn(figure, "png")
        for suffix, content in (("png", wide), ("pdf", _drawn(figure, "pdf"))):
            with atomic_write(folder / f"{name}.{suffix}") as temporary:
                temporary.write_bytes(content)
        pictures.append(Picture(name, title, wide, _drawn(narrow, "png")))
    return pictures


def _drawn(figure: "Figure", form: str) -> bytes:
    content = io.BytesIO()
    figure.savefig(content, format=form, dpi=150)
    return content.getvalue()


def _figures(comparison: Comparison, across: int = ACROSS) -> Iterator[tuple[str, str, "Figure"]]:
    """The name, the title and the drawing of each figure. across: the panels that stand side by side, at most"""
    yield "figure3", "Figure 3: best p-RNN, ID only and baselines", bars(comparison, across)
    if curves := learning_curves(comparison.finished, across):
        yield "learning_curves", "Loss and validation metric by epoch; shading: phases", curves
    metrics = comparison.metrics[:2]
    methods = contestants(comparison, metrics[-1])
    support, position = (
        [each for each in comparison.slices if each.by == by and each.metric in metrics]
        for by in (SUPPORT, POSITION)
    )
    if support:
        yield (
            "by_support",
            "Metrics by item support",
            lines(comparison, methods, support, f"{SUPPORT} (rare to popular)", across),
        )
    figure = lines(comparison, methods, position, POSITION, across)
    yield "by_position", "Metrics by position in the session", figure
    layouts: dict[str, dict[str, Any]] = {}
    for row in comparison.finished:
        run = row.runs[0].metrics
        if "network" in run:
            layouts.setdefault(str(run["arch"]), run["network"])
    if layouts:
        yield "architectures", "Figure 1: the networks as composed", architectures(layouts, across)


def contestants(comparison: Comparison, metric: str) -> list[str]:
    """The main baseline (item-kNN), the strongest ID-only row, the best p-RNN, the strongest baseline; of those that
    there are."""
    methods = [
        comparison.main_baseline,
        comparison.strongest_id_only(metric),
        comparison.best_parallel(metric),
        comparison.strongest_baseline(metric),
    ]
    return list(dict.fromkeys(method for method in methods if method))


def _role(comparison: Comparison, method: str) -> int:
    """Which of STYLES a method is drawn in: as the main baseline, an ID-only row, another row, or another baseline."""
    if method in comparison.baselines:
        return 0 if method == comparison.main_baseline else 3
    return 1 if any(row.name == method and row.is_id_only for row in comparison.finished) else 2


def bars(comparison: Comparison, across: int = ACROSS) -> "Figure":
    """Draws the paper's Figure 3, with intervals over the sessions; a panel for each metric."""
    metrics = comparison.metrics[:2]
    figure, panels = _panels(len(metrics), across, (3.6, 3.4))
    for axes, metric in zip(panels, metrics, strict=True):
        for place, method in enumerate(contestants(comparison, metric)):
            estimate = comparison.estimate(method, metric)
            fill, hatch = STYLES[_role(comparison, method)][:2]
            errors = [[max(0.0, estimate.mean - estimate.low)], [max(0.0, estimate.high - estimate.mean)]]
            axes.bar(
                place, estimate.mean, 0.7, color=fill, hatch=hatch, edgecolor="black", yerr=errors, capsize=4
            )
            axes.annotate(
                f"{estimate.mean:.4f}", (place, max(estimate.high, estimate.mean)), (0, 3),
                textcoords="offset points", ha="center", fontsize=9,
            )  # fmt: skip
        names = [in_lines(comparison.names[method]) for method in contestants(comparison, metric)]
        widest = max(len(line) for name in names for line in name.split("\n"))
        axes.set_xticks(range(len(names)), names, fontsize=9 if widest <= 14 else 7)
        axes.margins(y=0.12)
        axes.set_ylim(bottom=0)
        axes.set_title(metric)
    return figure


def in_lines(name: str) -> str:
    """A row's name with a line for each thing that stands in brackets, so that neighbours have room."""
    return name.replace(" (", "\n(").replace(" [", "\n[").replace(", ", ",\n")


def lines(
    comparison: Comparison, methods: Sequence[str], slices: Sequence[Slice], label: str, across: int = ACROSS
) -> "Figure":
    """Draws metrics over the bins of slices with their intervals, a panel each. label: of the bins' axis"""
    figure, panels = _panels(len(slices), across, (4.2, 3.4))
    for axes, each in zip(panels, slices, strict=True):
        for place, method in enumerate(methods):
            fill, _, marker, dash = STYLES[_role(comparison, method)]
            keys = [(method, name) for name in each.bins]
            means = np.array([each.means[key] for key in keys])
            known = np.array([each.intervals.get(key, 2 * (each.means[key],)) for key in keys])
            errors = np.abs(known.T - means)
            # Side by side, so that the intervals of a bin do not cover each other.
            places = np.arange(len(means)) + 0.12 * (place - (len(methods) - 1) / 2)
            axes.errorbar(
                places, means, errors, fmt=dash, marker=marker, color="black", capsize=2, elinewidth=0.7,
                markerfacecolor=fill, label=comparison.names[method],
            )  # fmt: skip
        names = [f"{name}\n{count:,}" for name, count in each.events.items()]
        axes.set_xticks(range(len(names)), names, fontsize=8)
        axes.margins(y=0.08)
        axes.set_ylim(bottom=0)
        axes.set_title(each.metric)
    panels[0].legend(fontsize=8)
    figure.supxlabel(f"{label};{' ' if across > 1 else chr(10)}below: number of test events", fontsize=10)
    return figure


def learning_curves(rows: Sequence[Row], across: int = ACROSS) -> "Figure | None":
    """Draws a panel for each row, of its first seed; None where no run has its epochs.csv."""
    histories = {row.name: _epochs(row) for row in rows}
    known = {name: frame for name, frame in histories.items() if frame is not None}
    if not known:
        return None
    figure, panels = _panels(len(known), across, (3.1, 2.3))
    for axes, (name, history) in zip(panels, known.items(), strict=True):
        _draw_history(axes, history)
        axes.set_title(name, fontsize=9)
    return figure


def _epochs(row: Row) -> pd.DataFrame | None:
    run = row.runs[0]
    path = RunFolder(run.folder).epochs_file
    try:
        if hash_of(None, [path]) != run.metrics[CHECKSUMS].get(path.name):
            log.warning("%s is damaged, or of another run: no learning curve of %s", path, row.name)
            return None
        history = pd.read_csv(path)
    except (OSError, ValueError):
        return None
    if "trained_on" in history:  # a refit repeats what was chosen
        history = history[history["trained_on"] == "train"]
    return history if {"phase", "learning", "loss"} <= set(history) and len(history) else None


def _draw_history(axes: "Axes", history: pd.DataFrame) -> None:
    """Draws the loss with its axis at the left, and at the right the last metric of the validation part, if any."""
    epochs = np.arange(1, len(history) + 1)
    turns = history["learning"].ne(history["learning"].shift()).cumsum()  # of alternating, phases are epochs
    for number, phase in enumerate(history.groupby(turns)):
        first, last = phase[1].index[0] + 0.5, phase[1].index[-1] + 1.5
        axes.axvspan(first, last, color="0.85" if number % 2 else "0.95", linewidth=0)
        if turns.max() <= 3:
            axes.text((first + last) / 2, 0.97, phase[1]["learning"].iloc[0], transform=axes.get_xaxis_transform(),
                      ha="center", va="top", fontsize=7)  # fmt: skip
    axes.plot(epochs, history["loss"], "-", color="black", marker="." if len(epochs) < 15 else None)
    axes.set_xlim(0.5, len(epochs) + 0.5)
    axes.margins(y=HEADROOM)
    axes.locator_params(axis="x", integer=True, min_n_ticks=1)
    axes.set_ylabel("loss", fontsize=8)
    axes.set_xlabel("epoch", fontsize=8)
    axes.tick_params(labelsize=7)
    if measured := [name for name in map(str, history) if "@" in name]:
        right = axes.twinx()
        right.plot(epochs, history[measured[-1]], "--", color="0.35", marker="x", markersize=4)
        if "selected" in history:
            kept = history["selected"].astype(bool)
            right.plot(
                epochs[kept],
                history.loc[kept, measured[-1]],
                "o",
                color="black",
                fillstyle="none",
                markersize=9,
            )
        right.margins(y=HEADROOM)
        right.set_ylabel(f"validation {measured[-1]} (dashed)", fontsize=7)
        right.tick_params(labelsize=7)


def _panels(count: int, across: int, size: tuple[float, float]) -> "tuple[Figure, list[Axes]]":
    """A figure of `count` panels, each of `size` in inches."""
    from matplotlib.figure import Figure

    num_columns = min(count, max(across, -(-count // MOST_LINES)))
    num_lines = -(-count // num_columns)
    figure = Figure(figsize=(size[0] * num_columns, size[1] * num_lines), layout="constrained")
    panels = list(figure.subplots(num_lines, num_columns, squeeze=False).ravel())
    for axes in panels[count:]:
        axes.set_axis_off()
    return figure, panels[:count]
