"""summary.html as a parser sees it: everything is on the page, nothing is fetched."""

import base64
import io
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from prnn_cli.reporting.report import report_runs
from prnn_cli.reporting.runs import find_folders
from reporting.runs_on_disk import table_config, write_run

VOID = {"meta", "img", "br", "hr", "link", "source"}
FETCHING = {"src", "href", "action", "data", "srcset", "poster", "background"}


class Page(HTMLParser):
    """Fails on a tag that is not closed in its turn; gathers text, sources and names of tags."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.sources: list[str] = []
        self.ids: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.sources += [value or "" for name, value in attrs if name in FETCHING]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    data = {"train": {"sessions": 2, "events": 7}, "items": 9}
    write_run(folder / "a", [1, 1, 1, 1], label="<b>ID & only</b>", device="cpu", data=data)
    write_run(folder / "b", [1, 30, 1, 30], label="p-RNN", arch="parallel", hidden_size="100+100")
    report_runs(folder, find_folders([str(folder)]), table_config())
    return folder


def test_the_page_is_well_formed_and_holds_tables_settings_and_environment(folder: Path) -> None:
    page = Page((folder / "summary.html").read_text())
    text = " ".join(page.texts)
    for shown in (
        "<b>ID & only</b>",
        "p-RNN",
        "Item-kNN",
        "by item support",
        "Settings",
        "arch.name",
        "Environment",
    ):
        assert shown in text
    assert page.tags.count("table") >= 6
    assert "script" not in page.tags


def test_the_page_asks_for_nothing_outside_itself(folder: Path) -> None:
    text = (folder / "summary.html").read_text()
    assert all(source.startswith(("data:image/png;base64,", "#")) for source in Page(text).sources)
    assert not re.search(r"https?:|url\(|@import", text)


def test_figures_stand_on_the_page(folder: Path) -> None:
    pytest.importorskip("matplotlib")
    page = Page((folder / "summary.html").read_text())
    assert page.tags.count("img") == page.tags.count("source") == len(list(folder.glob("*.png"))) > 0


def test_figures_of_a_phone_are_as_narrow_as_one_panel(folder: Path) -> None:
    pytest.importorskip("matplotlib")
    text = (folder / "summary.html").read_text()
    found = re.findall(
        r'srcset="data:image/png;base64,([^"]+)"><img [^>]+ src="data:image/png;base64,([^"]+)"', text
    )
    assert found
    for narrow, wide in found:
        sizes = [Image.open(io.BytesIO(base64.b64decode(content))).size for content in (narrow, wide)]
        assert sizes[0][0] <= 4.2 * 150  # a panel's inches, at 150 dots each
        assert sizes[0][0] <= sizes[1][0]
        assert sizes[0][1] >= sizes[1][1]


def test_every_part_can_be_linked_to_and_stands_in_the_contents(folder: Path) -> None:
    page = Page((folder / "summary.html").read_text())
    assert page.tags.count("h2") == len(page.ids) == len(set(page.ids))
    assert {"results", "intervals", "recall-20-by-support", "settings", "environment"} <= set(page.ids)
    links = [source[1:] for source in page.sources if source.startswith("#")]
    assert links == page.ids + page.ids  # of the contents, then of the headings


def test_the_page_has_colours_for_a_dark_screen(folder: Path) -> None:
    assert "@media (prefers-color-scheme: dark)" in (folder / "summary.html").read_text()


@pytest.mark.nightly
def test_a_browser_shows_the_page(folder: Path) -> None:
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        pytest.skip("needs Chromium or Chrome")
    command = [
        browser,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--host-resolver-rules=MAP * ~NOTFOUND",
    ]
    shown = subprocess.run(
        [*command, "--dump-dom", (folder / "summary.html").as_uri()],
        capture_output=True, text=True, check=True, timeout=120,
    ).stdout  # fmt: skip
    assert "Intervals and differences" in shown
    assert shown.count("<table>") == (folder / "summary.html").read_text().count("<table>")
