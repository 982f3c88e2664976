"""The paper's Table 1 as files: table1.md, table1.csv, table1.tex."""

from pathlib import Path

import pandas as pd

from prnn_cli.reporting.rendering import text_table, to_latex, to_markdown
from prnn_cli.system.files import atomic_write, write_text


def write_table_1(folder: Path, properties: pd.DataFrame, below: str = "") -> None:
    """properties: lines of `tables.table_1`; below: Markdown that follows"""
    table = text_table(properties)
    write_text(folder / "table1.md", to_markdown(table) + below)
    write_text(folder / "table1.tex", to_latex(table, "Properties of the datasets."))
    with atomic_write(folder / "table1.csv") as temporary:
        properties.to_csv(temporary, index=False)
