"""A run that was cut off anywhere ends as if it had not been."""

import json
import shutil
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pandas as pd
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from commands.conftest import SMALL, CutOffError, Result
from prnn_cli.experiment import supervisor as supervising
from prnn_cli.experiment.supervisor import Supervisor
from prnn_cli.system.tensor_files import read_tensors, write_tensors
from prnn_cli.training import inductor, ticks
from prnn_cli.training.checkpoint import CHECKPOINT
from prnn_cli.training.strategies import STRATEGIES
from prnn_cli.training.trainer import Progress

Prnn = Callable[..., Result]
pytest_plugins = ["commands.conftest"]

BOTH = [argument for argument in SMALL if not argument.startswith(("arch", "subnets", "epochs"))]
BOTH += ["arch=parallel", "units.each=6", "recipe.momentum=0.1", "recipe.dropout=0.2", "recipe.num_sampled=4"]
NETWORK = ("readout.id", "readout.text", "subnets.id.recurrent", "subnets.text.recurrent")


@pytest.fixture
def short_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some nine ticks an epoch, a checkpoint at each."""
    monkeypatch.setattr(ticks, "STEPS", 10)
    monkeypatch.setattr(supervising, "WRITING_SHARE", float("inf"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """runs/finished; and runs/begun, which ended at its first tick: of the same command."""
    from prnn_cli.cli import main

    def end(self: Supervisor, progress: Progress) -> None:
        at_tick(self, progress)
        raise CutOffError

    folder, at_tick = tmp_path_factory.mktemp("made"), Supervisor.at_tick
    own = ["train", *SMALL, "checkpoint.every_s=0"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("PRNN_CACHE_DIR", str(folder / "cache"))
        assert main([*own, "hydra.run.dir=runs/finished"]) == 0
        patch.setattr(Supervisor, "at_tick", end)
        with pytest.raises(CutOffError):
            main([*own, "hydra.run.dir=runs/begun"])
    return folder / "runs"


@pytest.fixture
def finished(made: Path, workplace: Path) -> None:
    """runs/mine is a copy of a finished run."""
    shutil.copytree(made / "finished", "runs/mine")


@pytest.fixture
def begun(made: Path, workplace: Path) -> None:
    """runs/mine is a copy of a run that was cut off at its first tick."""
    shutil.copytree(made / "begun", "runs/mine")


def assert_same_run(left: str, right: str) -> None:
    """To the bit, but for what is about time."""
    ours, theirs = (load_file(f"runs/{name}/model.safetensors") for name in (left, right))
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        assert torch.equal(ours[name], value), name
    measured = [json.loads(Path(f"runs/{name}/metrics.json").read_text()) for name in (left, right)]
    for key in ("recall@20", "mrr@20", "tie_rate", "baselines", "epochs", "data_hash"):
        assert measured[0][key] == measured[1][key]
    epochs = [
        pd.read_csv(f"runs/{name}/epochs.csv").filter(regex="^(?!seconds|events_per_s)")
        for name in (left, right)
    ]
    assert epochs[0].equals(epochs[1])


MINE = [*SMALL, "hydra.run.dir=runs/mine"]
PAIRS = [("parallel", "residual"), ("interaction", "interleaving")]
OTHERS = [pair for pair in product(("parallel", "shared_w", "interaction"), STRATEGIES) if pair not in PAIRS]
OTHERS += [(arch, "simultaneous") for arch in ("id_only", "feature_only", "concatenated")]


@pytest.mark.usefixtures("short_ticks")
@pytest.mark.parametrize(
    ("arch", "strategy"), [*PAIRS, *[pytest.param(*pair, marks=pytest.mark.nightly) for pair in OTHERS]]
)
def test_a_run_resumed_from_any_tick_ends_with_the_same_bits(
    arch: str, strategy: str, prnn: Prnn, cut_off: Callable[..., None]
) -> None:
    """Cut off in its first epoch, and once more, behind the checkpoint that it went on from, in a later one."""
    # Adam's state is the larger one: some of the pairs have it.
    adam = (
        ["recipe.optimiser=adam", "recipe.momentum=0"] if strategy in ("alternating", "interleaving") else []
    )
    own = [*BOTH, f"arch={arch}", f"strategy={strategy}", "epochs=2", *adam]
    mine = [*own, "hydra.run.dir=runs/mine", "checkpoint.every_s=0"]
    assert prnn("train", *own, "hydra.run.dir=runs/whole").exit_code == 0
    cut_off(4, "train", *mine)
    cut_off(9, "train", *mine, "resume=true")
    assert prnn("train", *mine, "resume=true").exit_code == 0
    assert_same_run("mine", "whole")


@pytest.mark.nightly
@pytest.mark.usefixtures("short_ticks")
def test_a_run_that_began_anew_goes_on_with_its_lowered_rates(
    prnn: Prnn, cut_off: Callable[..., None]
) -> None:
    """Cut off after it began anew, which it does in its first ticks: its checkpoint has the factor of the rates."""
    own = [*SMALL, "recipe.loss=bpr_max", "recipe.activation=linear", "recipe.learning_rate=4"]
    own += ["recipe.score_regularisation=1"]
    mine = [*own, "hydra.run.dir=runs/mine", "checkpoint.every_s=0"]
    assert "training begins anew" in prnn("train", *own, "hydra.run.dir=runs/whole").err
    cut_off(9, "train", *mine)
    assert prnn("train", *mine, "resume=true").exit_code == 0
    assert_same_run("mine", "whole")
    mine_and_whole = [json.loads(Path(f"runs/{name}/metrics.json").read_text()) for name in ("mine", "whole")]
    assert mine_and_whole[0]["rate_factor"] == mine_and_whole[1]["rate_factor"] < 1


@pytest.mark.usefixtures("short_ticks")
@pytest.mark.parametrize("compiler", ["tracing", pytest.param("inductor", marks=pytest.mark.nightly)])
def test_a_compiled_run_goes_on_compiled_to_the_same_bits(
    compiler: str, prnn: Prnn, cut_off: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The way its steps are taken was decided when it began, whatever is asked for later."""
    if compiler == "tracing":  # what is compiled, run as it was traced: machine code takes its time
        monkeypatch.setattr(inductor, "by_inductor", lambda traced, arguments: traced)
    mine = [*SMALL, "hydra.run.dir=runs/mine", "checkpoint.every_s=0"]
    whole = prnn("train", *SMALL, "hardware.compile=always", "hydra.run.dir=runs/whole")
    assert "compiled in" in whole.err
    cut_off(4, "train", *mine, "hardware.compile=always")
    resumed = prnn("train", *mine, "hardware.compile=never", "resume=true")
    assert "compiled in" in resumed.err
    assert_same_run("mine", "whole")
    for name in ("mine", "whole"):
        assert json.loads(Path(f"runs/{name}/metrics.json").read_text())["train"]["executor"] == "compiled"


