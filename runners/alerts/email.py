"""E-mail, by an account that does not go through what is probed."""

import asyncio
import contextlib
import logging
import re
import ssl
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from email.policy import SMTP, SMTPUTF8
from typing import TYPE_CHECKING, Final, Literal

from canary.alert import Alert
from runners.alerts.contracts import Clock, Mask, ReadSecret, Undelivered
from runners.alerts.mail import message_of
from runners.alerts.posting import TIMEOUT_SECONDS
from runners.alerts.wording import Known

if TYPE_CHECKING:
    import aiosmtplib

ANSWER_SECONDS: Final = 60.0
"""How long the answer to the final dot may take: filters work while it is awaited (RFC 5321 section 4.5.3.2.6)."""
QUIT_SECONDS: Final = 2.0
LIMIT_SECONDS: Final = 120.0
"""How long a delivery may take: two readings of the secret and two log-ins of 10 s each, the answer, and a margin."""
_MOST_RECEIPTS: Final = 500
_START_INPUT: Final = 354
_DONE_CLASS: Final = 2
_PERMANENT_CLASS: Final = 5
_START_OF_LINE: Final = re.compile(rb"^\.", re.MULTILINE)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Relay:
    """The submission server of an account, and how we are known there.

    Attributes:
        secret: reads the password, or the access token where ``is_token``; None: no authentication.
        tls: a context that verifies, made when it is first needed.
    """

    host: str
    port: int
    mode: Literal["starttls", "implicit", "none"]
    username: str
    secret: ReadSecret | None
    is_token: bool
    tls: Callable[[], ssl.SSLContext]


@dataclass(slots=True)
class _Receipt:
    """What became of one mail, by recipient; whoever is in none of these is still to get it.

    Attributes:
        taken: the relay took it for them.
        refused: for good, and why.
        unanswered: once the final dot was sent and no answer came: perhaps it took it.
    """

    taken: set[str] = field(default_factory=set)
    refused: dict[str, str] = field(default_factory=dict)
    unanswered: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Attempt:
    """One try: whom it is for, and who was put off."""

    receipt: _Receipt
    left: list[str]
    put_off: dict[str, str] = field(default_factory=dict)

    def refuse(self, who: Iterable[str], error: "aiosmtplib.SMTPResponseException") -> None:
        """Note a refusal: 5yz is for good, anything else may pass."""
        noted = self.receipt.refused if error.code // 100 == _PERMANENT_CLASS else self.put_off
        noted.update(dict.fromkeys(who, f"{error.code} {error.message}"))


