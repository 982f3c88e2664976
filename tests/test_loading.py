"""Imports without the search for garbage."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(("own", "frozen"), [("own_process()", True), ("pass", False)])
def test_only_a_process_of_its_own_is_changed_and_searches_again_afterwards(own: str, frozen: bool) -> None:
    code = (
        f"import gc; from prnn_cli.loading import loading, own_process; {own}\n"
        "with loading():\n    meanwhile = gc.isenabled()\n    with loading(): pass\n    inside = gc.isenabled()\n"
        "print(meanwhile, inside, gc.isenabled(), gc.get_freeze_count() > 0)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.split() == [str(not frozen), str(not frozen), "True", str(frozen)]


def test_an_import_that_fails_leaves_the_search_on() -> None:
    code = (
        "import gc; from prnn_cli.loading import loading, own_process; own_process()\n"
        "try:\n    with loading(): import no_such_module\nexcept ImportError: print(gc.isenabled())"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown == "True\n"
