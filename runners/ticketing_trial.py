"""`ticketing try`: what an adapter understands of recent tickets, for the person who writes its configuration."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Final

from canary.canary import Canary, Token, new_canary
from canary.content import compare
from canary.requester import Standing, standing
from canary.signature import CanaryId, find_tokens, verify
from canary.ticket import Ticket, TicketState
from canary.trial import TRIAL_SUBJECT
from probes.contracts import Budget, Glance, Triable
from runners.config.config import PathConfig
from runners.site import Site
from runners.site_probes import expectations


@dataclass(frozen=True, slots=True)
class OurTicket:
    """A ticket with a token of ours, as the adapter understood it.

    Attributes:
        looks: names of the looks that showed it.
        path: whose canary it is.
        requester: ``ours``, ``listed``, ``rewritten``, ``stranger`` or ``unreadable``.
        address: the requester's, if it is ours or listed; else None.
        files: how many attachments; ``files_read``: of how many the content was read; None: they were not looked for.
        findings: reasons for which its content is not what was sent; None where that can't be said.
    """

    id: str
    looks: tuple[str, ...]
    state: TicketState
    canary_id: CanaryId
    path: str
    created_at: datetime | None
    channel: str | None
    requester: Standing
    address: str | None
    is_open: bool
    tags: tuple[str, ...]
    files: int | None
    files_read: int | None
    findings: tuple[str, ...] | None
    cause: str | None


@dataclass(frozen=True, slots=True)
class Understood:
    """What a trial read.

    Attributes:
        since: older tickets were left out.
        ours: tickets with a token of ours, newest first.
        foreign: how many tickets bear a token's shape that no key of ours has signed.
        budgets: windows of requests, by the answers.
    """

    since: datetime
    glances: tuple[Glance, ...]
    ours: tuple[OurTicket, ...]
    foreign: int
    budgets: tuple[Budget, ...]

    @property
    def is_unreadable(self) -> bool:
        """Whether the system did not answer us somewhere."""
        return any(one.fault and one.is_unreadable for one in self.glances)

    @property
    def is_misunderstood(self) -> bool:
        """Whether an answer is not what the configuration says: each of that would blind a look."""
        return any(is_misunderstood(one) for one in self.glances)


NEEDED: Final = frozenset({"id", "created_at", "requester", "open"})
"""Without these a canary's ticket can't be judged: none of them read in any ticket is a mistake of the pick."""


def is_misunderstood(glance: Glance) -> bool:
    """Whether a look's answer or a pick is not what the configuration says, or a needed field was read nowhere."""
    is_wrong = bool(glance.fault) and not glance.is_unreadable
    return is_wrong or bool(missing_of(glance)) or any(one.fault for one in glance.fields)


def missing_of(glance: Glance) -> tuple[str, ...]:
    """Fields that were sought and are needed, and could be read in no ticket that was shown; and tokens' texts."""
    by_name = {one.name: one for one in glance.fields if one.of}
    missing = [name for name, one in by_name.items() if name in NEEDED and not one.read]
    texts = [by_name[name] for name in ("subject", "body", "message_id") if name in by_name]
    if texts and not any(one.read for one in texts):
        missing.append("subject")
    return tuple(missing)


