from collections.abc import Callable
from pathlib import Path

from commands.conftest import SMALL, Result

Prnn = Callable[..., Result]
pytest_plugins = ["commands.conftest"]


def test_saturated_scores_are_warned_of(prnn: Prnn) -> None:
    """With a huge learning rate tanh gives many scores of exactly 1 or −1."""
    own = [*SMALL, "recipe.learning_rate=500", "hydra.run.dir=runs/mine"]
    assert "depend on evaluation.tie_break=conservative" in prnn("train", *own).err
    assert "depend on evaluation.tie_break" not in prnn("train", *SMALL, "hydra.run.dir=runs/other").err
    assert Path("runs/mine/metrics.json").is_file()
