"""The software that made a result, as a part of metrics.json."""

import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

from prnn_cli import __version__, extensions

PACKAGES = ("torch", "numpy", "pandas", "scipy", "hydra-core")


def environment() -> dict[str, Any]:
    """Versions of Python, prnn and the packages that decide numbers; the extensions that were there; the git commit,
    None where prnn was installed."""
    own = {"python": platform.python_version(), "prnn": __version__}
    versions = own | {name: version(name) for name in PACKAGES}
    return {"versions": versions, "extensions": extensions.versions(), "git_commit": _git_commit()}


def _git_commit() -> str | None:
    """The commit of the checkout that prnn runs from."""
    checkout = Path(__file__).resolve().parents[3]
    if not (checkout / ".git").exists():
        return None
    command = ["git", "-C", str(checkout), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
