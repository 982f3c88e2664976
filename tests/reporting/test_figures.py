import importlib.util
from pathlib import Path

import pandas as pd
import pytest
import torch
from PIL import Image

from prnn_cli.networks.inputs import Dense, OneHot
from prnn_cli.networks.network import Network
from prnn_cli.networks.readouts import READOUTS
from prnn_cli.networks.subnet import Subnet
from prnn_cli.networks.summary import layout
from prnn_cli.reporting.comparison import Comparison
from prnn_cli.reporting.figures import bars, learning_curves, write_figures
from prnn_cli.reporting.report import report_runs
from prnn_cli.reporting.runs import find_folders
from reporting.runs_on_disk import table_config, three_rows, write_run


@pytest.fixture
def comparison(tmp_path: Path) -> Comparison:
    pytest.importorskip("matplotlib")
    return three_rows(tmp_path)


def composed(readout: str) -> Network:
    subnets = (
        Subnet("id", (OneHot(1000),), 8, weight=1.0),
        Subnet("image", (Dense("image", torch.zeros(1000, 320)),), 8, weight=0.5),
    )
    return Network(subnets, READOUTS[readout](subnets), "tanh", 1000)


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
    for path in write_figures(tmp_path, comparison).values():
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
    history.to_csv(row.runs[0].folder / "epochs.csv", index=False)
    figure = learning_curves([row])
    assert figure is not None
    loss, validation = figure.axes
    assert loss.lines[0].get_ydata().tolist() == [4.0, 3.0, 2.0, 1.0]
    assert validation.lines[0].get_ydata().tolist() == [0.1, 0.2, 0.3, 0.4]
    assert [text.get_text() for text in loss.texts] == ["id", "image"]
    assert len({patch.get_facecolor() for patch in loss.patches}) == 2


@pytest.mark.parametrize("readout", ["separate", "shared", "interaction"])
def test_the_diagram_is_drawn_from_the_composed_network(readout: str) -> None:
    pytest.importorskip("matplotlib")
    from prnn_cli.reporting.diagram import architectures

    (axes,) = architectures({readout: layout(composed(readout))}).axes
    texts = {text.get_text() for text in axes.texts}
    assert {"id: one of 1,000", "image: 320 values", "GRU id\n8 units", "GRU image\n8 units", "+"} <= texts
    assert "tanh → scores of 1,000 items" in texts
    assert ("∘" in texts) == (readout == "interaction")
    assert ("W shared" in texts) == (readout == "shared")
    assert ("W image" in texts) == (readout != "shared")
    assert "× 0.5" in texts  # the weight of the image's subnet


def test_a_readout_of_the_users_own_is_drawn_by_its_name() -> None:
    pytest.importorskip("matplotlib")
    from prnn_cli.reporting.diagram import architectures

    (axes,) = architectures({"mine": layout(composed("separate")) | {"readout": "pooled"}}).axes
    texts = {text.get_text() for text in axes.texts}
    assert "pooled" in texts
    assert "W id" not in texts


def test_without_matplotlib_the_tables_are_whole_and_the_log_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    write_run(tmp_path / "a", [1, 1, 1, 1], label="mine")
    report_runs(tmp_path, find_folders([str(tmp_path)]), table_config())
    assert "pip install 'prnn-cli[figures]'" in caplog.text
    assert "mine" in (tmp_path / "summary.html").read_text()
    assert not list(tmp_path.glob("*.png"))
