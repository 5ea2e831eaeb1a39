"""Incidents by brute force: every question is answered by going over the whole history again.

Written from the design's words, without the fold's memory, to be compared with the fold.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from canary.hop import Hop
from canary.incident import IncidentKind, Settled
from canary.path import IncidentPolicy
from canary.verdict import Verdict

BREACHES = {Verdict.BREACHED, Verdict.LATE, Verdict.LOST}


@dataclass(frozen=True)
class Expected:
    """What an incident should look like in the end."""

    kind: IncidentKind
    onset_at: datetime
    opened_at: datetime
    impact_from: datetime | None
    impact_until: datetime | None
    resolved_at: datetime | None
    failures: int


def incidents(policy: IncidentPolicy, history: Sequence[Settled]) -> list[Expected]:
    """All incidents of a history that is in the order of its verdicts."""
    found = [*_target(policy, history), *_blind(history)]
    return sorted(found, key=lambda one: (one.opened_at, one.kind))


def _confirmed_launches(history: Sequence[Settled]) -> list[datetime]:
    return [one.launched_at for one in history if one.verdict is Verdict.CONFIRMED]


def _last_before(history: Sequence[Settled], moment: datetime) -> datetime | None:
    return max((one for one in _confirmed_launches(history) if one < moment), default=None)


def _first_after(history: Sequence[Settled], moment: datetime) -> datetime | None:
    return min((one for one in _confirmed_launches(history) if one > moment), default=None)


def _target(policy: IncidentPolicy, history: Sequence[Settled]) -> list[Expected]:
    found: list[Expected] = []
    begin, over_at, relapses = 0, None, 0
    while begin < len(history):
        opening = _opening(policy, history, begin, over_at)
        if opening is None:
            break
        index, failed = opening
        if begin and not _is_calm(history[:index], history[begin - 1].settled_at, history[index].settled_at):
            relapses += 1
        else:
            relapses = 0
        incident, end = _course(policy, history, index, failed, relapses)
        found.append(incident)
        if end is None:
            break
        begin, over_at = end + 1, incident.impact_until
    return found


def _is_calm(history: Sequence[Settled], ended_at: datetime, opened_at: datetime) -> bool:
    """Whether forty canaries that left since the end of one incident came through before the next, or a day passed."""
    since = [one for one in _confirmed_launches(history) if one > ended_at]
    return len(since) >= 40 or opened_at - ended_at >= timedelta(days=1)


def _counting(history: Sequence[Settled], over_at: datetime | None) -> list[Settled]:
    """Those that count; a breach from within an impact window that is over belongs to that window."""
    return [
        one
        for one in history
        if one.verdict is Verdict.CONFIRMED
        or (one.verdict in BREACHES and (over_at is None or one.launched_at >= over_at))
    ]


def _opening(
    policy: IncidentPolicy, history: Sequence[Settled], begin: int, over_at: datetime | None
) -> tuple[int, list[Settled]] | None:
    longest = max(rule.of for rule in policy.open)
    for index in range(begin, len(history)):
        last = history[index]
        counting = _counting(history[begin : index + 1], over_at)[-longest:]
        if last.verdict not in BREACHES or last not in counting or last.stop is None:
            continue
        if last.stop.reason in policy.at_once:
            run: list[Settled] = []
            for one in reversed(counting):
                if one.verdict not in BREACHES:
                    break
                run.append(one)
            return index, run
        for rule in policy.open:
            failed = [one for one in counting[-rule.of :] if one.verdict in BREACHES]
            if len(failed) >= rule.failed:
                return index, failed
    return None


def _course(
    policy: IncidentPolicy, history: Sequence[Settled], index: int, failed: list[Settled], relapses: int
) -> tuple[Expected, int | None]:
    """How an opened incident went on, and where it ended."""
    members = list(failed)
    in_a_row = 0
    for now in range(index + 1, len(history)):
        one = history[now]
        onset = min(member.launched_at for member in members)
        worked = _last_before(history[:now], onset)
        if one.verdict in BREACHES and (worked is None or one.launched_at > worked):
            members.append(one)
            in_a_row = 0
        last = max(member.launched_at for member in members)
        if one.verdict is Verdict.CONFIRMED and one.launched_at > last:
            in_a_row += 1
            needed = policy.resolve
            if relapses and one.launched_at - last < timedelta(days=1):
                needed = max(needed, {1: 10, 2: 20}.get(relapses, 40))
            if in_a_row >= needed:
                return _expected(history[: now + 1], history[index].settled_at, members, one.settled_at), now
    return _expected(history, history[index].settled_at, members, None), None


def _expected(
    known: Sequence[Settled], opened_at: datetime, members: list[Settled], resolved_at: datetime | None
) -> Expected:
    onset = min(one.launched_at for one in members)
    last = max(one.launched_at for one in members)
    return Expected(
        kind=IncidentKind.TARGET,
        onset_at=onset,
        opened_at=opened_at,
        impact_from=_last_before(known, onset),
        impact_until=_first_after(known, last) if resolved_at is not None else None,
        resolved_at=resolved_at,
        failures=len(members),
    )


def _sees(unseen: Settled, one: Settled) -> bool:
    """Whether a verdict is about what could not be seen: a canary that went as far, or came through."""
    if one.verdict is Verdict.CONFIRMED or one.stop is None or unseen.stop is None:
        return True
    hops = list(Hop)
    return hops.index(one.stop.hop) >= hops.index(unseen.stop.hop)


def _blind(history: Sequence[Settled]) -> list[Expected]:
    """Every run of two or more inconclusive verdicts that nothing seen broke."""
    found = []
    index = 0
    while index < len(history):
        run, end = [], index
        while end < len(history):
            one = history[end]
            if one.verdict is Verdict.INCONCLUSIVE:
                run.append((end, one))
            elif not run or _sees(run[min(len(run), 2) - 1][1], one):
                break
            end += 1
        if len(run) > 1:
            onset = min(one.launched_at for _, one in run[:2])
            opened_by, opened = run[1]
            sighted = end < len(history)
            found.append(
                Expected(
                    kind=IncidentKind.BLIND,
                    onset_at=onset,
                    opened_at=opened.settled_at,
                    impact_from=_last_before(history[: opened_by + 1], onset),
                    impact_until=_first_after(history[: end + 1], onset) if sighted else None,
                    resolved_at=history[end].settled_at if sighted else None,
                    failures=len(run),
                )
            )
        index = max(end, index + 1)
    return found
