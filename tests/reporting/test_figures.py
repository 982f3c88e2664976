import importlib.util
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from prnn_cli.reporting import figures
from prnn_cli.reporting.comparison import Comparison
from prnn_cli.reporting.figures import bars, learning_curves, lines, write_figures
from prnn_cli.reporting.report import report_runs
from prnn_cli.reporting.runs import find_folders
from prnn_cli.reporting.slices import SUPPORT
from reporting.runs_on_disk import table_config, three_rows, write_epochs, write_run


@pytest.fixture
def comparison(tmp_path: Path) -> Comparison:
    pytest.importorskip("matplotlib")
    return three_rows(tmp_path)


def test_figure_3_shows_item_knn_the_strongest_id_only_row_and_the_best_p_rnn(comparison: Comparison) -> None:
    recall, mrr = bars(comparison).axes
    assert [label.get_text() for label in recall.get_xticklabels()] == ["Item-kNN", "strong", "p-RNN"]
    assert [bar.get_height() for bar in recall.patches] == [1.0, 0.5, 0.75]
    assert [bar.get_height() for bar in mrr.patches] == [0.5, 0.5, 0.75]


def test_bars_are_told_apart_without_colour(comparison: Comparison) -> None:
    looks = {(bar.get_facecolor(), bar.get_hatch()) for bar in bars(comparison).axes[0].patches}
    assert len(looks) == 3
    for (red, green, blue, _), _ in looks:
        assert red == green == blue


def test_figures_are_written_as_png_and_pdf(comparison: Comparison, tmp_path: Path) -> None:
    pictures = write_figures(tmp_path, comparison)
    assert {"figure3", "by_support", "by_position"} <= {picture.name for picture in pictures}
    for picture in pictures:
        path = tmp_path / f"{picture.name}.png"
        with Image.open(path) as image:
            assert image.width > 300
        assert path.with_suffix(".pdf").read_bytes().startswith(b"%PDF")


def test_learning_curves_show_loss_validation_and_phases(comparison: Comparison) -> None:
    """Two epochs of the ID, two of the image: two shades."""
    history = pd.DataFrame(
        {
            "phase": [1, 1, 2, 2],
            "learning": ["id", "id", "image", "image"],
            "loss": [4.0, 3.0, 2.0, 1.0],
            "mrr@20": [0.1, 0.2, 0.3, 0.4],
        }
    )
    row = comparison.rows[2]
    write_epochs(row.runs[0], history)
    figure = learning_curves([row])
    assert figure is not None
    loss, validation = figure.axes
    assert loss.lines[0].get_ydata().tolist() == [4.0, 3.0, 2.0, 1.0]
    assert validation.lines[0].get_ydata().tolist() == [0.1, 0.2, 0.3, 0.4]
    assert [text.get_text() for text in loss.texts] == ["id", "image"]
    assert len({patch.get_facecolor() for patch in loss.patches}) == 2


def test_without_matplotlib_the_tables_are_whole_and_the_log_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    write_run(tmp_path / "a", [1, 1, 1, 1], label="mine")
    report_runs(tmp_path, find_folders([str(tmp_path)]), table_config())
    assert "pip install 'prnn-cli[figures]'" in caplog.text
    assert "mine" in (tmp_path / "summary.html").read_text()
    assert not list(tmp_path.glob("*.png"))


def test_the_curve_of_one_epoch_is_a_point_at_epoch_1(comparison: Comparison) -> None:
    row = comparison.rows[0]
    history = pd.DataFrame({"phase": [1], "learning": ["id"], "loss": [0.5], "mrr@20": [0.1]})
    write_epochs(row.runs[0], history)
    figure = learning_curves([row])
    assert figure is not None
    loss, validation = figure.axes
    assert loss.lines[0].get_marker() == "."
    assert validation.lines[0].get_marker() == "x"
    figure.canvas.draw()
    assert [tick for tick in loss.get_xticks() if 0.5 <= tick <= 1.5] == [1.0]


def test_by_support_every_value_has_its_interval_and_panels_stand_as_told(comparison: Comparison) -> None:
    """Bins of two sessions have no interval: the bars have no length, and the values are drawn all the same."""
    slices = [each for each in comparison.slices if each.by == SUPPORT]
    for across, wider in ((2, True), (1, False)):
        figure = lines(comparison, ["item_knn", "p-RNN"], slices, SUPPORT, across)
        assert [axes.get_title() for axes in figure.axes] == ["recall@20", "mrr@20"]
        drawn = figure.axes[0].lines[0].get_ydata()
        assert list(drawn) == [slices[0].means["item_knn", name] for name in slices[0].bins]
        width, height = figure.get_size_inches()
        assert (width > height) == wider


def test_panels_of_many_rows_stand_side_by_side_before_the_picture_is_too_high(
    comparison: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    for row in comparison.rows:
        history = pd.DataFrame({"phase": [1], "learning": ["id"], "loss": [0.5]})
        write_epochs(row.runs[0], history)
    monkeypatch.setattr(figures, "MOST_LINES", 2)
    figure = learning_curves(comparison.rows, across=1)
    assert figure is not None
    assert figure.axes[0].get_gridspec().get_geometry() == (2, 2)


def test_epochs_of_another_run_are_no_curve_of_this_one(
    comparison: Comparison, caplog: pytest.LogCaptureFixture
) -> None:
    row = comparison.rows[2]
    write_epochs(row.runs[0], pd.DataFrame({"phase": [1], "learning": ["id"], "loss": [4.0]}))
    pd.DataFrame({"phase": [1], "learning": ["id"], "loss": [3.0]}).to_csv(row.runs[0].folder / "epochs.csv")
    assert learning_curves([row]) is None
    assert "epochs.csv is damaged, or of another run" in caplog.text


def test_a_label_is_drawn_as_it_is_written(tmp_path: Path, comparison: Comparison) -> None:
    """matplotlib would read what stands between two $ as a formula, and end at one that is none."""
    for name, label in (("b", "price $$ x"), ("c", r"$\\frac")):
        folder = tmp_path / "labelled" / name
        write_run(folder, [1, 30, 1, 30], label=label, arch="parallel" if name == "c" else "id_only")
    report_runs(tmp_path, find_folders([str(tmp_path / "labelled")]), table_config())
    assert (tmp_path / "figure3.png").is_file()
