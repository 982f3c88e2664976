"""What a log can tell, before anything is trained: the leads that will hardly be seen, by the number of clicks."""

from scipy import stats

from prnn_cli.data.prepare import PreparedData
from prnn_cli.data.splits.rules import advice_on_test_part
from prnn_cli.schema import VerdictCommand
from prnn_cli.verdict.claims import POWER
from prnn_cli.verdict.judging import NUM_CLAIMS

# Standard deviations of the lead of a click, three seeds' share in it, as verdicts so far had them (docs/verdict.md).
OF_A_CLICK = {"mrr": (0.1, 0.2), "recall": (0.3, 0.6), "hit": (0.3, 0.6)}
MUCH = 0.05  # A smallest lead that says that a log can tell very little.


def expected_smallest(metric: str, num_clicks: int, level: float) -> tuple[float, float] | None:
    """The smallest lead that will be seen, as a range; `level` of the error of a claim. None where nothing is known of
    the metric."""
    if (of_a_click := OF_A_CLICK.get(metric.partition("@")[0])) is None:
        return None
    errors = float(stats.norm.ppf(1 - level / 2) + stats.norm.ppf(POWER))
    low, high = (errors * each / num_clicks**0.5 for each in of_a_click)
    return low, high


def expectation(settings: VerdictCommand, data: PreparedData) -> str:
    """A sentence about what the test part can tell."""
    level = settings.level / NUM_CLAIMS / len(settings.looks)
    told = f"The test part has {data.test.num_sessions:,} sessions and {data.test.num_ranked:,} clicks to predict"
    if (expected := expected_smallest(settings.metric, data.test.num_ranked, level)) is None:
        return told
    low, high = expected
    told += f": a gain in {settings.metric} below {low:.4f} to {high:.4f} will hardly be seen"
    if low > MUCH:
        advice = advice_on_test_part(settings.dataset)
        return f"{told}; that is too few to tell anything but the largest of gains: {advice}"
    return told
