"""The source files of an extension: its own, and those beside it that it imports."""

import ast
from collections.abc import Iterator
from pathlib import Path


def source_files(file: Path) -> list[Path]:
    """The files that the module in `file` consists of, sorted: a package's all, else the file and the modules in its
    folder that it imports, at the top or in a function, directly or by another one."""
    if file.name == "__init__.py":
        return sorted(file.parent.rglob("*.py"))
    found: set[Path] = set()
    todo = [file]
    while todo:
        path = todo.pop()
        if path not in found:
            found.add(path)
            todo += _imported(path, file.parent)
    return sorted(found)


def _imported(file: Path, folder: Path) -> Iterator[Path]:
    """The files in `folder` that a file's import statements name."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):  # loading it says so
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module] if node.module else [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            top = name.partition(".")[0]
            yield from (path for path in (folder / f"{top}.py",) if path.is_file())
            yield from (folder / top).rglob("*.py") if (folder / top / "__init__.py").is_file() else ()
