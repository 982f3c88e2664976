"""The export of a finished run: a folder that a machine without prnn uses."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from prnn_cli.errors import UserError
from prnn_cli.networks.folded import FoldedNetwork
from prnn_cli.serving.data_card import write_data_card
from prnn_cli.serving.finished_run import Run
from prnn_cli.serving.model_card import model_card
from prnn_cli.serving.onnx_file import write_onnx
from prnn_cli.system.files import atomic_folder, write_text
from prnn_cli.system.tensor_files import write_tensors


def check_free(out: str) -> Path:
    """The path of the folder to write. Raises `UserError` where it is there already, or its parent is no folder."""
    path = Path(out).expanduser()
    if path.exists():
        raise UserError(f"out={out} is there already; remove it, or give another name")
    if not path.absolute().parent.is_dir():
        raise UserError(f"out={out} lies in no folder; make {path.absolute().parent} first")
    return path


def write_export(run: Run, path: Path) -> list[tuple[str, int]]:
    """Writes the folder, whole or not at all, and returns its files with their sizes in bytes.

    Raises `UserError` where the extra `export` is not installed.
    """
    with atomic_folder(path) as folder:
        write_onnx(run.network, folder / "model.onnx")
        _write_tensors(run.network, folder / "model.safetensors")
        _write_items(run, folder / "items.parquet")
        np.save(folder / "item_vectors.npy", run.item_vectors)
        write_text(folder / "MODEL_CARD.md", model_card(run))
        write_data_card(run, folder)
    return [(file.name, file.stat().st_size) for file in sorted(path.iterdir())]


def _write_tensors(network: FoldedNetwork, path: Path) -> None:
    tensors = {"item_vectors": network.item_vectors}
    for subnet in network.subnets:
        tensors |= {
            f"inputs.{subnet.name}": subnet.inputs,
            f"recurrent_gates.{subnet.name}": subnet.recurrent_gates,
            f"recurrent_candidate.{subnet.name}": subnet.recurrent_candidate,
        }
    write_tensors(path, tensors)


def _write_items(run: Run, path: Path) -> None:
    items = run.items
    table = pa.table(
        {
            "item_id": pa.array(items["item_id"], pa.string()),
            "item_index": pa.array(np.arange(len(items)), pa.int64()),
            "support": pa.array(items["support"], pa.int64()),
        }
    )
    pq.write_table(table, path)
