"""Writes docs/options.md from the comments in configs/."""

from pathlib import Path

from prnn_cli.app.help import options_page

Path("docs/options.md").write_text(options_page(), encoding="utf-8")
