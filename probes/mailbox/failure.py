"""What can go wrong with a mailbox, as one exception with a reason on the prober's side."""

import imaplib
import re
import ssl
from typing import Final

from imapclient.exceptions import LoginError

from canary.reason import Reason
from probes.contracts import Blind
from probes.servers import SecretUnavailable, Server


class MailboxUnreadable(Blind):
    """A mailbox can't be read or written now; it says nothing about the target.

    Attributes:
        reason: `credentials_rejected`, `rate_limited` or `mailbox_unreadable`.
    """

    def __init__(self, message: str, *, reason: Reason = Reason.MAILBOX_UNREADABLE) -> None:
        super().__init__(message)
        self.reason = reason


class ConnectionDead(ConnectionError):
    """The connection ended, or is in a state in which nothing can be asked any more."""


OUTSIDE: Final = (OSError, EOFError, imaplib.IMAP4.error)
"""What a connection raises for what a server or the network does; everything else is a bug."""

_CODE = re.compile(r"\[([A-Z-]+)[^\]]*\]")
_LIMITED = re.compile(r"too many|simultaneous|rate|throttl|try again later|bandwidth", re.IGNORECASE)
_NOT_OURS: Final = frozenset({"UNAVAILABLE", "INUSE", "SERVERBUG", "CANNOT"})
"""Response codes of a refused login that do not speak of the credential (RFC 5530 section 3)."""


def is_dead(error: BaseException) -> bool:
    """Whether the connection is of no use after this error; a plain NO or BAD leaves it as it was."""
    return not isinstance(error, imaplib.IMAP4.error) or isinstance(error, imaplib.IMAP4.abort)


def is_login_refused(error: BaseException) -> bool:
    """Whether a login was answered with a refusal of the credential, so that renewing it may help."""
    return isinstance(error, LoginError) and _refusal(error) is Reason.CREDENTIALS_REJECTED


def unreadable(error: BaseException, server: Server, doing: str) -> MailboxUnreadable:
    """The one exception for whatever went wrong, naming the place, the cause and the remedy."""
    if isinstance(error, MailboxUnreadable):
        return error
    reason, cause = _cause(error)
    return MailboxUnreadable(f"{server.address}: {doing}: {cause}", reason=reason)


def _cause(error: BaseException) -> tuple[Reason, str]:
    reason = Reason.MAILBOX_UNREADABLE
    cause = next(iter(str(error).splitlines()), "")[:200] or type(error).__name__
    match error:
        case SecretUnavailable():
            reason = Reason.CREDENTIALS_REJECTED
        case LoginError():
            reason = _refusal(error)
        case ssl.SSLCertVerificationError():
            cause = (
                f"its certificate does not hold: {error.verify_message}. Renew it, or name its CA under `ca`."
            )
        case TimeoutError():
            cause = "no answer within the limit"
        case ConnectionRefusedError():
            cause = "connection refused"
        case imaplib.IMAP4.error() if _LIMITED.search(cause):
            reason = Reason.RATE_LIMITED
        case _:
            pass
    return reason, cause


def _refusal(error: LoginError) -> Reason:
    """Why a login failed: IMAPClient calls a connection lost in the middle of it a LoginError, too."""
    words = str(error)
    if isinstance(error.__context__, imaplib.IMAP4.abort):
        return Reason.MAILBOX_UNREADABLE
    code = _CODE.search(words)
    if code is not None and code.group(1) in _NOT_OURS:
        return Reason.MAILBOX_UNREADABLE
    if (code is not None and code.group(1) == "LIMIT") or _LIMITED.search(words):
        return Reason.RATE_LIMITED
    return Reason.CREDENTIALS_REJECTED
