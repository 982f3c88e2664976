"""Tables of runs that are written by hand: four events in two sessions, item-kNN ranks each of them second."""

import re
from pathlib import Path

import pandas as pd
import pytest

from prnn_cli.errors import UserError
from prnn_cli.reporting.report import report_runs
from prnn_cli.reporting.runs import find_folders
from prnn_cli.system.files import write_json
from reporting.runs_on_disk import ALL_FIRST, HALF, cells, table_config, trained, write_run


def test_a_value_stands_with_its_gain_and_the_best_is_bold(tmp_path: Path) -> None:
    write_run(tmp_path / "a", ALL_FIRST, label="best")
    write_run(tmp_path / "b", HALF, label="half")
    report_runs(tmp_path, find_folders([str(tmp_path)]), table_config(figures=False))
    table = cells(tmp_path)
    assert table["Item-kNN"][:2] == ["**1.0000**", "0.5000"]
    assert table["best"][:2] == ["**1.0000 (+0.00%)**", "**1.0000 (+100.00%)**"]
    assert table["half"][0].startswith("0.5000 (−50.00%)")


def test_gains_over_the_strongest_id_only_row(tmp_path: Path) -> None:
    """It is chosen metric by metric, and its own line shows no gain."""
    write_run(tmp_path / "a", HALF, label="weak")
    write_run(tmp_path / "b", [1, 1, 30, 1], label="strong")
    write_run(tmp_path / "c", ALL_FIRST, label="p-RNN", arch="parallel", hidden_size="100+100")
    report_runs(tmp_path, find_folders([str(tmp_path)]), table_config(gain_over="id_only", figures=False))
    table = cells(tmp_path)
    assert table["strong"][0] == "0.7500"
    assert table["p-RNN"][0].startswith("**1.0000 (+33.33%)")
    assert table["Item-kNN"][0] == "**1.0000 (+33.33%)**"
    assert "Gains over strong in parentheses" in (tmp_path / "table.md").read_text()


@pytest.mark.parametrize("name", ["half", "parallel_res"])
def test_gains_over_any_row_by_its_name_or_its_config(tmp_path: Path, name: str) -> None:
    write_run(tmp_path / "a", HALF, label="half", row="parallel_res")
    write_run(tmp_path / "b", ALL_FIRST, label="all")
    report_runs(tmp_path, find_folders([str(tmp_path)]), table_config(gain_over=name, figures=False))
    table = cells(tmp_path)
    assert table["half"][0].startswith("0.5000")
    assert "(" not in table["half"][0]
    assert table["all"][0].startswith("**1.0000 (+100.00%)")
    assert "Gains over half in parentheses" in (tmp_path / "table.md").read_text()


def test_gains_over_what_another_table_has_are_over_the_first_baseline_and_the_table_says_so(
    tmp_path: Path,
) -> None:
    write_run(tmp_path / "a", HALF, label="half", part="validation")
    write_run(tmp_path / "b", ALL_FIRST, label="all")
    write_run(tmp_path / "c", ALL_FIRST, label="more", seed=1)
    report_runs(tmp_path, find_folders([str(tmp_path)]), table_config(gain_over="half", figures=False))
    assert "half is not in this table, so gains are over Item-kNN." in (tmp_path / "table.md").read_text()


def test_networks_of_other_features_compare_by_the_baselines_of_clicks(tmp_path: Path) -> None:
    values = {"recall@20": 1.0, "mrr@20": 0.5, "tie_rate": 0.0}
    for name, vectors in (("text", "t"), ("image", "i")):
        write_run(
            tmp_path / name,
            HALF,
            label=name,
            labels={"item_knn": "Item-kNN", "content_knn": "Content-kNN"},
            baselines={"item_knn": values, "content_knn": values},
            baseline_options={"item_knn": {}, "content_knn": {"features": {name: vectors}}},
        )
    report_runs(tmp_path, find_folders([str(tmp_path)]), table_config(figures=False))
    table = cells(tmp_path)
    assert {"Item-kNN", "text", "image"} <= table.keys()
    assert "Content-kNN" not in table


