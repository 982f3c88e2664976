"""The split rules by the names that `dataset.split` takes."""

from dataclasses import replace

from prnn_cli.data.splits.days import DAYS
from prnn_cli.data.splits.given import GIVEN
from prnn_cli.data.splits.gru4rec2023 import GRU4REC2023
from prnn_cli.data.splits.leave_one_out import LEAVE_ONE_OUT
from prnn_cli.data.splits.rule import SplitRule
from prnn_cli.data.splits.share import SHARE
from prnn_cli.data.splits.window import WINDOW
from prnn_cli.schema import AUTO, DatasetConfig

SPLITS: dict[str, SplitRule] = {
    "days": DAYS,
    "gru4rec2023": GRU4REC2023,
    "window": WINDOW,
    "given": GIVEN,
    "share": SHARE,
    "leave_one_out": LEAVE_ONE_OUT,
}


def with_hold_out_days(dataset: DatasetConfig) -> DatasetConfig:
    """The dataset with a number for `validation_days=auto`, unless only its log tells how long the test part is."""
    if dataset.validation_days != AUTO:
        return dataset
    days = SPLITS[dataset.split].hold_out_days(dataset)
    return replace(dataset, validation_days=int(days) if days != AUTO and days == int(days) else days)


def options_read(split: str, dataset: DatasetConfig) -> tuple[str, ...]:
    """The options of the dataset on which its parts depend, were they made by this split."""
    rule = SPLITS[split]
    of_end = ("test_by",) if dataset.test_until and "test_by" not in rule.options else ()
    return (*rule.options, *of_end, *rule.of_hold_out, "validation_days")


def advice_on_test_part(dataset: DatasetConfig) -> str:
    """What would bring more sessions into the test part, such as "raise dataset.test_days"."""
    return SPLITS[dataset.split].advice("test", dataset)
