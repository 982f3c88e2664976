"""Options that the chosen split would ignore are refused where a command line gives them a value."""

from collections.abc import Sequence

from prnn_cli.errors import UserError
from prnn_cli.experiment.override_text import key_of
from prnn_cli.schema import DatasetConfig

GROUP = "dataset."


def check_split_options(dataset: DatasetConfig, overrides: Sequence[str]) -> None:
    """Raises `UserError` for an option that another split reads, and `dataset.split` does not.

    A config may hold those of several splits, as it can be used with any of them.
    """
    keys = [key_of(each) for each in overrides]
    names = [key.removeprefix(GROUP).partition(".")[0] for key in keys if key.startswith(GROUP)]
    if not names:
        return
    from prnn_cli.data.splits.rules import (  # loads pandas, which other commands do without
        SPLITS,
        options_read,
    )

    of_split = {split: options_read(split, dataset) for split in SPLITS}
    if "test_days" in names and dataset.test_from is not None and "test_from" in of_split[dataset.split]:
        raise UserError(
            f"{GROUP}test_days is given, and {GROUP}test_from={dataset.test_from} says when the test part begins; "
            f"leave one of them out ({GROUP}test_from=null)"
        )
    for name in dict.fromkeys(names):
        readers = [split for split, read in of_split.items() if name in read]
        if readers and dataset.split not in readers and getattr(dataset, name) is not None:
            raise UserError(
                f"{GROUP}{name} is given, and {GROUP}split={dataset.split} does not read it: its parts depend on "
                f"{', '.join(GROUP + each for each in of_split[dataset.split])}; leave it out, or choose "
                f"{GROUP}split={' or '.join(readers)}"
            )
