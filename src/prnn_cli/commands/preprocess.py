"""prnn preprocess: events -> sessions -> training and test part; says what was read and what is to be doubted."""

import shutil
from pathlib import Path

import pandas as pd

from prnn_cli.commands import Command
from prnn_cli.data.describe.doubts import as_json, figures, figures_table
from prnn_cli.data.describe.explanation import explanation
from prnn_cli.data.diagnostics import diagnose
from prnn_cli.data.part_sizes import warn_of_few
from prnn_cli.data.prepare import PreparedData, prepare, with_files
from prnn_cli.reporting.table_formats import TextTable, to_markdown
from prnn_cli.reporting.tables import dropped_table, table_1, write_table_1
from prnn_cli.reporting.terminal import show
from prnn_cli.run_folder import RunFolder
from prnn_cli.schema import PreprocessCommand
from prnn_cli.system.files import atomic_write, write_json, write_text


class Preprocess(Command):
    """The command `prnn preprocess`."""

    options = PreprocessCommand

    def run(self, settings: PreprocessCommand, folder: RunFolder) -> None:
        cache_dir = Path(settings.cache_dir)
        data = prepare(settings.dataset, cache_dir)
        _copy(data, folder)
        for part in ("test", "validation"):
            warn_of_few(data.summary, settings.dataset, part)
        frames = explanation(with_files(settings.dataset, cache_dir), data)
        frames |= {"Dropped": dropped_table(data.summary)}
        frames |= {"Table 1": table_1(settings.dataset.name, data.summary)}
        frames |= {"Diagnostics (! undermines conclusions)": _doubts(data, settings, folder)}
        tables = {title: TextTable.from_frame(frame) for title, frame in frames.items()}
        texts = [f"## {title}\n\n{to_markdown(table)}" for title, table in tables.items()]
        write_text(folder.path / "explanation.md", "\n".join(texts))
        for title, table in tables.items():
            show(table, title)
        write_table_1(folder.path, frames["Table 1"], below=f"\n{to_markdown(tables['Dropped'])}")
        print(f"written to {folder.path}")


def _doubts(data: PreparedData, settings: PreprocessCommand, folder: RunFolder) -> pd.DataFrame:
    """The table of the log's diagnostics, which are written too."""
    found = diagnose(data)
    columns = settings.dataset.columns
    in_words = figures(found, columns.order, columns.tells_apart)
    write_json(folder.path / "diagnostics.json", as_json(found, in_words))
    return figures_table(in_words)


def _copy(data: PreparedData, folder: RunFolder) -> None:
    for name in ("events.parquet", "items.parquet", "summary.json"):
        with atomic_write(folder.path / name) as temporary:
            shutil.copyfile(data.folder / name, temporary)


COMMANDS = {"preprocess": Preprocess()}