def test_gains_over_what_is_nowhere_are_refused(tmp_path: Path) -> None:
    write_run(tmp_path / "a", HALF, label="half")
    with pytest.raises(
        UserError, match="gain_over=stan is in none of the runs; choose one of id_only, item_knn, half"
    ):
        report_runs(tmp_path, find_folders([str(tmp_path)]), table_config(gain_over="stan", figures=False))


def test_more_than_three_baselines_stand_under_a_heading(tmp_path: Path) -> None:
    names = ["item_knn", "markov", "stan", "vstan"]
    write_run(
        tmp_path / "a",
        HALF,
        label="half",
        labels={name: name.upper() for name in names},
        baselines={name: {"recall@20": 1.0, "mrr@20": 0.5, "tie_rate": 0.0} for name in names},
        baseline_options={name: {} for name in names},
    )
    report_runs(tmp_path, find_folders([str(tmp_path)]), table_config(figures=False))
    assert "| *Baselines* |" in (tmp_path / "table.md").read_text()
    assert any(r"\emph{Baselines}" in path.read_text() for path in tmp_path.glob("*.tex"))
    assert "<i>Baselines</i>" in (tmp_path / "summary.html").read_text()


def test_seeds_share_a_line_with_mean_and_standard_deviation(tmp_path: Path) -> None:
    """1.0 and 0.5: mean 0.75, standard deviation with n − 1 0.3536."""
    for seed, ranks in ((1, ALL_FIRST), (2, HALF)):
        write_run(tmp_path / str(seed), ranks, label="mine", seed=seed)
    report_runs(tmp_path, find_folders([str(tmp_path)]), table_config(figures=False))
    assert cells(tmp_path)["mine"][0] == "0.7500 ± 0.3536 (−25.00%)"
    row = pd.read_csv(tmp_path / "table.csv").set_index("method").loc["mine"]
    assert (row["seeds"], row["recall@20"]) == ("1 2", 0.75)


def test_the_footer_says_how_many_seeds_a_row_is_the_mean_of(tmp_path: Path) -> None:
    def footer() -> str:
        report_runs(tmp_path, find_folders([str(tmp_path)]), table_config(figures=False))
        return (tmp_path / "table.md").read_text()

    write_run(tmp_path / "a1", ALL_FIRST, label="A", seed=1)
    assert "seeds: 1.\n" in footer()
    write_run(tmp_path / "a2", HALF, label="A", seed=2)
    assert "seeds: 1, 2; a row is the mean ± standard deviation (n − 1) of 2 seeds." in footer()
    write_run(tmp_path / "b1", HALF, label="B", seed=1, epochs=20)
    assert "seeds: 1, 2; a row is the mean ± standard deviation (n − 1) of 1 to 2 seeds." in footer()


def test_rows_of_one_name_with_other_settings_are_told_apart(tmp_path: Path) -> None:
    write_run(tmp_path / "a", ALL_FIRST, label="mine", config={"epochs": 10})
    write_run(tmp_path / "b", HALF, label="mine", config={"epochs": 20})
    report_runs(tmp_path, find_folders([str(tmp_path)]), table_config(figures=False))
    assert {"mine [epochs=10]", "mine [epochs=20]"} <= cells(tmp_path).keys()


def test_of_settings_that_change_together_one_is_named(tmp_path: Path) -> None:
    for rate in (0.1, 0.2):
        settings = {"recipe": {"dropout": rate}, "subnets": {"id": {"dropout": rate}}}
        write_run(tmp_path / str(rate), HALF, label="mine", config=settings)
    report_runs(tmp_path, find_folders([str(tmp_path)]), table_config(figures=False))
    assert {"mine [recipe.dropout=0.1]", "mine [recipe.dropout=0.2]"} <= cells(tmp_path).keys()


