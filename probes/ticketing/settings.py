"""What the ticketing adapters and their watcher are told by the configuration."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from canary.canary import Canary
from canary.content import ExpectedContent
from canary.quarantine import Mark
from canary.signature import CanaryId
from probes.contracts import Disposal
from probes.ticketing.pace import PaceSettings

Recognise = Callable[[str], CanaryId | None]
"""Verifies a token's signature: whose canary it is, or None."""

LOOK_BACK_SECONDS: Final = 300.0
"""How much earlier than the oldest launch a look begins: the system's clock may be behind ours."""
LOOK_AHEAD: Final = timedelta(days=1)
"""So far the system's clock may be ahead of ours before a ticket of this moment is not asked for."""
ORPHAN_DAYS: Final = 90
"""How far back canaries are sought of which the store knows nothing; as long as tokens are kept."""


@dataclass(frozen=True, slots=True)
class HelpdeskSettings:
    """A django-helpdesk.

    Attributes:
        url: the helpdesk's base, under which ``api/tickets/`` is.
        marker: the word that begins the subject of all canaries.
        tag: the word that marks a closed ticket as synthetic.
        page_size: tickets a page; the server takes any number.
        poll_pages: how many of the newest pages a narrow look reads.
        most_pages: how many a wide look reads before it calls itself incomplete.
        reads_files: whether attachments are fetched, a call each; of use only where canaries bear some.
    """

    name: str
    url: str
    marker: str
    tag: str = "synthetic"
    page_size: int = 100
    poll_pages: int = 2
    most_pages: int = 100
    reads_files: bool = True


@dataclass(frozen=True, slots=True)
class RtSettings:
    """A Request Tracker 5 with REST2.

    Attributes:
        url: the base, under which ``REST/2.0/`` is.
        marker: the word that begins the subject of all canaries.
        queue: the queue that narrow looks are limited to; None: all that we may see.
        quarantine_queue: where the quarantine rule moves a canary's ticket: narrow looks take it in beside `queue`.
        tag: the word that marks a closed ticket as synthetic.
        custom_field: the field that takes the tag, or None: tickets are closed without one.
        closed_status: of a cleaned ticket. Request Tracker's stock scrips mail the requester when a ticket becomes
            ``resolved``, and nobody when it becomes ``rejected`` (etc/initialdata of 5.0.3).
        most_pages: pages of 100 that a look reads before it calls itself incomplete.
        most_bodies: tickets whose bodies one look reads, about 0.3 s each; what was read is remembered.
    """

    name: str
    url: str
    marker: str
    queue: str | None = None
    quarantine_queue: str | None = None
    tag: str = "synthetic"
    custom_field: str | None = None
    closed_status: str = "rejected"
    most_pages: int = 50
    most_bodies: int = 40


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a canary's ticket should be.

    Attributes:
        content: what its request said; None: not known here (its path is gone), then only the requester is judged.
        forwarders: addresses that a ticket of ours may bear besides the sender's own.
        target: the support address that the request was sent to, or None.
    """

    content: ExpectedContent | None = None
    forwarders: frozenset[str] = frozenset()
    target: str | None = None


@dataclass(frozen=True, slots=True)
class TicketWatcherSettings:
    """What the watcher of one system needs to know.

    Attributes:
        disposal: how tickets of ours are removed; None (``cleanup: none``): nothing is ever written.
        own_addresses: senders and listed forwarders of all paths; whose tickets may be orphans of ours.
        mark: what the system's quarantine rule sets; None: it is not known to have one.
    """

    recognise: Recognise
    expectation: Callable[[Canary], Expectation]
    disposal: Disposal | None
    own_addresses: Collection[str] = ()
    pace: PaceSettings = field(default_factory=PaceSettings)
    mark: Mark | None = None
