"""prnn verdict as a user runs it."""

import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from commands.conftest import SMALL, Result, refusal, wait_for
from prnn_cli.verdict.rows import VerdictRow, VerdictRun, feature_row, id_rows, placebo_rows
from prnn_cli.verdict.trainer import Trainer

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
from verdict_calibration import write_log

Prnn = Callable[..., Result]
pytest_plugins = ["commands.conftest"]
LOG = [each for each in SMALL if each.startswith("dataset.")]
WIDER = ["recipes=[paper,cross_entropy]", "trials=2"]
QUICK = [
    *LOG,
    "epochs=1",
    "units.each=8",
    "recipes=[paper]",
    "rows=[parallel_sim]",
    "trials=1",
    "looks=[2]",
    "baselines=[item_knn]",
    "rare=0.5",
    "hardware=cpu",
]


def test_a_plan_says_what_would_be_trained_and_how_long_and_trains_nothing(
    prnn: Prnn, workplace: Path
) -> None:
    told = prnn("verdict", *QUICK, "plan=it.json", "hydra.run.dir=v")
    assert told.exit_code == 0, told.err
    assert "clicks to predict: a gain in mrr@20 below" in told.out
    assert "by paper: ID only, ID only, 16 units, ID only, 2 epochs, Parallel (sim): " in told.out
    assert "2 seeds each: the best network of IDs, the best p-RNN, the same with 4 placebos: " in told.out
    assert "in all at most" in told.out
    assert not Path("v").exists()
    assert not list(workplace.glob("runs/*"))
    plan = json.loads(Path("it.json").read_text())
    assert [cost["test"] > 0 for cost in plan["costs"].values()] == [True] * 4


def test_hours_that_are_too_few_are_refused_before_anything_is_trained(prnn: Prnn, workplace: Path) -> None:
    assert "hours=0.0001 is too little: Parallel (sim), paper with" in refusal(
        prnn("verdict", *QUICK, "hours=0.0001", "hydra.run.dir=v")
    )
    assert not list(workplace.glob("v/rows/*"))


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
        (["recipe=modern"], "recipe: a verdict compares recipes; name them in recipes=[paper,modern]"),
        (["recipes=[papre]"], "recipes=[papre] does not exist; choose from cross_entropy, modern, paper"),
        (["recipes=[paper,paper]"], "does not fit; name one recipe or several, each once"),
        (["trials=0"], "trials=0 is too small; it must be at least 1"),
        (["space={recipe.dropout: '0.3'}", "trials=2"], "recipe.dropout=0.3"),
        (["rows=[]"], "rows=[] does not fit; name one p-RNN or several, each once"),
        (["rows=[parallel_sim,parallel_sim]"], "does not fit; name one p-RNN or several, each once"),
        (["rows=[id_only_200]"], "rows=[id_only_200] has no features to judge"),
        (["rows=[late_fusion]"], "chooses its weights on a hold-out; add epochs=auto"),
        (["rows=[parallel]"], "rows=[parallel] does not exist; choose from"),
        (["looks=[3,2]"], "looks=[3, 2] does not fit; give numbers of seeds that rise, from 2 on"),
        (
            ["jobs=none"],
            "jobs=none cannot be used; give auto, or a whole number from 1 (the environment's PRNN_JOBS sets it too)",
        ),
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
    assert [row.arguments for row in id_rows("paper", 100, 10, chooses_epochs=False)] == [
        ("recipe=paper", "row=id_only", "units.id=100"),
        ("recipe=paper", "row=id_only", "units.id=200"),
        ("recipe=paper", "row=id_only", "units.id=100", "epochs=20"),
    ]
    assert len(id_rows("modern", 100, 30, chooses_epochs=True)) == 2


def test_placebos_are_the_same_network_with_the_same_settings() -> None:
    tuned = feature_row("modern", "parallel_res", "Parallel (res)").with_settings(2, {"recipe.dropout": 0.3})
    placebos = placebo_rows(tuned)
    assert placebos[0].arguments == (
        "recipe=modern", "row=parallel_res", "recipe.dropout=0.3", "features.placebo=shuffled"
    )  # fmt: skip
    assert [row.key.rpartition("-")[2] for row in placebos] == ["shuffled", "noise", "constant", "ids"]
    assert len({row.key for row in [tuned, *placebos]}) == 5


