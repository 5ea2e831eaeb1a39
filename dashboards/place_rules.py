"""Alerts about places: mailboxes that fill or are not emptied, certificates, mail DNS, what an API still allows."""

from collections.abc import Callable, Hashable, Iterator
from typing import TypeVar

from canary.instruments import metrics
from dashboards.estate import Estate, WatchedMailbox
from dashboards.promql import Matcher, Query, any_of, current, duration, either, max_by, over_time
from dashboards.recording import of_place
from dashboards.rule import About, AlertRule, Category, Severity
from dashboards.timing import INTERVALS, Timing, rounded

_DAY = 86400
_Limit = TypeVar("_Limit", bound=Hashable)
_RESOURCE = ("place", "resource")
_HALF_FULL = 0.5
"""A mailbox that grows and is emptier than this is no emergency; as `canary.gauge.capacity_state` has it."""


def place_rules(estate: Estate, timing: Timing) -> Iterator[AlertRule]:
    """Those that say something before a customer is lost."""
    yield _filling(estate, timing)
    yield _full_soon(estate, timing)
    yield _full(estate, timing)
    yield _backlog(estate, timing)
    yield _certificate(14, Severity.TICKET, 3600, timing)
    yield _certificate(2, Severity.PAGE, 0, timing)
    yield _not_trusted(timing)
    yield _mail_dns(timing)
    yield _api_budget(timing)
    yield _quiet(timing)


def _alike(
    estate: Estate, limit: Callable[[WatchedMailbox], _Limit]
) -> list[tuple[_Limit, tuple[Matcher, ...]]]:
    """Each limit that mailboxes have, with the condition that chooses them; without mailboxes, the usual one."""
    found: dict[_Limit, list[str]] = {}
    for one in estate.mailboxes or (WatchedMailbox(""),):
        found.setdefault(limit(one), []).append(one.name)
    if len(found) == 1:
        return [(only, ()) for only in found]
    return [(one, (any_of("place", names),)) for one, names in found.items()]


def _used(timing: Timing, these: tuple[Matcher, ...] = ()) -> Query:
    return current(_RESOURCE, metrics.MAILBOX_USED_RATIO, timing.lookback(1800), *these)


def _filling(estate: Estate, timing: Timing) -> AlertRule:
    above = [
        _limited(_used(timing, these), f"> {warn:g}")
        for warn, these in _alike(estate, lambda one: one.limits.warn_share)
    ]
    return AlertRule(
        name="IntakeMailboxFilling",
        query=of_place(either(above)),
        severity=Severity.TICKET,
        category=Category.TARGET,
        about=About.PLACE,
        for_seconds=600,
        keep_seconds=1800,
        summary="{{ $labels.place }} is at {{ $value | humanizePercentage }} of its {{ $labels.resource }} quota",
        description=(
            "A mailbox that is full loses customers' mail, often in silence. Whoever runs it: empty or enlarge it this week. "
            "First: intake-prober status"
        ),
    )


def _full_soon(estate: Estate, timing: Timing) -> AlertRule:
    ratio = metrics.MAILBOX_USED_RATIO
    window = max(21600.0, rounded(2 * INTERVALS * timing.shortest))
    recent = max(3600.0, rounded(INTERVALS * timing.shortest))
    grows = max_by(_RESOURCE, over_time("deriv", ratio, recent))
    times = _alike(estate, lambda one: one.limits.forecast.total_seconds())
    soon = []
    for ahead, these in times:
        then = max_by(_RESOURCE, over_time("predict_linear", ratio, window, ahead))
        used = _used(timing, these)
        soon.append(_limited(then, f"> 1\n  and {used} > {_HALF_FULL:g}\n  and {grows} > 0"))
    within = f"within {times[0][0] / 3600:g} h" if len(times) == 1 else "soon"
    return AlertRule(
        name="IntakeMailboxFullWithin24h",
        query=of_place(either(soon)),
        severity=Severity.PAGE,
        category=Category.TARGET,
        about=About.PLACE,
        for_seconds=1800,
        summary=f"{{{{ $labels.place }}}} will be full {within}",
        description=(
            f"By its growth of the last {duration(window)} its {{{{ $labels.resource }}}} reaches the limit. Then customers' mail "
            "is lost. Empty or enlarge it now. First: intake-prober status"
        ),
    )


def _full(estate: Estate, timing: Timing) -> AlertRule:
    above = [
        _limited(_used(timing, these), f">= {page:g}")
        for page, these in _alike(estate, lambda one: one.limits.page_share)
    ]
    return AlertRule(
        name="IntakeMailboxFull",
        query=of_place(either(above)),
        severity=Severity.PAGE,
        category=Category.TARGET,
        about=About.PLACE,
        summary="{{ $labels.place }} is full",
        description=(
            "Its {{ $labels.resource }} is at {{ $value | humanizePercentage }}: mail to it is, or soon will be, refused or lost. "
            "Empty or enlarge it now, then watch the backlog drain. First: intake-prober status"
        ),
    )


