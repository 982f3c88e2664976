"""What a run keeps beside its model, so that the model outlives its log: its items, and the vectors that it reads."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from prnn_cli.data.known_items import KnownItems
from prnn_cli.data.prepare import PreparedData
from prnn_cli.errors import UserError, first_line
from prnn_cli.features.extract import cached_file
from prnn_cli.features.table import FeatureTable
from prnn_cli.networks.model_file import REMEDY
from prnn_cli.origin import Origin
from prnn_cli.run_folder import RunFolder
from prnn_cli.system.files import hash_of, link_or_copy
from prnn_cli.system.tensor_files import DamagedFileError, read_tensors


def keep(
    folder: RunFolder, data: PreparedData, features: Mapping[str, FeatureTable], cache_dir: Path
) -> None:
    """Puts the items and the vectors into the run's folder: links to the files of the cache, or copies of them."""
    link_or_copy(prepared_items(data), folder.items_file)
    for source, table in features.items():
        link_or_copy(cached_file(cache_dir, table.cached_as), folder.vectors_file(source))


def prepared_items(data: PreparedData) -> Path:
    """The file of the prepared data that a run keeps as its own."""
    return data.folder / "items.parquet"


def kept_items(folder: RunFolder, origin: Origin) -> KnownItems:
    """The items of the run with this origin. Raises `UserError` for a file that is damaged, or another run's."""
    path = folder.items_file
    try:
        if hash_of(None, [path]) != origin.items:
            raise UserError(f"{path} is damaged, or of another run; {REMEDY}")
        table = pq.read_table(path, columns=["item_id", "support"])
    except (OSError, pa.ArrowException) as error:
        raise UserError(f"{path} cannot be read ({first_line(error)}); {REMEDY}") from error
    item_ids = table["item_id"].to_pandas().to_numpy(dtype=object)
    return KnownItems(item_ids, table["support"].to_numpy())


def kept_features(folder: RunFolder, origin: Origin, sources: Iterable[str]) -> dict[str, FeatureTable]:
    """The vectors of the run with this origin, by source. Raises `UserError` for a file that is damaged, or another
    run's."""
    return {source: _kept_table(folder, origin, source) for source in sources}


def _kept_table(folder: RunFolder, origin: Origin, source: str) -> FeatureTable:
    path = folder.vectors_file(source)
    try:
        tensors, _ = read_tensors(path)
        table = FeatureTable.from_arrays(source, {name: tensor.numpy() for name, tensor in tensors.items()})
        if table.content_hash != origin.vectors.get(source):
            raise DamagedFileError("it holds other vectors than the model was trained on")
    except DamagedFileError as error:
        raise UserError(f"{path} cannot be used ({first_line(error)}); {REMEDY}") from error
    return table
