"""What the mailbox watchers and gauges are told, each as little as it needs."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from probes.servers import Server

LONGEST_IDLE_SECONDS: Final = 28 * 60.0
"""A server may log an idle client out after 30 minutes (RFC 2177 section 3), so 29 is the bound; we stay below."""

USUAL_JUNK: Final = ("Junk", "Spam", "INBOX.Junk", "INBOX.Spam", "Junk E-mail", "Junk Email")
"""What spam folders are called where no server marks them."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a mailbox may take.

    Attributes:
        connect_seconds: TCP, TLS and the greeting.
        answer_seconds: one read of an answer.
        work_seconds: a whole look, however many commands it takes.
        idle_seconds: after so long an IDLE is renewed and the folder searched anyway: in silence a dead peer can't
            be told from a quiet one.
        first_retry_seconds, longest_retry_seconds: the back-off between connections that fail.
    """

    connect_seconds: float = 10.0
    answer_seconds: float = 10.0
    work_seconds: float = 25.0
    idle_seconds: float = 60.0
    first_retry_seconds: float = 1.0
    longest_retry_seconds: float = 30.0

    def __post_init__(self) -> None:
        """Refuse what no server would bear.

        Raises:
            ValueError: an IDLE longer than servers allow.
        """
        if not 0 < self.idle_seconds <= LONGEST_IDLE_SECONDS:
            raise ValueError(
                f"an IDLE of {self.idle_seconds:.0f} s: at most {LONGEST_IDLE_SECONDS:.0f} s are allowed"
            )


@dataclass(frozen=True, slots=True)
class Polling:
    """How often a mailbox is searched that can't tell of new mail, or has other folders than the one that tells.

    Attributes:
        fresh_seconds: between looks while the youngest canary is younger than `fresh_age_seconds`.
        longest_seconds: the most that looks are apart, however old the canaries are.
        folders_seconds: between looks at folders that are not told of by IDLE.
    """

    fresh_seconds: float = 2.0
    fresh_age_seconds: float = 120.0
    longest_seconds: float = 30.0
    folders_seconds: float = 15.0


@dataclass(frozen=True, slots=True)
class MailboxSettings:
    r"""A mailbox that is watched.

    Attributes:
        place: its name in the configuration.
        folder: where mail arrives.
        more_folders: other folders where an arrival is as good; the spam folder is found by itself.
        junk_folders: names of spam folders where the server marks none with the special use \Junk (RFC 6154).
        may_remove: whether mails of canaries may be deleted here; the prober's own mailboxes always allow it.
    """

    place: str
    server: Server
    folder: str = "INBOX"
    more_folders: tuple[str, ...] = ()
    junk_folders: tuple[str, ...] = USUAL_JUNK
    may_remove: bool = False
    limits: Limits = field(default_factory=Limits)
    polling: Polling = field(default_factory=Polling)


@dataclass(frozen=True, slots=True)
class CapacitySettings:
    """How a mailbox's capacity is read.

    Attributes:
        declared_bytes, declared_messages: the limits where the server tells none.
        command: prints the use and limit where neither is to be had by IMAP: JSON with ``used_bytes``,
            ``limit_bytes``, ``used_messages``, ``limit_messages`` (any of them), or two numbers of bytes.
        command_seconds: how long the command may take.
    """

    declared_bytes: int | None = None
    declared_messages: int | None = None
    command: Sequence[str] = ()
    command_seconds: float = 15.0


@dataclass(frozen=True, slots=True)
class BacklogSettings:
    """What counts as an unprocessed message.

    Attributes:
        folder: where the helpdesk fetches.
        criteria: an IMAP search (RFC 9051 section 6.4.4); the default is what a fetcher that marks mail as seen leaves.
    """

    folder: str = "INBOX"
    criteria: str = "UNSEEN UNDELETED"
