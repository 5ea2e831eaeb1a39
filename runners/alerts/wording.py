"""What an alert says, in words for the reader at 3 a.m. Pure: each sink only escapes and lays it out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final, assert_never
from urllib.parse import quote

from canary.alert import Alert, AlertKind, AlertTransition, Concern, Severity, Subject
from canary.hop import Channel, Hop
from canary.path import Path, PathName
from canary.reason import Reason
from canary.signature import CanaryId
from canary.usual import at_risk_words
from runners.alerts.effects import bisected_of, feels, reasons_of, remedy, whose

TEST: Final = Subject("test/delivery")
"""The subject of the message by which `intake-prober check --send` tries a sink."""
MOST_NAMES: Final = 20
"""How many paths a line names; a hundred would hide the rest."""
TITLE_CHARACTERS: Final = 240
_CHANNELS: Final = {
    Channel.EMAIL: "e-mail",
    Channel.PORTAL: "the portal",
    Channel.FORM: "the contact form",
}
_LABELS: Final = {Severity.PAGE: "PAGE", Severity.TICKET: "TICKET"}
_SEVERITIES: Final = {
    Severity.PAGE: "page: somebody must look now",
    Severity.TICKET: "ticket: it can wait until the morning",
}

WHAT: Final[Mapping[AlertKind, str]] = {
    AlertKind.INCIDENT: "{names} broken{at}",
    AlertKind.BLINDNESS: "the prober can't see whether {names} works{at}",
    AlertKind.GAUGE: "{names} at its limit",
    AlertKind.UNREADABLE: "{names} can't be read",
    AlertKind.DEGRADED: "{names} slow or flawed{at}",
    AlertKind.NOT_PROBED: "{names} not probed",
    AlertKind.LEFTOVERS: "{names}: canaries not cleaned up",
    AlertKind.DELIVERY: "alerts do not reach {names}",
    AlertKind.FLOOD: "so many pages that the rest is held back",
}
"""What a title says of a concern; a test holds it complete."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known beside the alert itself.

    Attributes:
        paths: as configured.
        page_url: base of the prober's own web page; None: there is none.
        runbook_url: base of our pages of reasons; None: they are on the prober's own page, where that has an address.
    """

    paths: Mapping[PathName, Path] = field(default_factory=lambda: MappingProxyType({}))
    page_url: str | None = None
    runbook_url: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that is told: what it is, and what it says, on one line."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Link:
    """Somewhere to read more."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Words:
    """An alert in words; nothing in it is escaped or secret, and each part is one line."""

    title: str
    lines: tuple[Line, ...]
    links: tuple[Link, ...]

    @property
    def text(self) -> str:
        """All of it as plain text, a line a thing."""
        told = [f"{one.label}: {one.text}" for one in self.lines]
        return "\n".join([self.title, "", *told, *(f"{one.text}: {one.url}" for one in self.links)]) + "\n"


def words(alert: Alert, known: Known) -> Words:
    """Say what an alert means: whose it is, what broke, since when, what customers feel, what to do."""
    if alert.concern.subject == TEST:
        return _test(alert)
    lines = tuple(Line(one.label, _one_line(one.text)) for one in _lines(alert, known) if one.text)
    return Words(_title(alert), lines, tuple(_links(alert, known)))


def utc(at: datetime) -> str:
    """A time as it is told: UTC, to the minute."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def lasting(span: timedelta) -> str:
    """How long something lasted: ``45 s``, ``1 h 20 min``, ``2 d 3 h``."""
    seconds = max(0, round(span.total_seconds()))
    if seconds < 60:  # noqa: PLR2004 -- a minute
        return f"{seconds} s"
    minutes = seconds // 60
    parts = ((minutes // 1440, "d"), (minutes // 60 % 24, "h"), (minutes % 60, "min"))
    shown = [f"{count} {unit}" for count, unit in parts if count][:2]
    return " ".join(shown)


def page_of(alert: Alert, known: Known) -> str | None:
    """Where the prober's own page shows it."""
    if known.page_url is None:
        return None
    base = known.page_url.rstrip("/")
    if alert.concern.incidents:
        return f"{base}/incidents/{quote(alert.concern.incidents[0], safe='')}"
    if len(alert.concern.paths) == 1:
        return f"{base}/paths/{quote(alert.concern.paths[0], safe='')}"
    return f"{base}/"


