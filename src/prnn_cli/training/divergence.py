"""Divergence: training whose loss is not finite, or far above that of scores that say nothing."""

import logging
import math
from collections.abc import Sequence

from prnn_cli.errors import RunError

# A tick's mean loss, as a multiple of the loss where all scores are 0. Runs that learned well were seen below 2 in
# their first tick, a rather wild one below 5. Those that began beyond 57 ended below the same runs at half the rates,
# even where their loss came down in the second tick. Losses that are bounded, such as top1 by 2, never come near.
FAR_ABOVE = 10
# Times that training begins anew, with all learning rates halved: 64 times too high a rate is not a near miss.
MOST_HALVINGS = 6


log = logging.getLogger(__name__)


class DivergedError(RunError):
    """Training that diverged, and would go better at lower learning rates. what: without the advice to lower them"""

    def __init__(self, what: str, rates: str = "") -> None:
        advice = f"; lower {rates}, or choose another recipe.loss or recipe.activation" if rates else ""
        super().__init__(what + advice)
        self.what = what


def refuse_far_above(loss: float, untrained: float, where: str, learning: Sequence[str]) -> None:
    """Raises `DivergedError` for a mean loss far above that of untrained scores, unless that is no scale.

    where: the steps that it is the mean of, for the message; learning: the subnets that learned
    """
    if 0 < untrained < math.inf and loss > FAR_ABOVE * untrained:
        raise DivergedError(
            f"training diverges: the loss is {loss:.4g} {where}, and {untrained:.4g} where all scores are 0",
            rates_of(learning),
        )


def rates_of(learning: Sequence[str]) -> str:
    """The options of the learning rates of these subnets."""
    return " or ".join(f"subnets.{name}.learning_rate" for name in learning)


def lowered(rate_factor: float, error: DivergedError, may_lower: bool) -> float:
    """The factor of the learning rates with which training begins anew. Raises `RunError` where it does not."""
    if not may_lower:
        raise error
    if rate_factor <= 0.5**MOST_HALVINGS:
        raise RunError(f"{error}; halving all learning rates {MOST_HALVINGS} times did not help") from error
    log.warning(
        "%s; training begins anew with all learning rates times %g (training.on_divergence=stop would end it)",
        *(error.what, rate_factor / 2),
    )
    return rate_factor / 2
