"""Whose a concern is, and what customers feel of it: tables in plain words, and nothing that is not known."""

from collections.abc import Mapping
from typing import Final, assert_never

from canary.alert import AlertKind, Concern, Party, bisected_words, party
from canary.blame import Stop
from canary.concern import gauge_name
from canary.gauge import GaugeName
from canary.hop import Channel, Hop
from canary.path import Path, PathName
from canary.reason import CAUSES, Reason, Side
from canary.verdict import Verdict

UNKNOWN_PARTY: Final = "not known: the path is not in this configuration"
_WEB_NAMES: Final = "the website's or portal's DNS"

_MAIL: Final = (
    "mail to support can't be delivered: senders' mail servers try for hours or days, then return it"
)
_REFUSED: Final = "mail to support is refused or put off: they get a bounce, or for hours nothing at all"
_LOST: Final = "their mail is accepted and does not reach the support mailbox; most of them are told nothing"
_NO_TICKET: Final = "their requests are accepted and become no ticket that an agent sees: nobody answers, and they are told nothing"
_DAMAGED: Final = "tickets are made, but not as they wrote them: text, sender or attachments are wrong"
_NO_REPLY: Final = "they get no acknowledgement; some will ask again"
_CLEANUP: Final = "nothing: only synthetic tickets are left over"

_MAIL_HOPS: Final[Mapping[Hop, str]] = {
    Hop.DNS: _MAIL,
    Hop.SMTP_CONNECT: _MAIL,
    Hop.SMTP_TLS: _MAIL,
    Hop.SMTP_AUTH: _MAIL,
    Hop.SMTP_ACCEPT: _REFUSED,
    Hop.MAILBOX_ARRIVAL: _LOST,
}
_PORTAL_HOPS: Final[Mapping[Hop, str]] = {
    Hop.DNS: "they can't find the portal: its name does not resolve",
    Hop.PORTAL_LOAD: "they can't open the portal, or are sent elsewhere",
    Hop.PORTAL_LOGIN: "they can't log in to the portal",
    Hop.PORTAL_FORM: "they see the portal and can't write their request there",
    Hop.PORTAL_SUBMIT: "they write their request and can't send it",
    Hop.PORTAL_CONFIRMATION: "they send their request and are not told that it came in; some will send it again",
}
_FORM_HOPS: Final[Mapping[Hop, str]] = {
    Hop.DNS: "they can't find the form: its name does not resolve",
    Hop.FORM_CONNECT: "they can't open the form",
    Hop.FORM_TLS: "their browsers warn of the form's certificate, or refuse to open it",
    Hop.FORM_SUBMIT: "they fill in the form and can't send it",
    Hop.FORM_CONFIRMATION: "they send the form and are not told that it came in; some will send it again",
}
_TICKET_HOPS: Final[Mapping[Hop, str]] = {
    Hop.TICKET_CREATED: _NO_TICKET,
    Hop.TICKET_CONTENT: _DAMAGED,
    Hop.REPLY_RECEIVED: _NO_REPLY,
    Hop.TICKET_CLEANUP: _CLEANUP,
}
FEELS: Final[Mapping[Channel, Mapping[Hop, str]]] = {
    Channel.EMAIL: {**_MAIL_HOPS, **_TICKET_HOPS},
    Channel.PORTAL: {**_PORTAL_HOPS, **_TICKET_HOPS},
    Channel.FORM: {**_FORM_HOPS, **_TICKET_HOPS},
}
"""What customers feel, by channel and hop; a test holds it complete."""

