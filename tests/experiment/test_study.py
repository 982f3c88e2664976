"""A study is resumed by its own search alone."""

from collections.abc import Callable
from pathlib import Path

import pytest

from commands.conftest import Result
from tuning.searches import FOLDER, SEARCH

pytest.importorskip("optuna")

Prnn = Callable[..., Result]
pytest_plugins = ["commands.conftest"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["epochs=2"], "epochs was 1 and is now 2"),
        pytest.param(["dataset.synthetic.seed=1"], "a study of other data", marks=pytest.mark.nightly),
        pytest.param(
            ["search.metric=recall@20"], "a study of mrr@20, not of recall@20", marks=pytest.mark.nightly
        ),
        pytest.param(
            ["subnets.id.dropout=0.1,0.2"], "another space: subnets.id.dropout", marks=pytest.mark.nightly
        ),
    ],
)
def test_a_study_of_something_else_is_refused(prnn: Prnn, arguments: list[str], sentence: str) -> None:
    prnn(*SEARCH, "search.trials=1")
    for resume in (
        "resume=true",
        "resume=false",
    ):  # the hint of the latter would lead to the refusal of the former
        result = prnn(*SEARCH, *arguments, resume)
        assert result.exit_code == 2
        assert sentence in result.err


@pytest.mark.nightly
def test_searches_on_other_data_sets_have_folders_of_their_own(prnn: Prnn) -> None:
    for name in ("shoes", "hats"):
        assert prnn(*SEARCH, "search.trials=1", f"dataset.name={name}").exit_code == 0
        assert Path(f"runs/tuned/{name}/id_only/study.db").is_file()
        assert Path(f"runs/tuned/{name}/tuned/id_only.yaml").is_file()


def test_a_file_that_is_no_study_is_refused(prnn: Prnn) -> None:
    FOLDER.mkdir(parents=True)
    (FOLDER / "study.db").write_text("not a database, but long enough to be read as one" * 10)
    result = prnn(*SEARCH, "resume=true")
    assert result.exit_code == 2
    assert "study.db is no study" in result.err
