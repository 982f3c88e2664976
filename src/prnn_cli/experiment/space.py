"""The space of a search: the options it may choose and the values they can take, in Hydra's grammar of sweeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, IntervalSweep, Override, RangeSweep
from hydra.errors import HydraException

from prnn_cli.errors import UserError

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

VALID = (
    "interval(LOW,HIGH), tag(log,interval(LOW,HIGH)), int(interval(LOW,HIGH)), range(LOW,HIGH) or choice(A,B)"
)


@dataclass(frozen=True)
class Space:
    """The options that a search chooses. sweeps: option -> the sweep over its values"""

    sweeps: dict[str, Override]

    @classmethod
    def of(cls, preset: Mapping[str, str], arguments: Sequence[str]) -> tuple[Space, list[str]]:
        """The space, and the arguments that are the same in every trial.

        preset: option -> sweep, as in search.space; an option among `arguments` takes the place of the preset's: as a
        sweep, or as a value that is not searched. Raises `UserError` for a sweep that cannot be read, and where nothing
        is left to choose.
        """
        parser = OverridesParser.create()
        given = parser.parse_overrides(list(arguments))
        taken = {each.key_or_group for each in given}
        sweeps = {}
        for key, text in preset.items():
            if key not in taken:
                try:
                    sweeps[key] = parser.parse_override(f"{key}={text}")
                except HydraException as error:
                    raise UserError(f"search.space.{key}={text} is no sweep; write {VALID}") from error
        sweeps |= {each.key_or_group: each for each in given if each.is_sweep_override()}
        if not sweeps:
            raise UserError(
                "the search has nothing to choose; sweep over an option, as in 'recipe.dropout=interval(0,0.7)'"
            )
        fixed = [each for each in given if not each.is_sweep_override()]
        return cls(sweeps), [str(each.input_line) for each in fixed]

    def distributions(self) -> dict[str, BaseDistribution]:
        """Optuna's distribution for each option. Raises `UserError` for a sweep that Optuna has none for."""
        return {key: _distribution(key, sweep) for key, sweep in self.sweeps.items()}

    def drawn(self, rng: np.random.Generator) -> dict[str, Any]:
        """Settings drawn at random, each as its sweep says: evenly, or evenly in the logarithm. Raises `UserError`."""
        return {key: _draw(key, sweep, rng) for key, sweep in self.sweeps.items()}

    def descriptions(self) -> dict[str, str]:
        """The distributions as text, by which a study knows its space again."""
        return {key: str(distribution) for key, distribution in self.distributions().items()}

    def extremes(self) -> list[dict[str, Any]]:
        """Settings that hold the lowest and the highest value of each option, and each choice, at least once.

        A search whose extremes are valid is valid in between.
        """
        values = {}
        for key, distribution in self.distributions().items():
            choices = getattr(distribution, "choices", None)
            values[key] = list(choices) if choices else [distribution.low, distribution.high]  # type: ignore[attr-defined]
        longest = max(map(len, values.values()))
        return [{key: each[n % len(each)] for key, each in values.items()} for n in range(longest)]


def _distribution(key: str, sweep: Override) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    value: Any = sweep.value()
    try:
        match value:
            case IntervalSweep():
                low, high, log = _bound(value.start), _bound(value.end), "log" in value.tags
                if isinstance(low, int) and isinstance(high, int):
                    return IntDistribution(low, high, log=log)
                return FloatDistribution(low, high, log=log)
            case RangeSweep() if whole := _whole_numbers(value):
                return IntDistribution(whole[0], whole[-1], step=whole.step)
            case ChoiceSweep() | RangeSweep():
                return CategoricalDistribution([_plain(each) for each in sweep.sweep_iterator()])
    except (ValueError, IndexError) as error:
        raise UserError(f"the search cannot choose {sweep.input_line}: {error}; write {VALID}") from error
    raise UserError(f"the search cannot choose {sweep.input_line}; write {VALID}")


def _draw(key: str, sweep: Override, rng: np.random.Generator) -> Any:
    value: Any = sweep.value()
    match value:
        case IntervalSweep(start=int() | float() as start, end=int() | float() as end):
            low, high = float(start), float(end)
            if not (low <= high and (low > 0 or "log" not in value.tags)):
                raise UserError(f"{key}={sweep.input_line} is no interval to draw from; write {VALID}")
            if "log" in value.tags:
                drawn = float(np.exp(rng.uniform(np.log(low), np.log(high))))
            else:
                drawn = float(rng.uniform(low, high))
            is_whole = isinstance(start, int) and isinstance(end, int)
            return round(drawn) if is_whole else float(f"{drawn:.3g}")
        case ChoiceSweep() | RangeSweep():
            return rng.choice(np.array([_plain(each) for each in sweep.sweep_iterator()], dtype=object))
    raise UserError(f"{sweep.input_line} is nothing to draw from; write {VALID}")


def _bound(value: Any) -> int | float:
    return value if isinstance(value, int) else float(value)


def _whole_numbers(sweep: RangeSweep) -> range | None:
    bounds: list[Any] = [sweep.start, sweep.stop, sweep.step]
    if all(float(each).is_integer() for each in bounds):
        return range(*map(int, bounds))
    return None


def _plain(value: object) -> Any:
    """A value that the study can store, and that can be written on a command line."""
    return value if isinstance(value, bool | int | float | None) else str(value)
