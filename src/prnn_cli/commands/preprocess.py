"""prnn preprocess: events -> sessions -> training and test part; says what was read, and prints Table 1."""

import shutil
from pathlib import Path

from prnn_cli.commands import Command
from prnn_cli.data.describe.explanation import explanation
from prnn_cli.data.prepare import PreparedData, prepare, with_files
from prnn_cli.reporting.table1 import write_table_1
from prnn_cli.reporting.tables import dropped_table, markdown, show, table_1
from prnn_cli.run_folder import RunFolder
from prnn_cli.schema import PreprocessCommand
from prnn_cli.system.files import atomic_write, write_text


class Preprocess(Command):
    options = PreprocessCommand

    def run(self, settings: PreprocessCommand, folder: RunFolder) -> None:
        cache_dir = Path(settings.cache_dir)
        data = prepare(settings.dataset, cache_dir)
        _copy(data, folder)
        tables = explanation(with_files(settings.dataset, cache_dir), data)
        tables |= {
            "Dropped": dropped_table(data.summary),
            "Table 1": table_1(settings.dataset.name, data.summary),
        }
        write_text(
            folder.path / "explanation.md",
            "\n".join(f"## {title}\n\n{markdown(table)}" for title, table in tables.items()),
        )
        for title, table in tables.items():
            show(table, title)
        write_table_1(folder.path, tables["Table 1"], below=f"\n{markdown(tables['Dropped'])}")
        print(f"written to {folder.path}")


def _copy(data: PreparedData, folder: RunFolder) -> None:
    for name in ("events.parquet", "items.parquet", "summary.json"):
        with atomic_write(folder.path / name) as temporary:
            shutil.copyfile(data.folder / name, temporary)


COMMANDS = {"preprocess": Preprocess()}
