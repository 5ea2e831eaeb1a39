"""E-mail, by an account that does not go through what is probed."""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from typing import TYPE_CHECKING, Final, Literal

from canary.alert import Alert
from runners.alerts.contracts import Clock, Mask, ReadSecret, Undelivered
from runners.alerts.mail import message_of
from runners.alerts.posting import TIMEOUT_SECONDS
from runners.alerts.wording import Known

if TYPE_CHECKING:
    import aiosmtplib

_PERMANENT_CLASS: Final = 5

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


@dataclass(frozen=True, slots=True)
class Email:
    """One mail an alert, in plain text. All mails of one concern refer to the same id, so that they make one thread."""

    name: str
    sender: str
    to: tuple[str, ...]
    relay: Relay
    clock: Clock
    mask: Mask
    known: Known

    async def deliver(self, alert: Alert) -> None:
        """Hand one mail to the relay. Cancellable: it may have been taken then.

        Raises:
            Undelivered: 5yz to the mail is for good; a refused log-in, 4yz and network trouble may pass.
        """
        import aiosmtplib

        try:
            async with self.clock.timeout(TIMEOUT_SECONDS):
                await self._send(message_of(alert, self.known, sender=self.sender, to=self.to))
        except TimeoutError as error:
            raise self._failed(f"no answer within {TIMEOUT_SECONDS:g} s") from error
        except aiosmtplib.SMTPAuthenticationError as error:
            message = f"the log-in was refused with {error.code}: {error.message}"
            raise self._failed(message, suspects_secret=True) from error
        except aiosmtplib.SMTPRecipientsRefused as error:
            refused = error.recipients
            said = "; ".join(f"{one.code} {one.message}" for one in refused)
            permanent = all(one.code // 100 == _PERMANENT_CLASS for one in refused)
            raise self._failed(f"every recipient was refused: {said}", permanent=permanent) from error
        except aiosmtplib.SMTPResponseException as error:
            permanent = error.code // 100 == _PERMANENT_CLASS and not isinstance(
                error, aiosmtplib.SMTPConnectError | aiosmtplib.SMTPHeloError
            )
            raise self._failed(f"answered {error.code}: {error.message}", permanent=permanent) from error
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise self._failed(f"{type(error).__name__}: {error}") from error

    async def _send(self, message: EmailMessage) -> None:
        import aiosmtplib

        relay = self.relay
        is_implicit = relay.mode == "implicit"
        # Reading the system's authorities takes tens of milliseconds.
        context = await asyncio.to_thread(relay.tls) if relay.mode != "none" else None
        client = aiosmtplib.SMTP(
            hostname=relay.host,
            port=relay.port,
            timeout=TIMEOUT_SECONDS,
            use_tls=is_implicit,
            start_tls=False,
            tls_context=context if is_implicit else None,
            # Else the library asks the resolver, and waits for it.
            local_hostname=self.sender.rpartition("@")[2],
        )
        try:
            await client.connect()
            if relay.mode == "starttls":
                await client.starttls(tls_context=context)
            await self._log_in(client)
            refused, _ = await client.send_message(message, sender=self.sender, recipients=list(self.to))
            if refused:
                # Sent again, it would reach the others twice and these never.
                said = "; ".join(f"{one.code} {one.message}" for one in refused.values())
                detail = self.mask(f"some recipients were refused: {said}")
                _log.warning("alert_not_delivered", extra={"place": self.name, "detail": detail})
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                await client.quit()  # it has taken the mail
        finally:
            client.close()

    async def _log_in(self, client: "aiosmtplib.SMTP") -> None:
        relay = self.relay
        if relay.secret is None:
            return
        secret = await relay.secret()
        if relay.is_token:
            await client.auth_xoauth2(relay.username, secret)
        else:
            await client.login(relay.username, secret)

    def _failed(self, message: str, *, permanent: bool = False, suspects_secret: bool = False) -> Undelivered:
        line = " ".join(self.mask(message).split())
        return Undelivered(f"{self.name}: {line}", permanent=permanent, suspects_secret=suspects_secret)
