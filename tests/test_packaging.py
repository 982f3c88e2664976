"""What a package index and a citation tool read of the project."""

import tomllib
from pathlib import Path

import pytest
import yaml

import prnn_cli
from prnn_cli.extensions import commands
from prnn_cli.system.extras import EXTRAS

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"

pytestmark = pytest.mark.skipif(not (ROOT / "CITATION.cff").is_file(), reason="these files lie in a checkout")


def metadata() -> dict[str, object]:
    project: dict[str, object] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))[
        "project"
    ]
    return project


def test_types_are_for_others_to_check() -> None:
    assert (Path(prnn_cli.__file__).parent / "py.typed").is_file()
    assert "Typing :: Typed" in metadata()["classifiers"]


def test_nothing_is_claimed_that_does_not_exist() -> None:
    """No addresses, and no licence, which its owner has not chosen yet, as the README says."""
    assert not {"urls", "license", "authors", "maintainers"} & set(metadata())
    assert "## Licence" in README.read_text(encoding="utf-8")


def test_every_extra_that_a_sentence_names_can_be_installed() -> None:
    assert {extra for _, extra in EXTRAS.values()} <= set(metadata()["optional-dependencies"])


def test_the_citation_is_that_of_the_readme() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    paper = citation["preferred-citation"]
    readme = README.read_text(encoding="utf-8")
    assert f"{{{paper['doi']}}}" in readme
    assert f"{{{paper['title']}}}" in readme
    assert f"{{{paper['start']}--{paper['end']}}}" in readme


def test_the_readme_lists_every_command() -> None:
    readme = README.read_text(encoding="utf-8")
    assert [name for name in commands() if f"\nprnn {name} " not in readme] == []
