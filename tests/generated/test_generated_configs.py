"""Whatever a folder of configs, a run's folder or an override holds, nothing is run, and there is no traceback."""

import copy
import json
import os
import shlex
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from commands.conftest import SMALL
from generated.cases import EDITS, cases, edited
from generated.test_generated_commands import check_sentence, run
from prnn_cli.cli import main
from prnn_cli.experiment.override_text import why_unreadable, with_text_quoted

TRAP = "prnn_cli.cli.os.mkdir"
ODD_TEXT = [
    "",
    "é",
    "${oc.env:HOME}",
    "${",
    "\\${a}",
    "a\nb",
    "\x1b[2J",
    "=1+1",
    "<b>|`",
    "../x",
    "1e999",
    "null",
    TRAP,
]
SCALARS: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([1e308, float("nan"), 10**30]),
    st.sampled_from(ODD_TEXT),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["a", "run", "_target_", "name"]), inner, max_size=3),
    ),
    max_leaves=4,
)


# Overrides: each is read, or the sentence shows how it is written.
SIGNS = st.sampled_from([*"aé1=,.:;[]{}()'\"\\$#~! \t/-+*?|&<>@%^`", "${", "true", "商"])


@cases(300)
@given(st.lists(SIGNS, max_size=8).map("".join))
def test_an_override_is_read_or_its_sentence_shows_one_that_is(value: str) -> None:
    parser = OverridesParser.create()
    (override,) = with_text_quoted([f"label={value}"])
    try:
        parser.parse_override(override)
    except HydraException:
        sentence = why_unreadable(override)
        (proposed,) = shlex.split(sentence.partition("as in ")[2])
        read = OmegaConf.create({"label": parser.parse_override(proposed).value()}).label
        assert read == value
    else:
        assert with_text_quoted([override]) == [override]


# Folders of configs: what could be called stands at every place where something is.
CALLED = st.sampled_from(
    [TRAP, "os.mkdir", "torch.optim.SGD", "logging.StreamHandler", "${label}", "${oc.create:x}"]
)
PARTS = st.dictionaries(
    st.sampled_from(
        ["_target_", "()", "class", ".", "path", "filename", "stream", "level", "_args_", "setup"]
    ),
    st.one_of(CALLED, VALUES),
    max_size=3,
)
PLACES = st.sampled_from(
    ["callbacks.trap", "callbacks", "launcher", "sweeper", "job_logging.handlers.trap", "job_logging.formatters.trap",
     "hydra_logging.filters.trap", "hydra_logging", "job", "job.env_set", "run", "sweep", "sweeper.params", "mode",
     "searchpath"]
)  # fmt: skip


@cases(20)
@given(st.lists(st.tuples(PLACES, PARTS), min_size=1, max_size=2), EDITS, st.booleans())
def test_folders_of_configs(
    hydra: list[tuple[str, Any]], edits: list[tuple[str, float, bytes]], is_edited: bool
) -> None:
    config: dict[str, Any] = {"hydra": {}}
    for place, parts in hydra:
        node = config["hydra"]
        *above, last = place.split(".")
        for part in above:
            node = node.setdefault(part, {})
            node = node if isinstance(node, dict) else {}
        node[last] = parts
    text = b"# @package _global_\n" + yaml.safe_dump(config).encode()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "own/experiment").mkdir(parents=True)
        Path(folder, "own/experiment/evil.yaml").write_bytes(edited(text, edits) if is_edited else text)
        check_sentence(*run(folder, "train", "-cd", "own", "experiment=evil", "--cfg", "job"), (0, 2))
        assert os.listdir(folder) == ["own"]  # noqa: PTH208


# Run folders: any value of their files may be another, or missing.
def mutated(document: Any, place: float, value: Any, remove: bool) -> Any:
    """The document with the value at a place, told by a share of all places, replaced or removed."""
    document = copy.deepcopy(document)
    places: list[tuple[Any, Any]] = []
    nodes = [document]
    while nodes:
        node = nodes.pop()
        keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else []
        places += [(node, key) for key in keys]
        nodes += [node[key] for key in keys]
    node, key = places[min(int(place * len(places)), len(places) - 1)]
    if remove:
        del node[key]
    else:
        node[key] = value
    return document


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("PRNN_CACHE_DIR", "cache")
        assert main(["train", *SMALL, "epochs=1", "hydra.run.dir=runs/mine"]) == 0
    return folder


COMMANDS = st.sampled_from(
    [
        ("evaluate", "run=runs/mine"),
        ("recommend", "run=runs/mine", "session=[item-11]"),
        ("tables", "runs=runs/mine", "table.resamples=100", "table.figures=false"),
        ("status", "run=runs/mine"),
        ("status", "run=runs"),
        ("train", *SMALL, "epochs=1", "resume=true", "hydra.run.dir=runs/mine"),
    ]
)
FILES = st.sampled_from(["status.json", "metrics.json", ".hydra/config.yaml"])


@cases(25)
@given(COMMANDS, FILES, st.floats(0, 1), VALUES, st.booleans())
def test_run_folders_of_others(
    trained: Path, command: tuple[str, ...], file: str, place: float, value: Any, remove: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(trained, folder, dirs_exist_ok=True)
        path = Path(folder, "runs/mine", file)
        read, write = (yaml.safe_load, yaml.safe_dump) if file.endswith("yaml") else (json.loads, json.dumps)
        path.write_text(write(mutated(read(path.read_text()), place, value, remove)))
        check_sentence(*run(folder, *command), (0, 1, 2))
