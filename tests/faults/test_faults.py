"""Nothing finished is lost, the next start works, and no temporary file stays, whatever happens to a run.

Every fault falls on a run that generates its log, prepares it, makes features, trains two subnets with a checkpoint at
every tick, ranks, and writes results; afterwards the same command with resume=true must end with the bits of a run
that nothing happened to. docs/faults.md counts them.
"""

import errno
import json
import os
import random
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from faults.process import Kill, Refuse, SmallFiles, prnn

DATA = [
    "dataset.synthetic.num_items=50",
    "dataset.synthetic.num_sessions=200",
    "dataset.synthetic.num_intents=4",
    "dataset.synthetic.num_days=4",
]
CPU = ["hardware=cpu", "hardware.threads=1"]
NETWORK = ["arch=parallel", "units.each=6", "recipe.batch_size=16", "epochs=2", "checkpoint.every_s=0", *CPU]
TRAIN = ["train", *DATA, *NETWORK, "strategy=residual", "hydra.run.dir=runs/mine"]
SWEEP = ["train", "-m", *DATA, *NETWORK, "seed=1,2", "table.figures=false", "table.resamples=100"]
SWEEP += ["epochs=1", "hydra.sweep.dir=runs/sweep"]


@dataclass(frozen=True)
class Reference:
    """Of a run that nothing happened to: how often it changed a file, how long it took, what came of it."""

    folder: Path
    writes: int
    seconds: float
    results: dict[str, Any]


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    return reference_of(tmp_path_factory.mktemp("reference"), TRAIN, "runs/mine")


@pytest.fixture(scope="module")
def sweep_reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    return reference_of(tmp_path_factory.mktemp("sweep"), SWEEP, "runs/sweep/1")


def reference_of(folder: Path, command: list[str], run: str) -> Reference:
    prnn(folder, "preprocess", *DATA, "hydra.run.dir=warm")  # loads what is loaded once
    shutil.rmtree(folder / "cache")
    began = time.monotonic()
    ended = prnn(folder, *command)
    assert ended.exit_code == 0, ended.output
    return Reference(folder, ended.writes, time.monotonic() - began, results(folder / run))


def spread(number: int, in_make_test: int) -> list[Any]:
    """So many shares of a run, 0 < share ≤ 1; but for some of them they are tried by make test-nightly alone."""
    every = number // in_make_test
    shares = [(i + 1) / number for i in range(number)]
    return [
        share if i % every == every // 2 else pytest.param(share, marks=pytest.mark.nightly)
        for i, share in enumerate(shares)
    ]


@pytest.mark.parametrize("share", spread(60, in_make_test=1))
def test_killed_at_any_write(share: float, reference: Reference, workplace: Path) -> None:
    killed = prnn(workplace, *TRAIN, fault=Kill(at=max(1, round(share * reference.writes))))
    assert killed.exit_code == -9
    goes_on(workplace, reference)


@pytest.mark.parametrize("share", spread(40, in_make_test=1))
def test_killed_at_any_time(share: float, reference: Reference, workplace: Path) -> None:
    wait = random.Random(share).uniform(0, reference.seconds)
    assert prnn(workplace, *TRAIN, kill_after_s=wait).exit_code in (-9, 0)
    goes_on(workplace, reference)


@pytest.mark.nightly
def test_killed_again_and_again(reference: Reference, workplace: Path) -> None:
    """Each start gets a little further than the one before it."""
    for start in range(8):
        resume = ["resume=true"] if start else []
        prnn(workplace, *TRAIN, *resume, kill_after_s=(start + 1) * reference.seconds / 8)
    goes_on(workplace, reference)


@pytest.mark.parametrize("share", spread(30, in_make_test=1))
@pytest.mark.parametrize(
    "number", [errno.ENOSPC, pytest.param(errno.EROFS, marks=pytest.mark.nightly)], ids=["full", "read-only"]
)
def test_a_disk_that_refuses_any_write_is_a_sentence(
    share: float, number: int, reference: Reference, workplace: Path
) -> None:
    fault = Refuse(max(1, round(share * reference.writes)), number, ever_after=True)
    refused = prnn(workplace, *TRAIN, fault=fault)
    assert refused.exit_code == 1, refused.output
    assert "Traceback" not in refused.output
    last = refused.output.splitlines()[-1]
    assert last.startswith("prnn: ")
    assert ("No space left" if number == errno.ENOSPC else "Read-only file system") in last
    goes_on(workplace, reference)


