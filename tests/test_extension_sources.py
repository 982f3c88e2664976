"""The files that an extension consists of: a change of any of them makes it another one."""

from pathlib import Path

from prnn_cli.extension_sources import source_files
from prnn_cli.extensions import Extension


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def names(file: Path, folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in source_files(file)]


def test_a_file_consists_of_what_it_imports_from_its_folder(tmp_path: Path) -> None:
    write(
        tmp_path,
        mine="import near\nimport numpy",
        near="def f():\n    from later import x",
        later="x = 1",
        other="",
    )
    assert names(tmp_path / "mine.py", tmp_path) == ["later.py", "mine.py", "near.py"]


def test_a_package_beside_it_belongs_to_a_file_that_imports_it(tmp_path: Path) -> None:
    write(tmp_path, mine="import tools.inner", tools__inner="")
    (tmp_path / "tools/__init__.py").write_text("")
    assert names(tmp_path / "mine.py", tmp_path) == ["mine.py", "tools/__init__.py", "tools/inner.py"]


def test_a_package_consists_of_all_its_modules(tmp_path: Path) -> None:
    write(tmp_path / "package", loss="", deep__er="")
    (tmp_path / "package/__init__.py").write_text("")
    file = tmp_path / "package/__init__.py"
    assert names(file, tmp_path / "package") == ["__init__.py", "deep/er.py", "loss.py"]


def test_files_that_import_each_other_and_one_that_is_no_python_end(tmp_path: Path) -> None:
    write(tmp_path, mine="import near", near="import mine\nimport broken", broken="def (")
    assert names(tmp_path / "mine.py", tmp_path) == ["broken.py", "mine.py", "near.py"]


def test_the_fingerprint_changes_with_a_helper_of_the_module(tmp_path: Path) -> None:
    write(tmp_path, mine="import near", near="rate = 1", other="")
    extension = Extension("mine", "mine.py", tmp_path / "mine.py", lambda: None)  # type: ignore[arg-type, return-value]
    before = extension.fingerprint
    write(tmp_path, other="changed")
    assert extension.fingerprint == before
    write(tmp_path, near="rate = 2")
    assert extension.fingerprint != before