@pytest.mark.usefixtures("short_ticks")
def test_work_since_the_last_checkpoint_is_redone_to_the_same_bits(
    prnn: Prnn, cut_off: Callable[..., None]
) -> None:
    """The checkpoint is that of the end of the first phase; what came after it is lost."""
    own = [*BOTH, "strategy=alternating", "epochs=2"]
    assert prnn("train", *own, "hydra.run.dir=runs/whole").exit_code == 0
    cut_off(13, "train", *own, "hydra.run.dir=runs/mine")
    resumed = prnn("train", *own, "hydra.run.dir=runs/mine", "resume=true")
    assert "resuming at phase 2, epoch 1, step 0" in resumed.err
    assert_same_run("mine", "whole")


@pytest.mark.usefixtures("short_ticks")
@pytest.mark.parametrize(
    "strategy",
    ["alternating", *(pytest.param(s, marks=pytest.mark.nightly) for s in ("simultaneous", "interleaving"))],
)
def test_a_finished_run_gets_more_epochs_at_its_end(strategy: str, prnn: Prnn) -> None:
    own = [*BOTH, f"strategy={strategy}"]
    assert prnn("train", *own, "epochs=1", "hydra.run.dir=runs/mine").exit_code == 0
    before = json.loads(Path("runs/mine/metrics.json").read_text())
    assert prnn("train", *own, "epochs=2", "hydra.run.dir=runs/mine", "resume=true").exit_code == 0
    assert prnn("train", *own, "epochs=2", "hydra.run.dir=runs/whole").exit_code == 0
    assert_same_run("mine", "whole")
    assert json.loads(Path("runs/mine/metrics-epochs1.json").read_text()) == before


