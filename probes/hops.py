"""One hop of a launch: timed, bounded, and reported once, whatever becomes of it."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from canary.canary import Canary
from canary.hop import Hop
from canary.observation import Evidence, Fact, Observation, Outcome
from canary.page import PageRequest, PageStep
from canary.reason import Reason, Side
from probes.contracts import Clock, Report
from probes.masking import Masker
from probes.reasons import MAPPED, Fault, explain
from probes.selfcheck import DISPUTABLE, Question, SideJudge

_LIMIT_REASONS: Final = {
    Hop.DNS: Reason.DNS_UNANSWERED,
    Hop.SMTP_CONNECT: Reason.CONNECT_TIMEOUT,
    Hop.FORM_CONNECT: Reason.CONNECT_TIMEOUT,
}
"""What it means that a hop's own limit ran out; elsewhere the server stayed silent."""


Moment = Callable[[float], datetime]
"""Makes a moment of the monotonic clock one of the wall clock, as it was when the hop began."""
Browsed = tuple[tuple[PageStep, ...], tuple[PageRequest, ...]]


class HopFailed(Exception):
    """A hop failed and has been reported: the launch goes no further, or begins another try."""

    def __init__(self, hop: Hop, fault: Fault) -> None:
        super().__init__(f"{hop}: {fault.reason}")
        self.hop = hop
        self.fault = fault


def _never(_fault: Fault) -> bool:
    return False


@dataclass(slots=True)
class Passage:
    """What a hop's body may add to the observation while it runs.

    Attributes:
        place: the server that was reached.
        detail: for people.
        facts: attributes of the span to come.
        evidence: observed by us, or reported by the remote side.
        flaw: a reason that leaves the hop a success.
        perhaps_left: set just before bytes leave that can make a ticket: from then on a failure that is no
            answer of the remote side is ``unknown``, and rules out nothing.
        is_skipped: the hop turned out not to be passed.
        limit_reason: what the limit of the hop means by now; None: what it means at its begin.
        question: what to ask the controls where the fault may be our own; None: the reason's table decides.
        side: whose fault a failure is, where the body knows better than the reason's table.
        browsed: tells at the end what a browser did in it; takes what makes a moment of the monotonic clock one of
            ours.
    """

    place: str = ""
    detail: str = ""
    facts: dict[str, Fact] = field(default_factory=dict)
    evidence: Evidence = Evidence.OBSERVED
    flaw: Reason | None = None
    perhaps_left: bool = False
    is_skipped: bool = False
    limit_reason: Reason | None = None
    question: Question | None = None
    side: Side | None = None
    browsed: Callable[[Moment], Browsed] | None = None


@asynccontextmanager
async def hop(
    name: Hop,
    canary: Canary,
    *,
    clock: Clock,
    report: Report,
    limit: float,
    place: str = "",
    attempt: int = 1,
    masker: Masker | None = None,
    side: Side | None = None,
    controls: SideJudge | None = None,
    gives_up: Callable[[Fault], bool] = _never,
) -> AsyncIterator[Passage]:
    """Pass one hop: report it as ok, skipped, failed or unknown, exactly once.

    Args:
        name: the hop.
        canary: whose hop it is.
        clock: times and bounds it.
        report: where its one observation goes.
        limit: seconds that it may take in all.
        place: the server; the body may correct it.
        attempt: the number of the try, from 1.
        masker: masks the detail.
        side: whose fault every failure of this hop is (our own relay); None: the reason, or a control, decides.
        controls: asked, when the fault may be our own, before the failure is reported.
        gives_up: whether the launch ends with such a fault; asked only where nothing can have left.

    Yields:
        The passage, to which the body adds place, facts and evidence.

    Raises:
        HopFailed: after the failure was reported.

    Cancellation passes at once and reports nothing: whoever takes the canary over does.
    """
    passage = Passage(place=place)
    began_at, began = clock.now(), clock.monotonic()
    failure: tuple[Fault, Exception] | None = None
    try:
        async with clock.timeout(limit):
            yield passage
    except MAPPED as error:
        limit_reason = passage.limit_reason or _LIMIT_REASONS.get(name, Reason.ANSWER_TIMEOUT)
        fault = explain(error, limit_reason=limit_reason)
        if fault is None:
            raise
        failure = (fault, error)
    seconds, ended_at = clock.monotonic() - began, clock.now()
    steps, requests = (
        passage.browsed(lambda moment: began_at + timedelta(seconds=moment - began))
        if passage.browsed is not None
        else ((), ())
    )
    detail = passage.detail
    reason, outcome, rules_out = passage.flaw, Outcome.OK, False
    if passage.is_skipped:
        outcome = Outcome.SKIPPED
    facts = dict(passage.facts) if masker is None else _masked(passage.facts, masker)
    if failure is not None:
        fault = failure[0]
        is_lost = passage.perhaps_left and not fault.is_answer
        outcome = Outcome.UNKNOWN if is_lost else Outcome.FAILED
        reason, detail = fault.reason, fault.detail
        facts |= fault.facts if masker is None else _masked(fault.facts, masker)
        rules_out = not is_lost and gives_up(fault)
        side = side if side is not None else passage.side
        if side is None and controls is not None and passage.question is not None and reason in DISPUTABLE:
            ruling = await controls.decide(passage.question, reason)
            side, detail = ruling.side, f"{detail}; {ruling.explanation}"
    await report(
        Observation(
            canary_id=canary.id,
            hop=name,
            outcome=outcome,
            evidence=passage.evidence,
            began_at=began_at,
            ended_at=ended_at,
            seconds=seconds,
            reason=reason,
            side=side if failure is not None else None,
            detail=masker.detail(detail) if masker is not None else detail,
            place=passage.place,
            attempt=attempt,
            rules_out_ticket=rules_out,
            facts=facts,
            steps=steps,
            requests=requests,
        )
    )
    if failure is not None:
        raise HopFailed(name, failure[0]) from failure[1]


def _masked(facts: Mapping[str, Fact], masker: Masker) -> dict[str, Fact]:
    """A page or a server may repeat what it was told."""
    return {name: masker.mask(fact) if isinstance(fact, str) else fact for name, fact in facts.items()}
