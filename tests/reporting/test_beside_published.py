"""Published values beside ours: four events in two sessions; baselines rank each of them second."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from prnn_cli.reporting.report import report_runs
from prnn_cli.reporting.runs import find_folders
from reporting.runs_on_disk import ALL_FIRST, HALF, cells, table_config, write_run


def published_run(folder: Path, *overrides: str, ranks: list[int] = HALF, **changes: Any) -> None:
    """Two of four events are ranked first: recall@20 .5, mrr@20 .5; published are .5187 and .2131."""
    described = {"experiment": "published_gru4rec_retailrocket", "dataset": "retailrocket"}
    described |= {"row": "gru4rec_bpr_max", "label": "GRU4Rec, BPR-max"}
    write_run(folder, ranks, **(described | changes))
    (folder / ".hydra" / "overrides.yaml").write_text(yaml.safe_dump(list(overrides)))


def test_published_values_of_the_same_data_stand_beside_ours_with_the_difference(tmp_path: Path) -> None:
    published_run(
        tmp_path / "a", "experiment=published_gru4rec_retailrocket", "dataset.path=logs/retailrocket"
    )
    report_runs(tmp_path, find_folders([str(tmp_path)]), table_config(published=True, figures=False))
    table = cells(tmp_path)
    assert table["Method"][-4:] == [
        "published recall@20",
        "difference in recall@20",
        "published mrr@20",
        "difference in mrr@20",
    ]
    assert table["GRU4Rec, BPR-max"][-4:] == ["0.5187", "−0.0187", "0.2131", "+0.2869"]
    assert table["Item-kNN"][-4:] == [""] * 4
    text = (tmp_path / "table.md").read_text()
    assert "hidasib/gru4rec_third_party_comparison docs/data_sources/exp_res_all.csv" in text
    assert "other protocol" not in text
    plain = pd.read_csv(tmp_path / "table.csv").set_index("method")
    assert plain.loc["GRU4Rec, BPR-max", "recall@20_published"] == 0.5187


@pytest.mark.parametrize(
    ("override", "dataset", "why"),
    [
        ("dataset=shop", "shop", "dataset=shop"),
        ("dataset.test_days=3", "retailrocket", "dataset.test_days"),
        ("evaluation=top_50000", "retailrocket", "evaluation"),
    ],
)
def test_no_difference_is_told_to_values_of_another_protocol(
    tmp_path: Path, override: str, dataset: str, why: str
) -> None:
    published_run(tmp_path / "a", override, dataset=dataset)
    report_runs(tmp_path, find_folders([str(tmp_path)]), table_config(published=True, figures=False))
    table = cells(tmp_path)
    assert table["Method"][-2:] == ["published recall@20, other protocol", "published mrr@20, other protocol"]
    assert table["GRU4Rec, BPR-max"][-2:] == ["0.5187", "0.2131"]
    assert f"No difference to them is told, as these runs have {why}." in (tmp_path / "table.md").read_text()


def test_no_difference_is_told_of_a_sample_of_the_log(tmp_path: Path) -> None:
    config = {"dataset": {"source": {"events": 2_756_101}}}
    published_run(tmp_path / "a", data={"rows": 21_051, "items": 60}, config=config)
    report_runs(tmp_path, find_folders([str(tmp_path)]), table_config(published=True, figures=False))
    assert "as these runs have 21,051 of the log's 2,756,101 rows." in (tmp_path / "table.md").read_text()


def window_run(folder: Path, ranks: list[int], number: int) -> None:
    """Session-rec's published GRU4Rec has recall@20 .5669 and mrr@20 .3237, means over five windows."""
    published_run(
        folder,
        f"dataset.window.number={number}",
        ranks=ranks,
        experiment="published_umuai_retailrocket",
        row="gru4rec_top1_max",
        label="GRU4Rec",
        data_hash=str(number),
        config={"dataset": {"split": "window", "window": {"number": number}}},
    )


def test_the_mean_over_all_published_windows_has_a_difference_that_over_fewer_has_none(
    tmp_path: Path,
) -> None:
    """Recall@20 is 1.0 on windows 1 to 4, 0.5 on the fifth: the mean of five is 0.9."""
    for number in range(1, 5):
        window_run(tmp_path / str(number), ALL_FIRST, number)
    report_runs(tmp_path, find_folders([str(tmp_path)]), table_config(published=True, figures=False))
    four = (tmp_path / "table.md").read_text()
    assert "as these runs have 4 of 5 windows." in four
    assert "difference in recall" not in four
    window_run(tmp_path / "5", HALF, 5)
    report_runs(tmp_path, find_folders([str(tmp_path)]), table_config(published=True, figures=False))
    means = cells(tmp_path)
    assert means["Method"][-4:-2] == ["published recall@20", "difference in recall@20"]
    assert means["GRU4Rec"][-4:-2] == ["0.5669", "+0.3331"]
    plain = pd.read_csv(tmp_path / "windows.csv").set_index("method")
    assert plain.loc["GRU4Rec", ["recall@20", "recall@20_published"]].to_list() == [0.9, 0.5669]


def test_the_papers_values_stand_beside_those_measured_marked_as_of_other_data(tmp_path: Path) -> None:
    write_run(tmp_path / "a", HALF, label="ID only (200)", row="id_only_200", experiment="table2")
    write_run(tmp_path / "b", ALL_FIRST, label="mine", row="mine", experiment="table2")
    report_runs(tmp_path, find_folders([str(tmp_path)]), table_config(published=True, figures=False))
    table = cells(tmp_path)
    assert table["Method"][-2:] == ["paper's recall@20, other data", "paper's mrr@20, other data"]
    assert table["Item-kNN"][-2:] == ["0.6263", "0.3740"]
    assert table["ID only (200)"][-2:] == ["0.6963", "0.3881"]
    assert table["mine"][-2:] == ["", ""]
    assert "measured on other data" in (tmp_path / "table.md").read_text()


def test_the_footer_says_how_far_rows_stand_in_the_papers_order(tmp_path: Path) -> None:
    """The paper's recall rises from item_knn (all of whose ranks are 2 here) over concatenated and id_only."""
    ours = {"concatenated": [1, 30, 30, 30], "id_only": [30] * 4, "id_only_200": [1, 1, 1, 30]}
    for seed, (row, ranks) in enumerate(ours.items()):
        write_run(tmp_path / row, ranks, label=row, row=row, experiment="table2", seed=seed)
    report_runs(tmp_path, find_folders([str(tmp_path)]), table_config(published=True, figures=False))
    text = (tmp_path / "table.md").read_text()
    # in the paper's order our places are 4 2 1 3: 1 − 6 (9 + 0 + 4 + 1) / (4 · 15) = −0.40
    assert "Rank correlation with the paper's methods: recall@20 −0.40 (4 methods)" in text
    assert "p-RNNs:" not in text