_GAUGE_FEELS: Final[Mapping[GaugeName, str]] = {
    GaugeName.MAILBOX_CAPACITY: "nothing while it still takes mail; once it is full, mail to support is refused or lost",
    GaugeName.MAILBOX_BACKLOG: "their mail lies in the mailbox and is not yet a ticket: answers come late",
    GaugeName.CERTIFICATE_EXPIRY: "nothing while it is valid; after that, connections to it are refused",
    GaugeName.TICKET_API: "perhaps nothing: it is the interface by which we read tickets",
    GaugeName.DNS_MAIL: "perhaps nothing yet: mail may be refused, or sent to the wrong place",
    GaugeName.CLOCK_SKEW: "nothing: a clock is wrong, and times that are compared with it mislead",
    GaugeName.INTAKE_TRAFFIC: "perhaps they write and no ticket comes of it, though canaries come through; or it is a holiday",
}
_FULL: Final = "the mailbox is full: mail to support is refused, put off for days or lost now; whoever wrote may be told nothing"
_GAUGE_DO: Final[Mapping[GaugeName, str]] = {
    GaugeName.MAILBOX_CAPACITY: "Empty or enlarge the mailbox before it is full; find what fills it.",
    GaugeName.MAILBOX_BACKLOG: "See whether the fetcher of the mailbox runs, and whether its log-in is still good.",
    GaugeName.CERTIFICATE_EXPIRY: "Renew the certificate, with its whole chain, and reload the server.",
    GaugeName.TICKET_API: "Renew our credential there, or give us more requests.",
    GaugeName.DNS_MAIL: "Compare the record with what it should be; ask who changed the zone.",
    GaugeName.CLOCK_SKEW: "See whether NTP runs on both sides.",
    GaugeName.INTAKE_TRAFFIC: "Is it a holiday? Else write as a customer does, from another provider than the canary's; see what the vendor holds aside.",
}
"""What to do about a gauge; a test holds it complete."""
_GAUGE_REASONS: Final[Mapping[GaugeName, Reason]] = {
    GaugeName.MAILBOX_CAPACITY: Reason.MAILBOX_FULL,
    GaugeName.MAILBOX_BACKLOG: Reason.BACKLOG_GROWING,
    GaugeName.CERTIFICATE_EXPIRY: Reason.CERTIFICATE_EXPIRED,
    GaugeName.TICKET_API: Reason.TICKET_API_UNREADABLE,
    GaugeName.DNS_MAIL: Reason.DNS_NO_RECORD,
    GaugeName.CLOCK_SKEW: Reason.CLOCK_STEPPED,
    GaugeName.INTAKE_TRAFFIC: Reason.NOT_SEEN,
}
"""Of which reason a gauge warns: its page in the runbook is the one to read."""
KIND_FEELS: Final[Mapping[AlertKind, str]] = {
    AlertKind.BLINDNESS: "not known; they may be well, and if they are not, nobody sees it now",
    AlertKind.UNREADABLE: "nothing that is known; nobody would see this reading rise",
    AlertKind.DEGRADED: "their requests arrive, but later or less intact than they should",
    AlertKind.NOT_PROBED: "not known: nobody looks",
    AlertKind.LEFTOVERS: "nothing; support agents may see synthetic tickets",
    AlertKind.DELIVERY: "nothing by itself; people may not hear of what breaks",
    AlertKind.FLOOD: "see the alerts that came before; more is broken than is told here",
}
"""What they feel of concerns that are neither an incident nor a gauge."""
_OF_SUPPORT: Final = frozenset({GaugeName.MAILBOX_CAPACITY, GaugeName.MAILBOX_BACKLOG, GaugeName.DNS_MAIL})
_GAUGE_WHOSE: Final[Mapping[GaugeName, str]] = {
    GaugeName.MAILBOX_CAPACITY: Party.MAIL_PLATFORM,
    GaugeName.MAILBOX_BACKLOG: "whatever fetches the mailbox: the ticketing vendor's fetcher or ours",
    GaugeName.DNS_MAIL: Party.DNS,
    GaugeName.TICKET_API: "the ticketing vendor, or our credential there",
}


def whose(concern: Concern, paths: Mapping[PathName, Path]) -> tuple[str, ...]:
    """Whose it is; several answers where it differs by path, none where it is not known."""
    match concern.kind:
        case AlertKind.INCIDENT | AlertKind.BLINDNESS | AlertKind.DEGRADED:
            return _of_stop(concern, paths)
        case AlertKind.GAUGE:
            gauge = gauge_name(concern)
            is_ours = concern.place is not None and not concern.paths
            known = _GAUGE_WHOSE.get(gauge) if gauge is not None and not is_ours else None
            return (str(known),) if known is not None else ()
        case AlertKind.UNREADABLE | AlertKind.NOT_PROBED | AlertKind.LEFTOVERS | AlertKind.FLOOD:
            return (Party.PROBER.value,)
        case AlertKind.DELIVERY:
            return ("ours, or the sink's",)
        case _:
            assert_never(concern.kind)


def feels(concern: Concern, paths: Mapping[PathName, Path]) -> tuple[str, ...]:
    """What customers feel: a sentence for each channel that is affected, the same sentence once."""
    if concern.kind is AlertKind.INCIDENT:
        return _by_channel(concern, paths)
    if concern.kind is AlertKind.GAUGE:
        gauge = gauge_name(concern)
        if gauge is None or (gauge in _OF_SUPPORT and not concern.paths):
            return ()  # a mailbox of our own, for one
        return (_FULL if concern.is_full else _GAUGE_FEELS[gauge],)
    return (KIND_FEELS[concern.kind],)


