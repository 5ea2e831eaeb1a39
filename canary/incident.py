"""Fold settled canaries into incidents: onset, detection, blame, impact window, recovery.

The fold goes over verdicts in the order in which they settled. One step takes one verdict; folding step by step and
folding at once are the same. `Progress` is all that has to be kept between two steps.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import takewhile
from typing import NewType, assert_never

from canary.blame import Stop
from canary.flapping import is_relapse, relapses_at, run_that_ends
from canary.path import IncidentPolicy, PathName
from canary.set_back import brought_back
from canary.sight import is_sight_of
from canary.signature import CanaryId
from canary.verdict import Verdict

IncidentId = NewType("IncidentId", str)

BLIND_RUN = 2
"""Inconclusive canaries in a row that make a path blind."""
KEPT_LAUNCHES = 40
"""How many launches of confirmed canaries are remembered: more than are outstanding at one time."""


class IncidentKind(StrEnum):
    """Of the target, or of the prober that can't see."""

    TARGET = "target"
    BLIND = "blind"


class Transition(StrEnum):
    """What a step did to an incident."""

    OPENED = "opened"
    CHANGED = "changed"
    RESOLVED = "resolved"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Settled:
    """A canary's first verdict, as the fold takes it. Late and lost count as the breach that they follow."""

    canary_id: CanaryId
    launched_at: datetime
    settled_at: datetime
    verdict: Verdict
    stop: Stop | None = None
    sender: str = ""


@dataclass(frozen=True, slots=True)
class Bisected:
    """What the one canary came to that went straight to the next place past the mail platform.

    Confirmed: that place takes mail, so it is the mail platform or its forwarding. Breached: it is that place.
    """

    canary_id: CanaryId
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Incident:
    """A run of breached canaries of one path, or of inconclusive ones.

    Attributes:
        opened_by: the canary whose verdict opened it, and whose blame it bears; None: the first.
        onset_at: launch of the first failed canary.
        opened_at: when the verdict that opened it settled; less ``onset_at`` it is the detection delay.
        stop: the blame at opening; it labels the alert for good.
        sharper: a better known blame, learnt later; else None.
        impact_from: launch of the last confirmed canary before the onset; None: none is known.
        impact_until: launch of the first confirmed canary of the recovery; None while it lasts.
        resolved_at: when the verdict that ended it settled.
        is_retired: ended because the path is gone, without a word of recovery.
        failures: verdicts that counted against it.
        bisected: what its bisect canary came to, once it is known.
        relapses: how many incidents of the path went before it with hardly a pause: the path flaps.
        works_from: of one that only has to prove itself, since it flaps: launch of the first canary that came through
            after the last failure. None: it fails, or nobody knows yet.
        broke_again: how often it failed again after it had nearly proved itself.
        failed_senders: whose canaries failed in it; ``working_senders``: whose were confirmed since its onset.
    """

    id: IncidentId
    path: PathName
    kind: IncidentKind
    first_canary: CanaryId
    onset_at: datetime
    opened_at: datetime
    stop: Stop
    impact_from: datetime | None
    failures: int
    impact_until: datetime | None = None
    resolved_at: datetime | None = None
    sharper: Stop | None = None
    is_retired: bool = False
    opened_by: CanaryId | None = None
    failed_senders: frozenset[str] = frozenset()
    working_senders: frozenset[str] = frozenset()
    bisected: Bisected | None = None
    relapses: int = 0
    works_from: datetime | None = None
    broke_again: int = 0

    @property
    def is_open(self) -> bool:
        """Whether it still lasts."""
        return self.resolved_at is None

    @property
    def failed_until(self) -> datetime | None:
        """Where its impact window ends, as far as is known by now; None: it fails."""
        return self.impact_until or self.works_from

    @property
    def only_sender(self) -> str | None:
        """The one sender whose canaries fail while those of another come through; None where it is not so."""
        if len(self.failed_senders) != 1 or not self.working_senders - self.failed_senders:
            return None
        return next(iter(self.failed_senders))


@dataclass(frozen=True, slots=True)
class Change:
    """An incident as it is now, and what just happened to it."""

    incident: Incident
    transition: Transition


@dataclass(frozen=True, slots=True)
class Progress:
    """What the fold remembers of a path.

    Attributes:
        recent: the last verdicts that count, oldest first, no more than the policy's window.
        blind: the run of inconclusive verdicts at the end that nothing seen broke, up to the one that opened `blindness`.
        confirmed: launches of the last confirmed canaries, earliest first, no more than `KEPT_LAUNCHES`.
        confirmed_at: the latest launch of a confirmed canary that `confirmed` no longer holds.
        recovery: launches of the confirmed canaries in a row since the last breach of the open incident.
        target, blindness: the open incidents.
        failed_at: the latest launch of a breached canary of the open incident.
        recovered_at: where the impact window of the last incident ended: a breach of a canary launched before
            that, which settles only now, belongs to it.
        works_from: where the impact window of the open incident will end if nothing fails any more.
        ended_at, relapses: when the last incident ended, and how many went before it with hardly a pause.
    """

    recent: tuple[Settled, ...] = ()
    blind: tuple[Settled, ...] = ()
    confirmed_at: datetime | None = None
    recovery: tuple[datetime, ...] = ()
    target: Incident | None = None
    blindness: Incident | None = None
    confirmed: tuple[datetime, ...] = ()
    failed_at: datetime | None = None
    recovered_at: datetime | None = None
    works_from: datetime | None = None
    ended_at: datetime | None = None
    relapses: int = 0


