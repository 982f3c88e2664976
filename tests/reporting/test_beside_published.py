"""Published values beside ours: four events in two sessions; baselines rank each of them second."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from prnn_cli.reporting.report import report_runs
from prnn_cli.reporting.runs import find_folders
from prnn_cli.reporting.table_formats import markdown_text
from reporting.runs_on_disk import ALL_FIRST, HALF, cells, table_config, write_run


def published_run(folder: Path, *overrides: str, ranks: list[int] = HALF, **changes: Any) -> Path:
    """Two of four events are ranked first: recall@20 .5, mrr@20 .5; published are .5187 and .2131.

    overrides: of its command line, beside those that name the experiment and its row
    """
    described = {"experiment": "published_gru4rec_retailrocket", "dataset": "retailrocket"}
    described |= {"row": "gru4rec_bpr_max", "label": "GRU4Rec, BPR-max"}
    described |= changes
    write_run(folder, ranks, **described)
    typed = [f"row={described['row']}", f"experiment={described['experiment']}", *overrides]
    write_overrides(folder, *typed)
    return folder


def write_overrides(folder: Path, *overrides: str) -> None:
    (folder / ".hydra" / "overrides.yaml").write_text(yaml.safe_dump(list(overrides)))


def report(folder: Path) -> tuple[dict[str, list[str]], str]:
    """The first table beside published values, and the text of table.md."""
    report_runs(folder, find_folders([str(folder)]), table_config(published=True, figures=False))
    return cells(folder), (folder / "table.md").read_text()


def test_published_values_of_the_same_data_stand_beside_ours_with_the_difference(tmp_path: Path) -> None:
    published_run(tmp_path / "a", "dataset.path=logs/retailrocket")
    table, text = report(tmp_path)
    assert table["Method"][-4:] == [
        "published recall@20",
        "difference in recall@20",
        "published mrr@20",
        "difference in mrr@20",
    ]
    assert table["GRU4Rec, BPR-max"][-4:] == ["0.5187", "−0.0187", "0.2131", "+0.2869"]
    assert table["Item-kNN"][-4:] == [""] * 4
    assert "hidasib/gru4rec_third_party_comparison docs/data_sources/exp_res_all.csv" in text
    assert "other protocol" not in text
    plain = pd.read_csv(tmp_path / "table.csv").set_index("method")
    assert plain.loc["GRU4Rec, BPR-max", "recall@20_published"] == 0.5187


@pytest.mark.parametrize(
    "fair",
    [
        "seed=7",
        "seeds=3",
        "label=mine",
        "hardware=gpu",
        "hardware.threads=1",
        "logger=tensorboard",
        "checkpoint.keep=never",
        "jobs=2",
        "table.parameters=true",
        "evaluation.cutoffs=[5,20]",
        "++dataset.min_ranked_events=5",
        "baselines=strong",  # of which nothing was published with this experiment
        "dataset=retailrocket",  # as the experiment has them anyway
        "dataset.drop_repeats=true",
        "dataset.drop_repeats=True",  # as a sweep writes it
        "dataset.test_from=2015-09-11T03:00",
        "dataset.max_session_length=null",
        "arch=id_only",
    ],
)
def test_what_leaves_methods_and_events_as_they_are_may_be_given(tmp_path: Path, fair: str) -> None:
    published_run(tmp_path / "a", fair)
    table, text = report(tmp_path)
    assert table["GRU4Rec, BPR-max"][-4:] == ["0.5187", "−0.0187", "0.2131", "+0.2869"]
    assert "No difference" not in text


@pytest.mark.parametrize(
    ("override", "dataset"),
    [
        ("dataset=shop", "shop"),
        ("dataset=mine", "retailrocket"),  # a config of the user's that has the log's name
        ("dataset.test_days=3", "retailrocket"),
        ("dataset.drop_repeats=false", "retailrocket"),
        ("~dataset.filters", "retailrocket"),
        ("~dataset.drop_repeats=true", "retailrocket"),  # takes it out
        ("evaluation=top_50000", "retailrocket"),
        ("evaluation.tie_break=median", "retailrocket"),
    ],
)
def test_no_difference_is_told_to_values_of_another_protocol(
    tmp_path: Path, override: str, dataset: str
) -> None:
    published_run(tmp_path / "a", override, dataset=dataset)
    table, text = report(tmp_path)
    assert table["Method"][-2:] == ["published recall@20, other protocol", "published mrr@20, other protocol"]
    assert table["GRU4Rec, BPR-max"][-2:] == ["0.5187", "0.2131"]
    assert f"No difference to them is told, as these runs have {markdown_text(override)}." in text


@pytest.mark.parametrize(
    "override",
    [
        "recipe=cross_entropy",
        "recipe.dropout=0.9",
        "epochs=3",
        "units.id=8",
        "subnets.id.hidden_size=8",
        "training.select=best",
        "arch=parallel",
        "strategy=residual",
        "features=text",
        "new_items.fit=ridge",
        "tuned=[id_only]",
        "an_option_that_comes_later=1",
    ],
)
def test_no_difference_is_told_of_a_method_that_was_set_otherwise(tmp_path: Path, override: str) -> None:
    published_run(tmp_path / "a", override)
    table, text = report(tmp_path)
    assert table["Method"][-2:] == ["published recall@20, other settings", "published mrr@20, other settings"]
    assert table["GRU4Rec, BPR-max"][-2:] == ["0.5187", "0.2131"]
    assert f"No difference to them is told, as these runs have {override}." in text


def test_every_departure_is_named_and_other_events_weigh_more(tmp_path: Path) -> None:
    published_run(tmp_path / "a", "epochs=3", "seed=1", "dataset.test_days=3", "recipe.dropout=0.9")
    table, text = report(tmp_path)
    assert table["Method"][-1] == "published mrr@20, other protocol"
    assert "as these runs have dataset.test_days=3, epochs=3, recipe.dropout=0.9." in text


def test_an_experiment_of_another_name_or_a_command_line_that_is_lost_has_no_difference(
    tmp_path: Path,
) -> None:
    """An experiment of the user's may begin from a published one, and keep its name for results."""
    published_run(tmp_path / "own" / "a")
    write_overrides(tmp_path / "own" / "a", "experiment=mine", "row=gru4rec_bpr_max")
    assert "as these runs have experiment=mine." in report(tmp_path / "own")[1]
    lost = published_run(tmp_path / "lost" / "a")
    (lost / ".hydra" / "overrides.yaml").unlink()
    assert "as these runs have a command line that is not known." in report(tmp_path / "lost")[1]


