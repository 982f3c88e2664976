from pathlib import Path

import pytest

from prnn_cli.errors import UserError
from prnn_cli.run_folder import RunFolder


def test_a_folder_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    with (
        RunFolder(tmp_path).held(),
        pytest.raises(UserError, match="another process works in"),
        RunFolder(tmp_path).held(),
    ):
        pytest.fail("held twice")
    with RunFolder(tmp_path).held():
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_running_run_that_nobody_holds_is_dead(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.write_status("running", command="train")
    assert folder.status()["status"] == "dead"
    with folder.held():
        assert folder.status()["status"] == "running"


def test_a_folder_of_another_command_is_refused(tmp_path: Path) -> None:
    RunFolder(tmp_path).write_status("done", command="preprocess")
    with pytest.raises(UserError, match="is the folder of prnn preprocess; give one that prnn train printed"):
        RunFolder.existing(str(tmp_path), command="train")


def test_a_damaged_status_is_named(tmp_path: Path) -> None:
    (tmp_path / "status.json").write_text("{")
    with pytest.raises(UserError, match=r"status\.json is damaged"):
        RunFolder.existing(str(tmp_path)).status()


@pytest.mark.parametrize(("keep", "left"), [("last", ["checkpoint/state.safetensors"]), ("never", [])])
def test_a_finished_run_keeps_the_last_checkpoint_or_none(tmp_path: Path, keep: str, left: list[str]) -> None:
    folder = RunFolder(tmp_path)
    folder.checkpoint_file.parent.mkdir()
    folder.checkpoint_file.write_text("first")
    folder.keep_checkpoint()
    folder.leave_checkpoints(keep)
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()] == left
    assert folder.checkpoint_file.parent.exists() == bool(left)
    folder.leave_checkpoints(keep)  # again, as where the run is resumed


def test_a_checkpoint_is_kept_as_the_previous_one_until_the_next_is_there(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.checkpoint_file.parent.mkdir()
    folder.checkpoint_file.write_text("first")
    folder.keep_checkpoint()
    folder.checkpoint_file.unlink()  # as where it is damaged, and set aside
    folder.keep_checkpoint()
    assert [file.read_text() for file in folder.checkpoint_files] == ["first"]
