"""Try a mailbox without changing anything in it: `intake-prober check`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from canary.gauge import CapacityLimits, GaugeState, capacity_state
from canary.quantity import amount, whole_percent
from probes.contracts import Check, CheckState, Clock
from probes.mailbox.connection import Connection
from probes.mailbox.failure import MailboxUnreadable
from probes.mailbox.folders import Role, find_places
from probes.mailbox.quota import UNITS, Use, has_quota, quota_uses
from probes.mailbox.session import Session
from probes.mailbox.settings import MailboxSettings
from probes.masking import Masker

_Findings = list[tuple[str, CheckState, str, str]]


@dataclass(frozen=True, slots=True)
class _Seen:
    findings: _Findings
    newest_at: datetime | None


@dataclass(frozen=True, slots=True)
class QuotaRule:
    """How a mailbox's quota is judged.

    Attributes:
        limits: when it warns and pages.
        can_declare: whether the configuration may name a limit; of an account's own mailbox it can't.
    """

    limits: CapacityLimits = field(default_factory=CapacityLimits)
    can_declare: bool = True


async def check_mailbox(
    settings: MailboxSettings, *, clock: Clock, masker: Masker, quota: QuotaRule = QuotaRule()
) -> Sequence[Check]:
    """Log in, open the folders, ask for QUOTA and IDLE, compare clocks: one line each, with the remedy."""
    session = Session(settings.server, settings.limits, clock=clock)
    began = clock.monotonic()
    try:
        await session.run(lambda connection: connection.capabilities, doing="login", is_urgent=True)
        login_seconds = clock.monotonic() - began
        seen = await session.run(_examining(settings, quota), doing="check", is_urgent=True)
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


def _examining(settings: MailboxSettings, quota: QuotaRule) -> Callable[[Connection], _Seen]:
    def work(connection: Connection) -> _Seen:
        selected = connection.examine(settings.folder)
        findings: _Findings = [
            ("imap.select", CheckState.OK, f"{settings.folder}: {selected.exists} messages", "")
        ]
        uids = connection.search(["ALL"]) if selected.exists <= _MANY else []
        arrivals = connection.arrivals(uids[-_NEWEST:])
        findings.append(_folders(connection, settings))
        findings.append(check_quota(connection, settings.folder, quota))
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


def check_quota(connection: Connection, folder: str, rule: QuotaRule) -> tuple[str, CheckState, str, str]:
    """How full it is, by the thresholds of its gauge: name, state, finding, remedy. Blocking."""
    remedy = (
        "Declare the limit under `capacity`, or name a command that tells it."
        if rule.can_declare
        else "Nothing can be declared for an account: ask its provider how much it holds. Canaries are removed from it."
    )
    if not has_quota(connection.capabilities):
        return "imap.quota", CheckState.WARN, "the server does not tell its limit (no QUOTA)", remedy
    uses = [one for one in quota_uses(connection.quotas(folder)) if one.limit is not None]
    if not uses:
        return "imap.quota", CheckState.WARN, "the server knows no limit for this mailbox", remedy
    shown = ", ".join(_used(one) for one in uses)
    worst = max((one.used or 0) / one.limit for one in uses if one.limit)
    match capacity_state(worst, full_in=None, limits=rule.limits):
        case GaugeState.PAGE:
            state, remedy = CheckState.FAIL, "Empty or enlarge the mailbox: mail to it is refused or lost."
        case GaugeState.WARN:
            state, remedy = CheckState.WARN, "Empty or enlarge the mailbox before it is full."
        case _:
            state, remedy = CheckState.OK, ""
    return "imap.quota", state, shown, remedy


def _used(use: Use) -> str:
    unit, used, limit = UNITS[use.resource], use.used or 0, use.limit or 1
    return f"{whole_percent(used / limit)} used: {amount(used, unit)} of {amount(limit, unit)}"


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
