"""What the configuration tells the generic adapter: typed, frozen, every template and expression compiled."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from canary.hop import Channel
from canary.observation import Depth
from canary.ticket import TicketState
from probes.contracts import DisposalAction, View
from probes.ticketing.generic.calling import CallSettings
from probes.ticketing.generic.expressions import Expression
from probes.ticketing.generic.paging import Paging, Single
from probes.ticketing.generic.picking import Pick, Seen
from probes.ticketing.generic.requests import Asking
from probes.ticketing.generic.templates import Shape
from probes.ticketing.generic.tickets import TicketMap

_SAFE: Final = frozenset({"GET", "OPTIONS"})


class Per(StrEnum):
    """What a look is repeated for: each sender, or each chunk of tokens."""

    REQUESTERS = "requesters"
    TOKENS = "tokens"


class Order(StrEnum):
    """Which rows come first: any; the newest; or the newest page, whatever the order within it."""

    ANY = "any"
    NEWEST_FIRST = "newest_first"
    NEWEST_PAGE_FIRST = "newest_page_first"


@dataclass(frozen=True, slots=True)
class ReadSettings:
    """A request for one ticket, and what of its answer is the ticket's.

    Attributes:
        gone: holds of an answer that shows that the ticket is gone.
        row: where in the answer the fields begin; None: at its top.
    """

    asking: Asking
    ticket: TicketMap
    must: Expression | None = None
    gone: Expression | None = None
    row: Expression | None = None

    def has_nothing_for(self, values: Mapping[str, object]) -> bool:
        """Whether its address names a value that the row has not, so that there is nothing to be read: a text, say."""
        parts = {part for name, part in self.asking.path.names if name == "ticket"}
        return any(part in values and values[part] is None for part in parts)

    def seen(self, answer: Seen) -> Seen:
        """The answer from where the fields begin."""
        return answer if self.row is None else answer.of_row(self.row.of(answer.row))


@dataclass(frozen=True, slots=True)
class Step:
    """One request of a clean-up.

    Attributes:
        batch: how many tickets one request takes as ``ids``; None: one each.
        item: what stands for each of them in ``items``.
        if_match: what is sent as ``If-Match``, out of the answer before it.
        must: what the answer must hold, else the step failed whatever its status.
        job: what to ask until it is done, or None.
    """

    asking: Asking
    batch: int | None = None
    item: Shape | None = None
    if_match: Pick | None = None
    must: Expression | None = None
    job: "JobSettings | None" = None

    @property
    def writes(self) -> bool:
        """Whether it may change anything."""
        return self.asking.method not in _SAFE


@dataclass(frozen=True, slots=True)
class JobSettings:
    """A job that a step has started: what is asked how often, for how long, and what says how it went."""

    asking: Asking
    done: Expression
    failed: Expression | None = None
    every_seconds: float = 2.0
    limit_seconds: float = 20.0


@dataclass(frozen=True, slots=True)
class CleanSettings:
    """How tickets are removed.

    Attributes:
        read: how one ticket is read before and after it is changed; None: what was done can't be verified.
        tags: a further request that tells the tags of a ticket that is closed; None: ``read`` does, or nothing.
        verify_seconds: how long a change may take to be seen in what is read.
    """

    steps: Mapping[DisposalAction, tuple[Step, ...]] = field(default_factory=lambda: MappingProxyType({}))
    read: ReadSettings | None = None
    tags: ReadSettings | None = None
    verify_seconds: float = 0.0
    verify_every_seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class LookSettings:
    """One named look.

    Attributes:
        depths: in which looks it is made; ``is_swept``: also when nothing is outstanding, for what was left over.
        lag_seconds: how far an eventual view may be behind.
        per, chunk, most_calls: what it is repeated for, how many tokens at a time, and how often at most.
        most_pages: beyond these the look is not complete.
        must: what each answer must hold, else the look is blind.
        empty_on: statuses that mean that there is no row.
        reads: further requests for a row that may be ours.
        most_reads: rows that one look reads so; what was read is remembered.
        clean: of what is diverted, how it is removed.
        digest: of all in the configuration that decides what is asked for and what is read of it.
    """

    name: str
    key: str
    asking: Asking
    rows: Pick
    ticket: TicketMap
    depths: frozenset[Depth] = frozenset(Depth)
    is_swept: bool = True
    view: View = View.STRONG
    lag_seconds: float = 0.0
    per: Per | None = None
    chunk: int = 20
    most_calls: int = 20
    paging: Paging = Single()  # noqa: RUF009 -- frozen
    order: Order = Order.ANY
    most_pages: int = 20
    must: Expression | None = None
    empty_on: frozenset[int] = frozenset()
    reads: tuple[ReadSettings, ...] = ()
    most_reads: int = 40
    state: TicketState = TicketState.TICKET
    clean: tuple[Step, ...] = ()
    digest: str = ""


@dataclass(frozen=True, slots=True)
class VarSettings:
    """A value that is asked for once and kept.

    Attributes:
        of: the address that the value belongs to; one of another sender's is none.
        per_requester: one for each sender.
    """

    name: str
    asking: Asking
    pick: Pick
    of: Pick | None = None
    per_requester: bool = False
    keep_seconds: float = 86400.0


@dataclass(frozen=True, slots=True)
class SightSettings:
    """A request that shows whether we may do something."""

    asking: Asking
    must: Expression


@dataclass(frozen=True, slots=True)
class ProofSettings:
    """A request that shows whether we see: made before a look without a ticket of ours is believed.

    Attributes:
        must: what its answer must hold: that it is we who ask, and what we may see.
        tickets: where it has tickets, of whatever age: there must be one.
    """

    asking: Asking
    must: Expression | None = None
    tickets: Expression | None = None


@dataclass(frozen=True, slots=True)
class CreateSettings:
    """How a ticket is made by the API, to try our rights; and where its id is in the answer."""

    asking: Asking
    id: Pick


@dataclass(frozen=True, slots=True)
class GenericSettings:
    """A system that is known by configuration alone.

    Attributes:
        marker: the word that begins the subject of all canaries.
        tag: the word that marks a cleaned ticket.
        own_addresses: our senders, for a look without canaries.
        targets: where canaries are sent, lower case: a group there may stand as a ticket's requester.
        channels: ours by the system's word, lower case.
        rights: shows, for `check`, whether we may change a ticket.
        reads_files: whether attachments are fetched.
    """

    name: str
    url: str
    marker: str
    calls: CallSettings
    looks: tuple[LookSettings, ...]
    tag: str = "synthetic"
    own_addresses: Collection[str] = ()
    targets: Collection[str] = ()
    channels: Mapping[str, frozenset[Channel]] = field(default_factory=lambda: MappingProxyType({}))
    vars: tuple[VarSettings, ...] = ()
    clean: CleanSettings = CleanSettings()
    sight: tuple[ProofSettings, ...] = ()
    rights: SightSettings | None = None
    create: CreateSettings | None = None
    reads_files: bool = False