@pytest.mark.parametrize("change", [{"candidates": 100}, {"tie_break": "standard"}, {"data_hash": "other"}])
def test_runs_that_do_not_compare_stand_in_tables_of_their_own(
    tmp_path: Path, change: dict[str, object]
) -> None:
    for name in ("a", "b"):
        write_run(tmp_path / name, ALL_FIRST, label=name, seed=ord(name))
    write_run(tmp_path / "c", HALF, label="apart", **change)
    report_runs(tmp_path, find_folders([str(tmp_path)]), table_config(figures=False))
    assert cells(tmp_path).keys() >= {"a", "b"}
    assert "apart" not in cells(tmp_path)
    text = (tmp_path / "table.md").read_text()
    assert "| apart | " in text
    (key,) = change
    words = {
        "candidates": "candidates 100 instead of all",
        "tie_break": "tie mode standard instead of conservative",
    }
    assert f"Set apart: {words.get(key, 'prepared data other instead of d')}." in text
    assert pd.read_csv(tmp_path / "table.csv").groupby("set").size().tolist() == [3, 2]


def test_folders_without_a_finished_run_are_listed_and_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_run(tmp_path / "good", ALL_FIRST, label="good")
    (write_run(tmp_path / "damaged", ALL_FIRST) / "metrics.json").write_text("{")
    (write_run(tmp_path / "running", ALL_FIRST) / "metrics.json").unlink()
    failed = write_run(tmp_path / "failed", ALL_FIRST, label="diverged")
    (failed / "metrics.json").unlink()
    write_json(failed / "status.json", {"status": "failed", "command": "train", "reason": "NaN; lower it"})
    report_runs(tmp_path, find_folders([f"{tmp_path}/*"]), table_config(figures=False))
    for name in ("damaged", "running", "failed"):
        assert f"skipped {tmp_path / name}: " in caplog.text
    assert cells(tmp_path).keys() == {"Method", "---", "Item-kNN", "good", "diverged"}
    assert cells(tmp_path)["diverged"][0] == "failed"
    assert "Failed: diverged: NaN; lower it" in (tmp_path / "table.md").read_text()
    assert "Failed: diverged: NaN; lower it" in (tmp_path / "table.md").read_text()


def test_a_result_of_another_format_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_run(tmp_path / "good", ALL_FIRST, label="good")
    write_run(tmp_path / "other", HALF, label="other", format=2)
    report_runs(tmp_path, find_folders([str(tmp_path)]), table_config(figures=False))
    assert "metrics.json is a result of format 2, and this prnn reads format 3" in caplog.text
    assert "good" in cells(tmp_path)
    assert "other" not in cells(tmp_path)


def test_a_run_without_its_ranks_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_run(tmp_path / "good", ALL_FIRST, label="good")
    (write_run(tmp_path / "bare", HALF, label="bare") / "ranks.parquet").write_text("no parquet")
    report_runs(tmp_path, find_folders([str(tmp_path)]), table_config(figures=False))
    assert "ranks.parquet cannot be read" in caplog.text
    assert "bare" not in cells(tmp_path)


def test_no_finished_run_at_all_is_refused(tmp_path: Path) -> None:
    (write_run(tmp_path / "a", ALL_FIRST) / "metrics.json").unlink()
    with pytest.raises(UserError, match="none of 1 folders holds a finished run"):
        report_runs(tmp_path, find_folders([str(tmp_path)]), table_config(figures=False))
    with pytest.raises(UserError, match="matches no folder of a run"):
        find_folders([f"{tmp_path}/nothing*"])


