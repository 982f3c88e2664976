"""prnn bench: times on this machine, each beside its floor -> bench.json, and bench.md as a table."""

from collections.abc import Iterator
from typing import Any

import torch
from hydra import compose

from prnn_cli.benchmarks.baselines import baseline_rows
from prnn_cli.benchmarks.forecasts import forecast_row
from prnn_cli.benchmarks.others import peak_memory_mb, preparation_row, ranking_row
from prnn_cli.benchmarks.training import training_rows
from prnn_cli.commands import Command
from prnn_cli.experiment.settings import typed_settings
from prnn_cli.reporting.environment import environment
from prnn_cli.reporting.table_formats import TextTable, to_markdown
from prnn_cli.reporting.terminal import show
from prnn_cli.run_folder import RunFolder
from prnn_cli.schema import (
    BaselineCase,
    BenchCommand,
    ForecastCase,
    LogCase,
    RankingCase,
    TrainCommand,
    TrainingCase,
)
from prnn_cli.system.files import write_json, write_text
from prnn_cli.system.hardware import device_name, select_device
from prnn_cli.system.progress import meter, note

Case = LogCase | BaselineCase | RankingCase | TrainingCase | ForecastCase

HEADINGS = ["what", "time", "× floor", "events/s", "peak memory"]


class Bench(Command):
    """The command `prnn bench`."""

    options = BenchCommand

    def run(self, settings: BenchCommand, folder: RunFolder) -> None:
        machine = environment() | {"device": device_name(select_device(settings.hardware))}
        write_json(folder.path / "environment.json", machine)
        rows = []
        for row in measured(settings):
            rows.append(row)
            text = f"{row['what']}: {_figures(row)}"
            note(text)
            write_json(folder.path / "bench.json", rows)
        table = TextTable(HEADINGS, [_cells(row) for row in rows])
        write_text(folder.path / "bench.md", to_markdown(table))
        show(table)


def measured(settings: BenchCommand) -> Iterator[dict[str, Any]]:
    """Measures every case of `bench`, and yields a row of bench.json for each."""
    bench, device = settings.bench, select_device(settings.hardware)
    cases: list[Case] = [
        *bench.preparation,
        *bench.baselines,
        *bench.ranking,
        *bench.training,
        *bench.forecasts,
    ]
    with meter("bench", len(cases)) as progress:
        for done, case in enumerate(cases):
            progress.update(done, f"case {done + 1} of {len(cases)}")
            yield from _rows_of(case, settings, device)


def _rows_of(case: Case, settings: BenchCommand, device: torch.device) -> Iterator[dict[str, Any]]:
    match case:
        case LogCase():
            yield preparation_row(case, train_settings(["dataset=generic", "dataset.path=log.csv"]).dataset)
        case BaselineCase():
            train = train_settings([f"baselines=[{case.name}]"])
            for row in baseline_rows(case, train.baselines[case.name]):
                yield row | {"peak_mb": peak_memory_mb(device)}
        case RankingCase():
            yield ranking_row(case, device, settings.bench.repeats) | {"peak_mb": peak_memory_mb(device)}
        case ForecastCase():
            yield forecast_row(case, settings.cache_dir)
        case TrainingCase():
            train = train_settings(case.overrides)
            train.hardware = settings.hardware
            for row in training_rows(train, case.num_items, settings.bench, device):
                yield row | {"peak_mb": peak_memory_mb(device)}


def train_settings(overrides: list[str]) -> TrainCommand:
    """The settings of `prnn train` with these overrides."""
    settings: TrainCommand = typed_settings("train", compose("train", overrides))
    return settings


def _cells(row: dict[str, Any]) -> list[str]:
    time = f"{row['us_per_step']:,.0f} µs" if "us_per_step" in row else _seconds(row["seconds"])
    ratio = f"{row['ratio']:.2f}" if "ratio" in row else ""
    peak = f"{row['peak_mb']:,} MB" if "peak_mb" in row else ""
    what = f"{row['what']}: {_case(row)}".removesuffix(": ")
    return [what, time, ratio, f"{row['events_per_s']:,.0f}", peak]


def _case(row: dict[str, Any]) -> str:
    if "forecast_s" in row:
        return f"forecast as {_seconds(row['forecast_s'])}"
    parts = [f"{row['num_items']:,} items"]
    if "batch_size" in row:
        parts.append(f"batch {row['batch_size']}")
    if row.get("num_sampled") == "all":
        parts.append("all scored")
    elif row.get("num_sampled"):
        parts.append(f"+{row['num_sampled']:,} sampled")
    if "hidden_size" in row:
        parts.append(f"{row['hidden_size']} units")
    if "executor" in row:
        parts.append(f"{row['executor']}, {row['threads']} thread{'s' if row['threads'] > 1 else ''}")
    return ", ".join(parts)


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{1000 * seconds:.0f} ms"


def _figures(row: dict[str, Any]) -> str:
    if "us_per_step" not in row:
        case = f", {_case(row)}" if "forecast_s" in row else ""
        return f"{_seconds(row['seconds'])}{case}, {row['events_per_s']:,.0f} events/s"
    return f"{_case(row)}: {row['us_per_step']:,.0f} µs a step, {row['ratio']:.2f} × its floor"


COMMANDS = {"bench": Bench()}