def test_what_an_evaluation_was_given_counts_as_well(tmp_path: Path) -> None:
    trained = published_run(tmp_path / "trained", "dataset.path=logs")
    evaluated = published_run(tmp_path / "of" / "evaluated")
    (evaluated / ".hydra" / "config.yaml").write_text(f"run: {trained}")
    write_overrides(evaluated, f"run={trained}", "evaluation.cutoffs=[20]")
    assert "difference in recall@20" in report(tmp_path / "of")[0]["Method"]
    write_overrides(evaluated, f"run={trained}", "evaluation.candidates=500")
    assert "as these runs have evaluation.candidates=500." in report(tmp_path / "of")[1]


def test_what_is_ranked_beside_the_experiment_s_rows_may_have_settings_of_its_own(tmp_path: Path) -> None:
    published_run(tmp_path / "a")
    write_run(tmp_path / "b", ALL_FIRST, label="mine", dataset="retailrocket", epochs=3)
    write_overrides(tmp_path / "b", "epochs=3")
    table, _ = report(tmp_path)
    assert table["GRU4Rec, BPR-max"][-4:] == ["0.5187", "−0.0187", "0.2131", "+0.2869"]
    assert table["mine"][-4:] == [""] * 4


@pytest.mark.parametrize("rows", [21_051, 5_512_202])  # a sample, and the log twice
def test_no_difference_is_told_of_a_log_that_has_fewer_or_more_rows(tmp_path: Path, rows: int) -> None:
    config = {"dataset": {"source": {"events": 2_756_101}}}
    published_run(tmp_path / "a", data={"rows": rows, "items": 60}, config=config)
    table, text = report(tmp_path)
    assert table["Method"][-1] == "published mrr@20, other protocol"
    assert f"as these runs have {rows:,} rows where the log has 2,756,101." in text


@pytest.mark.parametrize(("bad", "is_told"), [(9, True), (11, False)])
def test_rows_that_could_not_be_read_are_no_rows_of_the_log(tmp_path: Path, bad: int, is_told: bool) -> None:
    """Of 1,000 rows one in a hundred may be missing."""
    data = {"rows": 1000, "items": 60, "dropped": {"bad rows: no time": bad, "repeats": 500}}
    published_run(
        tmp_path / "a",
        "dataset.max_bad_share=0.5",
        data=data,
        config={"dataset": {"source": {"events": 1000}}},
    )
    assert ("difference in recall@20" in report(tmp_path)[0]["Method"]) == is_told


