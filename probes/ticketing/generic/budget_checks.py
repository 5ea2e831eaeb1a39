"""What `check` says of the windows of requests: what is left, what is ours, and of which nothing can be kept."""

from collections.abc import Sequence
from typing import Final

from probes.contracts import Budget, Check, CheckState
from probes.ticketing.generic.budgets import BudgetSettings
from probes.ticketing.generic.calling import Calls

_NAME: Final = "budget"


def budget_checks(system: str, settings: BudgetSettings, calls: Calls) -> Sequence[Check]:
    """By the answers so far; makes no call."""
    windows = calls.budget()
    states = calls.shares()
    found = [
        Check(
            system,
            _NAME,
            CheckState.WARN,
            f"{key}: none of the answers told of this window",
            "Compare the name of the header and its form with an answer; else nothing keeps to this limit.",
        )
        for key in calls.untold()
    ]
    found += [
        _window(system, settings, one) for one in windows if one.left is not None and one.usable is None
    ]
    found += [Check(system, _NAME, CheckState.OK, one) for one in states]
    return found or [_none(system, settings)]


def _window(system: str, settings: BudgetSettings, one: Budget) -> Check:
    until = f" until {one.resets_at:%H:%M:%S} UTC" if one.resets_at is not None else ""
    if one.limit is None:
        return Check(
            system,
            _NAME,
            CheckState.WARN,
            f"{one.name}: {one.left} requests are left{until}, and no answer tells how many it has: nothing of it is kept"
            " for others",
            f"Say it where the window is described: budget: {{{one.name}: {{…, limit: 700}}}}.",
        )
    finding = f"{one.name}: {one.left} of {one.limit} requests are left{until}; {settings.reserve_share:.0%} are kept for others"
    return Check(system, _NAME, CheckState.OK, finding)


def _none(system: str, settings: BudgetSettings) -> Check:
    finding = "no answer tells of a window of requests, and none is declared: nothing is kept for others"
    if settings.own_share < 1:
        remedy = "The share is of nothing: declare how many there are: budget: {declared: {at_most: 300/m}}."
        return Check(system, _NAME, CheckState.WARN, finding, remedy)
    return Check(system, _NAME, CheckState.OK, finding)
