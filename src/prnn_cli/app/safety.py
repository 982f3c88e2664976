"""The refusal of configurations that name code to call, but for the project's own, Hydra's and torch's optimisers.

Hydra imports and calls whatever a config names, and configs are passed on: one from elsewhere must not run code.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from prnn_cli.errors import UserError

ALLOWED = (
    "prnn_cli.",
    "torch.optim.",
    "hydra.",
    "hydra_plugins.",
    "logging.StreamHandler",
    "logging.FileHandler",
)
CALLED = ("_target_", "()", "class")  # keys whose values Hydra, and Python's logging that it sets up, call
GIVEN = re.compile(r"(_target_|\(\)|(?:^|\.)class)[^=]*=(.*)", re.DOTALL)


def refuse_foreign_code(config_dir: str | None, config_path: str | None, overrides: Sequence[str]) -> None:
    """Raises `UserError` where an override, or a file in a folder of the user's configs, names other code to call."""
    for override in overrides:
        if found := GIVEN.search(override):
            _check(found[2].strip("'\""), override)
        elif "_target_" in override or "()" in override:
            raise UserError(f"{override} hides the name of code to call; leave it out")
    searched = [found[1] for each in overrides for found in re.finditer(r"file://([^'\",\]]+)", each)]
    for folder in (config_dir, config_path, *searched):
        for file in sorted(Path(folder).rglob("*.y*ml")) if folder else ():
            for target in _targets(file):
                _check(target, str(file))


def _targets(file: Path) -> Iterator[str]:
    try:
        nodes: list[Any] = [OmegaConf.to_container(OmegaConf.load(file), resolve=False)]
    except (OmegaConfBaseException, YAMLError, OSError, ValueError):
        return  # Hydra says what is wrong with it, if it is asked for
    while nodes:
        node = nodes.pop()
        if isinstance(node, dict):
            yield from (str(value) for key, value in node.items() if key in CALLED and value is not None)
        if isinstance(node, dict | list):
            nodes += node.values() if isinstance(node, dict) else node


def _check(target: str, where: str) -> None:
    if not target.startswith(ALLOWED):
        raise UserError(
            f"{where} names {target} to be called; configurations may name {', '.join(ALLOWED)}… alone"
        )