def test_table_1_leaves_blank_what_some_data_lack(tmp_path: Path) -> None:
    train = {"sessions": 2, "events": 1234}
    write_run(tmp_path / "a", ALL_FIRST, data={"train": train, "items": 9})
    data = {"train": train, "validation": {"sessions": 1, "events": 5}, "items": 9}
    write_run(tmp_path / "b", ALL_FIRST, data=data, data_hash="other")
    report_runs(tmp_path, find_folders([str(tmp_path)]), table_config(figures=False))
    assert (tmp_path / "table1.md").read_text().splitlines()[2:] == [
        "| tiny | 2 | 1,234 | 9 |  |  |",
        "| tiny | 2 | 1,234 | 9 | 1 | 5 |",
    ]
    assert "tiny,2,1234,9,,\n" in (tmp_path / "table1.csv").read_text()


def test_a_row_says_how_long_it_was_trained_in_every_file(tmp_path: Path) -> None:
    length = trained(1234, id=10, text=10)
    write_run(tmp_path / "a", HALF, label="p-RNN", arch="parallel", hidden_size="8+8", train=length)
    write_run(tmp_path / "b", ALL_FIRST, label="older", train=trained(None))
    report_runs(tmp_path, find_folders([str(tmp_path)]), table_config(figures=False))
    assert cells(tmp_path)["Method"][-2:] == ["epochs", "updates"]
    assert cells(tmp_path)["p-RNN"][-2:] == ["10+10", "1,234"]
    assert cells(tmp_path)["older"][-2:] == cells(tmp_path)["Item-kNN"][-2:] == ["", ""]
    row = pd.read_csv(tmp_path / "table.csv").set_index("method").loc["p-RNN"]
    assert (row["epochs"], row["updates"]) == ("10+10", 1234)
    assert ",10+10,1234," in (tmp_path / "table.csv").read_text()
    assert "& 10+10 & 1,234 " in (tmp_path / "table.tex").read_text()
    assert (
        '<td class="number">10+10</td><td class="number">1,234</td>'
        in (tmp_path / "summary.html").read_text()
    )


def test_slices_and_intervals_stand_in_every_format_under_names_that_can_be_cited(tmp_path: Path) -> None:
    for name, data in (("a", "d"), ("b", "other")):
        write_run(
            tmp_path / name,
            HALF,
            label=name,
            data_hash=data,
            data={"train": {"sessions": 2, "events": 9}, "items": 7},
        )
    report_runs(tmp_path, find_folders([str(tmp_path)]), table_config(figures=False))
    latex = "".join(
        (tmp_path / name).read_text() for name in ("table.tex", "intervals.tex", "slices.tex", "table1.tex")
    )
    labels = re.findall(r"\\caption\{.+\}\n\\label\{(.+)\}", latex)
    assert len(labels) == len(set(labels)) == latex.count("begin{table}")
    assert {"tab:results", "tab:results-2", "tab:intervals", "tab:recall-20-by-support", "tab:data"} <= set(
        labels
    )
    slices = pd.read_csv(tmp_path / "slices.csv")
    assert list(slices)[:7] == ["bin", "events", "sessions", "method", "value", "low", "high"]
    assert {"difference", "difference_low", "difference_high", "p", "compared_with"} <= set(slices)
    assert "## mrr@20 by item support" in (tmp_path / "table.md").read_text()


def test_two_names_of_one_metric_make_one_column(tmp_path: Path) -> None:
    write_run(tmp_path / "a", HALF, label="mine", metrics=["recall", "hit"])
    report_runs(tmp_path, find_folders([str(tmp_path)]), table_config(figures=False))
    assert cells(tmp_path)["Method"] == ["recall@20", "tie rate", "epochs", "updates"]


def test_a_run_that_is_named_like_a_baseline_keeps_its_own_numbers(tmp_path: Path) -> None:
    """Item-kNN ranks each event second; `label=item_knn` is the network's, which ranks each first."""
    write_run(tmp_path / "a", ALL_FIRST, label="item_knn")
    report_runs(tmp_path, find_folders([str(tmp_path)]), table_config(figures=False))
    table = cells(tmp_path)
    assert table["Item-kNN"][1] == "0.5000"
    assert table["item_knn (network)"][1].startswith("**1.0000")