def remedy(concern: Concern) -> str:
    """What to do about it; empty where nothing is known that helps."""
    if concern.each:
        return _named({one.path: CAUSES[one.stop.reason].remedy for one in concern.each})
    if concern.stop is not None:
        return CAUSES[concern.stop.reason].remedy
    gauge = gauge_name(concern) if concern.kind is AlertKind.GAUGE else None
    if gauge is None:
        return ""
    return CAUSES[Reason.MAILBOX_FULL].remedy if concern.is_full else _GAUGE_DO[gauge]


def reasons_of(concern: Concern) -> tuple[Reason, ...]:
    """The reasons whose pages in the runbook are the ones to read, each once."""
    if concern.each:
        return tuple(dict.fromkeys(one.stop.reason for one in concern.each))
    reason = reason_of(concern)
    return (reason,) if reason is not None else ()


def bisected_of(concern: Concern) -> str:
    """What canaries came to that went past the mail platform; each path's own word where they differ."""
    if concern.each:
        told = {
            one.path: bisected_words(one.bisected, one.stop)
            for one in concern.each
            if one.bisected is not None
        }
        return _named({path: text for path, text in told.items() if text})
    if concern.bisected is None or concern.stop is None:
        return ""
    return bisected_words(concern.bisected, concern.stop)


def reason_of(concern: Concern) -> Reason | None:
    """The reason whose page in the runbook is the one to read; None: there is none."""
    if concern.stop is not None:
        return concern.stop.reason
    gauge = gauge_name(concern) if concern.kind is AlertKind.GAUGE else None
    return _GAUGE_REASONS[gauge] if gauge is not None else None


def _of_stop(concern: Concern, paths: Mapping[PathName, Path]) -> tuple[str, ...]:
    if concern.stop is None:
        return ()
    if concern.kind is AlertKind.BLINDNESS or concern.stop.side is Side.PROBER:
        return tuple(dict.fromkeys(_of_unseen(one.stop) for one in concern.each)) or (
            _of_unseen(concern.stop),
        )
    found: dict[str, list[str]] = {}
    bisected = {one.path: one.bisected for one in concern.each}
    for name in concern.paths:
        path = paths.get(name)
        stop = concern.stop_of(name) or concern.stop
        told = _party(stop, path, bisected.get(name, concern.bisected)) if path is not None else UNKNOWN_PARTY
        found.setdefault(told, []).append(name)
    if len(found) == 1:
        return tuple(found)
    return tuple(f"{told} ({', '.join(names)})" for told, names in found.items())


def _of_unseen(stop: Stop) -> str:
    """Whose it is that we can't see: the vendor's where its interface answers with an error of its own, else ours."""
    found = party(stop, ())
    return found.value if found is Party.TICKETING_API else Party.PROBER.value


def _party(stop: Stop, path: Path, bisected: Verdict | None) -> str:
    # `party` speaks of the mail domain, whose DNS is not what a portal or a form needs.
    if stop.hop is Hop.DNS and path.channel is not Channel.EMAIL:
        return _WEB_NAMES
    return party(stop, path.route, bisected).value


def _by_channel(concern: Concern, paths: Mapping[PathName, Path]) -> tuple[str, ...]:
    if concern.stop is None:
        return ()
    if concern.each:
        told_by_path = {
            one.path: FEELS[paths[one.path].channel].get(one.stop.hop, "")
            for one in concern.each
            if one.path in paths
        }
        said = _by_text({path: text for path, text in told_by_path.items() if text})
        return tuple(f"{text} ({', '.join(names)})" for text, names in said.items())
    channels = {paths[name].channel for name in concern.paths if name in paths}
    told = [
        FEELS[channel][concern.stop.hop]
        for channel in Channel
        if channel in channels and concern.stop.hop in FEELS[channel]
    ]
    return tuple(dict.fromkeys(told))


def _by_text(told: Mapping[PathName, str]) -> Mapping[str, list[str]]:
    """The paths of which each text is true."""
    found: dict[str, list[str]] = {}
    for path, text in told.items():
        found.setdefault(text, []).append(path)
    return found


def _named(told: Mapping[PathName, str]) -> str:
    """Each text once, after the paths of which it is true."""
    return " ".join(f"{', '.join(names)}: {text}" for text, names in _by_text(told).items())
