"""Writes docs/options.md and docs/datasets.md, and README's table of public logs, from what stands in configs/."""

from pathlib import Path

from prnn_cli.app.help import options_page
from prnn_cli.data.public_logs import public_logs
from prnn_cli.reporting.public_logs import page, with_table

Path("docs/options.md").write_text(options_page(), encoding="utf-8")
logs = public_logs().values()
Path("docs/datasets.md").write_text(page(logs), encoding="utf-8")
readme = Path("README.md")
readme.write_text(with_table(readme.read_text(encoding="utf-8"), logs), encoding="utf-8")