def step(
    path: PathName, policy: IncidentPolicy, progress: Progress, settled: Settled
) -> tuple[Progress, tuple[Change, ...]]:
    """Take one more verdict into account; returns what to remember and what changed."""
    progress, launched_at = brought_back(progress, settled.launched_at, settled.settled_at)
    settled = replace(settled, launched_at=launched_at)
    match settled.verdict:
        case Verdict.PENDING:
            return progress, ()
        case Verdict.INCONCLUSIVE:
            return _inconclusive(path, progress, settled)
        case Verdict.CONFIRMED:
            seeing, changes = _sees_again(_proved(progress, settled.launched_at), settled)
            after, more = _confirmed(policy, seeing, settled)
            return after, changes + more
        case Verdict.BREACHED | Verdict.LATE | Verdict.LOST:
            seeing, changes = (
                _sees_again(progress, settled) if _is_sight(progress, settled) else (progress, ())
            )
            after, more = _breached(path, policy, seeing, settled)
            return after, changes + more
        case _:
            assert_never(settled.verdict)


def fold(path: PathName, policy: IncidentPolicy, history: Iterable[Settled]) -> tuple[Incident, ...]:
    """All incidents of a path's history, oldest first, each as it stands at the end."""
    progress = Progress()
    incidents: dict[IncidentId, Incident] = {}
    for settled in sorted(history, key=lambda one: (one.settled_at, one.canary_id)):
        progress, changes = step(path, policy, progress, settled)
        incidents.update({change.incident.id: change.incident for change in changes})
    for still_open in (progress.target, progress.blindness):
        if still_open is not None:
            incidents[still_open.id] = still_open
    return tuple(sorted(incidents.values(), key=lambda one: (one.opened_at, one.kind)))


def retire(progress: Progress, at: datetime) -> tuple[Progress, tuple[Change, ...]]:
    """End the incidents of a path that is disabled or gone, without a word of recovery."""
    ended = [
        replace(one, resolved_at=at, is_retired=True)
        for one in (progress.target, progress.blindness)
        if one is not None
    ]
    return Progress(), tuple(Change(one, Transition.RETIRED) for one in ended)


def _inconclusive(
    path: PathName, progress: Progress, settled: Settled
) -> tuple[Progress, tuple[Change, ...]]:
    run = (*progress.blind, settled)
    if progress.blindness is not None:
        grown = replace(progress.blindness, failures=progress.blindness.failures + 1)
        return replace(progress, blindness=grown), ()
    if len(run) < BLIND_RUN or settled.stop is None:
        return replace(progress, blind=run), ()
    first = min(run, key=lambda one: (one.launched_at, one.canary_id))
    opened = Incident(
        id=IncidentId(f"blind-{first.canary_id}"),
        path=path,
        kind=IncidentKind.BLIND,
        first_canary=first.canary_id,
        onset_at=first.launched_at,
        opened_at=settled.settled_at,
        stop=settled.stop,
        impact_from=_last_confirmed_before(progress, first.launched_at),
        failures=len(run),
        failed_senders=frozenset(one.sender for one in run),
    )
    return replace(progress, blind=run, blindness=opened), (Change(opened, Transition.OPENED),)


def _proved(progress: Progress, launched_at: datetime) -> Progress:
    """Note that intake worked for a canary launched then."""
    launches = sorted((*progress.confirmed, launched_at))
    kept, gone = launches[-KEPT_LAUNCHES:], launches[:-KEPT_LAUNCHES]
    older = [at for at in (progress.confirmed_at, *gone) if at is not None]
    return replace(progress, confirmed=tuple(kept), confirmed_at=max(older, default=None))


def _is_sight(progress: Progress, settled: Settled) -> bool:
    blind = progress.blindness or (progress.blind[-1] if progress.blind else None)
    return blind is None or is_sight_of(blind.stop, settled.stop)


def _sees_again(progress: Progress, settled: Settled) -> tuple[Progress, tuple[Change, ...]]:
    incident = progress.blindness
    if incident is None:
        return replace(progress, blind=()), ()
    ended = replace(
        incident,
        resolved_at=settled.settled_at,
        impact_until=_first_confirmed_after(progress, incident.onset_at),
    )
    return replace(progress, blind=(), blindness=None), (Change(ended, Transition.RESOLVED),)


