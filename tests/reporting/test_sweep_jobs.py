"""The names of a sweep's jobs: jobs of one name share a row of the table."""

from pathlib import Path

from prnn_cli.reporting.sweep_jobs import SweepJob, job_names


def jobs(*overrides: str) -> list[SweepJob]:
    """Jobs of `prnn train -m arch=id_only …` without a row or a label, each with its overrides in one text."""
    return [
        SweepJob(Path(f"runs/{number}"), each.split(), "id_only", row=None, label=None, repeats=False)
        for number, each in enumerate(overrides)
    ]


def test_seeds_of_a_sweep_have_a_row_each() -> None:
    assert job_names(jobs("seed=1", "seed=2")) == ["seed=1", "seed=2"]


def test_seeds_on_windows_share_a_row_with_those_of_the_same_settings() -> None:
    of_one = ["dataset.window.number=1 seed=1", "dataset.window.number=1 seed=2"]
    of_both = [*of_one, "dataset.window.number=2 seed=1", "dataset.window.number=2 seed=2"]
    assert job_names(jobs(*of_both)) == ["id_only"] * 4
    swept = jobs(*(f"{each} epochs=1" for each in of_both), *(f"{each} epochs=2" for each in of_both))
    assert job_names(swept) == ["epochs=1"] * 4 + ["epochs=2"] * 4
