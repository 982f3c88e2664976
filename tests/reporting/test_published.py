import pytest

from prnn_cli.reporting.published import published, published_value


def test_the_papers_values_have_the_gains_that_it_prints() -> None:
    """Table 2: parallel residual +12.21 % and +18.72 %; Table 3: interleaving +22.64 %; Table 4: residual +23.44 %."""
    values = published()
    for table, row, metric, gain in (
        ("table2", "parallel_res", "recall@20", 0.1221),
        ("table2", "parallel_res", "mrr@20", 0.1872),
        ("table3", "parallel_int", "mrr@20", 0.2264),
        ("table4", "parallel_res", "recall@20", 0.2344),
    ):
        ratio = published_value(table, row, metric) / published_value(table, "item_knn", metric)
        assert ratio - 1 == pytest.approx(gain, abs=1e-3)  # of rounded values
    papers = values[values["dataset"] == ""]
    assert papers.groupby("table", sort=False).size().to_dict() == {"table2": 17, "table3": 9, "table4": 9}


def test_values_of_public_logs_name_their_source() -> None:
    public = published().query("dataset != ''")
    assert public["source"].str.contains("/").all()  # owner/repository and file
    assert public[["recall@20", "mrr@20"]].stack().between(0, 1).all()
    assert published_value("published_umuai_retailrocket", "vstan", "recall@20") == 0.5932
    assert published_value("published_gru4rec_diginetica", "gru4rec_bpr_max", "mrr@20") == 0.15