@pytest.mark.parametrize(
    ("override", "ranked", "is_told"),
    [
        ("~baselines.stan", {"vstan": {"k": 1000}}, True),  # left out
        ("baselines=fast", {"item_knn": {"num_neighbours": 100}, "markov": {}}, True),  # no options to set
        (
            "baselines.item_knn.num_neighbours=7",
            {"item_knn": {}, "vstan": {"k": 1000}},
            True,
        ),  # not published
        ("baselines=published_retailrocket", {"vstan": {"k": 1000}}, True),  # the experiment's own
        ("baselines=strong", {"vstan": {"k": 500}}, False),
        ("baselines.vstan.k=7", {"vstan": {"k": 7}}, False),
        ("~baselines.vstan.k", {"vstan": {"k": 7}}, False),
    ],
)
def test_other_baselines_may_be_ranked_but_published_ones_not_set_otherwise(
    tmp_path: Path, override: str, ranked: dict[str, dict[str, int]], is_told: bool
) -> None:
    values = {"recall@20": 1.0, "mrr@20": 0.5, "tie_rate": 0.0}
    for number in range(1, 6):
        window_run(
            tmp_path / str(number),
            HALF,
            number,
            override,
            baselines=dict.fromkeys(ranked, values),
            labels={name: name for name in ranked},
            baseline_options=ranked,
            gain_over=next(iter(ranked)),
        )
    table, text = report(tmp_path)
    assert ("difference in recall@20" in table["Method"]) == is_told
    assert (f"as these runs have {markdown_text(override)}." in text) != is_told


def window_run(folder: Path, ranks: list[int], number: int, *overrides: str, **changes: Any) -> None:
    """Session-rec's published GRU4Rec has recall@20 .5669 and mrr@20 .3237, means over five windows."""
    published_run(
        folder,
        f"dataset.window.number={number}",
        *overrides,
        ranks=ranks,
        experiment="published_umuai_retailrocket",
        row="gru4rec_top1_max",
        data_hash=str(number),
        config={"dataset": {"split": "window", "window": {"number": number}}},
        **({"label": "GRU4Rec"} | changes),
    )


def test_the_mean_over_all_published_windows_has_a_difference_that_over_fewer_has_none(
    tmp_path: Path,
) -> None:
    """Recall@20 is 1.0 on windows 1 to 4, 0.5 on the fifth: the mean of five is 0.9."""
    for number in range(1, 5):
        window_run(tmp_path / str(number), ALL_FIRST, number)
    _, four = report(tmp_path)
    assert "as these runs have 4 of 5 windows." in four
    assert "difference in recall" not in four
    window_run(tmp_path / "5", HALF, 5)
    means, _ = report(tmp_path)
    assert means["Method"][-4:-2] == ["published recall@20", "difference in recall@20"]
    assert means["GRU4Rec"][-4:-2] == ["0.5669", "+0.3331"]
    plain = pd.read_csv(tmp_path / "windows.csv").set_index("method")
    assert plain.loc["GRU4Rec", ["recall@20", "recall@20_published"]].to_list() == [0.9, 0.5669]


def test_a_method_that_lacks_a_window_has_no_difference(tmp_path: Path) -> None:
    for number in range(1, 6):
        window_run(tmp_path / f"a{number}", ALL_FIRST, number, label="A")
        if number < 5:
            window_run(tmp_path / f"b{number}", HALF, number, label="B")
    means, _ = report(tmp_path)
    assert means["A"][-4:-2] == ["0.5669", "+0.4331"]
    assert means["B"][-4:-2] == ["0.5669", ""]


def test_seeds_are_averaged_on_each_window_before_the_windows_are(tmp_path: Path) -> None:
    """Recall@20 of two seeds: 1.0 and 0.5 on windows 1 to 4, mean 0.75; one seed on the fifth, 0.5. The mean is 0.7."""
    for number in range(1, 5):
        window_run(tmp_path / f"{number}-1", ALL_FIRST, number, "seed=1", seed=1)
        window_run(tmp_path / f"{number}-2", HALF, number, "seed=2", seed=2)
    window_run(tmp_path / "5-1", HALF, 5, "seed=1", seed=1)
    means, text = report(tmp_path)
    assert list(means) == ["Method", "---", "Item-kNN", "GRU4Rec"]
    assert means["GRU4Rec"][0].startswith("0.7000 ± 0.1118 ")
    assert "On each window a network has the mean of 1 to 2 seeds" in text
    plain = pd.read_csv(tmp_path / "windows.csv").set_index("method")
    assert plain.loc["GRU4Rec", "seeds"] == "1 2"


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