@pytest.mark.parametrize("share", spread(20, in_make_test=1))
def test_a_disk_that_refuses_one_write_leaves_nothing_that_hinders_the_next_start(
    share: float, reference: Reference, workplace: Path
) -> None:
    refused = prnn(workplace, *TRAIN, fault=Refuse(max(1, round(share * reference.writes))))
    assert refused.exit_code in (0, 1), refused.output
    assert "Traceback" not in refused.output
    goes_on(workplace, reference)


@pytest.mark.parametrize(
    "size", [pytest.param(2**n, marks=[] if n == 12 else pytest.mark.nightly) for n in range(0, 18, 2)]
)
def test_a_disk_that_fills_while_libraries_write_is_a_sentence(
    size: int, reference: Reference, workplace: Path
) -> None:
    refused = prnn(workplace, *TRAIN, fault=SmallFiles(size))
    assert refused.exit_code in (0, 1), refused.output
    assert "Traceback" not in refused.output
    goes_on(workplace, reference)


@pytest.mark.nightly
@pytest.mark.parametrize("share", [(i + 1) / 10 for i in range(10)])
def test_a_killed_sweep_ends_with_the_same_table(
    share: float, sweep_reference: Reference, workplace: Path
) -> None:
    prnn(workplace, *SWEEP, fault=Kill(at=round(share * sweep_reference.writes)))
    again = prnn(workplace, *SWEEP, "resume=true")
    assert again.exit_code == 0, again.output
    assert results(workplace / "runs/sweep/1") == sweep_reference.results
    tables = [pd.read_csv(folder / "runs/sweep/table.csv") for folder in (workplace, sweep_reference.folder)]
    assert tables[0].drop(columns="events_per_s").equals(tables[1].drop(columns="events_per_s"))
    assert left_over(workplace) == []


@pytest.mark.parametrize(
    "command",
    [
        "preprocess",
        pytest.param("features", marks=pytest.mark.nightly),
        pytest.param("evaluate", marks=pytest.mark.nightly),
    ],
)
@pytest.mark.parametrize("share", spread(6, in_make_test=1))
def test_the_other_commands_start_again(
    command: str, share: float, reference: Reference, workplace: Path
) -> None:
    if command == "evaluate":
        shutil.copytree(reference.folder, workplace, dirs_exist_ok=True)
        shutil.rmtree(workplace / "cache" / "ranks")
        own = ["evaluate", "run=runs/mine", *CPU]
    else:
        own = [command, *DATA, *(["features=text"] if command == "features" else [])]
    writes = {"preprocess": 80, "features": 90, "evaluate": 30}[command]
    prnn(workplace, *own, "hydra.run.dir=out", fault=Kill(at=max(1, round(share * writes))))
    again = prnn(workplace, *own, "hydra.run.dir=again")
    assert again.exit_code == 0, again.output
    assert left_over(workplace, "out") == []
    if command == "evaluate":
        assert results(workplace / "again")["mrr@20"] == reference.results["mrr@20"]


FILES = [
    "vectors.safetensors",
    "items.parquet",
    "summary.json",
    "checksums.json",
    "-*.safetensors",
    "events.parquet",
]
DAMAGES = ["flipped-0.6", "flipped-0.01", "flipped-0.99", "truncated-0", "truncated-0.9"]


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        pytest.param(file, damage, marks=pytest.mark.nightly if damage != "flipped-0.6" or i % 5 else [])
        for i, file in enumerate(FILES)
        for damage in DAMAGES
    ],
)
def test_a_damaged_cache_is_noticed(file: str, damage: str, reference: Reference, workplace: Path) -> None:
    """Each file of this name in the cache: of the generated log, the prepared data, the features, the ranks."""
    shutil.copytree(reference.folder / "cache", workplace / "cache")
    damaged = [path for path in (workplace / "cache").rglob(f"*{file}") if path.is_file()]
    assert damaged
    for path in damaged:
        do_damage(path, damage)
    ended = prnn(workplace, *TRAIN)
    assert ended.exit_code == 0, ended.output
    assert results(workplace / "runs/mine") == reference.results
    assert "set aside as" in ended.output
    assert list((workplace / "cache").rglob("*.damaged"))


