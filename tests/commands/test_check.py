"""prnn check: what an extension breaks is named."""

from collections.abc import Callable
from pathlib import Path

import pytest

from commands.conftest import Result

Prnn = Callable[..., Result]
pytestmark = pytest.mark.usefixtures("forget_extensions")


def test_a_broken_contract_is_named(prnn: Prnn, workplace: Path) -> None:
    Path("broken.py").write_text(
        "from prnn_cli.training.strategies import Phase, Update\n\n"
        "def lazy(subnets, epochs):\n    return [Phase(epochs, (Update(tuple(subnets), (subnets[0],)),))]\n\n"
        "STRATEGIES = {'lazy': lazy}\nMETRICS = {'worse': lambda ranks, k: ranks}\n"
    )
    checked = prnn("check", "broken.py")
    assert checked.exit_code == 1
    assert "✗ strategy lazy: text never learns" in checked.out
    assert "✗ metric worse: a better rank is worth less" in checked.out
    assert "2 contracts are broken" in checked.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["check"], "no extension is installed"),
        (["check", "nobody"], "no extension nobody is installed"),
    ],
)
def test_nothing_to_check_is_a_sentence(prnn: Prnn, arguments: list[str], sentence: str) -> None:
    refused = prnn(*arguments)
    assert refused.exit_code == 2
    assert sentence in refused.err
