"""The experiments of published results on small logs of the schemas that they are of."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from commands.conftest import Result
from public import diginetica, rees46, retailrocket, yoochoose
from public.public_log import PublicLog

Prnn = Callable[..., Result]
LOGS = {log.name: log for log in (diginetica.LOG, rees46.LOG, retailrocket.LOG, yoochoose.LOG)}
TINY = ["units.id=4", "epochs=1", "recipe.batch_size=2", "recipe.num_sampled=2", "table.figures=false"]
TINY += ["dataset.min_ranked_events=1", "dataset.min_item_support=1", "hardware=cpu", "jobs=1"]


def written(name: str, folder: Path) -> PublicLog:
    folder.mkdir()
    LOGS[name].write(folder)
    return LOGS[name]


@pytest.mark.parametrize(
    ("name", "changes", "value"),
    [
        ("rees46", [], "0.5291"),
        ("retailrocket", ["dataset.test_from=null", "dataset.test_days=7"], "0.4953"),
        ("yoochoose", ["dataset.test_from=2014-04-09"], "0.6804"),
        ("diginetica", [], "0.4874"),
    ],
)
def test_published_values_stand_in_the_table(
    prnn: Prnn, tmp_path: Path, name: str, changes: list[str], value: str
) -> None:
    written(name, tmp_path / "files")
    experiment = f"published_gru4rec_{name}"
    options = [f"experiment={experiment}", f"dataset.path={tmp_path / 'files'}", *TINY, *changes]
    result = prnn("train", *options, "row=gru4rec_cross_entropy")
    assert result.exit_code == 0, result.err
    table = Path(f"runs/{experiment}/table.md").read_text()
    assert "GRU4Rec, cross-entropy" in table
    assert value in table
    assert "dataset.min_item_support" in table  # why no difference is told


def test_a_file_that_the_protocol_needs_is_named(prnn: Prnn, tmp_path: Path) -> None:
    """GRU4Rec's authors put the challenge's test sessions to the clicks; the preset reads the clicks alone."""
    written("yoochoose", tmp_path / "files")
    (tmp_path / "files" / "yoochoose-test.dat").unlink()
    options: list[Any] = [f"dataset.path={tmp_path / 'files'}", *TINY]
    result = prnn("train", "experiment=published_gru4rec_yoochoose", *options)
    assert result.exit_code != 0
    message = " ".join(result.err.split())
    assert "lacks yoochoose-test.dat" in message
    assert "prnn datasets yoochoose says how to get them" in message
    assert "running" not in message  # told before the first row