@dataclass(frozen=True, slots=True)
class Recognising:
    """Whose tokens are: by the site's keys and paths."""

    site: Site
    own_addresses: frozenset[str] = frozenset()
    paths: Mapping[str, PathConfig] = field(default_factory=lambda: MappingProxyType({}))

    def owner(self, ticket: Ticket) -> tuple[CanaryId, str, str] | None:
        """The canary, path and token of the first token in a ticket that a key of ours has signed."""
        signed = self.site.signed
        for text in (ticket.subject, ticket.message_id, ticket.body):
            for token in find_tokens(text or ""):
                found = verify(token, keys=signed.keys, paths=signed.paths)
                if found is not None:
                    return found.canary_id, found.path, token
        return None

    def understood(self, ticket: Ticket, looks: Iterable[str]) -> OurTicket | None:
        """A ticket of ours as it was understood; None for another's."""
        owner = self.owner(ticket)
        if owner is None:
            return None
        canary_id, path, token = owner
        config = self.paths.get(path)
        stands = self._standing(ticket, config)
        files = ticket.attachments
        return OurTicket(
            id=ticket.ref.id,
            looks=tuple(looks),
            state=ticket.state,
            canary_id=canary_id,
            path=path,
            created_at=ticket.remote_created_at,
            channel=ticket.channel,
            requester=stands,
            address=ticket.requester if stands.may_be_cleaned else None,
            is_open=ticket.is_open,
            tags=tuple(sorted(ticket.tags)),
            files=len(files) if files is not None else None,
            files_read=sum(one.sha256 is not None for one in files) if files is not None else None,
            findings=self._findings(ticket, config, canary_id, token, stands),
            cause=ticket.cause,
        )

    def _standing(self, ticket: Ticket, config: PathConfig | None) -> Standing:
        accounts = self.site.config.accounts
        senders = [accounts[one].address for one in config.senders] if config is not None else []
        forwarders = config.path.requesters if config is not None else frozenset[str]()
        target = config.target if config is not None else None
        several = [
            standing(ticket.requester, sender=one, forwarders=forwarders, target=target)
            for one in senders or sorted(self.own_addresses)
        ]
        return min(several, key=list(Standing).index, default=Standing.UNREADABLE)

    def _findings(
        self,
        ticket: Ticket,
        config: PathConfig | None,
        canary_id: CanaryId,
        token: str,
        stands: Standing,
    ) -> tuple[str, ...] | None:
        is_trial = TRIAL_SUBJECT in (ticket.subject or "")
        if config is None or is_trial or ticket.state is TicketState.DIVERTED:
            return None
        canary = self.canary(config, canary_id, token, ticket.requester)
        expected = expectations(self.site)(canary)
        found = compare(canary, expected.content, ticket, requester=stands)
        return tuple(dict.fromkeys(one.reason.value for one in found))

    def canary(self, config: PathConfig, canary_id: CanaryId, token: str, sender: str | None) -> Canary:
        """The canary as it was, as far as its token tells."""
        addresses = [self.site.config.accounts[one].address.lower() for one in config.senders]
        return new_canary(
            config.path,
            canary_id=canary_id,
            token=Token(token),
            marker=self.site.config.prober.marker,
            sender=sender if sender in addresses else addresses[0],
            prober=self.site.config.prober.name,
            by_hand=True,
        )


async def understand(
    site: Site, system: Triable, since: datetime, own_addresses: Iterable[str]
) -> Understood:
    """Read recent tickets and say what of them was understood; changes nothing.

    Raises:
        SecretUnavailable: the system's credential can't be had.
    """
    glances = tuple(await system.glance(since))
    recognising = recognising_of(site, own_addresses)
    ours: dict[tuple[TicketState, str], OurTicket] = {}
    foreign: set[tuple[TicketState, str]] = set()
    for glance in glances:
        for ticket in glance.tickets:
            key = ticket.state, ticket.ref.id
            before = ours.get(key)
            looks = (*(before.looks if before is not None else ()), glance.name)
            found = recognising.understood(ticket, looks)
            if found is None:
                foreign.add(key)
            else:
                ours[key] = found
    return Understood(
        since=since,
        # what is a stranger's goes no further than here
        glances=tuple(_counts_alone(one) for one in glances),
        ours=tuple(sorted(ours.values(), key=_newest_first)),
        foreign=len(foreign - set(ours)),
        budgets=tuple(system.budget()),
    )


def placed_in(understood: Understood, placed: Callable[[str], str]) -> Understood:
    """The same, where ``placed`` adds to each fault where in the configuration its key stands."""
    glances = [
        replace(
            one,
            fault=placed(one.fault),
            fields=tuple(replace(each, fault=placed(each.fault)) for each in one.fields),
        )
        for one in understood.glances
    ]
    return replace(understood, glances=tuple(glances))


def recognising_of(site: Site, own_addresses: Iterable[str]) -> Recognising:
    """Whose tokens are, by the site's keys and paths."""
    return Recognising(
        site, frozenset(own_addresses), {str(name): one for name, one in site.config.paths.items()}
    )


def skew_of(glances: Sequence[Glance]) -> float | None:
    """The system's clock less ours, in seconds, by the last look that told it."""
    return next((one.skew_seconds for one in reversed(glances) if one.skew_seconds is not None), None)


def _counts_alone(glance: Glance) -> Glance:
    return replace(glance, tickets=())


def _newest_first(ticket: OurTicket) -> tuple[float, str]:
    return -(ticket.created_at.timestamp() if ticket.created_at is not None else 0.0), ticket.id
