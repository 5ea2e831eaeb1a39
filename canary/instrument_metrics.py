"""Every metric: its names, unit, labels and meaning. Nobody types a metric's name anywhere else."""

from dataclasses import dataclass
from enum import StrEnum

HOP_BOUNDS = (
    0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
    30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0,
)  # fmt: skip
CANARY_BOUNDS = (
    1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 180.0, 300.0,
    600.0, 900.0, 1800.0, 3600.0, 7200.0, 14400.0, 28800.0, 86400.0,
)  # fmt: skip
LAG_BOUNDS = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0)

BLIND_CAUSES = ("network", "dns", "credentials", "disk", "store", "clock", "browser", "ticket_api")
"""The values of the label ``cause``; `PROBER_BLIND` has a series of each, always."""


class Kind(StrEnum):
    """What a metric is."""

    COUNTER = "counter"
    HISTOGRAM = "histogram"
    GAUGE = "gauge"


class Source(StrEnum):
    """Whose number it is: the store's, the same from every replica, or one process's own."""

    STORE = "S"
    PROCESS = "P"


_SUFFIXES = {"s": "_seconds", "By": "_bytes", "By/s": "_bytes_per_second", "1": ""}


@dataclass(frozen=True, slots=True)
class Instrument:
    """One metric.

    Attributes:
        name: the OpenTelemetry name.
        unit: in UCUM; an annotation in braces counts things and adds nothing to the Prometheus name.
        labels: short, bounded, and the same in OTLP and Prometheus.
        bounds: of a histogram, the upper bounds of its buckets in its unit, the infinite one left out.
    """

    name: str
    kind: Kind
    source: Source
    unit: str
    labels: tuple[str, ...]
    meaning: str
    bounds: tuple[float, ...] = ()

    @property
    def prometheus(self) -> str:
        """The Prometheus name: dots become underscores, the unit is spelled out, counters end in ``_total``."""
        name = self.name.replace(".", "_")
        suffix = "" if self.unit.startswith("{") else _SUFFIXES[self.unit]
        if not name.endswith(suffix):
            name += suffix
        return f"{name}_total" if self.kind is Kind.COUNTER else name


def _counter(name: str, unit: str, labels: str, meaning: str, *, source: Source = Source.STORE) -> Instrument:
    return Instrument(name, Kind.COUNTER, source, unit, tuple(labels.split()), meaning)


def _gauge(name: str, unit: str, labels: str, meaning: str, *, source: Source = Source.STORE) -> Instrument:
    return Instrument(name, Kind.GAUGE, source, unit, tuple(labels.split()), meaning)


def _histogram(
    name: str, labels: str, meaning: str, bounds: tuple[float, ...], *, source: Source = Source.STORE
) -> Instrument:
    return Instrument(name, Kind.HISTOGRAM, source, "s", tuple(labels.split()), meaning, bounds)


# canaries and hops
CANARY_LAUNCHED = _counter("intake.canary.launched", "{canary}", "path channel", "Canaries launched.")
CANARY_VERDICTS = _counter(
    "intake.canary.verdicts",
    "{canary}",
    "path channel verdict",
    "Verdicts reached; a late or lost canary counts once as breached and once as what became of it.",
)
CANARY_FAILURES = _counter(
    "intake.canary.failures",
    "{canary}",
    "path hop reason",
    "Breached canaries by the blamed hop and its reason; a series begins with its first breach, which increase() does not see.",
)
CANARY_DURATION = _histogram(
    "intake.canary.duration",
    "path channel verdict",
    "From launch to the good ticket.content, of confirmed and late canaries.",
    CANARY_BOUNDS,
)
HOP_DURATION = _histogram(
    "intake.hop.duration", "path hop outcome", "How long measured hops took.", HOP_BOUNDS
)
HOP_OBSERVATIONS = _counter(
    "intake.hop.observations", "{observation}", "path hop outcome evidence", "What was seen at hops."
)

