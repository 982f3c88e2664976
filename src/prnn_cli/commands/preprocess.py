"""prnn preprocess: events -> sessions -> training and test part, and Table 1."""

import shutil
from pathlib import Path

from prnn_cli.data.prepare import PreparedData, prepare
from prnn_cli.files import atomic_write, write_text
from prnn_cli.reporting.tables import dropped_table, markdown, show, table_1
from prnn_cli.run_folder import RunFolder
from prnn_cli.schema import PreprocessCommand

WRITES = True


def run(config: PreprocessCommand, folder: RunFolder) -> None:
    data = prepare(config.dataset, Path(config.cache_dir))
    _copy(data, folder)
    properties = table_1(config.dataset.name, data.summary)
    dropped = dropped_table(data.summary)
    write_text(folder.path / "table1.md", f"{markdown(properties)}\n{markdown(dropped)}")
    show(properties)
    show(dropped)
    print(f"written to {folder.path}")


def _copy(data: PreparedData, folder: RunFolder) -> None:
    for name in ("events.parquet", "items.parquet", "summary.json"):
        with atomic_write(folder.path / name) as temporary:
            shutil.copyfile(data.folder / name, temporary)
