"""Ours or theirs: what the controls say of a failure, at the moment of the failure."""

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

import dns.exception
import dns.resolver

from canary.reason import CAUSES, Reason, Side
from probes.contracts import Check, CheckState, Clock

DISPUTABLE: Final = frozenset(
    {
        Reason.REFUSED,
        Reason.CONNECT_TIMEOUT,
        Reason.NO_ROUTE,
        Reason.CONNECTION_LOST,
        Reason.DNS_UNANSWERED,
    }
)
"""Faults of which our own network could be the cause; about the others no control is asked."""

_UNDECIDED_WITHOUT_CONTROL: Final = frozenset(
    {Reason.CONNECT_TIMEOUT, Reason.NO_ROUTE, Reason.DNS_UNANSWERED}
)
MEMORY: Final = timedelta(days=1)
"""A control excuses us only if it worked from here within this time."""
_GRACE_INTERVALS: Final = 1.5
"""So long after our own network was at fault nothing is the target's: the next slot, and no other."""

_SPEC = re.compile(
    r"(?P<kind>https://|dns:|smtp:)(?P<host>\[[0-9a-f:.]+\]|[^:/\s\[\]]+)(?::(?P<port>\d{1,5}))?/?",
    re.IGNORECASE,
)
_SMTPS_PORT = 465
_LINE_BYTES = 4096


class ControlProtocol(StrEnum):
    """What a control speaks."""

    HTTPS = "https"
    DNS = "dns"
    SMTP = "smtp"


_DEFAULT_PORTS: Final = {ControlProtocol.HTTPS: 443, ControlProtocol.DNS: 53, ControlProtocol.SMTP: 25}


@dataclass(frozen=True, slots=True)
class Control:
    """An independent place that tells whether we can reach anybody by its protocol and port."""

    protocol: ControlProtocol
    host: str
    port: int

    def __str__(self) -> str:
        """As it is written in the configuration, and remembered in the store."""
        if self.protocol is ControlProtocol.DNS:
            return f"dns:{self.host}"
        lead = "https://" if self.protocol is ControlProtocol.HTTPS else "smtp:"
        return f"{lead}{self.host}" + ("" if self.port == _DEFAULT_PORTS[self.protocol] else f":{self.port}")


def parse_control(text: str) -> Control:
    """Read ``https://host[:port]``, ``dns:name`` or ``smtp:host[:port]`` (default ports 443, 25).

    Raises:
        ValueError: it is none of them; the message says what would be.
    """
    match = _SPEC.fullmatch(text.strip())
    port = int(match["port"]) if match is not None and match["port"] else None
    is_port_wrong = port is not None and not 0 < port < 1 << 16
    if match is None or is_port_wrong or (match["kind"].lower() == "dns:" and port is not None):
        raise ValueError(
            f"not a control: {text!r}. Write https://host, https://host:port, dns:name, smtp:host or smtp:host:port"
        )
    protocol = ControlProtocol(match["kind"].lower().rstrip(":/"))
    return Control(protocol, match["host"].strip("[]").lower(), port or _DEFAULT_PORTS[protocol])


@dataclass(frozen=True, slots=True)
class Question:
    """What failed, so that only a control of the same kind is asked.

    Attributes:
        place: the outside place that failed; its own earlier answers prove nothing now.
        try_again: tries the same once more from a fresh connection; True: it failed again. None: can't be tried.
    """

    protocol: ControlProtocol
    port: int
    place: str
    try_again: Callable[[], Awaitable[bool]] | None = None


@dataclass(frozen=True, slots=True)
class Ruling:
    """Whose fault a failure is, and what that rests on."""

    side: Side
    explanation: str


class SideJudge(Protocol):
    """Decides whose fault a disputable failure is."""

    async def decide(self, question: Question, reason: Reason) -> Ruling:
        """Ask the controls now; bounded, cancellable, never raises for what is outside."""
        ...


