"""Whatever may take more than some seconds says how far it is, without a terminal by lines of the log."""

import re
from collections.abc import Callable

import pytest

from commands.conftest import SMALL, Result
from prnn_cli.features.extractors import tfidf
from prnn_cli.system import progress

Prnn = Callable[..., Result]
LINE = re.compile(r"^(.+) (\d+)/(\d+) .*, \d+ s left$", re.MULTILINE)


@pytest.fixture(autouse=True)
def lines_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PLAIN_LINE_EVERY_S", 0.0)
    monkeypatch.setattr(tfidf, "TEXTS_A_TICK", 7)


def watched(result: Result) -> list[str]:
    """What was watched to its end or nearly there, in the order of the log."""
    assert result.exit_code == 0, result.err
    counts = [(what, int(done), int(total)) for what, done, total in LINE.findall(result.err)]
    assert all(done <= total for _, done, total in counts)
    return list(dict.fromkeys(what for what, done, total in counts if done > total / 2))


def test_each_part_of_a_run_is_watched(prnn: Prnn) -> None:
    run = [
        *SMALL,
        "dataset.synthetic.seed=7",
        "arch=feature_only",
        "features=text",
        "subnets.text.hidden_size=8",
    ]
    run = [each for each in run if each not in ("arch=id_only", "subnets.id.hidden_size=12")]
    assert watched(prnn("train", *run, "epochs=1", "hydra.run.dir=run")) == [
        "reading",
        "preparing",
        "texts",
        "training",
        "ranking with network",
        "fitting item_knn",
        "ranking with item_knn",
        "ranking with markov",
        "ranking with popularity",
    ]
    assert watched(prnn("recommend", "run=run", "session=[item-01]")) == ["recommending"]