@pytest.mark.parametrize("file", ["model.safetensors", "metrics.json", "status.json", ".hydra/config.yaml"])
@pytest.mark.parametrize("damage", ["flipped-0.6", pytest.param("truncated-0.5", marks=pytest.mark.nightly)])
def test_a_damaged_run_is_refused_by_name(
    file: str, damage: str, reference: Reference, workplace: Path
) -> None:
    """Where a changed digit is still JSON or YAML, nothing can tell; what can't be read is named."""
    shutil.copytree(reference.folder, workplace, dirs_exist_ok=True)
    path = workplace / "runs/mine" / file
    if damage.startswith("flipped") and path.suffix != ".safetensors":
        path.write_bytes(path.read_bytes().replace(b"e", b"\x00", 3))
    else:
        do_damage(path, damage)
    ended = prnn(workplace, "evaluate", "run=runs/mine", *CPU)
    assert "Traceback" not in ended.output
    if file == "status.json":
        assert ended.exit_code in (0, 2)
    else:
        assert ended.exit_code == 2, ended.output
        assert Path(file).name in ended.output


def test_two_runs_fill_one_cache(reference: Reference, workplace: Path) -> None:
    """Both begin with nothing there."""
    from concurrent.futures import ThreadPoolExecutor

    twin = workplace.with_name("twin")
    twin.mkdir()
    (twin / "cache").symlink_to(workplace / "cache")
    (workplace / "cache").mkdir()
    with ThreadPoolExecutor(2) as pool:
        ended = list(pool.map(lambda folder: prnn(folder, *TRAIN), (workplace, twin)))
    assert [each.exit_code for each in ended] == [0, 0], ended
    assert results(workplace / "runs/mine") == results(twin / "runs/mine") == reference.results
    assert left_over(workplace) == left_over(twin) == []


def test_what_other_processes_are_writing_is_left_alone(workplace: Path) -> None:
    from prnn_cli.system.files import atomic_write, remove_remains

    with atomic_write(workplace / "table.csv") as temporary:
        temporary.write_text("1")
        remove_remains(workplace)
        assert temporary.exists()
    dead = workplace / temporary.name.replace(f"-{os.getpid()}-", "-4194304-")
    dead.write_text("half")
    remove_remains(workplace)
    assert [path.name for path in workplace.iterdir()] == ["table.csv"]


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    folder = tmp_path / "workplace"
    folder.mkdir()
    return folder


def goes_on(workplace: Path, reference: Reference) -> None:
    """The next start ends with the results of the reference; what was finished is not touched."""
    metrics = workplace / "runs/mine/metrics.json"
    finished = metrics.read_bytes() if metrics.is_file() else None
    again = prnn(workplace, *TRAIN, "resume=true")
    assert again.exit_code == 0, again.output
    assert "Traceback" not in again.output
    assert results(workplace / "runs/mine") == reference.results
    assert finished in (None, metrics.read_bytes())
    assert left_over(workplace) == []


def results(run: Path) -> dict[str, Any]:
    """What may not depend on what happened: metrics, ranks and the model's bits."""
    metrics = json.loads((run / "metrics.json").read_text())
    for key in ("train", "versions", "device", "git_commit", "files"):  # epochs.csv holds seconds
        metrics.pop(key)
    files = [name for name in ("model.safetensors", "ranks.parquet") if (run / name).is_file()]
    return metrics | {name: (run / name).read_bytes() for name in files}


def left_over(workplace: Path, *ignored: str) -> list[Path]:
    """Temporary files and locks; `ignored` are the folders that nobody will work in again."""
    found = [path for path in workplace.rglob(".*") if ".tmp" in path.name or path.name == ".lock"]
    return [path for path in found if not {*path.relative_to(workplace).parts} & {*ignored}]


def do_damage(path: Path, damage: str) -> None:
    kind, _, share = damage.partition("-")
    content = bytearray(path.read_bytes())
    place = int(float(share) * len(content))
    if kind == "truncated":
        del content[place:]
    else:
        content[min(place, len(content) - 1)] ^= 0x10
    path.write_bytes(content)
