"""Delivery: brings accepted mail into mailboxes, through a queue that holds what has no room yet."""

import asyncio
import logging
import secrets
from collections import Counter, deque
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import assert_never

from sandbox.bounces import bounce
from sandbox.faults import BounceForm, FaultBoard, Faults, MailboxFull, SenderRewrite
from sandbox.mailstore import Account, MailStore
from sandbox.mutations import mutate, rewritten_sender

MX_NAME = "mx.acme.test"
_STORE_NAME = "store.acme.test"
_QUEUE_RUN_SECONDS = 0.5
_log = logging.getLogger("sandbox.delivery")


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one recipient, accepted and not yet delivered.

    Attributes:
        queue_id: What the 250 answer called it.
        raw: The mail with the trace fields added so far.
        sender: Envelope sender; empty for bounces.
        recipient: Envelope recipient.
        envid: ENVID of the envelope (RFC 3461), if any.
        accepted_at: When it was accepted, aware UTC.
        spf: SPF result that is noted at delivery.
    """

    queue_id: str
    raw: bytes
    sender: str
    recipient: str
    accepted_at: datetime
    envid: str | None = None
    spf: str = "pass"


def queue_id() -> str:
    """Return a new queue id."""
    return secrets.token_hex(6).upper()


def received(*, source: str, by: str, how: str, ident: str, recipient: str, at: datetime) -> bytes:
    """Return a Received field (RFC 5321 section 4.4)."""
    return (
        f"Received: from {source}\r\n\tby {by} with {how} id {ident}\r\n"
        f"\tfor <{recipient}>; {format_datetime(at)}\r\n"
    ).encode()


class PostOffice:
    """Delivers mail to the accounts of one store. Belongs to one event loop."""

    def __init__(self, store: MailStore, board: FaultBoard) -> None:
        self._store = store
        self._board = board
        self._held: deque[Mail] = deque()
        self.counters: Counter[str] = Counter()

    @property
    def held(self) -> tuple[Mail, ...]:
        """Mail that waits for room, oldest first."""
        return tuple(self._held)

    def now(self) -> datetime:
        """The mail servers' own clock, which may be wrong."""
        return datetime.now(UTC) + timedelta(seconds=self._board.now.clock_skew_seconds)

    def take(self, mail: Mail) -> None:
        """Take the responsibility for an accepted mail; never raises, never waits."""
        faults = self._reaching(mail)
        if faults.delivery_drop:
            _log.info("dropped queue_id=%s", mail.queue_id)
            return
        if faults.delivery_bounce is not None and mail.sender:
            self._bounce(
                mail, faults.delivery_bounce, "5.1.1", "550 5.1.1 User unknown in virtual mailbox table"
            )
            return
        if faults.delivery_delay_seconds > 0:
            loop = asyncio.get_running_loop()
            loop.call_later(faults.delivery_delay_seconds, self._place, mail)
            return
        self._place(mail)

    async def run(self) -> None:
        """Deliver held mail as room is made, until cancelled."""
        while True:
            self._store.room_made.clear()
            await self._drain(limited=True)
            try:
                async with asyncio.timeout(_QUEUE_RUN_SECONDS):
                    await self._store.room_made.wait()
            except TimeoutError:
                continue

    async def flush(self) -> int:
        """Try every held mail now; returns how many are still held."""
        await self._drain(limited=False)
        return len(self._held)

    async def _drain(self, *, limited: bool) -> None:
        blocked: set[str] = set()
        for mail in tuple(self._held):
            faults = self._board.now
            account = self._store.find(mail.recipient)
            if account is None or mail not in self._held or (limited and faults.queue_frozen):
                continue
            # In order: a mail behind one that has no room waits, too, even if it is smaller.
            if account.address in blocked or not account.has_room(len(mail.raw)):
                blocked.add(account.address)
                continue
            self._held.remove(mail)
            self._put(mail, account)
            if limited and faults.queue_drain_per_second > 0:
                await asyncio.sleep(1 / faults.queue_drain_per_second)

    def _reaching(self, mail: Mail) -> Faults:
        faults = self._board.now
        target = faults.delivery_to
        account = self._store.find(mail.recipient)
        if target == "*" or (account is not None and account.address == target):
            return faults
        return replace(
            faults,
            delivery_drop=False,
            delivery_bounce=None,
            delivery_delay_seconds=0.0,
            delivery_to_junk=False,
            delivery_duplicate=False,
            mangle_subject=False,
            mangle_charset=False,
            truncate_body_bytes=None,
            drop_attachments=False,
            rewrite_sender=None,
        )

    def _place(self, mail: Mail) -> None:
        account = self._store.find(mail.recipient)
        if account is None:
            self._bounce(mail, BounceForm.RFC3464, "5.1.1", "550 5.1.1 User unknown")
            return
        waiting = any(self._store.find(other.recipient) is account for other in self._held)
        if account.has_room(len(mail.raw)) and not waiting:
            self._put(mail, account)
            return
        full = self._board.now.mailbox_full
        match full:
            case MailboxFull.BOUNCE:
                self._bounce(mail, BounceForm.RFC3464, "5.2.2", "552 5.2.2 Mailbox is full")
            case MailboxFull.DROP:
                _log.info("lost, mailbox full queue_id=%s", mail.queue_id)
            case MailboxFull.QUEUE | MailboxFull.DEFER | MailboxFull.REJECT:
                # DEFER and REJECT answer at RCPT; what was accepted before the mailbox was full still waits.
                self._held.append(mail)
            case _:
                assert_never(full)

    def _put(self, mail: Mail, account: Account) -> None:
        faults = self._reaching(mail)
        at = self.now()
        sender = rewritten_sender(mail.sender, faults, account.address)
        trace = received(
            source=MX_NAME, by=_STORE_NAME, how="LMTP", ident=mail.queue_id, recipient=mail.recipient, at=at
        )
        origin = mail.sender.rpartition("@")[2] or MX_NAME
        checked = "neutral" if b"\ndkim-signature:" in mail.raw.lower() else "none"
        forwarded = faults.rewrite_sender is SenderRewrite.SRS
        head = (
            f"Return-Path: <{sender}>\r\nDelivered-To: {mail.recipient}\r\n".encode()
            + trace
            + (
                f"Authentication-Results: {MX_NAME};\r\n\tspf={mail.spf} smtp.mailfrom={origin};\r\n"
                f"\tdkim={checked};\r\n\tdmarc={'fail' if forwarded else 'none'} header.from={origin}\r\n"
            ).encode()
        )
        raw = head + mutate(mail.raw, faults, account.address)
        folder = account.folders["Junk" if faults.delivery_to_junk else "INBOX"]
        for _ in range(2 if faults.delivery_duplicate else 1):
            self._store.store(account, folder, raw, internal_at=at, over_quota=True)
            self.counters["delivered"] += 1

    def _bounce(self, mail: Mail, form: BounceForm, status: str, why: str) -> None:
        account = self._store.find(mail.sender) if mail.sender else None
        if account is None:
            return
        raw = bounce(
            form,
            mail.raw,
            sender=mail.sender,
            recipient=mail.recipient,
            envid=mail.envid,
            status=status,
            why=why,
            at=self.now(),
        )
        self.counters["bounced"] += 1
        self._store.store(account, account.folders["INBOX"], raw, over_quota=True)
