"""prnn verdict as a user runs it."""

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from commands.conftest import SMALL, Result, refusal, wait_for
from prnn_cli.verdict.rows import Trainer, VerdictRow, VerdictRun, feature_row, id_rows, placebo_rows

Prnn = Callable[..., Result]
pytest_plugins = ["commands.conftest"]
LOG = [each for each in SMALL if each.startswith("dataset.")]
QUICK = [
    *LOG,
    "epochs=1",
    "units.each=8",
    "rows=[parallel_sim]",
    "looks=[2]",
    "rare=0.5",
    "hardware=cpu",
]


def test_a_plan_says_what_would_be_trained_and_trains_nothing(prnn: Prnn, workplace: Path) -> None:
    told = prnn("verdict", *QUICK, "--plan")
    assert told.exit_code == 0, told.err
    assert "ID only, ID only, 16 units, ID only, 2 epochs, Parallel (sim)" in told.out
    assert "16 to 16 trainings" in told.out
    assert not list(workplace.glob("runs/*"))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            ["features=none", "arch=id_only"],
            "features=none has none to judge; choose some, such as features=text",
        ),
        (["features.placebo=noise"], "features.placebo: a verdict says itself what is trained"),
        (["seeds=5", "row=id_only"], "seeds, row: a verdict says itself what is trained"),
        (["arch=parallel", "evaluation.part=validation"], "arch, evaluation.part: a verdict says itself"),
        (["subnets.id.hidden_size=5"], "subnets.id.hidden_size: a verdict says itself"),
        (["rows=[]"], "rows=[] does not fit; name one p-RNN or several, each once"),
        (["rows=[parallel_sim,parallel_sim]"], "does not fit; name one p-RNN or several, each once"),
        (["rows=[id_only_200]"], "rows=[id_only_200] has no features to judge"),
        (["rows=[late_fusion]"], "chooses its weights on a hold-out; add epochs=auto"),
        (["rows=[parallel]"], "rows=[parallel] does not exist; choose from"),
        (["looks=[3,2]"], "looks=[3, 2] does not fit; give numbers of seeds that rise, from 2 on"),
        (["jobs=none"], "jobs=none cannot be used; give auto, or a whole number from 1"),
        (["metric=mrr@7"], "metric=mrr@7"),
        (["level=0"], "level=0.0 is too small; it must be above 0"),
    ],
)
def test_what_cannot_be_judged_is_a_sentence(prnn: Prnn, changes: list[str], sentence: str) -> None:
    assert sentence in refusal(prnn("verdict", *QUICK, *changes))


def test_a_test_part_of_few_sessions_is_refused_before_anything_is_trained(
    prnn: Prnn, workplace: Path
) -> None:
    few = [*QUICK, "dataset.synthetic.num_sessions=100", "dataset.min_ranked_events=1", "hydra.run.dir=v"]
    assert "a verdict needs 30 or more to tell anything" in refusal(prnn("verdict", *few))
    assert not Path("v/rows").exists()


def test_the_networks_of_ids_have_as_many_units_and_updates_as_a_p_rnn() -> None:
    assert [row.overrides for row in id_rows(100, 10, chooses_epochs=False)] == [
        ("row=id_only", "units.id=100"),
        ("row=id_only", "units.id=200"),
        ("row=id_only", "units.id=100", "epochs=20"),
    ]
    assert len(id_rows(100, 30, chooses_epochs=True)) == 2
    placebos = placebo_rows(feature_row("parallel_res", "Parallel (res)"))
    assert placebos[0].overrides == ("row=parallel_res", "features.placebo=shuffled")
    assert [row.key.rpartition("_")[2] for row in placebos] == ["shuffled", "noise", "constant", "ids"]


def test_a_row_that_fails_leaves_its_reason_and_the_others_go_on(workplace: Path) -> None:
    trainer = Trainer(workplace, [*LOG, "epochs=1", "units.id=8"], {"test": []}, jobs=2)
    good, bad = (VerdictRow(name, name, (f"row={name}",)) for name in ("id_only", "nope"))
    runs = [VerdictRun(row, "test", 1) for row in (bad, good)]
    assert set(trainer.train(runs)) == set(runs)
    assert list(trainer.failures) == ["nope-test-seed1"]
    assert "row=nope does not exist" in trainer.failures["nope-test-seed1"]
    assert trainer.folder_of(runs[1]).metrics_file.is_file()
    assert list(Trainer(workplace, ["what=ever"], {"test": []}, 1).train(runs[1:])) == runs[1:], (
        "it is finished"
    )


@pytest.mark.nightly
def test_a_verdict_is_found_written_and_resumed(
    prnn: Prnn, start_prnn: Callable[..., Any], workplace: Path
) -> None:
    process = start_prnn("verdict", *QUICK, "jobs=2", "hydra.run.dir=v")
    wait_for(lambda: len(list(workplace.glob("v/rows/*/metrics.json"))) >= 3, process)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 143
    said = process.stderr.read() if process.stderr else ""
    assert "resume=true" in said
    assert "add resume=true" in refusal(prnn("verdict", *QUICK, "hydra.run.dir=v"))
    assert "epochs was 1 and is now 2" in refusal(
        prnn("verdict", *QUICK, "hydra.run.dir=v", "resume=true", "epochs=2")
    )
    done = prnn("verdict", *QUICK, "jobs=2", "hydra.run.dir=v", "resume=true")
    assert done.exit_code == 0, done.err
    found = json.loads(Path("v/verdict.json").read_text())
    assert found["answer"] in ("helps", "does_not_help", "cannot_tell")
    assert found["sentence"] in done.out.replace("\n", " ")
    assert found["interval"][0] <= found["effect"] <= found["interval"][1]
    assert (found["seeds"], found["metric"], found["format"]) == (2, "mrr@20", 1)
    assert [len(row["test"]) for row in found["rows"] if row["hold_out"] is None] == [2, 2, 2, 2]
    assert found["slices"][1]["events"].endswith("% of clicks with the rarest targets")
    chosen = json.loads(Path("v/chosen.json").read_text())
    assert chosen["network"] == "parallel_sim_with_features"
    for run in Path("v/rows").glob("*/metrics.json"):
        metrics = json.loads(run.read_text())
        assert metrics["arch"] == ("id_only" if run.parent.name.startswith("id_only") else "parallel")
        assert metrics["part"] == ("validation" if "-validation-" in run.parent.name else "test")
    again = prnn("verdict", *QUICK, "hydra.run.dir=v", "resume=true")
    assert again.exit_code == 0
    assert json.loads(Path("v/verdict.json").read_text())["interval"] == found["interval"]
