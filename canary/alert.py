"""An alert: what is told to people, of what concern, and the key by which its receiver knows it again."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from types import MappingProxyType
from typing import NewType, assert_never
from uuid import UUID

from canary.blame import Stop
from canary.hop import Hop
from canary.incident import Incident, IncidentId
from canary.path import PathName
from canary.reason import Reason, Side
from canary.signature import CanaryId
from canary.verdict import Verdict

Subject = NewType("Subject", str)
"""What a concern is about, in words that stay the same while it lasts: ``incident/ticketing/desk``."""


class Severity(StrEnum):
    """Whether somebody is woken, or finds it in the morning."""

    PAGE = "page"
    TICKET = "ticket"


class AlertKind(StrEnum):
    """What sort of concern it is."""

    INCIDENT = "incident"
    """Customers can't reach support by one or more paths."""
    BLINDNESS = "blindness"
    """The prober can't see whether they can."""
    GAUGE = "gauge"
    """A mailbox, certificate, record or interface will break, or has, whatever the canaries say."""
    UNREADABLE = "unreadable"
    """A gauge has not been readable for a while: nobody would see it rise."""
    DEGRADED = "degraded"
    """Canaries come through, slow or flawed."""
    NOT_PROBED = "not_probed"
    """A path is scheduled and not probed: nothing is known of it."""
    LEFTOVERS = "leftovers"
    """Tickets or mails of canaries could not be removed."""
    DELIVERY = "delivery"
    """Alerts could not be delivered to a sink."""
    FLOOD = "flood"
    """So many pages in an hour that the rest is held back."""


class AlertTransition(StrEnum):
    """What is told of a concern."""

    OPENED = "opened"
    CHANGED = "changed"
    REMINDER = "reminder"
    RESOLVED = "resolved"


class Party(StrEnum):
    """Whose it is, in the words that decide whom to call."""

    PROBER = "the prober (ours)"
    DNS = "the mail domain's DNS"
    MAIL_PLATFORM = "the mail platform"
    WEBSITE = "the website or portal"
    TICKETING = "the ticketing vendor"
    MAIL_OR_TICKETING = "the mail platform or the ticketing vendor; it is not known which"
    TICKETING_API = (
        "the ticketing vendor: its interface answers with an error of its own, so the prober can't see"
    )
    MAIL_AND_TICKETING = "the mail platform, and the ticketing vendor, which takes nothing either"


BISECTED: Mapping[Verdict, str] = MappingProxyType(
    {
        Verdict.CONFIRMED: (
            "a canary that was sent past the mail platform came through: it is the mail platform, or its forwarding"
        ),
        Verdict.BREACHED: "a canary that was sent past the mail platform became no ticket either: it is the vendor",
    }
)
"""What a bisect canary's verdict says of a mail that was accepted and became no ticket."""
_BOTH = "a canary that was sent past the mail platform became no ticket either: the vendor takes nothing, too"


def bisected_words(verdict: Verdict, stop: Stop) -> str:
    """What a bisect canary that came to ``confirmed`` or ``breached`` says of an incident with that blame.

    Of a mail that was seen not to arrive, or bounced, it acquits nobody: then two are broken.
    """
    if verdict is Verdict.BREACHED and stop.hop is Hop.MAILBOX_ARRIVAL:
        return _BOTH
    return BISECTED.get(verdict, "")


def said_of(verdict: Verdict) -> Verdict | None:
    """What a bisect canary of that verdict says: confirmed, or breached whatever became of it; None: nothing yet."""
    if verdict is Verdict.CONFIRMED:
        return Verdict.CONFIRMED
    return Verdict.BREACHED if verdict.is_breach else None


_SERVER_ERRORS = 500
"""From this HTTP status on it is whoever answers that failed (RFC 9110 section 15.6), whoever asked; or by the configuration's rule."""
_ASKED = frozenset({Hop.MAILBOX_ARRIVAL, Hop.TICKET_CREATED})
"""Where a mail was accepted and is lost: there a bisect canary tells more than the hop."""


@dataclass(frozen=True, slots=True)
class PathBlame:
    """What one path of a concern bears, where its incident stopped at another place than those beside it.

    Attributes:
        stop: the best known blame.
        bisected: as in `Concern`, of this path alone.
        canary: one that shows it.
    """

    path: PathName
    stop: Stop
    bisected: Verdict | None = None
    canary: CanaryId | None = None


@dataclass(frozen=True, slots=True)
class Concern:
    """Something that people should know of, as it is now.

    Attributes:
        since: the onset: launch of the first failed canary, or when a gauge came to its state.
        paths: whose customers are affected, sorted; of a gauge, those that go through the place.
        place: the mailbox, domain, ticketing system or sink; None where it is of paths alone.
        stop: the blame, where there is one.
        detail: one sentence more, masked; never a customer's words.
        incidents: the open ones that it groups, the first one first.
        canary: one that shows it.
        impact_from: launch of the last confirmed canary before the onset; None: none is known.
        headline: what a title says of a gauge, in one readable sentence; empty of any other concern.
        read_at: of a gauge, when the reading was taken that ``detail`` is about; never since when it lasts.
        is_full: of a mailbox, that nothing more fits in.
        bisected: what a canary came to that went past the mail platform; None: there was none, or it is still out.
        only_sender: the one sender whose canaries fail while those of others come through; None: not so.
        works_from: where all of its incidents only prove themselves: since when all of them come through; else None.
        broke_again: how often its incidents failed again after they had nearly proved themselves.
        each: what each path bears, where they differ; empty where ``stop`` and ``bisected`` are true of all.
    """

    subject: Subject
    kind: AlertKind
    severity: Severity
    since: datetime
    paths: tuple[PathName, ...] = ()
    place: str | None = None
    stop: Stop | None = None
    detail: str = ""
    incidents: tuple[IncidentId, ...] = ()
    canary: CanaryId | None = None
    impact_from: datetime | None = None
    failures: int = 0
    only_sender: str | None = None
    bisected: Verdict | None = None
    headline: str = ""
    read_at: datetime | None = None
    is_full: bool = False
    each: tuple[PathBlame, ...] = ()
    works_from: datetime | None = None
    broke_again: int = 0

    def stop_of(self, path: PathName) -> Stop | None:
        """The blame that this path bears."""
        return next((one.stop for one in self.each if one.path == path), self.stop)

    @property
    def names(self) -> tuple[str, ...]:
        """What must be silenced for it to be: all its paths, or of a gauge its place alone."""
        if self.kind in {AlertKind.GAUGE, AlertKind.UNREADABLE} and self.place is not None:
            return (self.place,)
        return self.paths