def _title(alert: Alert) -> str:
    what = _what(alert.concern)
    match alert.transition:
        case AlertTransition.OPENED:
            title = f"{_LABELS[alert.severity]}: {what}"
        case AlertTransition.CHANGED:
            title = f"{_LABELS[alert.severity]}, CHANGED: {what}"
        case AlertTransition.REMINDER:
            title = f"{_LABELS[alert.severity]}, STILL OPEN after {_age(alert)}: {what}"
        case AlertTransition.RESOLVED if _is_retired(alert):
            title = f"ENDED, not known whether it works (was: {what})"
        case AlertTransition.RESOLVED:
            title = f"RESOLVED after {_age(alert)} (was: {what})"
        case _:
            assert_never(alert.transition)
    title = _one_line(title)
    return title if len(title) <= TITLE_CHARACTERS else f"{title[: TITLE_CHARACTERS - 1]}…"


def _what(concern: Concern) -> str:
    names = _names(concern.paths) or concern.place or concern.subject
    at = f" at {concern.stop.hop}: {concern.stop.reason}" if concern.stop is not None else ""
    if concern.kind in {AlertKind.GAUGE, AlertKind.UNREADABLE} and (concern.headline or concern.detail):
        return concern.headline or concern.detail
    if concern.kind is AlertKind.DELIVERY and concern.severity is Severity.TICKET:
        return f"some alerts did not reach {names}"  # it takes those that are sent now
    if concern.each:
        return "; ".join(
            WHAT[concern.kind].format(names=_names(paths), at=f" at {hop}: {reason}")
            for (hop, reason), paths in _by_stop(concern).items()
        )
    return WHAT[concern.kind].format(names=names, at=at)


def _by_stop(concern: Concern) -> Mapping[tuple[Hop, Reason], tuple[PathName, ...]]:
    """The paths that stopped at each place, where they differ."""
    found: dict[tuple[Hop, Reason], tuple[PathName, ...]] = {}
    for one in concern.each:
        at = one.stop.hop, one.stop.reason
        found[at] = (*found.get(at, ()), one.path)
    return found


def _lines(alert: Alert, known: Known) -> Iterator[Line]:
    concern, is_over = alert.concern, alert.transition is AlertTransition.RESOLVED
    yield Line("Whose", "; ".join(whose(concern, known.paths)))
    yield Line("Where", _where(concern))
    yield Line("Severity", "" if is_over else _SEVERITIES[alert.severity])
    yield Line("Since", utc(concern.since) if is_over else f"{utc(concern.since)} ({_age(alert)})")
    yield Line("Over", _over(alert))
    yield Line("Impact", _impact(alert))
    yield Line(
        "At risk",
        at_risk_words(alert.at_risk, is_over=is_over or concern.works_from is not None)
        if alert.at_risk is not None
        else "",
    )
    if not is_over:
        if concern.works_from is None:
            yield Line("Customers", "; ".join(feels(concern, known.paths)))
        yield Line("One sender", _one_sender(concern))
        yield Line("Bisected", bisected_of(concern))
        yield Line("Still works", _working(alert, known))
    yield Line("Detail", _detail(alert))
    if not is_over:
        yield Line("Same cause", _same_cause(alert))
        yield Line("Read at", utc(concern.read_at) if concern.read_at is not None else "")
        yield Line("Do", remedy(concern))
    yield Line("Evidence", _evidence(concern))
    reasons = reasons_of(concern)
    if reasons and _runbook_base(known) is None:
        yield Line("Runbook", f"{', '.join(reasons)}, in the runbook that came with intake-prober")
    yield Line("Incident", _names(concern.incidents))
    yield Line("From", f"{alert.prober}, {alert.transition}, {utc(alert.at)}")


def _links(alert: Alert, known: Known) -> Iterator[Link]:
    concern = alert.concern
    page = page_of(alert, known)
    if page is not None:
        yield Link("Page", page)
    own = dict.fromkeys(
        path.runbook
        for name in concern.paths
        if (path := known.paths.get(name)) is not None and path.runbook is not None
    )
    for url in list(own)[:MOST_NAMES]:
        yield Link("Your runbook", url)
    base = _runbook_base(known)
    for reason in reasons_of(concern) if base is not None else ():
        yield Link(f"What {reason} means", f"{base}/{reason}{'.md' if known.runbook_url is not None else ''}")


def _same_cause(alert: Alert) -> str:
    return f"as the alert that is open too: {'; '.join(alert.beside)}" if alert.beside else ""


def _runbook_base(known: Known) -> str | None:
    """Where the pages of reasons are: at the address that is configured, else on the prober's own page."""
    if known.runbook_url is not None:
        return known.runbook_url.rstrip("/")
    return f"{known.page_url.rstrip('/')}/runbook" if known.page_url is not None else None


def _detail(alert: Alert) -> str:
    """One sentence more; of a gauge that is well again what is read now, not what was bad."""
    concern = alert.concern
    if alert.ending is not None and concern.kind is AlertKind.GAUGE:
        return alert.ending.detail
    return "" if concern.detail in _what(concern) else concern.detail


