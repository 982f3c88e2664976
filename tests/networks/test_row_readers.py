import torch

from prnn_cli.networks.row_readers import ItemRows, TermRows

# Item 0 has terms 0 and 2, item 1 has none, item 2 has term 1; row 3 belongs to no term.
TERMS = TermRows(
    "text",
    starts=torch.tensor([0, 2, 2, 3]),
    columns=torch.tensor([0, 2, 1]),
    weights=torch.tensor([0.6, 0.8, 1.0]),
    num_columns=3,
)


def test_a_click_touches_its_items_row() -> None:
    items = torch.tensor([[4, 7, 4]])
    rows = ItemRows().rows(items, ItemRows().num_rows(items))
    assert rows.index.tolist() == [[4, 7, 4]]
    assert rows.first.tolist() == [[0, 1, 0]]


def test_a_click_touches_its_terms_rows_and_the_last_row_pads() -> None:
    items = torch.tensor([[0, 1, 0], [1, 2, 1]])
    assert TERMS.num_rows(items) == 4
    rows = TERMS.rows(items, 5)
    assert rows.slot is not None
    assert rows.weight is not None
    assert rows.index.tolist() == [[0, 2, 0, 2, 3], [1, 3, 3, 3, 3]]
    assert rows.first.tolist() == [[0, 1, 0, 1, 4], [0, 1, 1, 1, 1]]
    assert rows.slot[0, :4].tolist() == [0, 0, 2, 2]
    assert rows.slot[1, 0] == 1
    torch.testing.assert_close(rows.weight, torch.tensor([[0.6, 0.8, 0.6, 0.8, 0], [1.0, 0, 0, 0, 0]]))


def test_clicks_without_any_term_still_touch_a_row() -> None:
    items = torch.tensor([[1, 1]])
    assert TERMS.num_rows(items) == 1
    assert TERMS.rows(items, 1).index.tolist() == [[3]]
