"""The folder of somebody else's run is data: it tells nothing of this machine, and has nothing run on it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from commands.conftest import SMALL, Result, refusal, train_in

Prnn = Callable[..., Result]
SECRET = "hunter2"
READS_IT = "${oc.env:PRNN_TEST_SECRET}"
CONFIG = Path(".hydra/config.yaml")
TEXTS = ("label", "recipe.name", "dataset.name")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, shared_cache: Path) -> Path:
    """A finished run whose configuration asks for an environment variable wherever it may hold text."""
    folder = tmp_path_factory.mktemp("trained")
    texts = [f"{option}='\\{READS_IT}'" for option in TEXTS]
    train_in(folder, shared_cache, *SMALL, "hydra.run.dir=theirs", *texts)
    run = folder / "theirs"
    assert (run / CONFIG).read_text().count(READS_IT) == len(TEXTS)
    return run


@pytest.fixture
def foreign(trained: Path, workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRNN_TEST_SECRET", SECRET)
    shutil.copytree(trained, workplace / "runs/theirs")


def told(result: Result) -> bool:
    """Whether the secret stands on the terminal, or in any file."""
    files = [file for file in Path().rglob("*") if file.is_file() and file.suffix != ".parquet"]
    return SECRET in result.out + result.err or any(SECRET.encode() in file.read_bytes() for file in files)


@pytest.mark.parametrize(
    ("arguments", "exit_code"),
    [
        (["evaluate", "run=runs/theirs"], 0),
        (["recommend", "run=runs/theirs", "session=[item-11,item-47]"], 0),
        (["tables", "runs=runs/theirs", "table.resamples=100"], 0),
        (["tables", "runs=[runs/theirs,runs/again]", "table.resamples=100", "table.figures=false"], 0),
        (["status", "run=runs/theirs"], 0),
        (["status", "run=runs"], 0),
        (["train", *SMALL, "resume=true", "hydra.run.dir=runs/theirs"], 2),
        (["train", *SMALL, "resume=true", "epochs=3", "hydra.run.dir=runs/theirs"], 2),
        (["train", "-m", *SMALL, "resume=true", "hydra.sweep.dir=runs", "hydra.sweep.subdir=theirs"], 1),
    ],
    ids=lambda each: each[0] if isinstance(each, list) else "",
)
def test_no_command_reads_the_environment_for_a_run(
    arguments: list[str], exit_code: int, foreign: None, prnn: Prnn
) -> None:
    if "runs/again" in arguments[1]:  # what prnn evaluate left, which refers to the run
        prnn("evaluate", "run=runs/theirs", "hydra.run.dir=runs/again")
    result = prnn(*arguments)
    assert result.exit_code == exit_code, result.err
    assert not told(result)


def test_nothing_is_logged_into_a_file_elsewhere(foreign: None, prnn: Prnn) -> None:
    Path("profile").write_text("")
    Path("runs/theirs/train.log").unlink()
    Path("runs/theirs/train.log").symlink_to(Path("profile").absolute())
    result = prnn("train", *SMALL, "epochs=3", "resume=true", "hydra.run.dir=runs/theirs")
    assert "train.log is a link to" in refusal(result)
    assert Path("profile").read_text() == ""


NO_DATA = {
    "a: !!python/object/apply:os.mkdir [trapped]": "value of the type tag:yaml.org",
    "a: &a [*a]": "holds more than 20,000 values",
    "- " * 3000: "nested more than 50 levels deep",
    "a: '${oc.env:'": "is damaged (mismatched input",
    "a: !!int ''": "index out of range",
}


@pytest.mark.parametrize(
    "command",
    [
        ["evaluate", "run=runs/theirs"],
        ["recommend", "run=runs/theirs", "session=[a]"],
        ["tables", "runs=runs/theirs"],
        ["train", *SMALL, "resume=true", "hydra.run.dir=runs/theirs"],
    ],
    ids=lambda each: each[0],
)
def test_a_configuration_that_is_no_data_is_refused(command: list[str], foreign: None, prnn: Prnn) -> None:
    for text, reason in NO_DATA.items():
        Path("runs/theirs", CONFIG).write_text(text)
        assert reason in refusal(prnn(*command))
    assert not Path("trapped").exists()
