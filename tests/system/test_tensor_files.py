from pathlib import Path

import pytest
import torch

from prnn_cli.system.file_format import FileFormat, OtherFormatError
from prnn_cli.system.tensor_files import DamagedFileError, read_tensors, write_tensors

FIRST, SECOND = (FileFormat("toy", number, "make it again") for number in (1, 2))
TENSORS = {"a": torch.tensor([1.0, 2.0])}


def test_tensors_and_metadata_are_read_as_they_were_written(tmp_path: Path) -> None:
    write_tensors(tmp_path / "file", TENSORS, {"made": "today"}, SECOND)
    tensors, metadata = read_tensors(tmp_path / "file", file_format=SECOND)
    assert tensors["a"].tolist() == [1, 2]
    assert metadata == {"made": "today", "format": "2"}
    assert read_tensors(tmp_path / "file", metadata_only=True, file_format=SECOND) == ({}, metadata)


@pytest.mark.parametrize(
    "tensor",
    [
        torch.arange(4)[::4],
        torch.arange(4)[::2],
        torch.ones(3, 2).t(),
        torch.zeros(4, 1)[::4],
        torch.zeros(0)[::2],
    ],
)
def test_tensors_may_lie_in_memory_in_any_way(tensor: torch.Tensor, tmp_path: Path) -> None:
    """A sparse matrix of one value has a stride of its own."""
    write_tensors(tmp_path / "file", {"a": tensor})
    assert torch.equal(read_tensors(tmp_path / "file")[0]["a"], tensor)


@pytest.mark.parametrize("metadata_only", [False, True])
def test_a_file_of_another_format_is_not_a_damaged_one(metadata_only: bool, tmp_path: Path) -> None:
    write_tensors(tmp_path / "file", TENSORS, file_format=SECOND)
    assert not issubclass(OtherFormatError, DamagedFileError)
    with pytest.raises(
        OtherFormatError, match="file is a toy of format 2, and this prnn reads format 1; make it again"
    ):
        read_tensors(tmp_path / "file", metadata_only=metadata_only, file_format=FIRST)


def test_a_file_without_a_number_is_of_format_1(tmp_path: Path) -> None:
    write_tensors(tmp_path / "file", TENSORS)
    assert read_tensors(tmp_path / "file", file_format=FIRST)[0]["a"].tolist() == [1, 2]
    with pytest.raises(OtherFormatError, match="a toy of format 1"):
        read_tensors(tmp_path / "file", file_format=SECOND)


def test_a_flipped_bit_is_damage(tmp_path: Path) -> None:
    write_tensors(tmp_path / "file", TENSORS, file_format=FIRST)
    content = bytearray((tmp_path / "file").read_bytes())
    content[-1] ^= 4
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(DamagedFileError, match="another checksum"):
        read_tensors(tmp_path / "file", file_format=FIRST)


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    """safetensors itself writes several texts in any order."""
    for number in range(8):
        write_tensors(tmp_path / str(number), {"a": torch.zeros(2)}, {key: key for key in "abcdefgh"})
    assert len({file.read_bytes() for file in tmp_path.iterdir()}) == 1