def test_epochs_that_would_come_in_the_middle_are_refused_and_nothing_changes(prnn: Prnn) -> None:
    own = [*BOTH, "strategy=residual", "hydra.run.dir=runs/mine"]
    assert prnn("train", *own, "epochs=1").exit_code == 0
    before = contents("runs")
    more = prnn("train", *own, "epochs=2", "resume=true")
    assert more.exit_code == 2
    assert "runs/mine with epochs=2 instead of 1: phases that are over" in more.err
    assert contents("runs") == before


@pytest.mark.usefixtures("finished")
def test_fewer_epochs_are_another_configuration(prnn: Prnn) -> None:
    fewer = prnn("train", *MINE, "resume=true", "epochs=1")
    assert fewer.exit_code == 2
    assert "runs/mine with epochs=1 instead of 2" in fewer.err


@pytest.mark.usefixtures("begun")
def test_hardware_and_checkpoints_may_change_on_resume(prnn: Prnn) -> None:
    other = ["checkpoint.every_s=60", "hardware=auto", "label=mine"]
    assert prnn("train", *MINE, *other, "resume=true").exit_code == 0


@pytest.mark.usefixtures("short_ticks")
def test_a_damaged_checkpoint_is_set_aside_for_the_one_before_it(
    prnn: Prnn, cut_off: Callable[..., None]
) -> None:
    own = [*BOTH, "epochs=1"]
    mine = [*own, "hydra.run.dir=runs/mine", "checkpoint.every_s=0"]
    assert prnn("train", *own, "hydra.run.dir=runs/whole").exit_code == 0
    cut_off(4, "train", *mine)
    flip_a_bit(Path("runs/mine/checkpoint/state.safetensors"))
    resumed = prnn("train", *mine, "resume=true")
    assert "state.safetensors is damaged (its content has another checksum" in resumed.err
    assert "set aside as state.safetensors.damaged" in resumed.err
    assert_same_run("mine", "whole")


@pytest.mark.usefixtures("begun")
def test_without_any_whole_checkpoint_a_run_begins_again(prnn: Prnn) -> None:
    for file in Path("runs/mine/checkpoint").iterdir():
        file.write_bytes(file.read_bytes()[:-9])
    resumed = prnn("train", *MINE, "resume=true")
    assert resumed.exit_code == 0
    assert "runs/mine: starting from the beginning" in resumed.err


@pytest.mark.usefixtures("begun")
@pytest.mark.parametrize("number", ["3", "5", None])
def test_a_checkpoint_of_another_format_is_refused_and_nothing_changes(
    number: str | None, prnn: Prnn
) -> None:
    for file in Path("runs/mine/checkpoint").iterdir():
        set_format(file, number)
    before = contents("runs/mine")
    resumed = prnn("train", *MINE, "resume=true")
    assert resumed.exit_code == 2
    assert (
        f"state.safetensors is a checkpoint of format {number or 1}, and this prnn reads format 4"
        in resumed.err
    )
    assert "go on with the prnn that wrote it, or train in another folder" in resumed.err
    assert contents("runs/mine") == before


@pytest.mark.usefixtures("finished")
def test_a_finished_run_needs_no_checkpoint_that_can_be_read(prnn: Prnn) -> None:
    set_format(Path("runs/mine/checkpoint/state.safetensors"), "1")
    assert "this run is finished" in prnn("train", *MINE, "resume=true").err
    assert prnn("train", *MINE, "resume=true", "epochs=3").exit_code == 2