# paths
PATH_INFO = _gauge("intake.path.info", "1", "path channel team domain ticketing", "Always 1: what a path is.")
PATH_UP = _gauge(
    "intake.path.up",
    "1",
    "path",
    "1 works, 0 an incident is open; absent while unknown: never proved, blind, or no verdict of late.",
)
PATH_IN_FLIGHT = _gauge("intake.path.in_flight", "{canary}", "path", "Pending canaries.")
PATH_OLDEST_IN_FLIGHT = _gauge(
    "intake.path.oldest_in_flight.timestamp",
    "s",
    "path",
    "Launch of the oldest pending canary; absent if none.",
)
PATH_CONSECUTIVE_FAILURES = _gauge(
    "intake.path.consecutive_failures",
    "{canary}",
    "path",
    "Canaries breached in a row; an inconclusive one changes nothing.",
)
PATH_LAST_LAUNCH = _gauge(
    "intake.path.last_launch.timestamp", "s", "path", "When the last canary was launched."
)
PATH_LAST_VERDICT = _gauge(
    "intake.path.last_verdict.timestamp", "s", "path", "When the last verdict was reached."
)
PATH_LAST_SUCCESS = _gauge(
    "intake.path.last_success.timestamp", "s", "path", "When the last canary was confirmed."
)
PATH_DEADLINE = _gauge("intake.path.deadline", "s", "path", "The path's deadline, from the configuration.")
PATH_INTERVAL = _gauge(
    "intake.path.interval", "s", "path", "The longest time between two scheduled launches."
)
PATH_SILENCED = _gauge("intake.path.silenced", "1", "path", "1 in a maintenance window.")
SLO_GOOD = _counter("intake.slo.good", "{canary}", "path", "Confirmed canaries.")
SLO_ELIGIBLE = _counter(
    "intake.slo.eligible",
    "{canary}",
    "path",
    "Confirmed and breached canaries; inconclusive ones are in neither.",
)
SLO_OBJECTIVE = _gauge("intake.slo.objective.ratio", "1", "path", "The share that must be confirmed.")

# incidents
INCIDENT_OPEN = _gauge(
    "intake.incident.open",
    "1",
    "path blame reason",
    "1 while open, 0 for a day after; the blame is that of its opening.",
)
INCIDENT_START = _gauge(
    "intake.incident.start.timestamp",
    "s",
    "path",
    "Launch of the first failed canary, while the incident is open.",
)
INCIDENTS = _counter("intake.incidents", "{incident}", "path blame", "Incidents of the target that opened.")
INCIDENT_DETECTION_DELAY = _histogram(
    "intake.incident.detection.delay",
    "path",
    "From the onset of an incident to the row of its alert.",
    CANARY_BOUNDS,
)

# places
PLACE_INFO = _gauge("intake.place.info", "1", "place kind team domain", "Always 1: what a place is.")
PLACE_READING = _gauge("intake.place.reading.timestamp", "s", "place kind", "When a place was last read.")
MAILBOX_USED = _gauge("intake.mailbox.used", "By", "place", "What the mailbox holds.")
MAILBOX_LIMIT = _gauge("intake.mailbox.limit", "By", "place", "What the mailbox may hold.")
MAILBOX_MESSAGES = _gauge("intake.mailbox.messages", "{message}", "place", "How many messages it holds.")
MAILBOX_MESSAGES_LIMIT = _gauge(
    "intake.mailbox.messages.limit", "{message}", "place", "How many messages it may hold."
)
MAILBOX_USED_RATIO = _gauge(
    "intake.mailbox.used.ratio", "1", "place resource", "The share of the limit that is used."
)
MAILBOX_GROWTH = _gauge("intake.mailbox.growth", "By/s", "place", "Its growth, by our own fit.")
MAILBOX_FULL = _gauge(
    "intake.mailbox.full.timestamp",
    "s",
    "place resource",
    "When it is forecast to be full; absent if not growing.",
)
MAILBOX_BACKLOG = _gauge("intake.mailbox.backlog", "{message}", "place", "Unprocessed messages.")
MAILBOX_OLDEST_UNPROCESSED = _gauge(
    "intake.mailbox.oldest_unprocessed.timestamp", "s", "place", "Arrival of the oldest unprocessed message."
)
CERTIFICATE_EXPIRY = _gauge("intake.certificate.expiry.timestamp", "s", "place", "When a certificate ends.")
CERTIFICATE_TRUSTED = _gauge(
    "intake.certificate.trusted",
    "1",
    "place",
    "1 clients take a server's certificate; 0 they refuse it: its chain, its name or its end. The rule "
    "IntakeCertificateNotTrusted needs it: one that ends in a year may be refused today.",
)
DNS_MAIL_OK = _gauge("intake.dns.mail.ok", "1", "place record", "1 where the record is as expected.")
TICKET_API_UP = _gauge(
    "intake.ticket_api.up", "1", "place", "1 where the ticketing API answers as it should."
)
TICKET_API_BUDGET_REMAINING = _gauge(
    "intake.ticket_api.budget.remaining", "{request}", "place", "Requests that are left in the window."
)
TICKET_API_BUDGET_LIMIT = _gauge(
    "intake.ticket_api.budget.limit", "{request}", "place", "Requests that the window allows."
)
TICKET_API_REQUESTS = _counter(
    "intake.ticket_api.requests",
    "{request}",
    "place outcome prober",
    "Requests to a ticketing API: ok, rate_limited, unauthorised or error.",
    source=Source.PROCESS,
)
TRAFFIC = _gauge(
    "intake.traffic",
    "1",
    "place way",
    "The age of the newest real ticket in usual gaps of those hours of the week: how many would usually have come since.",
)
TRAFFIC_LIMIT = _gauge(
    "intake.traffic.limit", "1", "place way", "From so many usual gaps on it is far out of the ordinary."
)
TRAFFIC_NEWEST = _gauge(
    "intake.traffic.newest.timestamp", "s", "place way", "When the newest real ticket was created."
)
CLOCK_SKEW = _gauge("intake.clock.skew", "s", "place", "A place's clock less ours, where known.")

