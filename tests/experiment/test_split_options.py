"""Options that the chosen split does not read are refused, where a command line gives them."""

from collections.abc import Callable

import pytest

from commands.conftest import Result, refusal
from prnn_cli.errors import UserError
from prnn_cli.experiment.settings import composed
from prnn_cli.experiment.split_options import check_split_options

pytest_plugins = ["commands.conftest"]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["dataset.split=window", "dataset.test_days=7"],
            r"dataset\.test_days is given, and dataset\.split=window does not read it: its parts depend on "
            r"dataset\.window, .*; leave it out, or choose dataset\.split=days or gru4rec2023",
        ),
        (["dataset.split=window", "dataset.test_from=2011-02-22"], r"dataset\.test_from is given"),
        (["dataset.split=share", "dataset.days=24_hours"], r"or choose dataset\.split=days or given"),
        (["dataset.split=leave_one_out", "dataset.test_by=first_event"], "leave_one_out does not read it"),
        (["dataset.window.number=2"], r"dataset\.window is given, and dataset\.split=days does not read it"),
        (["dataset.test_share=0.2"], r"choose dataset\.split=given or share"),
        (
            ["dataset.test_days=2", "dataset.test_from=2011-02-22"],
            r"dataset\.test_days is given, and dataset\.test_from=2011-02-22 says when the test part begins",
        ),
        (["dataset=globo", "dataset.test_days=2"], r"leave one of them out \(dataset\.test_from=null\)"),
    ],
)
def test_what_nothing_would_read_is_refused(overrides: list[str], message: str) -> None:
    overrides = ["dataset.path=clicks.csv", *overrides]
    dataset = composed("preprocess", overrides).dataset
    with pytest.raises(UserError, match=message):
        check_split_options(dataset, overrides)


@pytest.mark.parametrize(
    "overrides",
    [
        ["dataset.test_days=2", "dataset.days=24_hours", "dataset.test_by=first_event"],
        ["dataset=globo", "dataset.split=window", "dataset.window.test_days=2"],  # its config has test_from
        ["dataset=globo", "dataset.test_from=null", "dataset.test_days=2", "dataset.split=gru4rec2023"],
        ["dataset.split=window", "dataset.test_until=2011-02-22", "dataset.test_by=first_event"],
        ["dataset.split=window", "dataset.test_from=null", "dataset.validation_days=2"],
        ["dataset.split=given", "dataset.test_path=a.csv", "dataset.days=24_hours", "dataset.test_share=0.2"],
    ],
)
def test_what_the_split_reads_may_be_given(overrides: list[str]) -> None:
    overrides = ["dataset.path=clicks.csv", *overrides]
    check_split_options(composed("preprocess", overrides).dataset, overrides)


@pytest.mark.parametrize("command", ["preprocess", "train", "train -m", "features", "verdict"])
def test_every_command_refuses_it_before_it_reads_a_log(prnn: Callable[..., Result], command: str) -> None:
    log = ["dataset.path=none.csv", "dataset.split=share", "dataset.test_days=2"]
    told = refusal(prnn(*command.split(), *log, *(["features=text"] if command == "verdict" else [])))
    assert "dataset.test_days is given, and dataset.split=share does not read it" in told
