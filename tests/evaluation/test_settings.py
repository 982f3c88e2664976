from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from prnn_cli.errors import UserError
from prnn_cli.schema import EvaluationConfig, check

CONFIGS = Path(__file__).parents[2] / "configs" / "evaluation"


def settings(**changes: Any) -> EvaluationConfig:
    defaults = OmegaConf.load(CONFIGS / "all_items.yaml")
    config = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(EvaluationConfig), defaults, changes))
    assert isinstance(config, EvaluationConfig)
    return config


@pytest.mark.parametrize("changes", [{}, {"candidates": 50_000}, {"cutoffs": [1, 5, 20]}])
def test_valid_settings_pass(changes: dict[str, Any]) -> None:
    check(settings(**changes), "evaluation.")


@pytest.mark.parametrize("candidates", ["some", "", 0, -1, 2.5, True, None, [5]])
def test_candidates_are_all_or_a_positive_number(candidates: Any) -> None:
    with pytest.raises(UserError, match=r"^evaluation\.candidates=.*give all, or a number"):
        check(settings(candidates=candidates), "evaluation.")


@pytest.mark.parametrize("cutoffs", [[], [0], [20, -5], [20, 20]])
def test_cutoffs_are_different_positive_numbers(cutoffs: list[int]) -> None:
    with pytest.raises(UserError, match=r"^evaluation\.cutoffs=.*give different numbers from 1"):
        check(settings(cutoffs=cutoffs), "evaluation.")


@pytest.mark.parametrize("changes", [{"tie_break": "random"}, {"part": "train"}])
def test_an_unknown_choice_lists_the_valid_ones(changes: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="choose one of"):
        check(settings(**changes), "evaluation.")