# cleaning
CLEANUP_LEFTOVERS = _gauge("intake.cleanup.leftovers", "{item}", "path kind", "What is still to be removed.")
CLEANUP_ATTEMPTS = _counter(
    "intake.cleanup.attempts", "{attempt}", "path kind outcome", "Tries to remove what a canary left."
)

# quarantine
QUARANTINE_MISSES = _gauge(
    "intake.quarantine.misses",
    "{canary}",
    "path",
    "Canaries in a row whose ticket was first seen without the mark of the vendor's quarantine rule.",
)
QUARANTINE_LIMIT = _gauge(
    "intake.quarantine.limit",
    "{canary}",
    "path",
    "At so many misses nothing is launched by schedule; absent where the mark is not required.",
)

# the prober
PROBER_BLIND = _gauge(
    "intake.prober.blind", "1", "prober cause", "1 where this prober can't see.", source=Source.PROCESS
)
PROBER_HEARTBEAT = _gauge(
    "intake.prober.heartbeat.timestamp", "s", "prober", "End of the last whole loop.", source=Source.PROCESS
)
PROBER_SCHEDULER_LAG = _histogram(
    "intake.prober.scheduler.lag", "prober", "From a slot to its launch.", LAG_BOUNDS, source=Source.PROCESS
)
PROBER_MISFIRES = _counter(
    "intake.prober.misfires", "{slot}", "path prober", "Slots that were not launched.", source=Source.PROCESS
)
PROBER_STORE_ERRORS = _counter(
    "intake.prober.store.errors", "{error}", "prober kind", "Errors of the store.", source=Source.PROCESS
)
PROBER_EXPORT_ERRORS = _counter(
    "intake.prober.export.errors", "{error}", "prober kind", "Exports that failed.", source=Source.PROCESS
)
PROBER_WATCHER_UP = _gauge(
    "intake.prober.watcher.up",
    "1",
    "place prober",
    "1 while a watcher can see its place.",
    source=Source.PROCESS,
)
PROBER_OUTBOX_PENDING = _gauge("intake.prober.outbox.pending", "{alert}", "sink", "Alerts not yet delivered.")
PROBER_OUTBOX_OLDEST = _gauge(
    "intake.prober.outbox.oldest.timestamp", "s", "sink", "The oldest undelivered alert; absent if none."
)
PROBER_ALERTS_SENT = _counter("intake.prober.alerts.sent", "{alert}", "sink outcome", "Alerts sent.")
BUILD_INFO = _gauge(
    "intake.build.info", "1", "version revision python prober", "Always 1: what runs.", source=Source.PROCESS
)

METRICS: tuple[Instrument, ...] = tuple(one for one in globals().values() if isinstance(one, Instrument))
"""All metrics, in the order of this page."""

_BY_NAME = {one.name: one for one in METRICS}


def by_name(name: str) -> Instrument:
    """The metric of an OpenTelemetry name.

    Raises:
        ValueError: the catalogue has none of that name.
    """
    try:
        return _BY_NAME[name]
    except KeyError:
        raise ValueError(f"no metric is called {name!r}") from None
