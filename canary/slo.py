"""The error budget of a path: what its objective allows, what failed, and how much of it is left.

A share is 0 to 1. Inconclusive canaries are in neither the good nor the eligible ones; they count as probed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from canary.verdict import Verdict

WINDOW = timedelta(days=30)
"""The time that an objective speaks of."""


def window_from(now: datetime) -> datetime:
    """Where the window begins that today is the last of: it is made of whole UTC days, as what is counted is."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - WINDOW + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Counts:
    """First verdicts of some time.

    Attributes:
        good: confirmed.
        eligible: confirmed and breached; what breached ones became later counts no more.
        inconclusive: the prober could not see.
        expected: launches that the schedule asked for, never fewer than were probed.
    """

    good: int = 0
    eligible: int = 0
    inconclusive: int = 0
    expected: int = 0

    @property
    def failed(self) -> int:
        """Eligible and not good."""
        return self.eligible - self.good

    @property
    def probed(self) -> int:
        """Slots of which something was concluded, if only that we were blind."""
        return self.eligible + self.inconclusive


@dataclass(frozen=True, slots=True)
class Budget:
    """How a path stands against its objective.

    Attributes:
        attained_share: good of eligible; None where nothing was eligible.
        left_share: of the budget; None where nothing was eligible; 1 untouched, 0 spent, below 0 overspent. Without a budget (an objective of
            100 %) each failure overspends by one.
        burn_rate: the failed share over the allowed one: at 1 the budget is spent exactly at the window's end.
            None where nothing was eligible, or where there is no budget.
        coverage_share: probed of expected; None where nothing was expected. Unprobed is not good.
    """

    counts: Counts
    objective_share: float
    attained_share: float | None
    left_share: float | None
    burn_rate: float | None
    coverage_share: float | None


def counts_of(days: Iterable[Mapping[Verdict, int]], *, missed: int = 0) -> Counts:
    """Add up days.

    Args:
        days: first verdicts of each, with late and lost beside the breach that they follow.
        missed: slots in that time that nobody launched.
    """
    good = breached = inconclusive = 0
    for verdicts in days:
        good += verdicts.get(Verdict.CONFIRMED, 0)
        breached += verdicts.get(Verdict.BREACHED, 0)
        inconclusive += verdicts.get(Verdict.INCONCLUSIVE, 0)
    eligible = good + breached
    return Counts(good, eligible, inconclusive, eligible + inconclusive + missed)


def budget(counts: Counts, objective_share: float) -> Budget:
    """What is left of the error budget.

    Raises:
        ValueError: the objective is no share above 0, or the counts contradict each other.
    """
    if not 0 < objective_share <= 1:
        raise ValueError("the objective must be a share above 0 and at most 1")
    if not 0 <= counts.good <= counts.eligible or counts.inconclusive < 0:
        raise ValueError("good canaries are some of the eligible ones, and none is counted below 0")
    burn = burn_rate(counts, objective_share)
    left = None
    if counts.eligible:
        left = 1.0 - burn if burn is not None else 1.0 if counts.failed == 0 else -float(counts.failed)
    return Budget(
        counts=counts,
        objective_share=objective_share,
        attained_share=counts.good / counts.eligible if counts.eligible else None,
        left_share=left,
        burn_rate=burn,
        coverage_share=min(1.0, counts.probed / counts.expected) if counts.expected > 0 else None,
    )


def burn_rate(counts: Counts, objective_share: float) -> float | None:
    """The failed share over the allowed one, of any time: 1 spends the budget exactly, 10 ten times too fast."""
    allowed = 1.0 - objective_share
    if not counts.eligible or allowed <= 0:
        return None
    return counts.failed / counts.eligible / allowed