def _where(concern: Concern) -> str:
    if concern.each:
        return "; ".join(
            f"{_names(paths)}: hop {hop}, reason {reason}"
            for (hop, reason), paths in _by_stop(concern).items()
        )
    parts = [_names(concern.paths), f"place {concern.place}" if concern.place is not None else ""]
    if concern.stop is not None:
        parts.append(f"hop {concern.stop.hop}, reason {concern.stop.reason}")
    return "; ".join(one for one in parts if one)


def _evidence(concern: Concern) -> str:
    """A canary that shows it; where paths stopped at several places, one for each."""
    if not concern.each:
        return _shown_by(concern.canary) if concern.canary is not None else ""
    first = {(one.stop, one.bisected): one for one in reversed(concern.each) if one.canary is not None}
    ordered = sorted(first.values(), key=lambda one: one.path)
    return "; ".join(f"{one.path}: {_shown_by(one.canary)}" for one in ordered if one.canary is not None)


def _shown_by(canary: CanaryId) -> str:
    return f"canary {canary}: intake-prober trace {canary}"


def _over(alert: Alert) -> str:
    if alert.transition is not AlertTransition.RESOLVED:
        return ""
    if _is_retired(alert):
        gone = (
            f"{alert.concern.place} is configured no more, and its gauge is no longer read"
            if alert.concern.kind is AlertKind.GAUGE and alert.concern.place is not None
            else "the path is no longer probed"
        )
        return f"{gone}; it was open for {_age(alert)}, and nobody knows what is so now"
    well_since = alert.ending.well_since if alert.ending is not None else None
    if well_since is None or well_since >= alert.at:
        return f"{utc(_over_at(alert))}, after {_age(alert)}"
    stayed = lasting(alert.at - well_since)
    return f"{utc(well_since)}, after {_age(alert)}; told now because it stayed well for {stayed}"


def _impact(alert: Alert) -> str:
    concern = alert.concern
    if concern.kind is not AlertKind.INCIDENT:
        return ""
    start = f"after {utc(concern.impact_from)}" if concern.impact_from is not None else ""
    end = alert.ending.impact_until if alert.ending is not None else concern.works_from
    if end is not None:
        if start:
            return f"whoever wrote {start} and before {utc(end)} may be affected"
        return f"whoever wrote before {utc(end)} may be affected; no canary was confirmed before it began"
    if start:
        return f"whoever wrote {start} may be affected"
    return "not known since when: no canary was confirmed before it began"


def _one_sender(concern: Concern) -> str:
    if concern.only_sender is None:
        return ""
    return (
        f"only canaries from {concern.only_sender} fail, those of other senders come through:"
        " perhaps only customers of that provider feel it"
    )


def _working(alert: Alert, known: Known) -> str:
    """Where to send customers; only what is known to work is named, and only where they can't get through."""
    kind = alert.concern.kind
    if kind is not AlertKind.INCIDENT and not (kind is AlertKind.GAUGE and alert.severity is Severity.PAGE):
        return ""
    by_channel: dict[Channel, list[str]] = {}
    others = []
    for name in alert.working:
        path = known.paths.get(name)
        if path is None:
            others.append(name)
        else:
            by_channel.setdefault(path.channel, []).append(name)
    told = [
        f"{_CHANNELS[channel]}: {_names(tuple(by_channel[channel]))}"
        for channel in (Channel.FORM, Channel.PORTAL, Channel.EMAIL)
        if channel in by_channel
    ]
    told += [_names(tuple(others))] if others else []
    return f"send customers to {'; or '.join(told)}" if told else ""


def _test(alert: Alert) -> Words:
    is_over = alert.transition is AlertTransition.RESOLVED
    title = "TEST of intake-prober" + (" ended" if is_over else ": nothing is broken")
    lines = (
        Line("What", "somebody ran `intake-prober check --send`; this message arrived, so the sink works"),
        Line("From", f"{alert.prober}, {utc(alert.at)}"),
    )
    return Words(title, lines, ())


def _names(names: tuple[str, ...]) -> str:
    if len(names) <= MOST_NAMES:
        return ", ".join(names)
    return f"{', '.join(names[:MOST_NAMES])} and {len(names) - MOST_NAMES} more"


def _age(alert: Alert) -> str:
    return lasting(_over_at(alert) - alert.concern.since)


def _over_at(alert: Alert) -> datetime:
    return (alert.ending.over_at if alert.ending is not None else None) or alert.at


def _is_retired(alert: Alert) -> bool:
    return alert.ending is not None and alert.ending.is_retired


def _one_line(text: str) -> str:
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())
