"""A gauge: a reading that belongs to a place, not to a canary, and the state that its thresholds give it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from canary.ahead import is_ahead
from canary.reason import Reason


class GaugeName(StrEnum):
    """What a gauge reads."""

    MAILBOX_CAPACITY = "mailbox.capacity"
    MAILBOX_BACKLOG = "mailbox.backlog"
    CERTIFICATE_EXPIRY = "certificate.expiry"
    TICKET_API = "ticket.api"
    DNS_MAIL = "dns.mail"
    CLOCK_SKEW = "clock.skew"
    INTAKE_TRAFFIC = "intake.traffic"


class GaugeState(StrEnum):
    """``unknown`` is never good and never a page."""

    OK = "ok"
    WARN = "warn"
    PAGE = "page"
    UNKNOWN = "unknown"


class Resource(StrEnum):
    """What a quota counts (RFC 9208 section 5), an API's window, a record of `dns.mail`, a way of `intake.traffic`."""

    STORAGE = "storage"
    MESSAGE = "message"
    REQUEST = "request"
    MX = "mx"
    SPF = "spf"
    DKIM = "dkim"
    DMARC = "dmarc"
    EMAIL = "email"
    PORTAL = "portal"
    FORM = "form"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Gauge:
    """One reading.

    Attributes:
        place: the mailbox, server, domain or ticketing system, by its name in the configuration.
        value: in ``unit`` (UCUM: ``By``, ``{message}``, ``s``, ``1``); None where it could not be read.
        limit: what the value may reach, in the same unit; None where there is none or it is not known.
        read_at: aware UTC.
        resource: of a mailbox's quota, of an API's window of requests, the kind of record of `dns.mail`, or the way of
            `intake.traffic`; else None.
        detail: how it is known, or why it is not.
        oldest_at: of a backlog, when the oldest unprocessed message arrived, by the remote's word; of `intake.traffic`,
            when the newest real ticket was created, by our clock.
        is_local: a command of this machine told it: no sign that a place outside answers us.
    """

    place: str
    name: GaugeName
    value: float | None
    unit: str
    limit: float | None
    read_at: datetime
    state: GaugeState = GaugeState.OK
    resource: Resource | None = None
    detail: str = ""
    oldest_at: datetime | None = None
    is_local: bool = False

    @property
    def share(self) -> float | None:
        """The value as a share of its limit; None without either."""
        if self.value is None or not self.limit:
            return None
        return self.value / self.limit


CERTIFICATE_FLAWS: Final = (
    Reason.CERTIFICATE_EXPIRED,
    Reason.CERTIFICATE_WRONG_NAME,
    Reason.CERTIFICATE_INVALID,
)
"""Why clients refuse a certificate, whenever it ends."""


def certificate_flaw(gauge: Gauge) -> Reason | None:
    """Why clients refuse this certificate; None where they take it, or nobody knows.

    A reading has a state and an end, and both may be those of a good one that ends soon: the reason is in its detail.
    """
    if gauge.name is not GaugeName.CERTIFICATE_EXPIRY or gauge.state is not GaugeState.PAGE:
        return None
    return next((one for one in CERTIFICATE_FLAWS if f"{one}: " in gauge.detail), None)


STALE_READING = timedelta(hours=1)
"""A reading that is older says nothing of now: its gauge counts as one that can't be read."""


def fresh(gauges: Iterable[Gauge], *, now: datetime, places: Collection[str] | None = None) -> list[Gauge]:
    """What the newest readings say of now: too old a one is unknown, as one of the future is.

    Of what is configured no more there is none.

    Args:
        gauges: the newest reading of each.
        now: aware UTC.
        places: those that are configured; None: not known, all count.
    """
    newest = list(gauges)
    told = _told_at(one for one in newest if not is_ahead(one.read_at, now))
    return [
        one if now - one.read_at <= STALE_READING and not is_ahead(one.read_at, now) else _not_known(one, now)
        for one in newest
        if (places is None or one.place in places)
        and not (one.name is GaugeName.MAILBOX_CAPACITY and one.read_at < told.get(one.place, one.read_at))
    ]


def _told_at(gauges: Iterable[Gauge]) -> dict[str, datetime]:
    """When each mailbox last told its capacity, all resources at once.

    What it told earlier of a resource that it tells no more, as before it had a quota, says nothing of now. A reading
    that failed tells nothing, and takes nothing back.
    """
    told: dict[str, datetime] = {}
    for one in gauges:
        if one.name is GaugeName.MAILBOX_CAPACITY and one.value is not None:
            told[one.place] = max(one.read_at, told.get(one.place, one.read_at))
    return told


def _not_known(gauge: Gauge, now: datetime) -> Gauge:
    why = "it was not read of late"
    if is_ahead(gauge.read_at, now):
        why = "its last reading is dated in the future: the clock was set back, or is wrong"
    return replace(gauge, state=GaugeState.UNKNOWN, value=None, detail=why)


@dataclass(frozen=True, slots=True)
class CapacityLimits:
    """When a mailbox's capacity warns and when it pages.

    Attributes:
        warn_share, page_share: of the limit, 0 to 1.
        forecast: a page when it is forecast to be full within this time.
        hysteresis_share: a state is left only this far below where it was entered.
    """

    warn_share: float = 0.80
    page_share: float = 0.95
    forecast: timedelta = timedelta(hours=24)
    hysteresis_share: float = 0.05


def capacity_state(
    share: float | None,
    *,
    full_in: timedelta | None,
    limits: CapacityLimits,
    previous: GaugeState = GaugeState.OK,
) -> GaugeState:
    """The state of a mailbox that is this full and forecast to be full after that time.

    A page by forecast needs a mailbox that is more than half full: a growing empty one is no emergency.
    """
    if share is None:
        return GaugeState.UNKNOWN
    ease = limits.hysteresis_share
    page_at = limits.page_share - (ease if previous is GaugeState.PAGE else 0)
    warn_at = limits.warn_share - (ease if previous in {GaugeState.WARN, GaugeState.PAGE} else 0)
    soon = full_in is not None and full_in <= limits.forecast and share > 0.5  # noqa: PLR2004 -- half full
    if share >= page_at or soon:
        return GaugeState.PAGE
    return GaugeState.WARN if share >= warn_at else GaugeState.OK