def test_a_row_that_fails_leaves_its_reason_and_the_others_go_on(workplace: Path) -> None:
    trainer = Trainer(workplace, [*LOG, "epochs=1", "units.id=8"], {"test": []}, jobs=2)
    good, bad = (VerdictRow(name, name, "paper", (f"row={name}",)) for name in ("id_only", "nope"))
    runs = [VerdictRun(row, "test", 1) for row in (bad, good)]
    assert set(trainer.train(runs)) == set(runs)
    assert list(trainer.failures) == ["nope-test-seed1"]
    assert "row=nope does not exist" in trainer.failures["nope-test-seed1"]
    assert trainer.folder_of(runs[1]).metrics_file.is_file()
    assert trainer.took["id_only-test-seed1"] > 0
    again = Trainer(workplace, ["what=ever"], {"test": []}, 1)
    assert list(again.train(runs[1:])) == runs[1:], "it is finished"
    assert again.failures == trainer.failures, "a resumption knows what failed"
    assert trainer.seconds <= again.seconds < trainer.seconds + 1, "and how long it all took"


@pytest.mark.parametrize(
    ("truth", "answers"),
    [
        ("helps", {"helps"}),
        pytest.param("nothing", {"does_not_help", "cannot_tell"}, marks=pytest.mark.nightly),
    ],
)
def test_what_is_known_of_a_log_is_found(prnn: Prnn, workplace: Path, truth: str, answers: set[str]) -> None:
    """A small calibration: sessions stay within a topic, which the texts tell, or tell of another item."""
    log = write_log(workplace, truth, seed=1, num_topics=30, items_a_topic=40, num_sessions=800)
    trained = ["epochs=4", "units.each=32", "recipes=[paper]", "rows=[parallel_sim]", "trials=1", "looks=[2]"]
    done = prnn("verdict", *log, *trained, "baselines=[item_knn]", "hardware=cpu", "hydra.run.dir=v")
    assert done.exit_code == 0, done.err
    found = json.loads(Path("v/verdict.json").read_text())
    assert found["answer"] in answers
    assert found["sentence"] in done.out.replace("\n  ", " ").replace("\n", " ")
    assert truth == "nothing" or found["content_effect"] > 0
    page = Path("v/verdict.html").read_text()
    assert f'<p class="answer {found["answer"]}">' in page
    assert len(found["slices"][0]["leads"]) == 5
    assert found["unranked_clicks"] > 0


@pytest.mark.nightly
def test_a_verdict_is_found_written_and_resumed(
    prnn: Prnn, start_prnn: Callable[..., Any], workplace: Path
) -> None:
    process = start_prnn("verdict", *QUICK, *WIDER, "jobs=2", "hydra.run.dir=v")
    wait_for(lambda: len(list(workplace.glob("v/rows/*/metrics.json"))) >= 3, process, seconds=120)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 143
    said = process.stderr.read() if process.stderr else ""
    assert "resume=true" in said
    assert "add resume=true" in refusal(prnn("verdict", *QUICK, *WIDER, "hydra.run.dir=v"))
    assert "epochs was 1 and is now 2" in refusal(
        prnn("verdict", *QUICK, *WIDER, "hydra.run.dir=v", "resume=true", "epochs=2")
    )
    done = prnn("verdict", *QUICK, *WIDER, "jobs=2", "hydra.run.dir=v", "resume=true")
    assert done.exit_code == 0, done.err
    found = json.loads(Path("v/verdict.json").read_text())
    assert found["answer"] in ("helps", "does_not_help", "cannot_tell")
    assert found["sentence"] in done.out.replace("\n", " ")
    assert found["interval"][0] <= found["effect"] <= found["interval"][1]
    assert (found["seeds"], found["metric"], found["format"]) == (2, "mrr@20", 2)
    assert [len(row["test"]) for row in found["rows"] if row["hold_out"] is None] == [2, 2, 2, 2]
    assert len([row for row in found["rows"] if row["hold_out"] is not None]) == 2 * 4 + 2, "and two trials"
    assert len(found["beside"]["recipes"]) == 1
    assert found["slices"][1]["events"].endswith("% of clicks with the rarest targets")
    chosen = json.loads(Path("v/chosen.json").read_text())
    assert chosen["network"].startswith("parallel_sim_with_features-")
    for run in Path("v/rows").glob("*/metrics.json"):
        metrics = json.loads(run.read_text())
        assert metrics["arch"] == ("id_only" if run.parent.name.startswith("id_only") else "parallel")
        assert metrics["part"] == ("validation" if "-validation-" in run.parent.name else "test")
    again = prnn("verdict", *QUICK, *WIDER, "hydra.run.dir=v", "resume=true")
    assert again.exit_code == 0
    assert json.loads(Path("v/verdict.json").read_text())["interval"] == found["interval"]