def test_a_finished_run_that_keeps_no_checkpoint_is_whole_and_gets_no_more_epochs(prnn: Prnn) -> None:
    mine = [*SMALL, "hydra.run.dir=runs/mine", "checkpoint.keep=never"]
    assert prnn("train", *mine, "epochs=1").exit_code == 0
    assert not Path("runs/mine/checkpoint").exists()
    again = prnn("train", *mine, "epochs=1", "resume=true")
    assert again.exit_code == 0
    assert "this run is finished" in again.err
    before = contents("runs/mine")
    more = prnn("train", *mine, "epochs=2", "resume=true")
    assert more.exit_code == 2
    assert "runs/mine with epochs=2 instead of 1: the finished run kept no checkpoint" in more.err
    assert contents("runs/mine") == before
    assert prnn("evaluate", "run=runs/mine", "hydra.run.dir=evaluated").exit_code == 0


@pytest.mark.usefixtures("finished")
def test_metrics_of_another_format_are_not_made_again(prnn: Prnn) -> None:
    metrics = Path("runs/mine/metrics.json")
    metrics.write_text(json.dumps(json.loads(metrics.read_text()) | {"format": 2}))
    before = contents("runs/mine")
    resumed = prnn("train", *MINE, "resume=true")
    assert resumed.exit_code == 2
    assert "metrics.json is a result of format 2, and this prnn reads format 3" in resumed.err
    assert contents("runs/mine") == before


@pytest.mark.usefixtures("begun")
def test_a_checkpoint_of_another_network_is_refused_by_the_parameter_that_differs(prnn: Prnn) -> None:
    """A file that says it is of this run, and is not."""
    file = Path("runs/mine/checkpoint/state.safetensors")
    tensors, metadata = read_tensors(file)
    num_items, width = tensors["parameters/readout.id"].shape
    tensors["parameters/readout.id"] = tensors["parameters/readout.id"][1:]
    write_tensors(file, tensors, metadata, CHECKPOINT)
    resumed = prnn("train", *MINE, "resume=true")
    assert resumed.exit_code == 2
    assert (
        f"runs/mine holds another network: readout.id is {num_items - 1}×{width} there and "
        f"{num_items}×{width} by the run's configuration"
    ) in resumed.err
    assert file.is_file()


@pytest.mark.usefixtures("finished")
@pytest.mark.parametrize("damage", [b"", b"{\n"])
def test_damaged_metrics_and_status_are_made_again(damage: bytes, prnn: Prnn) -> None:
    before = json.loads(Path("runs/mine/metrics.json").read_text())
    for name in ("metrics.json", "status.json"):
        Path("runs/mine", name).write_bytes(damage)
    again = prnn("train", *MINE, "resume=true")
    assert again.exit_code == 0
    assert "metrics.json is damaged" in again.err
    after = json.loads(Path("runs/mine/metrics.json").read_text())
    assert (after["mrr@20"], after["baselines"]) == (before["mrr@20"], before["baselines"])
    assert prnn("status", "run=runs/mine").out.startswith("runs/mine: done")


@pytest.mark.usefixtures("finished")
def test_a_damaged_configuration_is_named(prnn: Prnn) -> None:
    Path("runs/mine/.hydra/config.yaml").write_text("epochs: [")
    again = prnn("train", *MINE, "resume=true")
    assert again.exit_code == 2
    assert "config.yaml is damaged" in again.err


def contents(folder: str) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


def set_format(path: Path, number: str | None) -> None:
    with safe_open(path, framework="pt") as stored:
        metadata = json.loads(stored.metadata()["prnn"])
    del metadata["format"]
    save_file(load_file(path), path, {"prnn": json.dumps(metadata | ({"format": number} if number else {}))})


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-50] ^= 4
    path.write_bytes(content)


def test_resume_without_a_folder_is_refused(prnn: Prnn) -> None:
    """The folder of a new run, named by the date, never holds what could be resumed."""
    refused = prnn("train", *SMALL, "resume=true")
    assert refused.exit_code == 2
    assert (
        "resume=true goes on with a run in its folder, and none is named; add hydra.run.dir=DIR"
        in refused.err
    )
