"""What a person types is read where it can mean one thing alone; elsewhere the sentence shows how it is written."""

import re
import shlex

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from prnn_cli.experiment.override_text import why_unreadable, with_text_quoted

PARSER = OverridesParser.create()


def read(override: str) -> object:
    (accepted,) = with_text_quoted([override])
    return PARSER.parse_override(accepted).value()


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("label=Größe", "Größe"),
        ("dataset.path=/tmp/été/log.csv", "/tmp/été/log.csv"),
        ("dataset.path=/tmp/a=b/log.csv", "/tmp/a=b/log.csv"),
        ("dataset.path=~/log.csv", "~/log.csv"),
        ("label=two words", "two words"),
        ("label= Größe 2 ", "Größe 2"),
        ("dataset.separator=;", ";"),
        ("label=a#b!", "a#b!"),
        ("dataset.items.text=[título, descrição,a b]", ["título", "descrição", "a b"]),
        ("session=[商品]", ["商品"]),
        # what could be read before is read as before
        ("epochs=10", 10),
        ("seed=-1e3", -1000.0),
        ("resume=true", True),
        ("label='Größe'", "Größe"),
        ("a={b: 1}", {"b": 1}),
        ("label=${seed}", "${seed}"),
        ("evaluation.cutoffs=[1,5]", [1, 5]),
    ],
)
def test_text_that_can_mean_one_thing_alone_is_read(override: str, value: object) -> None:
    assert read(override) == value


def test_a_sweep_over_text_stays_one() -> None:
    (accepted,) = with_text_quoted(["label=Größe,Länge"])
    assert accepted == "label='Größe','Länge'"
    assert PARSER.parse_override(accepted).is_sweep_override()


def test_flags_are_left_alone() -> None:
    assert with_text_quoted(["-cd", "é", "--config-dir=é=é", "label"]) == [
        "-cd",
        "é",
        "--config-dir=é=é",
        "label",
    ]


@pytest.mark.parametrize(
    ("override", "reason"),
    [
        ("label=it's", "a quote (') is never closed"),
        ('label="half', 'a quote (") is never closed'),
        ("a.b=[1,2", "[ is never closed"),
        ("a.b=1]", "] closes nothing"),
        ("label=f(x", "( is never closed"),
        ("label=${", "{ is never closed"),
        ("label=$(date) é", "$ begins an interpolation, as ${seed}"),
        ("label={a}{b}", "braces hold names and values, as {a: 1, b: 2}"),
        ("label='a' b", "something stands beside the quotes"),
        ("label=a\\é", "a backslash stands before what needs none"),
        ("label=Größe (neu)", "( is a sign of lists and sweeps, as [A,B] and choice(A,B)"),
        ("label=,", ", is a sign of lists and sweeps"),
    ],
)
def test_the_sentence_names_what_stands_in_the_way(override: str, reason: str) -> None:
    sentence = why_unreadable(override)
    assert sentence.startswith(f"cannot read {override!r}: {reason}")
    (proposed,) = shlex.split(re.sub(r".*as in ", "", sentence, flags=re.DOTALL))
    # As the configuration then has it, where a backslash keeps "${" from being resolved.
    assert OmegaConf.create({"a": PARSER.parse_override(proposed).value()}).a == override.partition("=")[2]


@pytest.mark.parametrize("override", ["größe=1", "a b=1", "label", "=1"])
def test_what_names_no_option_is_told_so(override: str) -> None:
    assert why_unreadable(override) == f"cannot read {override!r}: write KEY=VALUE or GROUP=CHOICE"
