"""How fast a system may be asked, by what is left of its rate-limit windows; the scarcest decides."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from probes.contracts import Blind, Budget

RESERVE_SHARE: Final = 0.2
"""This share of every window is left to the customer's other integrations."""


class Spent(Blind):
    """Of a window nothing more is ours: our own restraint, and no word of the system's."""


def seconds_between_looks(
    budgets: Sequence[Budget],
    *,
    now: datetime,
    calls_a_look: float,
    reserve_share: float = RESERVE_SHARE,
) -> float:
    """The least time between two looks that keeps the reserve of every window until it resets; 0 for no limit.

    A window whose limit or reset the system does not tell limits nothing, unless it is used up to its reserve.
    """
    return max((_seconds(one, now, calls_a_look, reserve_share) for one in budgets), default=0.0)


def _seconds(budget: Budget, now: datetime, calls_a_look: float, reserve_share: float) -> float:
    if budget.left is None or budget.resets_at is None:
        return 0.0
    until_reset = max(0.0, (budget.resets_at - now).total_seconds())
    usable = budget.left - reserve_share * (budget.limit or 0)
    if budget.usable is not None:
        usable = min(usable, budget.usable)
    if usable < calls_a_look:
        return until_reset
    return until_reset * calls_a_look / usable