def _confirmed(
    policy: IncidentPolicy, progress: Progress, settled: Settled
) -> tuple[Progress, tuple[Change, ...]]:
    incident = progress.target
    if incident is None:
        return _remember(policy, progress, settled), ()
    if settled.launched_at < incident.onset_at:
        # It settled late, and shows that intake still worked later than was known.
        known = _last_confirmed_before(progress, incident.onset_at)
        return replace(progress, target=replace(incident, impact_from=known)), ()
    progress, incident = _works_for(progress, incident, settled)
    failed_at = progress.failed_at or incident.onset_at
    if settled.launched_at <= failed_at:
        return progress, ()
    recovery = (*progress.recovery, settled.launched_at)
    known = progress.works_from or _first_confirmed_after(progress, failed_at) or settled.launched_at
    until = min(known, settled.launched_at)
    needed = run_that_ends(
        policy.resolve, relapses=incident.relapses, calm_for=settled.launched_at - failed_at
    )
    if len(recovery) < needed:
        proving = replace(incident, works_from=until if len(recovery) >= policy.resolve else None)
        return replace(progress, recovery=recovery, works_from=until, target=proving), ()
    ended = replace(incident, resolved_at=settled.settled_at, impact_until=until, works_from=None)
    calm = Progress(
        confirmed=progress.confirmed,
        confirmed_at=progress.confirmed_at,
        recovered_at=until,
        ended_at=settled.settled_at,
        relapses=incident.relapses,
    )
    return calm, (Change(ended, Transition.RESOLVED),)


def _works_for(progress: Progress, incident: Incident, settled: Settled) -> tuple[Progress, Incident]:
    """Note whose canary came through although the incident lasts."""
    if settled.sender in incident.working_senders:
        return progress, incident
    grown = replace(incident, working_senders=incident.working_senders | {settled.sender})
    return replace(progress, target=grown), grown


def _breached(
    path: PathName, policy: IncidentPolicy, progress: Progress, settled: Settled
) -> tuple[Progress, tuple[Change, ...]]:
    incident = progress.target
    if incident is not None:
        return _grown(policy, progress, incident, settled), ()
    if progress.recovered_at is not None and settled.launched_at < progress.recovered_at:
        return progress, ()
    after = _remember(policy, progress, settled)
    failed = _failed_that_open(policy, after.recent, settled)
    if not failed or settled.stop is None:
        return after, ()
    first = min(failed, key=lambda one: (one.launched_at, one.canary_id))
    opened = Incident(
        id=IncidentId(f"incident-{first.canary_id}"),
        path=path,
        kind=IncidentKind.TARGET,
        first_canary=first.canary_id,
        onset_at=first.launched_at,
        opened_at=settled.settled_at,
        stop=settled.stop,
        impact_from=_last_confirmed_before(after, first.launched_at),
        failures=len(failed),
        opened_by=settled.canary_id,
        failed_senders=frozenset(one.sender for one in failed),
        working_senders=frozenset(
            one.sender
            for one in after.recent
            if one.verdict is Verdict.CONFIRMED and one.launched_at > first.launched_at
        ),
        relapses=relapses_at(
            settled.settled_at, after.ended_at, after.relapses, after.confirmed, kept=KEPT_LAUNCHES
        ),
    )
    failing = _failing(replace(after, target=opened), max(one.launched_at for one in failed))
    return failing, (Change(opened, Transition.OPENED),)


def _failing(progress: Progress, failed_at: datetime) -> Progress:
    """Note the last failure: a recovery begins anew, after it."""
    works_from = _first_confirmed_after(progress, failed_at)
    return replace(progress, recovery=(), failed_at=failed_at, works_from=works_from)


def _grown(policy: IncidentPolicy, progress: Progress, incident: Incident, settled: Settled) -> Progress:
    """One more breach of an open incident; one from before the last proof that intake worked is none of it."""
    if incident.impact_from is not None and settled.launched_at <= incident.impact_from:
        return progress
    works = incident.works_from is not None and settled.launched_at > incident.works_from
    again = works and is_relapse(len(progress.recovery), policy.resolve, relapses=incident.relapses)
    grown = replace(
        incident,
        works_from=None,
        broke_again=incident.broke_again + again,
        failures=incident.failures + 1,
        onset_at=min(incident.onset_at, settled.launched_at),
        failed_senders=incident.failed_senders | {settled.sender},
    )
    failed_at = max(progress.failed_at or incident.onset_at, settled.launched_at)
    return _failing(replace(progress, target=grown), failed_at)


def _failed_that_open(
    policy: IncidentPolicy, recent: tuple[Settled, ...], settled: Settled
) -> tuple[Settled, ...]:
    if settled.stop is not None and settled.stop.reason in policy.at_once:
        run = takewhile(lambda one: one.verdict.is_breach, reversed(recent))
        return tuple(reversed(tuple(run)))
    for rule in policy.open:
        failed = tuple(one for one in recent[-rule.of :] if one.verdict.is_breach)
        if len(failed) >= rule.failed:
            return failed
    return ()


def _remember(policy: IncidentPolicy, progress: Progress, settled: Settled) -> Progress:
    return replace(progress, recent=(*progress.recent, settled)[-policy.window :])


def _last_confirmed_before(progress: Progress, onset_at: datetime) -> datetime | None:
    known = [at for at in (progress.confirmed_at, *progress.confirmed) if at is not None and at < onset_at]
    return max(known, default=None)


def _first_confirmed_after(progress: Progress, failed_at: datetime) -> datetime | None:
    return min((at for at in progress.confirmed if at > failed_at), default=None)