class ControlHistory(Protocol):
    """What controls came to from this prober; kept by the runner in its store."""

    async def note(self, control: str, at: datetime, worked: bool) -> None:
        """Keep one try."""
        ...

    async def worked_at(self, control: str) -> datetime | None:
        """When it last worked; None: never."""
        ...

    async def note_excuse(self, control: str, at: datetime) -> None:
        """Keep that its failure showed our own network to be at fault."""
        ...

    async def excused_at(self) -> datetime | None:
        """When a failure of any control last did; None: never."""
        ...


class OutsideAnswers(Protocol):
    """When places outside last answered this prober."""

    def answered_at(self, *, other_than: str, by_name: bool = False) -> datetime | None:
        """The latest answer of any place but this one; None: there was none.

        Args:
            other_than: the place that failed.
            by_name: only answers to questions for a name count: where the resolver is silent, a connection that
                needed none of it proves nothing.
        """
        ...


class NameAsker(Protocol):
    """What a DNS control needs of the resolver."""

    async def ask(self, name: str, kind: str) -> Sequence[str]:
        """The records of a name, as text. Raises `dns.exception.DNSException`."""
        ...


class Selfcheck:
    """Satisfies `SideJudge`: strict controls, a second try, and what else was heard from outside."""

    def __init__(
        self,
        controls: Sequence[Control],
        *,
        history: ControlHistory,
        outside: OutsideAnswers,
        resolver: NameAsker,
        clock: Clock,
        interval_seconds: float = 600.0,
        limit_seconds: float = 5.0,
        contexts: Callable[[], ssl.SSLContext] = ssl.create_default_context,
    ) -> None:
        self._controls = tuple(controls)
        self._history = history
        self._outside = outside
        self._resolver = resolver
        self._clock = clock
        self._interval = timedelta(seconds=interval_seconds)
        self._limit_seconds = limit_seconds
        self._contexts = contexts

    async def decide(self, question: Question, reason: Reason) -> Ruling:
        """Whose fault a failure is, by the rules of the design's section 3.

        A control that works now shows that the fault is theirs. Controls that all fail excuse us if one of them
        worked within the last day. Otherwise a refused or lost connection is the target's; a silence is so only
        if a second try agrees and another place outside answered within the last interval. For one slot
        after our own network was at fault, nothing of this is the target's: what has just come back may not be whole.
        """
        if reason not in DISPUTABLE:
            return Ruling(CAUSES[reason].side, "no control is asked about it")
        ruling = await self._rule(question, reason)
        at = await self._history.excused_at() if ruling.side is Side.TARGET else None
        if at is not None and self._clock.now() - at <= self._interval * _GRACE_INTERVALS:
            return Ruling(
                Side.EITHER,
                f"{ruling.explanation}; but our own network was at fault at {at:%H:%M}Z: one slot of grace",
            )
        return ruling

    async def _rule(self, question: Question, reason: Reason) -> Ruling:
        tried = await self._try_controls(question)
        worked = [control for control, works, _ in tried if works]
        if worked:
            return Ruling(Side.TARGET, f"the control {worked[0]} answers")
        now = self._clock.now()
        excused = [(control, at) for control, _, at in tried if at is not None and now - at <= MEMORY]
        if excused:
            control, at = excused[0]
            await self._history.note_excuse(str(control), now)
            return Ruling(
                Side.PROBER,
                f"our own network: the control {control} fails too and last worked {at:%Y-%m-%d %H:%M}Z",
            )
        without = (
            f"the control {tried[0][0]} has not worked within a day and decides nothing"
            if tried
            else f"no control of {question.protocol} on port {question.port}"
        )
        if reason not in _UNDECIDED_WITHOUT_CONTROL:
            return Ruling(Side.TARGET, without)
        return await self._without_control(question, without)

    async def rehearse(self, *, older_than_seconds: float = 0.0) -> Sequence[Check]:
        """Try every control whose last success is older than this, and keep what it came to.

        A control can excuse us only if it is known to have worked: call this at each run, and hourly. Repeatable.
        """
        checks = []
        for control in self._controls:
            before = await self._history.worked_at(str(control))
            age = self._clock.now() - before if before is not None else None
            if age is not None and age < timedelta(seconds=older_than_seconds):
                continue
            began = self._clock.monotonic()
            works = await self._try(control)
            checks.append(_check(control, works, before, self._clock.monotonic() - began))
        return checks

    async def _without_control(self, question: Question, without: str) -> Ruling:
        if question.try_again is None:
            return Ruling(Side.EITHER, f"{without}, and it can't be tried again")
        if not await question.try_again():
            return Ruling(Side.EITHER, f"{without}, and a second try got through")
        is_dns = question.protocol is ControlProtocol.DNS
        at = self._outside.answered_at(other_than=question.place, by_name=is_dns)
        if at is None or self._clock.now() - at > self._interval:
            return Ruling(
                Side.EITHER, f"{without}; a second try agrees, but no other place answered us lately"
            )
        return Ruling(Side.TARGET, f"{without}; a second try agrees and another place answers us")

    async def _try_controls(self, question: Question) -> list[tuple[Control, bool, datetime | None]]:
        """Each control of the same protocol and port: whether it works now, and when it had last worked before."""
        same = [
            control
            for control in self._controls
            if control.protocol is question.protocol
            and (control.protocol is ControlProtocol.DNS or control.port == question.port)
            and control.host != _host_of(question.place)
        ]
        before = [await self._history.worked_at(str(control)) for control in same]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._try(control)) for control in same]
        return [(control, task.result(), at) for control, task, at in zip(same, tasks, before, strict=True)]

    async def _try(self, control: Control) -> bool:
        try:
            async with self._clock.timeout(self._limit_seconds):
                works = await self._answers(control)
        except (OSError, EOFError, UnicodeError, dns.exception.DNSException):
            works = False  # a name that can be none, too
        await self._history.note(str(control), self._clock.now(), works)
        return works

    async def _answers(self, control: Control) -> bool:
        match control.protocol:
            case ControlProtocol.DNS:
                return await self._name_answers(control.host)
            case ControlProtocol.SMTP:
                context = self._contexts() if control.port == _SMTPS_PORT else None
                return (await self._first_line(control, context, b"")).startswith(b"220")
            case ControlProtocol.HTTPS:
                request = f"HEAD / HTTP/1.1\r\nHost: {control.host}\r\nConnection: close\r\n\r\n".encode()
                return (await self._first_line(control, self._contexts(), request)).startswith(b"HTTP/")

    async def _name_answers(self, name: str) -> bool:
        try:
            await self._resolver.ask(name, "A")
        except (dns.resolver.NoAnswer, dns.resolver.NXDOMAIN):
            return True  # an answer all the same: the way to the resolver and beyond is open
        return True

    async def _first_line(self, control: Control, context: ssl.SSLContext | None, request: bytes) -> bytes:
        # A certificate that does not verify is an OSError: whoever answered (a captive portal?) was not the control.
        reader, writer = await asyncio.open_connection(
            control.host, control.port, ssl=context, limit=_LINE_BYTES
        )
        try:
            writer.write(request or b"")
            line = await reader.readuntil(b"\n")
        except asyncio.LimitOverrunError:
            return b""
        else:
            if control.protocol is ControlProtocol.SMTP:
                writer.write(b"QUIT\r\n")
            return line
        finally:
            writer.close()


def _host_of(place: str) -> str:
    """The host of ``host:port``, ``[address]:port`` or of a bare name."""
    host, _, port = place.rpartition(":")
    return (host if port.isdecimal() and host else place).strip("[]").lower()


def _check(control: Control, works: bool, before: datetime | None, seconds: float) -> Check:
    if works:
        return Check(str(control), "control", CheckState.OK, "answers", seconds=seconds)
    memory = f"last worked {before:%Y-%m-%d %H:%M}Z" if before is not None else "never worked from here"
    return Check(
        str(control),
        "control",
        CheckState.WARN,
        f"does not answer; {memory}: it decides nothing",
        "Name a control that this machine can reach by the same protocol and port.",
        seconds,
    )
