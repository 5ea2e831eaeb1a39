"""Alerts about the prober: silent, blind, alerts that are stuck, a store that fails; and the dead man's switch."""

from collections.abc import Iterator

from canary.instruments import metrics
from dashboards.promql import Query, current, duration, increase, last, over_time, sum_by
from dashboards.rule import About, AlertRule, Category, Severity
from dashboards.timing import Timing


def prober_rules(timing: Timing) -> Iterator[AlertRule]:
    """Green by absence is the worst failure: everything here asks whether there is somebody who would see a red."""
    yield _silent(timing)
    yield from _blind(timing)
    oldest = current(("sink",), metrics.PROBER_OUTBOX_OLDEST, timing.lookback(900), least=True)
    pending = current(("sink",), metrics.PROBER_OUTBOX_PENDING, timing.lookback(900))
    yield AlertRule(
        name="IntakeAlertsNotDelivered",
        query=Query(f"time() - {oldest} > 300\nand on (sink) {pending} > 0", oldest.labels),
        severity=Severity.PAGE,
        category=Category.PROBER,
        about=About.PROBER,
        summary="Alerts to {{ $labels.sink }} are stuck",
        description=(
            "The oldest waits for {{ $value | humanizeDuration }}: whoever is told by that sink knows nothing. "
            "First: intake-prober status; then its log, for what the sink answers"
        ),
    )
    errors = sum_by(("prober",), increase(metrics.PROBER_STORE_ERRORS, timing.lookback(900)))
    yield AlertRule(
        name="IntakeStoreErrors",
        query=Query(f"{errors} > 0", errors.labels),
        severity=Severity.TICKET,
        category=Category.PROBER,
        about=About.PROBER,
        for_seconds=600,
        summary="The store of {{ $labels.prober }} fails",
        description=(
            "Nothing is launched that can't be recorded. Look at its disk and its database. First: intake-prober status"
        ),
    )


def watchdog_rule() -> AlertRule:
    """Fires always; somebody outside notices when it doesn't arrive: Prometheus, Alertmanager or the way out is dead."""
    return AlertRule(
        name="IntakeWatchdog",
        query=Query("vector(1)", frozenset()),
        severity=Severity.NONE,
        category=Category.WATCHDOG,
        about=About.PROBER,
        summary="Always firing; its absence at the dead-man switch means alerting is broken",
        description=(
            "Nothing to do. The receiver that gets it every minute calls somebody when it stops. First, then: is Prometheus up, "
            "is Alertmanager up, can it reach the receiver?"
        ),
    )


def _silent(timing: Timing) -> AlertRule:
    beat = metrics.PROBER_HEARTBEAT
    gone = over_time("absent_over_time", beat, timing.absent)
    # Remembered longer than the limit, else it would be forgotten before it is too old.
    remembered = max(3600.0, 2 * timing.silent_limit)
    return AlertRule(
        name="IntakeProberSilent",
        query=Query(
            f"{gone}\nor time() - max({last(beat, remembered)}) > {timing.silent_limit:.0f}", frozenset()
        ),
        severity=Severity.PAGE,
        category=Category.SILENCE,
        about=About.PROBER,
        for_seconds=timing.silent_for,
        summary="Nobody is watching support intake",
        description=(
            "No prober was heard of: what is green on a dashboard is old. First: is intake-prober serve (or its cron) running, "
            "and can Prometheus reach its /metrics?"
        ),
    )


def _blind(timing: Timing) -> Iterator[AlertRule]:
    """It inhibits nothing: what another prober or a gauge sees is true all the same."""
    blind = current(("prober", "cause"), metrics.PROBER_BLIND, timing.lookback(900))
    query = Query(f"{blind} == 1", blind.labels)
    description = "Its verdicts are inconclusive, and no target is blamed. First: intake-prober check"
    yield AlertRule(
        name="IntakeProberBlind",
        query=query,
        severity=Severity.TICKET,
        category=Category.PROBER,
        about=About.PROBER,
        labels={"blame": "prober"},
        for_seconds=600,
        summary="Prober {{ $labels.prober }} cannot see ({{ $labels.cause }}): verdicts are inconclusive",
        description=description,
    )
    yield AlertRule(
        name="IntakeProberBlindLong",
        query=query,
        severity=Severity.PAGE,
        category=Category.PROBER,
        about=About.PROBER,
        labels={"blame": "prober"},
        for_seconds=timing.blind_page,
        runbook="IntakeProberBlind",
        summary=(
            f"Prober {{{{ $labels.prober }}}} has been blind for {duration(timing.blind_page)} ({{{{ $labels.cause }}}}): "
            "nobody is watching support intake"
        ),
        description=description,
    )
