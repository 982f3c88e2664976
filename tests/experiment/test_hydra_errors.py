"""Whatever Hydra or OmegaConf refuses is one sentence with what would be right."""

from collections.abc import Callable

import pytest

from commands.conftest import Result, refusal

Prnn = Callable[..., Result]
pytest_plugins = ["commands.conftest"]

WRONG = {
    "epochz=5": r"epochz is not an option; did you mean epochs? valid here: label, epochs, seed",
    "+foo=3": "foo is not an option; valid here: label, epochs",
    "subnets.id.hiden=3": "did you mean subnets.id.hidden_size? valid here: subnets.id.hidden_size",
    "dataset.filters=[{colum: a}]": "did you mean column? valid here: column, keep, exclude, above, below, present",
    "epochs=abc": "epochs=abc does not fit; epochs must be a whole number",
    "epochs=1.5": "epochs=1.5 does not fit; epochs must be a whole number",
    "resume=maybe": "resume=maybe does not fit; resume must be true or false",
    "evaluation.cutoffs=20": "each element a whole number; write evaluation.cutoffs=[20]",
    "evaluation.metrics=ndcg": "each element text; write evaluation.metrics=[ndcg]",
    "dataset.columns=3": "must be a group of session_id, item_id, next_item_id, time, milliseconds, order",
    "dataset=foo": "dataset=foo does not exist; choose one of amazon_m2, class_like,",
    "arch=foo": "choose one of concatenated, feature_only, id_only, interaction, late_fusion, parallel, shared_w",
    "dataset=generic": "dataset.path has no value; add dataset.path=VALUE",
    "seed=1,2": "seed=1,2 holds several values; add -m to sweep over them",
    'dataset.path="x': "cannot read 'dataset.path=\"x': a quote (\") is never closed",
    "foo": "cannot read 'foo': write KEY=VALUE or GROUP=CHOICE",
}


@pytest.mark.parametrize("override", WRONG)
def test_a_wrong_override_is_one_sentence_with_what_would_be_right(prnn: Prnn, override: str) -> None:
    assert WRONG[override] in refusal(prnn("train", override))
