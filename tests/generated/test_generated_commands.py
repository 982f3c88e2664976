"""Whatever is typed, and whatever lies in the files, a command ends with 0, or with 1 or 2 and a sentence."""

import contextlib
import io
import os
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from commands.conftest import SMALL
from generated.cases import EDITS, EVENTS, WRITERS, Event, cases, edited
from prnn_cli.cli import main

KEYS = [
    "epochs",
    "seed",
    "arch",
    "strategy",
    "features",
    "dataset",
    "recipe",
    "recipe.batch_size",
    "recipe.loss",
]
KEYS += [
    "subnets.id.hidden_size",
    "dataset.path",
    "dataset.columns",
    "dataset.time_format",
    "evaluation.cutoffs",
]
KEYS += [
    "evaluation.candidates",
    "run",
    "runs",
    "hydra.run.dir",
    "checkpoint.every_s",
    "resume",
    "nothing",
    "+more",
]
KEYS += [
    "dataset.filters",
    "hardware",
    "hardware.threads",
    "experiment",
    "row",
    "similar",
    "units.each",
    "seeds",
]
ODD = ["", "0", "-1", "nan", "inf", "null", "true", "[1,2", "{a:1}", "${nothing}", "'", "1e99", "..", "[]"]
VALUES = st.one_of(
    st.sampled_from(ODD), st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)
)
OVERRIDES = st.lists(
    st.one_of(
        st.builds(lambda key, value: f"{key}={value}", st.sampled_from(KEYS), VALUES),
        st.builds(lambda value: f"x{value}", VALUES),
    ),
    min_size=1,
    max_size=3,
)
COMMANDS = st.sampled_from(["train", "preprocess", "features", "evaluate", "recommend", "tables", "status"])


def run(folder: str, *arguments: str) -> tuple[int, str]:
    """(exit code, stderr) of prnn in an empty folder."""
    before, out, err = Path.cwd(), io.StringIO(), io.StringIO()
    os.chdir(folder)
    os.environ["PRNN_CACHE_DIR"] = f"{folder}/cache"
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            exit_code = main(arguments)
    finally:
        os.chdir(before)
        del os.environ["PRNN_CACHE_DIR"]
    return exit_code, err.getvalue()


def check_sentence(exit_code: int, err: str, allowed: tuple[int, ...]) -> None:
    assert exit_code in allowed, err
    assert "Traceback" not in err
    if exit_code:
        assert err.splitlines()[-1].strip() or err.strip().startswith("prnn: ")


@cases(20)
@given(COMMANDS, OVERRIDES)
def test_options_that_are_no_options(command: str, overrides: list[str]) -> None:
    """--cfg composes and shows, so that what happens to be valid does not train for an hour."""
    with tempfile.TemporaryDirectory() as folder:
        check_sentence(*run(folder, command, "--cfg", "job", "--resolve", *overrides), (0, 2))


@cases(20)
@given(EVENTS, st.sampled_from(sorted(WRITERS)), EDITS)
def test_logs_that_are_no_logs(events: list[Event], name: str, edits: list[tuple[str, float, bytes]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, name).write_bytes(edited(WRITERS[name](events), edits))
        own = [
            "dataset=generic",
            f"dataset.path={name}",
            "dataset.min_item_support=1",
            "dataset.max_bad_share=0.5",
        ]
        check_sentence(*run(folder, "preprocess", *own), (0, 2))


@cases(5)
@given(EVENTS, EDITS)
def test_training_on_any_log(events: list[Event], edits: list[tuple[str, float, bytes]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "clicks.csv").write_bytes(edited(WRITERS["clicks.csv"](events), edits))
        own = [
            "dataset=generic",
            "dataset.path=clicks.csv",
            "dataset.min_item_support=1",
            "dataset.min_ranked_events=1",
            "recipe.num_sampled=2",
        ]
        check_sentence(*run(folder, "train", *SMALL[4:], *own), (0, 2))


@cases(10)
@given(st.sampled_from(["evaluate", "tables", "status"]), st.binary(max_size=60), EDITS)
def test_folders_that_are_no_runs(
    command: str, content: bytes, edits: list[tuple[str, float, bytes]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run_folder = Path(folder, "mine")
        (run_folder / ".hydra").mkdir(parents=True)
        for file in ("status.json", "metrics.json", ".hydra/config.yaml"):
            whole = b'{"status": "done", "command": "train", "pid": 1, "updated": 1.0, "arch": "id_only"}'
            (run_folder / file).write_bytes(edited(whole + content, edits))
        option = "runs" if command == "tables" else "run"
        check_sentence(*run(folder, command, f"{option}=mine"), (0, 1, 2))
