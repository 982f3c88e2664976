"""Times the preparation of a log against the plain pandas way, each in a process of its own.

The log is generated: sessions of 2 to 6 clicks in the order of their times, items drawn by Zipf's law. By default 12
million events in a TSV; --full takes 69 million in a Parquet file, as many sessions and items as the paper's VIDXL, for
prnn alone. Files go to a temporary folder (TMPDIR); --full takes about 3 GB there.
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from rich.console import Console
from rich.progress import track
from rich.table import Table

from prnn_cli.data.prepare import prepare
from prnn_cli.experiment.settings import register_schemas
from prnn_cli.extensions import own_configs

BLOCK_SESSIONS = 250_000
SCHEMA = pa.schema([(name, pa.int64()) for name in ("session_id", "item_id", "time")])
FULL = (69_000_000, 17_400_000, 713_000)  # events, sessions, items
NORMAL = (12_000_000, 3_000_000, 100_000)


def block(first: int, num_sessions: int, num_items: int, rng: np.random.Generator) -> pa.Table:
    """Sessions first, first + 1, …, of which 40 begin in a second."""
    lengths = rng.integers(2, 7, num_sessions)
    session = np.repeat(np.arange(first, first + num_sessions), lengths)
    begin = 1_460_000_000_000 + 25 * session
    place = np.arange(len(session)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    item = (rng.pareto(0.8, len(session)) * 300).astype(np.int64) % num_items
    times = begin + 20_000 * place
    order = np.argsort(times, kind="stable")
    columns = [session + 10_000_000, item + 50_000_000, times]
    return pa.table([column[order] for column in columns], schema=SCHEMA)


def generate(path: Path, num_events: int, num_sessions: int, num_items: int) -> None:
    rng = np.random.default_rng(0)
    options = pa_csv.WriteOptions(delimiter="\t", quoting_style="none")
    is_text = path.suffix == ".tsv"
    with (
        pa_csv.CSVWriter(path, SCHEMA, write_options=options)
        if is_text
        else pq.ParquetWriter(path, SCHEMA) as writer
    ):
        written = 0
        for first in track(range(0, num_sessions, BLOCK_SESSIONS), "generating", transient=True):
            table = block(first, min(BLOCK_SESSIONS, num_sessions - first), num_items, rng)
            writer.write_table(table.slice(0, num_events - written))
            written += len(table)


def with_pandas(path: Path) -> None:
    """Read, filter, sort; then what makes it the same as prnn's: split, number, write."""
    log = pd.read_csv(path, sep="\t")
    log = log[log.groupby("session_id")["time"].transform("size") <= 200]
    before = -1
    while len(log) != before:
        before = len(log)
        log = log[log.groupby("session_id")["time"].transform("size") > 1]
        log = log[log.groupby("item_id")["time"].transform("size") >= 5]
    log = log.sort_values(["session_id", "time"])
    report("read, filter, sort")
    day = 86_400_000
    is_test = log.groupby("session_id")["time"].transform("max") >= log["time"].max() // day * day
    known = log["item_id"].isin(log.loc[~is_test, "item_id"].unique())
    log = log.assign(part=np.where(is_test, "test", "train"))[known | ~is_test]
    log = log[log.groupby("session_id")["time"].transform("size") > 1]
    log["session_index"] = pd.factorize(log["session_id"])[0]
    log["item_index"] = pd.factorize(log["item_id"], sort=True)[0]
    log.to_parquet(path.with_name("pandas.parquet"))
    report("the same, split, numbered and written")


def with_prnn(path: Path) -> None:
    register_schemas()
    with initialize_config_dir(str(own_configs()), version_base="1.3"):
        config = OmegaConf.to_object(compose("preprocess", ["dataset=generic", f"dataset.path={path}"]))
    global started
    started = time.perf_counter()
    prepare(config.dataset, path.with_name("cache"))  # type: ignore[union-attr]
    report("all of that, and the hash of the file")


def report(what: str) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    figures = {"seconds": time.perf_counter() - started, "peak_gb": used.ru_maxrss / 2**20}
    print(json.dumps({"what": what, "cpu": used.ru_utime + used.ru_stime} | figures), flush=True)


def measured(way: str, path: Path) -> list[dict[str, str | float]]:
    command = [sys.executable, __file__, "--only", way, str(path)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return [{"way": way} | json.loads(line) for line in done.stdout.splitlines()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="the size of VIDXL")
    parser.add_argument("--repeat", type=int, default=1, help="take the fastest of so many runs")
    parser.add_argument(
        "--only", nargs=2, metavar=("WAY", "FILE"), help="one way on a file of yours, in this process"
    )
    arguments = parser.parse_args()
    if arguments.only:
        way, file = arguments.only
        WAYS[way](Path(file))
        return
    size = FULL if arguments.full else NORMAL
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("log.parquet" if arguments.full else "log.tsv")
        generate(path, *size)
        rows = []
        for _ in range(arguments.repeat):
            for way in ["prnn"] if arguments.full else WAYS:
                rows += measured(way, path)
                shutil.rmtree(Path(folder) / "cache", ignore_errors=True)
    fastest = pd.DataFrame(rows).groupby(["way", "what"], sort=False).min().reset_index()
    title = f"{size[0]:,} events, {size[1]:,} sessions, {size[2]:,} items"
    table = Table("way", "what", "seconds", "CPU seconds", "peak GB", title=title, title_justify="left")
    for row in fastest.itertuples():
        table.add_row(row.way, row.what, f"{row.seconds:.1f}", f"{row.cpu:.1f}", f"{row.peak_gb:.2f}")
    Console(width=110).print(table)


WAYS = {"pandas": with_pandas, "prnn": with_prnn}
started = time.perf_counter()

if __name__ == "__main__":
    main()
