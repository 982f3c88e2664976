"""Each command's help: its own groups and options, a line of explanation each, from the comments in configs/."""

from collections.abc import Callable
from pathlib import Path

import pytest

from commands.conftest import Result, refusal
from prnn_cli.app.help import options_page
from prnn_cli.app.options import options_of
from prnn_cli.data.public_logs import public_logs
from prnn_cli.extensions import commands
from prnn_cli.reporting.public_logs import page, with_table

Prnn = Callable[..., Result]
pytest_plugins = ["commands.conftest"]
DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")


@pytest.mark.parametrize("command", commands())
def test_every_option_of_every_command_is_explained(command: str) -> None:
    options = options_of(command, {})
    found = [*options.options, *(each for group in options.groups for each in group.options)]
    assert [each.name for each in found if not each.comment] == [], (
        "a comment beside the option in configs/ says it"
    )
    assert found


@pytest.mark.parametrize("command", commands())
def test_the_help_of_a_command_has_its_examples_and_options(prnn: Prnn, command: str) -> None:
    result = prnn(command, "--help")
    assert (result.exit_code, result.err) == (0, "")
    assert result.out.startswith(f"prnn {command}")
    assert f"\n  prnn {command}" in result.out
    own = {
        "status": "\n  run=???  ",
        "tables": "\n  runs=???  ",
        "export": "\n  out=???  ",
        "serve": "\n  port=8000  ",
    }
    assert own.get(command, "\n  cache_dir=") in result.out


def test_train_lists_its_groups_with_values_and_explanations(prnn: Prnn) -> None:
    out = prnn("train", "-h").out
    assert "\ndataset=CHOICE (here: synthetic): amazon_m2, " in out
    assert "\n  recipe.batch_size=50            sessions side by side\n" in out
    assert "\n  subnets.NAME.weight=1.0         w_k, of its part in the score\n" in out


def test_what_a_public_log_tells_of_itself_is_no_option(prnn: Prnn) -> None:
    out = prnn("train", "--help", "dataset", "dataset=coveo").out
    assert "dataset.columns.session_id=session_id_hash" in out
    assert "dataset.source." not in out


@pytest.mark.parametrize(
    ("command", "groups"),
    [
        ("evaluate", ["baselines", "hardware"]),
        ("recommend", ["hardware"]),
        ("tables", ["table"]),
        ("status", []),
    ],
)
def test_a_command_lists_only_its_own_groups(prnn: Prnn, command: str, groups: list[str]) -> None:
    out = prnn(command, "--help").out
    assert [line.partition("=")[0] for line in out.splitlines() if "CHOICE" in line] == groups


def test_a_choice_on_the_command_line_has_its_values_shown(prnn: Prnn) -> None:
    modern = prnn("train", "recipe=modern", "--help").out
    assert "\n  recipe.num_sampled=2048 " in modern
    assert "\n  epochs=auto " in modern
    assert "\n  epochs=10 " in prnn("train", "--help").out
    assert "\n  dataset.path=??? " in prnn("preprocess", "--help", "dataset=generic").out


def test_what_is_not_chosen_has_its_own_values_not_those_of_a_file_that_starts_from_it(prnn: Prnn) -> None:
    shown = prnn("train", "--help", "baselines").out
    assert "baselines.stan.k=500" in shown
    assert "baselines.stan.k=1000" in prnn("train", "--help", "baselines", "baselines=published_rsc15").out


def test_one_group_is_shown_alone_with_what_its_choices_are(prnn: Prnn) -> None:
    out = prnn("train", "--help", "hardware").out
    assert out.startswith("hardware=CHOICE (here: auto): auto, cpu, gpu\n  hardware.device=auto ")
    assert (
        "\n  auto                            The first CUDA device where there is one, else the CPU\n" in out
    )
    assert "dataset" not in out
    refused = refusal(prnn("tables", "--help", "dataset"))
    assert refused == "prnn: prnn tables has no group dataset; choose one of table"


@pytest.mark.parametrize("columns", [40, 80])
def test_a_narrow_terminal_breaks_no_words(prnn: Prnn, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = prnn("train", "--help", "hardware", "recipe").out.splitlines()
    assert max(map(len, lines)) <= columns
    assert "choice" in " ".join(lines)


def test_what_an_extension_adds_is_shown_as_well(
    prnn: Prnn, workplace: Path, forget_extensions: None
) -> None:
    (workplace / "configs" / "dataset").mkdir(parents=True)
    (workplace / "configs" / "dataset" / "mine.yaml").write_text(
        "# Clicks of mine.\ndefaults: [generic]\nname: mine\npath: mine.csv\n"
    )
    (workplace / "mine.py").write_text("")
    out = prnn("preprocess", "--extend", "mine.py", "--help", "dataset", "dataset=mine").out
    assert "  dataset.path=mine.csv " in out
    assert "  mine                            Clicks of mine\n" in out


def test_what_stands_in_a_folder_of_the_users_is_shown_as_well(prnn: Prnn, workplace: Path) -> None:
    (workplace / "own" / "tuned").mkdir(parents=True)
    (workplace / "own" / "tuned" / "id_only.yaml").write_text("# Of 20 trials.\nsubnets: {}\n")
    assert "tuned=[CHOICE,CHOICE]: none yet\n" in prnn("train", "--help", "tuned").out
    assert "tuned=[CHOICE,CHOICE]: id_only\n" in prnn("train", "-cd", "own", "--help", "tuned").out


def test_a_config_of_the_users_that_is_none_is_named(prnn: Prnn, workplace: Path) -> None:
    (workplace / "own" / "tuned").mkdir(parents=True)
    (workplace / "own" / "tuned" / "id_only.yaml").write_text("subnets: {\n")
    assert "own/tuned/id_only.yaml cannot be read" in refusal(prnn("train", "-cd", "own", "--help"))


def test_docs_options_md_is_up_to_date() -> None:
    if not DOCS.is_dir():
        pytest.skip("the docs are not beside the tests")
    assert (DOCS / "options.md").read_text(encoding="utf-8") == options_page(), "run make docs"


def test_what_the_docs_say_of_public_logs_is_up_to_date() -> None:
    if not DOCS.is_dir():
        pytest.skip("the docs are not beside the tests")
    logs, readme = public_logs().values(), (DOCS.parent / "README.md").read_text(encoding="utf-8")
    assert (DOCS / "datasets.md").read_text(encoding="utf-8") == page(logs), "run make docs"
    assert readme == with_table(readme, logs), "run make docs"
    assert "| movielens |" in readme
