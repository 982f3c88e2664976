from pathlib import Path

from prnn_cli.reporting.event_values import measure
from prnn_cli.reporting.runs import Row, read_run
from reporting.runs_on_disk import HALF, write_run


def test_sums_and_events_by_support_and_by_position(tmp_path: Path) -> None:
    """Items 5 and 6 have 10 and 3 training events; the network hits item 5 alone, item-kNN all. Two sessions."""
    run = read_run(write_run(tmp_path / "a", HALF))
    measures = measure([Row("mine", runs=[run])], ["item_knn"], ["recall@20"])
    bins = measures.support_bins()
    assert bins is not None
    assert bins.tolist() == ["10", "3", "10", "3"]
    sums, events = measures.sessions_by(bins, ["mine", "item_knn"], "recall@20")
    assert list(bins.cat.categories) == ["3", "10"]
    assert sums.tolist() == [[[0, 2], [1, 2]], [[0, 0], [1, 0]]]
    assert events.tolist() == [[1, 2], [1, 0]]
    assert measures.position_bins().tolist() == ["1", "2", "3", "1"]
