"""Benches for the ticketing contract: Redmine and Roundup, with whatever adapter reads them."""

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime

from probes.contracts import TicketingSystem
from tests.real.servers.redmine import Redmine
from tests.real.servers.redmine_files import CANARY as REDMINE_CANARY
from tests.real.servers.redmine_files import STRANGER as REDMINE_STRANGER
from tests.real.servers.roundup import Roundup

Connect = Callable[[str, str], AbstractAsyncContextManager[TicketingSystem]]
"""Gives the adapter that speaks to an address with a secret."""
_KNOWN = frozenset({REDMINE_CANARY, REDMINE_STRANGER})


class RedmineBench:
    """A Redmine with what tests do beside the adapter."""

    def __init__(self, redmine: Redmine, connect: Connect) -> None:
        self.redmine = redmine
        self._connect = connect

    def opened(self) -> AbstractAsyncContextManager[TicketingSystem]:
        return self._connect(self.redmine.url, self.redmine.keys.prober)

    def refused(self) -> AbstractAsyncContextManager[TicketingSystem]:
        return self._connect(self.redmine.url, "0" * 40)

    def now(self) -> datetime:
        return datetime.now(UTC)

    def open_ticket(self, subject: str, body: str, requester: str) -> str:
        if requester not in _KNOWN:
            raise ValueError(f"{requester} has no account in this Redmine: use one of {sorted(_KNOWN)}")
        return str(self.redmine.open_issue(subject, body, requester=requester))

    def raw(self, ticket_id: str) -> bytes:
        return repr(self.redmine.content_of(int(ticket_id))).encode()

    def mails_sent(self) -> int:
        return self.redmine.mails_sent()


class RoundupBench:
    """A Roundup with what tests do beside the adapter."""

    def __init__(self, roundup: Roundup, connect: Connect) -> None:
        self.roundup = roundup
        self._connect = connect

    def opened(self) -> AbstractAsyncContextManager[TicketingSystem]:
        return self._connect(self.roundup.url, self.roundup.password)

    def refused(self) -> AbstractAsyncContextManager[TicketingSystem]:
        """Refused by its password: start it with ``wrong_logins=0``, else the right one soon is refused as well."""
        return self._connect(self.roundup.url, "wrong-password")

    def now(self) -> datetime:
        return datetime.now(UTC)

    def open_ticket(self, subject: str, body: str, requester: str) -> str:
        return self.roundup.open_issue(subject, body, requester=requester)

    def raw(self, ticket_id: str) -> bytes:
        return json.dumps(self.roundup.content_of(ticket_id), default=repr).encode()

    def mails_sent(self) -> int:
        return self.roundup.mails_sent()