def _backlog(estate: Estate, timing: Timing) -> AlertRule:
    waiting = current(("place",), metrics.MAILBOX_BACKLOG, timing.lookback(1800))
    old = []
    for age, these in _alike(estate, lambda one: one.backlog_age_seconds):
        arrival, back = metrics.MAILBOX_OLDEST_UNPROCESSED, timing.lookback(1800)
        oldest = current(("place",), arrival, back, *these, least=True)
        # It is absent where nothing waits, and what was seen last is remembered: so something must wait.
        words = f"time() - {oldest} > {age:.0f}\n  and on (place) {waiting} > 0"
        old.append(Query(words, oldest.labels))
    return AlertRule(
        name="IntakeMailboxBacklog",
        query=of_place(either(old)),
        severity=Severity.TICKET,
        category=Category.TARGET,
        about=About.PLACE,
        for_seconds=600,
        summary="Oldest unfetched message of {{ $labels.place }} waits for {{ $value | humanizeDuration }}",
        description=(
            "Mail arrives and is not fetched: the fetcher is stopped or too slow. Whoever runs it: look at its log. "
            "First: intake-prober status"
        ),
    )


def _certificate(days: int, severity: Severity, for_seconds: float, timing: Timing) -> AlertRule:
    ends = current(("place",), metrics.CERTIFICATE_EXPIRY, timing.lookback(3600), least=True)
    return AlertRule(
        name="IntakeCertificateExpiring",
        query=of_place(Query(f"{ends} - time() < {days} * {_DAY}", ends.labels)),
        severity=severity,
        category=Category.TARGET,
        about=About.PLACE,
        for_seconds=for_seconds,
        summary="Certificate of {{ $labels.place }} expires in {{ $value | humanizeDuration }}",
        description=(
            "Then customers' browsers and mail servers refuse the connection. Renew it, and see why its renewal has not "
            "happened by itself. First: intake-prober check"
        ),
    )


def _not_trusted(timing: Timing) -> AlertRule:
    taken = current(("place",), metrics.CERTIFICATE_TRUSTED, timing.lookback(1800), least=True)
    return AlertRule(
        name="IntakeCertificateNotTrusted",
        query=of_place(Query(f"{taken} == 0", taken.labels), operator="+"),
        severity=Severity.PAGE,
        category=Category.TARGET,
        about=About.PLACE,
        summary="Certificate of {{ $labels.place }} is not trusted",
        description=(
            "Its chain, its name or its end is wrong: customers' browsers and mail servers refuse the connection. Install the "
            "right certificate with its whole chain, and reload the server. First: intake-prober check"
        ),
    )


def _mail_dns(timing: Timing) -> AlertRule:
    right = current(("place", "record"), metrics.DNS_MAIL_OK, timing.lookback(1800), least=True)
    return AlertRule(
        name="IntakeMailDnsUnexpected",
        query=of_place(Query(f"{right} == 0", right.labels), operator="+"),
        severity=Severity.PAGE,
        category=Category.TARGET,
        about=About.PLACE,
        labels={"blame": "dns"},
        for_seconds=600,
        summary="{{ $labels.record }} of {{ $labels.place }} is not as expected",
        description=(
            "Mail to support, or our answers, may go astray. Compare the record with what it should be; who changed the "
            "zone? First: intake-prober check"
        ),
    )


def _api_budget(timing: Timing) -> AlertRule:
    left = current(("place",), metrics.TICKET_API_BUDGET_REMAINING, timing.lookback(1800), least=True)
    limit = current(("place",), metrics.TICKET_API_BUDGET_LIMIT, timing.lookback(1800))
    share = Query(f"{left} / {limit}", left.labels)
    return AlertRule(
        name="IntakeTicketApiBudgetLow",
        query=of_place(Query(f"{share} < 0.1", share.labels)),
        severity=Severity.TICKET,
        category=Category.PROBER,
        about=About.PLACE,
        for_seconds=900,
        summary="{{ $labels.place }}: {{ $value | humanizePercentage }} of the API budget left",
        description=(
            "The ticketing system's requests are used up, by us or by another integration; then tickets can't be looked for, "
            "and canaries are inconclusive. First: intake-prober check"
        ),
    )


def _quiet(timing: Timing) -> AlertRule:
    silence = current(("place", "way"), metrics.TRAFFIC, timing.lookback(1800))
    limit = current(("place", "way"), metrics.TRAFFIC_LIMIT, timing.lookback(1800))
    return AlertRule(
        name="IntakeCustomersQuiet",
        query=of_place(Query(f"{silence} >= {limit}", silence.labels)),
        severity=Severity.TICKET,
        category=Category.TARGET,
        about=About.PLACE,
        summary="{{ $labels.place }}: real tickets ({{ $labels.way }}) no longer come as they usually do",
        description=(
            "About {{ $value | humanize }} would usually have come since the newest one. Is it a holiday? Else write as a "
            "customer does, from another provider than the canary's. First: intake-prober status"
        ),
    )


def _limited(query: Query, condition: str) -> Query:
    return Query(f"{query} {condition}", query.labels)
