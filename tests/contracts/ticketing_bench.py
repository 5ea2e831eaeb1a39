"""What the contract suite of ticketing systems needs of each: a bench, and what the bench can't show, with the reason."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar, TypeVar

import pytest

from canary.canary import Canary, Token
from canary.hop import Channel
from canary.path import PathName
from canary.signature import mint_id, mint_token
from canary.trace import trace_id
from probes.contracts import TicketingSystem
from tests.contracts.ticketing_wire import Wire

MARKER = "intakecanary"
TAG = "synthetic"
KEY = b"a signing key of the tests"
PATH = PathName("support-email")
SENDER = "canary@probe.test"
STRANGER = "jane@customer.test"
BODY = "Guten Tag,\n\nich kann mich seit heute früh nicht anmelden.\nBitte helfen Sie mir.\n\nViele Grüße"
_COUNT = itertools.count(1)
T = TypeVar("T")


class Ability(StrEnum):
    """What not every bench can show. A bench says of each that it lacks why; nothing is left out without a word."""

    WIRE = "wire"  # the adapter speaks HTTP, so that its exchange can be counted and spoilt
    FLOOD = "flood"  # hundreds of strangers' tickets in a moment
    PAGES = "pages"  # an adapter that reads a few tickets a page, and few pages
    MAIL = "mail"  # a mail that comes in by the front door
    CHANNEL = "channel"  # the system keeps by which channel a ticket came
    MESSAGE_ID = "message id"  # the system keeps the mail's Message-ID
    FILES = "files"  # attachments are shown with their content
    DIVERTED = "diverted"  # the system shows what it will not make a ticket of
    LAG = "lag"  # a ticket is there before its search shows it
    JOBS = "jobs"  # the system promises a change and makes it later
    VERSIONS = "versions"  # a change can be bound to the version that was read
    SAME_ID = "same id"  # the id of a deleted ticket is given out again
    APPENDING = "appending"  # a mail is appended to an older ticket
    BY_HAND = "by hand"  # a person deletes a ticket beside the adapter
    TAGS = "tags"  # a ticket can bear a word of ours
    BUDGET = "budget"  # answers tell what is left of a rate limit
    READ_ONLY = "read only"  # a credential that may read and not change
    SILENCE = "silence"  # a wrong key is answered 200, with nothing or with what everybody may see


class Bench:
    """A ticketing system with what the suite needs to know and to do beside it. Benches inherit this.

    Attributes:
        lacks: what it can't show, with the reason.
        wire: the way between the adapter and the system; of no use where `Ability.WIRE` is lacking.
        secret: a word of the good credential that must show up nowhere.
        budget_headers: headers that the system answers with, and which say that 42 of 100 calls are left.
        most_calls: that one look may cost while nothing has come, by the system's documentation.
        proofs: ends of paths at which the system says who we are, and refuses a wrong key (`Ability.SILENCE`).
    """

    lacks: ClassVar[Mapping[Ability, str]] = {}
    wire: Wire = Wire()
    secret: str = "no secret"
    budget_headers: Mapping[str, str] = {
        "RateLimit-Limit": "100",
        "RateLimit-Remaining": "42",
        "RateLimit-Reset": "30",
    }
    most_calls: int = 3
    proofs: tuple[str, ...] = ()

    def opened(self) -> AbstractAsyncContextManager[TicketingSystem]:
        """The adapter, connected with a good credential."""
        raise NotImplementedError

    def refused(self) -> AbstractAsyncContextManager[TicketingSystem]:
        """The adapter with a credential that the system refuses."""
        raise NotImplementedError

    def now(self) -> datetime:
        """Our time."""
        raise NotImplementedError

    def open_ticket(self, subject: str, body: str, requester: str) -> str:
        """Make a ticket and wait until it is there; its id."""
        raise NotImplementedError

    def raw(self, ticket_id: str) -> bytes:
        """All that the system shows of a ticket, byte for byte."""
        raise NotImplementedError

    def mails_sent(self) -> int:
        """How many mails it has sent to anybody."""
        raise NotImplementedError

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something on a loop of its own, by the bench's clock."""
        return asyncio.run(work)

    async def pause(self) -> None:
        """Let the system get on before it is looked at again."""
        raise NotImplementedError

    def short_sighted(self) -> AbstractAsyncContextManager[TicketingSystem]:
        """The adapter, told to read one page of at most two tickets (`Ability.PAGES`)."""
        raise NotImplementedError

    def read_only(self) -> AbstractAsyncContextManager[TicketingSystem]:
        """The adapter with a credential that may not change anything (`Ability.READ_ONLY`)."""
        raise NotImplementedError

    def flood(self, count: int) -> None:
        """Many tickets of strangers, created now (`Ability.FLOOD`)."""
        raise NotImplementedError

    def ebb(self) -> None:
        """Take the strangers' tickets of `flood` away, so that no other test reads their pages."""

    def mail(self, canary: Canary, *, attachment: bytes) -> None:
        """Send a canary's mail as its sender, with a file ``invoice.pdf`` (`Ability.MAIL`)."""
        raise NotImplementedError

    def divert(self, subject: str, body: str, requester: str) -> str:
        """Have a mail held aside; the system's word for the cause (`Ability.DIVERTED`)."""
        raise NotImplementedError

    def lagging(self, seconds: float) -> AbstractAsyncContextManager[TicketingSystem]:
        """The adapter that looks by an index which is behind by so much (`Ability.LAG`)."""
        raise NotImplementedError

    async def catch_up(self) -> None:
        """Let the index catch up, or the promised changes be made (`Ability.LAG`, `Ability.JOBS`)."""
        raise NotImplementedError

    def promise_only(self) -> None:
        """Have the system promise changes, and make them at `catch_up` only (`Ability.JOBS`)."""
        raise NotImplementedError

    def append(self, ticket_id: str, text: str) -> None:
        """Add a customer's mail to an existing ticket (`Ability.APPENDING`)."""
        raise NotImplementedError

    def delete_by_hand(self, ticket_id: str) -> None:
        """What a person does who tidies up (`Ability.BY_HAND`)."""
        raise NotImplementedError

    def give_out_again(self, ticket_id: str, subject: str, body: str, requester: str) -> None:
        """Delete a ticket and give its id to another one (`Ability.SAME_ID`)."""
        raise NotImplementedError


def needs(bench: Bench, *abilities: Ability) -> None:
    """Leave the test out, with the reason that the bench declares, where it lacks something."""
    for one in abilities:
        if one in bench.lacks:
            pytest.skip(f"{type(bench).__name__} lacks {one}: {bench.lacks[one]}")


def new_canary(now: datetime, *, sender: str = SENDER, key: bytes = KEY) -> Canary:
    """A canary launched now, with a token of its own."""
    canary_id = mint_id(now, next(_COUNT).to_bytes(4, "big"))
    return Canary(
        id=canary_id,
        path=PATH,
        channel=Channel.EMAIL,
        token=Token(mint_token(canary_id, PATH, key)),
        marker=MARKER,
        sender=sender,
        launched_at=now,
        deadline_at=now + timedelta(minutes=10),
        horizon_at=now + timedelta(hours=24),
        trace_id=trace_id(canary_id),
        prober="tests",
    )


def with_system(bench: Bench, work: Callable[[TicketingSystem], Awaitable[T]]) -> T:
    """Do something with the connected adapter on a loop of its own."""

    async def main() -> T:
        async with bench.opened() as system:
            return await work(system)

    return bench.run(main())
