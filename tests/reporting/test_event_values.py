from pathlib import Path

from prnn_cli.reporting.event_values import measure
from prnn_cli.reporting.runs import Row, read_run
from reporting.runs_on_disk import HALF, write_run


def test_metrics_by_support_and_by_position(tmp_path: Path) -> None:
    """Items 5 and 6 have 10 and 3 training events; the network hits item 5 alone."""
    run = read_run(write_run(tmp_path / "a", HALF))
    measures = measure([Row("mine", runs=[run])], ["item_knn"], ["recall@20"])
    support = measures.by_support(["mine", "item_knn"], "recall@20")
    assert support is not None
    assert support.to_dict("index") == {
        "3": {"events": 2, "mine": 0.0, "item_knn": 1.0},
        "10": {"events": 2, "mine": 1.0, "item_knn": 1.0},
    }
    position = measures.by_position(["mine"], "recall@20")
    assert position["mine"].to_dict() == {"1": 0.5, "2": 0.0, "3": 1.0}
    assert position["events"].to_dict() == {"1": 2, "2": 1, "3": 1}
