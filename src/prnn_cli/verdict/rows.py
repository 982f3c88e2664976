"""The networks that a verdict trains: each a row of overrides of prnn train, and its runs."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

PLACEBOS = {
    "shuffled": "other items' features",
    "noise": "noise for features",
    "constant": "one item's features for all",
    "ids": "a second network of IDs",
}
HOLD_OUT, TEST = "validation", "test"
HOLD_OUT_SEED = 0  # none of the test part's, which begin at 1: its luck would be the chosen networks' alone


@dataclass(frozen=True)
class VerdictRow:
    """A network that a verdict trains.

    name: for people; key: of its folders; recipe: by its config; overrides: of prnn train beside it
    config: of a p-RNN, in configs/row/
    trial: which of the settings that are tried it has; 1: the recipe's own
    placebo_of: the row that it is, but for its features, in whose place it has a `placebo`
    """

    name: str
    key: str
    recipe: str
    overrides: tuple[str, ...]
    has_features: bool = False
    config: str = ""
    trial: int = 1
    placebo_of: "VerdictRow | None" = None
    placebo: str = ""

    @property
    def original(self) -> "VerdictRow":
        """The row that the hold-out ranked: of a placebo, the p-RNN with its own features."""
        return self.placebo_of or self

    @property
    def as_rival(self) -> str:
        """What the p-RNN that is judged calls it."""
        return f"itself with {self.placebo}" if self.placebo_of else self.name

    @property
    def arguments(self) -> tuple[str, ...]:
        """What prnn train is given."""
        return (f"recipe={self.recipe}", *self.overrides)

    def with_settings(self, trial: int, settings: Mapping[str, Any]) -> "VerdictRow":
        """The same network with other settings, the trial of that number."""
        overrides = (*self.overrides, *(f"{key}={value}" for key, value in settings.items()))
        return replace(
            self,
            name=f"{self.name}, trial {trial}",
            key=f"{self.key}-trial{trial}",
            overrides=overrides,
            trial=trial,
        )


def id_rows(recipe: str, units: int, epochs: int, chooses_epochs: bool) -> list[VerdictRow]:
    """The networks of IDs alone: as many units as a subnet of the p-RNN has, twice as many, and twice the epochs where
    their number is given, so that one has as many parameters, and one as many updates, as the p-RNN."""
    plain = ("row=id_only", f"units.id={units}")
    wide = ("row=id_only", f"units.id={2 * units}")
    rows = [
        _row("ID only", "id_only", recipe, plain),
        _row(f"ID only, {2 * units} units", "id_only_wide", recipe, wide),
    ]
    if not chooses_epochs:
        longer = (*plain, f"epochs={2 * epochs}")
        rows.append(_row(f"ID only, {2 * epochs} epochs", "id_only_long", recipe, longer))
    return rows


def feature_row(recipe: str, config: str, label: str) -> VerdictRow:
    """The p-RNN of a config in configs/row/."""
    return replace(
        _row(label, f"{config}_with_features", recipe, (f"row={config}",)),
        has_features=True,
        config=config,
    )


def _row(name: str, key: str, recipe: str, overrides: tuple[str, ...]) -> VerdictRow:
    return VerdictRow(f"{name}, {recipe}", f"{key}-{recipe}", recipe, overrides)


def placebo_rows(row: VerdictRow) -> list[VerdictRow]:
    """The same p-RNN with each of the placebos."""
    return [
        replace(
            row,
            name=f"{row.name}, with {told}",
            key=f"{row.key}-{kind}",
            overrides=(*row.overrides, f"features.placebo={kind}"),
            placebo_of=row,
            placebo=told,
        )
        for kind, told in PLACEBOS.items()
    ]


@dataclass(frozen=True)
class VerdictRun:
    """A training of a row: on the hold-out or the test part, with a seed."""

    row: VerdictRow
    part: str
    seed: int

    @property
    def key(self) -> str:
        """The name of its folder."""
        return f"{self.row.key}-{self.part}-seed{self.seed}"

    @classmethod
    def on_hold_out(cls, row: VerdictRow) -> "VerdictRun":
        return cls(row, HOLD_OUT, HOLD_OUT_SEED)

    @property
    def told(self) -> str:
        """What it is, for people."""
        part = "hold-out" if self.part == HOLD_OUT else f"test part, seed {self.seed}"
        return f"{self.row.name}, {part}"
