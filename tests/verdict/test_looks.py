"""When a verdict ends: after which of its looks."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from prnn_cli.commands import verdict
from prnn_cli.run_folder import RunFolder
from prnn_cli.verdict.claims import CANNOT_TELL, HELPS
from prnn_cli.verdict.judging import Chosen
from prnn_cli.verdict.rows import TEST, VerdictRun, feature_row, id_rows

CHOSEN = Chosen(feature_row("paper", "parallel_res", "Parallel (res)"), id_rows("paper", 100, 10, True)[0])


class FakeTrainer:
    """A trainer that finishes all at once; `hours` are what it is said to have spent."""

    def __init__(self, hours: float) -> None:
        self.hours, self.finished, self.failures = hours, set[VerdictRun](), dict[str, str]()

    def is_finished(self, run: VerdictRun) -> bool:
        return run in self.finished

    def train(self, runs: Sequence[VerdictRun]) -> Iterator[VerdictRun]:
        self.finished |= set(runs)
        yield from runs

    def measured(self, run: VerdictRun, metric: str) -> float:
        return 0.1


@pytest.mark.parametrize(
    ("answers", "of_more_seeds", "hours", "seeds"),
    [
        ([HELPS], HELPS, 0.1, 3),
        ([CANNOT_TELL, HELPS], HELPS, 0.1, 5),
        ([CANNOT_TELL, CANNOT_TELL, CANNOT_TELL], HELPS, 0.1, 8),
        ([CANNOT_TELL], CANNOT_TELL, 0.1, 3),
        ([CANNOT_TELL], HELPS, 0.95, 3),
    ],
    ids=["told", "told later", "never told", "more seeds could not tell", "the hours are over"],
)
def test_more_seeds_are_trained_while_they_could_tell_and_the_hours_last(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    answers: list[str],
    of_more_seeds: str,
    hours: float,
    seeds: int,
) -> None:
    looked = []

    def judgement_of(settings: Any, trainer: Any, chosen: Any, seeds: Sequence[int]) -> Any:
        looked.append(len(seeds))
        answer = SimpleNamespace(answer=answers[len(looked) - 1])
        more = SimpleNamespace(answer=of_more_seeds)
        return SimpleNamespace(claims=[answer], claims_of_more_seeds=[more], seeds=len(seeds))

    monkeypatch.setattr(verdict.Judgement, "of", judgement_of)
    monkeypatch.setattr(verdict, "seconds_of_test", lambda trainer, runs: 360.0)  # a tenth of an hour
    settings, trainer = SimpleNamespace(looks=[3, 5, 8], hours=1.0, metric="mrr@20"), FakeTrainer(hours)
    folder = RunFolder(tmp_path)
    folder.write_status("running", command="verdict")
    found = verdict.judged(settings, folder, trainer, CHOSEN)  # type: ignore[arg-type]
    assert looked[-1] == found.seeds == seeds  # type: ignore[attr-defined]
    assert trainer.finished == {
        VerdictRun(row, TEST, seed) for row in CHOSEN.compared for seed in range(1, seeds + 1)
    }
