"""The series of places, out of the newest readings of their gauges."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never

from canary.ahead import is_ahead
from canary.forecast import Forecast, Reading, forecast
from canary.gauge import Gauge, GaugeName, GaugeState, Resource, certificate_flaw
from canary.instruments import Instrument, metrics
from canary.path import Path
from runners.contracts import Store
from runners.gauging import TREND
from runners.telemetry.families import Points

READ_EVERY = timedelta(minutes=5)
"""How often the daemon reads places, and a run at the latest: `GAUGES_SECONDS`."""
STALE_INTERVALS = 3
"""An older reading is not shown: one that passes for fresh is worse than none."""
_HEARD = frozenset({GaugeName.TICKET_API, GaugeName.CLOCK_SKEW})
"""Not read by themselves, but by the way, when a canary is looked for."""


class PlaceKind(StrEnum):
    """What a place is."""

    MAILBOX = "mailbox"
    TICKETING = "ticketing"
    DOMAIN = "domain"
    ENDPOINT = "endpoint"


_Key = tuple[str, Resource | None]
Trends = Mapping[_Key, Forecast]
"""Where the capacity of mailboxes leads, by place and resource."""

_KINDS = {
    GaugeName.MAILBOX_CAPACITY: PlaceKind.MAILBOX,
    GaugeName.MAILBOX_BACKLOG: PlaceKind.MAILBOX,
    GaugeName.TICKET_API: PlaceKind.TICKETING,
    GaugeName.DNS_MAIL: PlaceKind.DOMAIN,
    GaugeName.CERTIFICATE_EXPIRY: PlaceKind.ENDPOINT,
    GaugeName.CLOCK_SKEW: PlaceKind.ENDPOINT,
    GaugeName.INTAKE_TRAFFIC: PlaceKind.TICKETING,
}
_IN_ORDER = tuple(PlaceKind)
"""A place that is several things is shown as the first: its series are joined by the place alone."""


def fresh(gauges: Sequence[Gauge], paths: Sequence[Path], *, now: datetime) -> list[Gauge]:
    """The readings that say something and are young enough.

    What is heard with a canary may be three of the longest interval old. A place that was taken out of the configuration
    is read no more, and so is soon shown no more.
    """
    intervals = [one.interval_seconds for one in paths if one.is_enabled and one.interval_seconds is not None]
    longest = max([READ_EVERY.total_seconds(), *intervals])
    heard = now - timedelta(seconds=STALE_INTERVALS * longest)
    read = now - STALE_INTERVALS * READ_EVERY
    return [
        one
        for one in gauges
        if (one.value is not None or certificate_flaw(one) is not None)
        and not is_ahead(one.read_at, now)
        and one.read_at >= (heard if one.name in _HEARD else read)
    ]


def add_places(points: Points, paths: Sequence[Path], gauges: Sequence[Gauge], trends: Trends) -> None:
    """Add what places are, and what was read there; ``gauges`` are fresh ones."""
    kinds = _kinds(paths, gauges)
    read_at: dict[str, datetime] = {}
    for gauge in gauges:
        _add_reading(points, gauge, trends.get((gauge.place, gauge.resource)))
        # A clock is told by the way; it is no reading of a mailbox or a ticketing system.
        if gauge.name is not GaugeName.CLOCK_SKEW or kinds[gauge.place] is PlaceKind.ENDPOINT:
            read_at[gauge.place] = max(gauge.read_at, read_at.get(gauge.place, gauge.read_at))
    for place, kind in sorted(kinds.items()):
        labels = {"place": place, "kind": kind}
        points.add(metrics.PLACE_INFO, 1.0, {**labels, **_owner(place, paths)})
        points.add_time(metrics.PLACE_READING, read_at.get(place), labels)


def _kinds(paths: Sequence[Path], gauges: Sequence[Gauge]) -> dict[str, PlaceKind]:
    """What each place is, by the paths that use it, else by what was read of it."""
    known = [(one.mailbox, PlaceKind.MAILBOX) for one in paths if one.is_enabled]
    known += [(one.ticketing, PlaceKind.TICKETING) for one in paths if one.is_enabled]
    known += [(one.place, _KINDS[one.name]) for one in gauges]
    in_order = sorted(known, key=lambda one: _IN_ORDER.index(one[1]), reverse=True)
    return {place: kind for place, kind in in_order if place}


def _owner(place: str, paths: Sequence[Path]) -> dict[str, str]:
    """Team and domain of the paths that need a place; of several, of the first by name that has one."""
    host = place.rpartition(":")[0] or place
    users = sorted(
        (one for one in paths if place in {one.mailbox, one.ticketing, one.domain} or host == one.domain),
        key=lambda one: one.name,
    )
    return {
        "team": next((one.team for one in users if one.team), ""),
        "domain": next((one.domain for one in users if one.domain), ""),
    }


def _add_reading(points: Points, gauge: Gauge, trend: Forecast | None) -> None:
    place = {"place": gauge.place}
    if gauge.name is GaugeName.CERTIFICATE_EXPIRY and gauge.state is not GaugeState.UNKNOWN:
        points.add(metrics.CERTIFICATE_TRUSTED, float(certificate_flaw(gauge) is None), place)
    if gauge.value is not None:
        _add_value(points, gauge, gauge.value, trend)


def _add_value(points: Points, gauge: Gauge, value: float, trend: Forecast | None) -> None:
    place = {"place": gauge.place}
    match gauge.name:
        case GaugeName.MAILBOX_CAPACITY:
            _add_capacity(points, gauge, value, trend)
        case GaugeName.MAILBOX_BACKLOG:
            points.add(metrics.MAILBOX_BACKLOG, value, place)
            points.add_time(metrics.MAILBOX_OLDEST_UNPROCESSED, gauge.oldest_at, place)
        case GaugeName.CERTIFICATE_EXPIRY:
            points.add_time(metrics.CERTIFICATE_EXPIRY, gauge.read_at + timedelta(seconds=value), place)
        case GaugeName.DNS_MAIL:
            points.add(metrics.DNS_MAIL_OK, value, {**place, "record": gauge.resource or ""})
        case GaugeName.TICKET_API:
            _add_ticket_api(points, gauge, value)
        case GaugeName.CLOCK_SKEW:
            points.add(metrics.CLOCK_SKEW, value, place)
        case GaugeName.INTAKE_TRAFFIC:
            _add_traffic(points, gauge, value)
        case _:
            assert_never(gauge.name)


def _add_ticket_api(points: Points, gauge: Gauge, value: float) -> None:
    place = {"place": gauge.place}
    if gauge.resource is Resource.REQUEST:
        points.add(metrics.TICKET_API_BUDGET_REMAINING, value, place)
        _add_known(points, metrics.TICKET_API_BUDGET_LIMIT, gauge.limit, place)
    else:
        points.add(metrics.TICKET_API_UP, value, place)


def _add_traffic(points: Points, gauge: Gauge, value: float) -> None:
    way = {"place": gauge.place, "way": gauge.resource or ""}
    points.add(metrics.TRAFFIC, value, way)
    _add_known(points, metrics.TRAFFIC_LIMIT, gauge.limit, way)
    points.add_time(metrics.TRAFFIC_NEWEST, gauge.oldest_at, way)


def _add_capacity(points: Points, gauge: Gauge, value: float, trend: Forecast | None) -> None:
    place = {"place": gauge.place}
    resource = {**place, "resource": gauge.resource or Resource.STORAGE}
    if gauge.resource is Resource.MESSAGE:
        points.add(metrics.MAILBOX_MESSAGES, value, place)
        _add_known(points, metrics.MAILBOX_MESSAGES_LIMIT, gauge.limit, place)
    else:
        points.add(metrics.MAILBOX_USED, value, place)
        _add_known(points, metrics.MAILBOX_LIMIT, gauge.limit, place)
        if trend is not None:
            points.add(metrics.MAILBOX_GROWTH, trend.growth_per_second, place)
    _add_known(points, metrics.MAILBOX_USED_RATIO, gauge.share, resource)
    if trend is not None:
        points.add_time(metrics.MAILBOX_FULL, trend.full_at, resource)


def _add_known(
    points: Points, instrument: Instrument, value: float | None, labels: Mapping[str, str]
) -> None:
    if value is not None:
        points.add(instrument, value, labels)


class Forecasting:
    """Fits the trends of mailboxes; one is fitted again only after another reading, not at every scrape."""

    def __init__(self) -> None:
        self._fitted: dict[_Key, tuple[datetime, Forecast | None]] = {}

    async def trends(self, store: Store, gauges: Sequence[Gauge]) -> Trends:
        """Where these capacities lead, by the readings of the last day; one without a trend is left out.

        Raises:
            StoreError: the readings could not be read.
        """
        found = {}
        for gauge in gauges:
            if gauge.name is GaugeName.MAILBOX_CAPACITY:
                found[gauge.place, gauge.resource] = await self._fitted_to(store, gauge)
        self._fitted = found
        return {key: trend for key, (_, trend) in found.items() if trend is not None}

    async def _fitted_to(self, store: Store, gauge: Gauge) -> tuple[datetime, Forecast | None]:
        known = self._fitted.get((gauge.place, gauge.resource))
        if known is not None and known[0] == gauge.read_at:
            return known
        since = gauge.read_at - TREND
        several = await store.gauges(place=gauge.place, name=gauge.name, resource=gauge.resource, since=since)
        readings = [Reading(one.read_at, one.value) for one in several if one.value is not None]
        return gauge.read_at, forecast(readings, gauge.limit)
