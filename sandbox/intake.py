"""Intake: the whole chain, started and stopped as one: mail servers, mailboxes, helpdesk."""

import asyncio
import base64
import logging
import secrets
import ssl
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from sandbox.certificates import Authority
from sandbox.delivery import PostOffice
from sandbox.desk import Desk, DeskSettings
from sandbox.faults import CertificateKind, FaultBoard, Faults
from sandbox.imapd import ImapParts, connected
from sandbox.listener import Listener
from sandbox.mailstore import Account, MailStore
from sandbox.smtpd import Kind, Parts, factory, faults_for

ACCOUNTS = {
    "support": "support@acme.test",
    "agent": "agent@acme.test",
    "canary": "canary@probe.test",
    "canary2": "canary2@probe.test",
    "canary3": "canary3@other.test",
}
CUSTOMER = "canary"
DOMAIN = "acme.test"
_POLL_SECONDS = 0.5
_IMAP_LINE_LIMIT_BYTES = 256 * 1024
_log = logging.getLogger("sandbox.intake")


@dataclass(frozen=True, slots=True)
class Places:
    """Where the intake may write.

    Attributes:
        directory: All but the prepared database.
        cache: The prepared database of the helpdesk.
    """

    directory: Path
    cache: Path


class Intake:
    """The chain. An async context manager: inside it everything runs."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._stack = AsyncExitStack()
        self._authority = Authority(places.directory / "tls")
        self._token = secrets.token_hex(20)
        self._customer_password = secrets.token_urlsafe(18)
        self._totp_secret = base64.b32encode(secrets.token_bytes(20)).decode()
        self.board = FaultBoard()
        self.store = MailStore(datetime.now(UTC))
        self.office = PostOffice(self.store, self.board)
        self.smtp_counters: Counter[str] = Counter()
        self.imap_counters: Counter[str] = Counter()
        self._listeners: dict[str, Listener] = {}
        self._accounts = {
            role: self.store.add_account(address, secrets.token_urlsafe(18))
            for role, address in ACCOUNTS.items()
        }
        self._desk: Desk | None = None

    @property
    def desk(self) -> Desk:
        """The helpdesk."""
        if self._desk is None:
            raise RuntimeError("the intake was not entered")
        return self._desk

    async def __aenter__(self) -> Self:
        self._authority.make()
        loop = asyncio.get_running_loop()
        smtp = Parts(self.store, self.office, self.board, self.smtp_counters)
        imap = ImapParts(
            self.store, self.board, self.imap_counters, lambda: self._context(self.board.now.certificate_imap)
        )

        def streams(*, encrypted: bool, spared: bool) -> Callable[[], asyncio.Protocol]:
            serve = connected(imap, encrypted=encrypted, spared=spared)

            def make() -> asyncio.Protocol:
                reader = asyncio.StreamReader(limit=_IMAP_LINE_LIMIT_BYTES, loop=loop)
                return asyncio.StreamReaderProtocol(reader, serve, loop=loop)  # type: ignore[arg-type] # a coroutine

            return make

        def smtp_listener(
            kind: Kind, context: Callable[[], ssl.SSLContext], tls: ssl.SSLContext | None
        ) -> Listener:
            return Listener(
                factory(kind, smtp, context), lambda faults: faults_for(kind, faults).smtp_refuse, tls
            )

        front_smtp = self._authority.switched(lambda: self.board.now.certificate_submission)
        front_imap = self._authority.switched(lambda: self.board.now.certificate_imap)

        def mx() -> ssl.SSLContext:
            return self._context(self.board.now.certificate_mx)

        def submission() -> ssl.SSLContext:
            return self._context(self.board.now.certificate_submission)

        self._listeners = {
            "mx": smtp_listener(Kind.MX, mx, None),
            "submission": smtp_listener(Kind.SUBMISSION, submission, None),
            "submissions": smtp_listener(Kind.SUBMISSIONS, submission, front_smtp),
            "desk_smtp": smtp_listener(Kind.DESK, submission, None),
            "imap": Listener(streams(encrypted=False, spared=False), _imap_refused),
            "imaps": Listener(streams(encrypted=True, spared=False), _imap_refused, front_imap),
            "desk_imap": Listener(
                streams(encrypted=False, spared=True),
                lambda faults: faults.desk_behind_faults and faults.imap_refuse,
            ),
        }
        for listener in self._listeners.values():
            await listener.open()
            self._stack.callback(listener.close)
        support = self._accounts["support"]
        self._desk = Desk(
            DeskSettings(
                directory=str(self._places.directory / "desk"),
                cache=str(self._places.cache),
                address=support.address,
                password=support.password,
                imap_port=self._listeners["desk_imap"].port,
                smtp_port=self._listeners["desk_smtp"].port,
                token=self._token,
                interval_seconds=_POLL_SECONDS,
                customer=CUSTOMER,
                customer_address=self._accounts["canary"].address,
                customer_password=self._customer_password,
                totp_secret=self._totp_secret,
            ),
            self._places.directory / "sandbox.log",
        )
        self._stack.push_async_callback(self._desk.stop)
        try:
            await self._desk.start()
        except BaseException:
            await self._stack.aclose()
            raise
        self.board.on_change(self._desk.steer)
        self.board.on_change(self._switch_listeners)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def run(self) -> None:
        """Deliver held mail and hear the helpdesk, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.office.run())
            group.create_task(self.desk.run())
            group.create_task(self._apply_switches())

    def account(self, address: str) -> Account | None:
        """Return an account by its address."""
        return self.store.find(address)

    def endpoints(self, control_url: str) -> dict[str, object]:
        """Where everything listens, with the credentials of this start."""
        port = {name: listener.port for name, listener in self._listeners.items()}
        return {
            "control": control_url,
            "domain": DOMAIN,
            "smtp": {
                "host": "localhost",
                "mx_port": port["mx"],
                "submission_port": port["submission"],
                "submissions_port": port["submissions"],
            },
            "imap": {"host": "localhost", "port": port["imap"], "imaps_port": port["imaps"]},
            "ca_file": str(self._authority.ca_file),
            "desk": {"url": self.desk.url, "token": self._token},
            "portal": {
                "url": f"{self.desk.url}/",
                "username": CUSTOMER,
                "password": self._customer_password,
                "totp_secret": self._totp_secret,
            },
            "contact_form": {"url": self.desk.form_url},
            "accounts": {
                role: {"address": account.address, "password": account.password}
                for role, account in self._accounts.items()
            },
        }

    async def state(self) -> dict[str, object]:
        """What `/state` answers: mailboxes, queue, desk, faults, counters; no content of any mail."""
        held = self.office.held
        desk = await self.desk.state()
        return {
            "mailboxes": {account.address: _mailbox(account) for account in self.store.accounts},
            "queue": {"held": len(held), "oldest_at": held[0].accepted_at.isoformat() if held else None},
            "desk": desk,
            "faults": self.board.now.in_force(),
            "counters": {
                "smtp": dict(self.smtp_counters),
                "delivery": dict(self.office.counters),
                "imap": {key: self.imap_counters[key] for key in ("connections", "logins")},
                "imap_commands": {key: n for key, n in self.imap_counters.items() if key.isupper()},
                "api_requests": desk.get("api_requests", 0),
            },
        }

    def _context(self, kind: CertificateKind) -> ssl.SSLContext:
        return self._authority.context(kind)

    def _switch_listeners(self, faults: Faults) -> None:
        for listener in self._listeners.values():
            listener.switch(faults)

    async def _apply_switches(self) -> None:
        async with asyncio.TaskGroup() as group:
            for listener in self._listeners.values():
                group.create_task(listener.run())


def _imap_refused(faults: Faults) -> bool:
    return faults.imap_refuse


def _mailbox(account: Account) -> dict[str, object]:
    return {
        "messages": account.used_messages,
        "unseen": sum(folder.unseen for folder in account.folders.values()),
        "used_bytes": account.used_bytes,
        "limit_bytes": account.limit_bytes,
        "limit_messages": account.limit_messages,
        "folders": {
            name: {"messages": len(folder.messages), "unseen": folder.unseen, "used_bytes": folder.used_bytes}
            for name, folder in account.folders.items()
        },
    }
