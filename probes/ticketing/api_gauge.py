"""Gauge `ticket.api`: how a system answered the last look, and what is left of its rate limits. Costs no call."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from canary.gauge import Gauge, GaugeName, GaugeState, Resource
from canary.reason import Reason
from probes.contracts import Budget
from probes.ticketing.budget import RESERVE_SHARE

_REFUSALS: Final = frozenset({Reason.CREDENTIALS_REJECTED, Reason.RATE_LIMITED})
"""What the system itself said of us; of any other silence it is not known whose it is."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How the last look went.

    Attributes:
        at: when it ended.
        reason: why it was blind; None: it was not.
        detail: the system's words, masked.
    """

    at: datetime
    reason: Reason | None = None
    detail: str = ""


def api_gauges(place: str, answer: Answer, budgets: Sequence[Budget]) -> tuple[Gauge, ...]:
    """Whether it answers as it should (1, or 0 where it refuses us), and each window of requests that it told of."""
    return (_up(place, answer), *(_window(place, one, answer.at) for one in budgets if one.left is not None))


def _up(place: str, answer: Answer) -> Gauge:
    state, value, detail = GaugeState.OK, 1.0, "it answers, and lets us search"
    if answer.reason in _REFUSALS:
        state, value, detail = GaugeState.WARN, 0.0, f"{answer.reason}: {answer.detail}"
    known = answer.reason is None or answer.reason in _REFUSALS
    return Gauge(
        place=place,
        name=GaugeName.TICKET_API,
        value=value if known else None,
        unit="1",
        limit=None,
        read_at=answer.at,
        state=state if known else GaugeState.UNKNOWN,
        detail=detail if known else f"{answer.reason}: {answer.detail}",
    )


def _window(place: str, budget: Budget, at: datetime) -> Gauge:
    left = float(budget.left or 0)
    is_scarce = budget.limit is not None and left < RESERVE_SHARE * budget.limit
    return Gauge(
        place=place,
        name=GaugeName.TICKET_API,
        value=left,
        unit="{request}",
        limit=float(budget.limit) if budget.limit is not None else None,
        read_at=at,
        state=GaugeState.WARN if is_scarce else GaugeState.OK,
        resource=Resource.REQUEST,
        detail=f"requests left in the window {budget.name}"
        + ("; looks are made less often" if is_scarce else ""),
    )
