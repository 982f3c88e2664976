"""Ids of items on the command line are text, whatever they look like."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import pytest
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from commands.conftest import SMALL, Result, refusal
from prnn_cli.app.item_ids import with_ids_quoted
from prnn_cli.errors import UserError
from prnn_cli.schema import FeaturesCommand, RecommendCommand

Prnn = Callable[..., Result]
pytest_plugins = ["commands.conftest"]

LIKE_NUMBERS = ("1_000", "1e3", "0x10", "007", "1.0", "-5", "+5", "inf", "nan", "2024-01-01", "12:30", "50%")
LIKE_WORDS_OF_YAML = ("null", "true", "~", "no", "{a:1}", "a:b", "a=b", "a#b", "a@b", "$x", "${oc.env:HOME}")
SIGNS = (
    "red lamp",
    "käse—酒",
    "a[1]",
    "f(x)",
    "interval(0)",
    '5" pipe',
    "it's",
    "C:\\new",
    "\\",
    "a\\",
    "\\${x}",
)
AS_TYPED = [*LIKE_NUMBERS, *LIKE_WORDS_OF_YAML, *SIGNS]


def read_by_hydra(options: type, *arguments: str) -> list[object]:
    """The values that the last argument gives an option, one for each job of a sweep."""
    parser = OverridesParser.create()
    override = parser.parse_override(with_ids_quoted(options, arguments)[-1])
    jobs = [job for batch in BasicSweeper.split_arguments([override], None) for (job,) in batch]
    values = [parser.parse_override(job).value() for job in jobs]
    return list(OmegaConf.to_container(OmegaConf.create(values), resolve=True))


@pytest.mark.parametrize("typed", AS_TYPED)
def test_an_id_in_a_list_stays_as_it_is_typed(typed: str) -> None:
    assert read_by_hydra(RecommendCommand, f"session=[{typed},b]") == [[typed, "b"]]
    assert read_by_hydra(RecommendCommand, f"++session=[ b , {typed} ]") == [["b", typed]]


@pytest.mark.parametrize(
    "typed", [each for each in AS_TYPED if each != "null"] + ["a,b", "[a]", '"', "'a", ","]
)
def test_a_single_id_stays_as_it_is_typed(typed: str) -> None:
    assert read_by_hydra(FeaturesCommand, f"similar={typed}") == [typed]


@pytest.mark.parametrize("typed", AS_TYPED)
def test_the_ids_of_a_sweep_stay_as_they_are_typed(typed: str) -> None:
    assert read_by_hydra(FeaturesCommand, "-m", f"similar={typed},b") == [typed, "b"]
    assert read_by_hydra(RecommendCommand, "--multirun", f"session=[{typed},b],[c]") == [[typed, "b"], ["c"]]


@pytest.mark.parametrize(
    ("typed", "item_id"),
    [
        ("'a,b'", "a,b"),
        ('"a,b"', "a,b"),
        ("' a '", " a "),
        ("']'", "]"),
        ("'007'", "007"),
        ("'null'", "null"),
        (r"'it\'s'", "it's"),
        ('"it\'s"', "it's"),
        (r'"\"a\""', '"a"'),
        (r"'a\\'", "a\\"),
        ("'${x}'", "${x}"),
    ],
)
def test_quotes_around_an_id_are_none_of_it(typed: str, item_id: str) -> None:
    assert read_by_hydra(RecommendCommand, f"session=[b,{typed}]") == [["b", item_id]]
    assert read_by_hydra(FeaturesCommand, f"similar={typed}") == [item_id]
    assert read_by_hydra(FeaturesCommand, "-m", f"similar={typed},b") == [item_id, "b"]


@pytest.mark.parametrize("argument", ["session=null", "session=", "similar=null", "n=007", "--help", "run=a"])
def test_what_is_no_id_is_left_to_hydra(argument: str) -> None:
    assert with_ids_quoted(RecommendCommand, [argument]) == [argument]


def test_an_empty_list_is_one() -> None:
    assert read_by_hydra(RecommendCommand, "session=[ ]") == [[]]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a", "there are no brackets around it"),
        ("[a", "there are no brackets around it"),
        ("[a,,b]", "at ',b' an id is empty"),
        ("[a,]", "at '' an id is empty"),
        ("['a,b]", """at "'a,b" an id is empty, or its quotes do not end with it"""),
        ('["a"b]', "its quotes do not end with it"),
        ("[a],[b]", "a] has one bracket of two"),
        ("[a,'???']", "??? stands for a value that is missing"),
        ("[[a]", "[a has one bracket of two"),
    ],
)
def test_what_is_no_list_of_ids_is_a_sentence(text: str, reason: str) -> None:
    with pytest.raises(UserError) as error:
        with_ids_quoted(RecommendCommand, [f"session={text}"])
    assert f"session={text} cannot be told into ids" in str(error.value)
    assert reason in str(error.value)


def test_the_items_that_were_typed_are_looked_up_and_no_others(prnn: Prnn) -> None:
    """A log in which every form of a number is an item of its own; clicked items are not recommended."""
    ids = ["1000", "1_000", "1e3", "10", "0x10", "16", "007", "7", "1.0", "2", "true", "True"]
    _write_log("log.csv", ids)
    log = ["dataset=generic", "dataset.path=log.csv", "dataset.min_item_support=1", *SMALL[4:], "epochs=1"]
    assert prnn("train", *log, "baselines=[popularity]", "hydra.run.dir=run").exit_code == 0
    typed = ["1_000", "0x10", "007", "1.0", "true"]
    assert prnn("recommend", "run=run", f"session=[{','.join(typed)}]", "hydra.run.dir=out").exit_code == 0
    found = pd.read_parquet("out/recommendations.parquet")
    assert set(found["item_id"]) == set(ids) - set(typed)
    assert "session=1_0 is no item" in refusal(prnn("recommend", "run=run", "session=[1_0]"))


def _write_log(path: str, ids: Sequence[str]) -> None:
    days = range(1, 5)
    rows = [
        f"{day}-{n},{item},2024-01-0{day}T0{n % 10}:00:00" for day in days for n in range(12) for item in ids
    ]
    Path(path).write_text("\n".join(["session_id,item_id,time", *rows]) + "\n")