@dataclass(frozen=True, slots=True)
class Email:
    """One mail an alert, in plain text. All mails of one concern refer to the same id, so that they make one thread.

    Who took a mail is remembered while the process lasts: only the others get it again.

    Attributes:
        begin_seconds: how long all may take up to the mail itself.
        answer_seconds: how long the answer to the final dot may take.
        limit_seconds: how long all of it may take, with two readings of the secret.
    """

    name: str
    sender: str
    to: tuple[str, ...]
    relay: Relay
    clock: Clock
    mask: Mask
    known: Known
    begin_seconds: float = TIMEOUT_SECONDS
    answer_seconds: float = ANSWER_SECONDS
    limit_seconds: float = LIMIT_SECONDS
    _receipts: dict[str, _Receipt] = field(default_factory=dict, init=False, repr=False)

    async def deliver(self, alert: Alert) -> str | None:
        """Hand one mail to the relay. Cancellable: it may have been taken then.

        Returns:
            the recipients who were refused for good beside others, and why; None: there are none.

        Raises:
            Undelivered: 5yz to the mail for every recipient is for good. A refused log-in, 4yz for one of them and
                network trouble may pass. So may an answer that did not come, once: the second time it counts as taken,
                else a slow relay would send the same mail for ever.
        """
        receipt = self._receipt(alert.id)
        done = receipt.taken | receipt.refused.keys()
        attempt = _Attempt(receipt, [one for one in self.to if one not in done])
        if attempt.left:
            await self._try(alert, attempt)
        if attempt.put_off:
            raise self._failed(f"not taken: {_told({**attempt.put_off, **receipt.refused})}")
        if receipt.refused and not receipt.taken:
            raise self._failed(f"refused for good: {_told(receipt.refused)}", permanent=True)
        if not receipt.refused:
            return None
        never = " ".join(self.mask(f"recipients who will never get it: {_told(receipt.refused)}").split())
        self._warn("alert_not_delivered", f"{alert.key} {alert.seq}: {never}")
        return never

    def _receipt(self, alert_id: str) -> _Receipt:
        receipt = self._receipts.setdefault(alert_id, _Receipt())
        if len(self._receipts) > _MOST_RECEIPTS:
            del self._receipts[next(iter(self._receipts))]
        return receipt

    async def _try(self, alert: Alert, attempt: _Attempt) -> None:
        import aiosmtplib

        try:
            await self._send(alert, attempt)
        except TimeoutError as error:
            raise self._failed(f"no answer within {self.begin_seconds:g} s") from error
        except aiosmtplib.SMTPAuthenticationError as error:
            message = f"the log-in was refused with {error.code}: {error.message}"
            raise self._failed(message, suspects_secret=True) from error
        except aiosmtplib.SMTPResponseException as error:
            # Before the mail itself: it is about the session, and may pass.
            raise self._failed(f"answered {error.code}: {error.message}") from error
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise self._failed(f"{type(error).__name__}: {error}") from error

    async def _send(self, alert: Alert, attempt: _Attempt) -> None:
        import aiosmtplib

        relay = self.relay
        # Its own limit: a command that prints it may take as long as the relay may.
        secret = await relay.secret() if relay.secret is not None else None
        # Reading the system's authorities takes tens of milliseconds.
        context = await asyncio.to_thread(relay.tls) if relay.mode != "none" else None
        is_implicit = relay.mode == "implicit"
        client = aiosmtplib.SMTP(
            hostname=relay.host,
            port=relay.port,
            timeout=self.begin_seconds,
            use_tls=is_implicit,
            start_tls=False,
            tls_context=context if is_implicit else None,
            # Else the library asks the resolver, and waits for it.
            local_hostname=self.sender.rpartition("@")[2],
        )
        try:
            async with self.clock.timeout(self.begin_seconds):
                await client.connect()
                if relay.mode == "starttls":
                    await client.starttls(tls_context=context)
                if secret is not None:
                    await self._log_in(client, secret)
                if client.is_ehlo_or_helo_needed:
                    await client.ehlo()
                accepted = await self._announce(client, attempt)
                if accepted:
                    await self._write(client, alert)
            if accepted:
                await self._finish(client, accepted, attempt)
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                await client.quit(timeout=QUIT_SECONDS)  # whatever it says now, it has said what matters
        finally:
            client.close()

    async def _log_in(self, client: "aiosmtplib.SMTP", secret: str) -> None:
        if self.relay.is_token:
            await client.auth_xoauth2(self.relay.username, secret)
        else:
            await client.login(self.relay.username, secret)

    async def _announce(self, client: "aiosmtplib.SMTP", attempt: _Attempt) -> list[str]:
        """MAIL, RCPT and DATA; returns for whom the relay is ready to take the mail."""
        import aiosmtplib

        utf8 = self._needs_utf8(client)
        encoding: Literal["utf-8", "ascii"] = "utf-8" if utf8 else "ascii"
        options = ["BODY=8BITMIME"] if client.supports_extension("8bitmime") else []
        if utf8:
            options.append("SMTPUTF8")
        try:
            await client.mail(self.sender, options=options, encoding=encoding)
        except aiosmtplib.SMTPSenderRefused as error:
            attempt.refuse(attempt.left, error)
            return []
        accepted: list[str] = []
        for one in attempt.left:
            try:
                await client.rcpt(one, encoding=encoding)
            except aiosmtplib.SMTPRecipientRefused as error:
                attempt.refuse([one], error)
            else:
                accepted.append(one)
        if not accepted:
            return []
        start = await client.execute_command(b"DATA")
        if start.code != _START_INPUT:
            attempt.refuse(accepted, aiosmtplib.SMTPDataError(start.code, start.message))
            return []
        return accepted

    def _needs_utf8(self, client: "aiosmtplib.SMTP") -> bool:
        if "".join((self.sender, *self.to)).isascii():
            return False
        if not client.supports_extension("smtputf8"):
            raise ValueError("an address outside ASCII, and the server offers no SMTPUTF8 (RFC 6531)")
        return True

    async def _write(self, client: "aiosmtplib.SMTP", alert: Alert) -> None:
        """All of the mail but the final dot: until that, the relay has not taken it."""
        import aiosmtplib

        message = message_of(alert, self.known, sender=self.sender, to=self.to)
        has_8bit = client.supports_extension("8bitmime")
        policy = SMTPUTF8 if self._needs_utf8(client) else SMTP
        raw = message.as_bytes(policy=policy.clone(cte_type="8bit" if has_8bit else "7bit"))
        protocol = client.protocol
        if protocol is not None:
            protocol.write(_START_OF_LINE.sub(b"..", raw))
            await self.clock.sleep(0)  # a connection that is gone is seen by the loop
        if protocol is None or not protocol.is_connected:
            raise aiosmtplib.SMTPServerDisconnected("the connection was lost within the mail")

    async def _finish(self, client: "aiosmtplib.SMTP", accepted: list[str], attempt: _Attempt) -> None:
        """The final dot, and what the relay makes of it."""
        import aiosmtplib

        protocol = client.protocol
        if protocol is None:
            raise aiosmtplib.SMTPServerDisconnected("the connection was lost within the mail")
        protocol.write(b".\r\n")
        try:
            async with self.clock.timeout(self.answer_seconds):
                answer = await protocol.read_response()
        except (TimeoutError, aiosmtplib.SMTPServerDisconnected, OSError) as error:
            self._note_unanswered(accepted, attempt, error)
            return
        if answer.code // 100 == _DONE_CLASS:
            attempt.receipt.taken.update(accepted)
        else:
            attempt.refuse(accepted, aiosmtplib.SMTPDataError(answer.code, answer.message))

    def _note_unanswered(self, accepted: list[str], attempt: _Attempt, error: Exception) -> None:
        receipt = attempt.receipt
        what = (
            f"no answer within {self.answer_seconds:g} s"
            if isinstance(error, TimeoutError)
            else "a lost answer"
        )
        again = [one for one in accepted if one in receipt.unanswered]
        first = [one for one in accepted if one not in receipt.unanswered]
        if again:
            receipt.taken.update(again)
            self._warn(
                "alert_not_confirmed",
                f"twice the whole mail was sent and its taking not confirmed ({what});"
                f" it counts as delivered to {', '.join(again)}",
            )
        receipt.unanswered.update(first)
        attempt.put_off.update(dict.fromkeys(first, f"{what} to the whole mail: perhaps delivered"))

    def _warn(self, event: str, detail: str) -> None:
        masked = " ".join(self.mask(detail).split())
        _log.warning(event, extra={"place": self.name, "detail": masked})

    def _failed(self, message: str, *, permanent: bool = False, suspects_secret: bool = False) -> Undelivered:
        line = " ".join(self.mask(message).split())
        return Undelivered(f"{self.name}: {line}", permanent=permanent, suspects_secret=suspects_secret)


def _told(answers: Mapping[str, str]) -> str:
    return "; ".join(f"{who}: {said}" for who, said in answers.items())