@dataclass(frozen=True, slots=True)
class Ending:
    """How a concern ended.

    Attributes:
        is_retired: the path is gone or disabled; it is not known whether it works again.
        impact_until: launch of the first confirmed canary of the recovery.
        well_since: of what is over only once it stayed well for a while: since when it is; of a gauge, its first good
            reading.
        detail: what was read last, in one sentence; what was bad is no news any more.
        resolved_at: of incidents, when the verdict that ended the last of them settled: the message may be written later,
            by a process that was started meanwhile.
    """

    is_retired: bool = False
    impact_until: datetime | None = None
    well_since: datetime | None = None
    detail: str = ""
    resolved_at: datetime | None = None

    @property
    def over_at(self) -> datetime | None:
        """When it was over, where that is another time than that of the message."""
        return self.well_since or self.resolved_at


@dataclass(frozen=True, slots=True)
class Alert:
    """One message to one sink.

    Attributes:
        id: the same whenever this message is sent again; another one for each sink.
        key: the same for all messages of one concern's episode to one sink: by it the receiver closes what it opened.
        seq: their order.
        working: paths by which customers still reach support, as far as was known when it was written.
        prober: which prober says so.
        beside: the titles of other alerts that are open and have the same cause.
        at_risk: how many real tickets would usually have come in the impact window; None: not known.
    """

    id: str
    key: str
    seq: int
    sink: str
    transition: AlertTransition
    severity: Severity
    at: datetime
    concern: Concern
    prober: str
    ending: Ending | None = None
    working: tuple[PathName, ...] = ()
    opened_at: datetime | None = None
    beside: tuple[str, ...] = ()
    at_risk: float | None = None


def message_id(sink: str, key: str, seq: int) -> str:
    """The same message has the same id, whoever writes it."""
    text = f"{sink}\n{key}\n{seq}"
    return str(UUID(bytes=sha256(text.encode()).digest()[:16], version=5))


def party(stop: Stop, route: Collection[Hop], bisected: Verdict | None = None) -> Party:
    """Whose the failure is, for a path of that route.

    A mail that was accepted and became no ticket is lost at either of two: only a mailbox that we may read tells, or
    what a canary came to that was sent past the mail platform (``bisected``).
    """
    if stop.side is Side.PROBER:
        status = stop.status or stop.answered or 0
        is_theirs = stop.reason is Reason.TICKET_API_UNREADABLE and status >= _SERVER_ERRORS
        return Party.TICKETING_API if is_theirs else Party.PROBER
    lost = _of_lost_mail(stop.hop, route, bisected)
    if lost is not None:
        return lost
    match stop.hop:
        case Hop.DNS:
            return Party.DNS
        case Hop.SMTP_CONNECT | Hop.SMTP_TLS | Hop.SMTP_AUTH | Hop.SMTP_ACCEPT | Hop.MAILBOX_ARRIVAL:
            return Party.MAIL_PLATFORM
        case (
            Hop.PORTAL_LOAD
            | Hop.PORTAL_LOGIN
            | Hop.PORTAL_FORM
            | Hop.PORTAL_SUBMIT
            | Hop.PORTAL_CONFIRMATION
            | Hop.FORM_CONNECT
            | Hop.FORM_TLS
            | Hop.FORM_SUBMIT
            | Hop.FORM_CONFIRMATION
        ):
            return Party.WEBSITE
        case Hop.TICKET_CREATED | Hop.TICKET_CONTENT | Hop.REPLY_RECEIVED | Hop.TICKET_CLEANUP:
            return Party.TICKETING
        case _:
            assert_never(stop.hop)


def _of_lost_mail(hop: Hop, route: Collection[Hop], bisected: Verdict | None) -> Party | None:
    """Whose a mail is that was accepted and lost, where the hop alone does not tell."""
    if hop not in _ASKED or Hop.SMTP_ACCEPT not in route:
        return None
    if bisected is Verdict.CONFIRMED:
        return Party.MAIL_PLATFORM
    if bisected is Verdict.BREACHED:
        # what was seen to fail before the vendor's place is not well because that fails, too
        return Party.MAIL_AND_TICKETING if hop is Hop.MAILBOX_ARRIVAL else Party.TICKETING
    is_open = hop is Hop.TICKET_CREATED and Hop.MAILBOX_ARRIVAL not in route
    return Party.MAIL_OR_TICKETING if is_open else None


def party_of(incident: Incident, route: Collection[Hop]) -> Party:
    """Whose an incident is, by the best known blame and by what its bisect canary came to."""
    bisected = incident.bisected.verdict if incident.bisected is not None else None
    return party(incident.sharper or incident.stop, route, bisected)
