"""Try a mailbox without changing anything in it: `intake-prober check`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from probes.contracts import Check, CheckState, Clock
from probes.mailbox.connection import Connection
from probes.mailbox.failure import MailboxUnreadable
from probes.mailbox.folders import Role, find_places
from probes.mailbox.quota import has_quota, quota_uses
from probes.mailbox.session import Session
from probes.mailbox.settings import MailboxSettings
from probes.masking import Masker

_Findings = list[tuple[str, CheckState, str, str]]


@dataclass(frozen=True, slots=True)
class _Seen:
    findings: _Findings
    newest_at: datetime | None


async def check_mailbox(settings: MailboxSettings, *, clock: Clock, masker: Masker) -> Sequence[Check]:
    """Log in, open the folders, ask for QUOTA and IDLE, compare clocks: one line each, with the remedy."""
    session = Session(settings.server, settings.limits, clock=clock)
    began = clock.monotonic()
    try:
        await session.run(lambda connection: connection.capabilities, doing="login", is_urgent=True)
        login_seconds = clock.monotonic() - began
        seen = await session.run(_examining(settings), doing="check", is_urgent=True)
    except MailboxUnreadable as error:
        name = "imap.select" if session.is_open else "imap.login"
        remedy = "Look at the address, the credential and the folder of this mailbox; then try again."
        return [Check(settings.place, name, CheckState.FAIL, masker.detail(str(error)), remedy)]
    finally:
        await session.aclose()
    checks = [
        Check(
            settings.place,
            "imap.login",
            CheckState.OK,
            f"logged in at {settings.server.address}",
            "",
            login_seconds,
        )
    ]
    checks += [
        Check(settings.place, name, state, masker.detail(finding), remedy)
        for name, state, finding, remedy in seen.findings
    ]
    if seen.newest_at is not None:
        checks.append(_clock_check(settings.place, seen.newest_at, clock.now()))
    return checks


def _examining(settings: MailboxSettings) -> Callable[[Connection], _Seen]:
    def work(connection: Connection) -> _Seen:
        selected = connection.examine(settings.folder)
        findings: _Findings = [
            ("imap.select", CheckState.OK, f"{settings.folder}: {selected.exists} messages", "")
        ]
        uids = connection.search(["ALL"]) if selected.exists <= _MANY else []
        arrivals = connection.arrivals(uids[-_NEWEST:])
        findings.append(_folders(connection, settings))
        findings.append(_quota(connection, settings.folder))
        findings.append(
            ("imap.idle", CheckState.OK, "new mail is told at once (IDLE)", "")
            if connection.can("IDLE")
            else ("imap.idle", CheckState.WARN, "no IDLE: the mailbox is polled", "Expect seconds of delay.")
        )
        return _Seen(findings, max(arrivals, default=None))

    return work


_MANY = 20_000
_NEWEST = 5


def _folders(connection: Connection, settings: MailboxSettings) -> tuple[str, CheckState, str, str]:
    places = find_places(connection, settings)
    known = {folder.name for folder in connection.folders()}
    missing = [name for name in settings.more_folders if name not in known]
    if missing:
        return "imap.folders", CheckState.FAIL, f"no such folder: {', '.join(missing)}", "Correct `folders`."
    junk = [name for name, role in places.roles if role is Role.JUNK]
    if not junk:
        remedy = "If there is one, add it to `folders`; else arrivals there are not seen."
        return "imap.folders", CheckState.WARN, "no spam folder is known", remedy
    return "imap.folders", CheckState.OK, f"spam folder: {', '.join(junk)}", ""


def _quota(connection: Connection, folder: str) -> tuple[str, CheckState, str, str]:
    remedy = "Declare the limit under `capacity`, or name a command that tells it."
    if not has_quota(connection.capabilities):
        return "imap.quota", CheckState.WARN, "the server does not tell its limit (no QUOTA)", remedy
    uses = [one for one in quota_uses(connection.quotas(folder)) if one.limit is not None]
    if not uses:
        return "imap.quota", CheckState.WARN, "the server knows no limit for this mailbox", remedy
    shown = ", ".join(f"{one.used} of {one.limit} ({one.resource})" for one in uses)
    return "imap.quota", CheckState.OK, shown, ""


def _clock_check(place: str, newest_at: datetime, now: datetime) -> Check:
    """The server shows its clock only by when mails arrived: one that arrived in our future tells that it is ahead."""
    ahead_seconds = (newest_at - now).total_seconds()
    if ahead_seconds > _AHEAD_SECONDS:
        finding = f"its newest mail arrived {ahead_seconds:.0f} s in our future"
        return Check(
            place, "imap.clock", CheckState.WARN, finding, "Compare both machines with a time server."
        )
    return Check(place, "imap.clock", CheckState.OK, "no mail arrived in our future", "")


_AHEAD_SECONDS = 5.0
