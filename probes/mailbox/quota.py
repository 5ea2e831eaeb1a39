"""Read how full a mailbox is (gauge `mailbox.capacity`): raw values; what they mean is judged elsewhere."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from canary.gauge import Gauge, GaugeName, GaugeState, Resource
from probes.command import CommandFailed, output_of
from probes.contracts import Clock
from probes.mailbox.connection import Connection
from probes.mailbox.failure import MailboxUnreadable
from probes.mailbox.settings import CapacitySettings, MailboxSettings
from probes.mailbox.visits import Visits
from probes.masking import Masker

UNITS: Final = {Resource.STORAGE: "By", Resource.MESSAGE: "{message}"}
STORAGE_UNIT_BYTES: Final = 1024
"""STORAGE counts units of 1024 octets (RFC 9208 section 5.1)."""
SUMMED_MESSAGES: Final = 50_000
"""Of a larger mailbox whose server can't tell its size, the sizes are not summed."""
FOLDERS: Final = 500
"""Of a mailbox with more folders neither size nor number is told: a part of it would look like room."""
ANSWER_BYTES: Final = 16 * 1024


@dataclass(frozen=True, slots=True)
class Use:
    """The use of one resource and its limit, in the gauge's unit; None where it is not known."""

    resource: Resource
    used: int | None
    limit: int | None
    how: str


class MailboxCapacityReader:
    """Satisfies `probes.contracts.GaugeReader`: a gauge a resource, by QUOTA, else by a command, else by size.

    Args:
        settings: the mailbox.
        capacity: what is declared about its limits, and the command that tells its use.
        clock: the only source of time.
        masker: what no detail may show.
        visits: the connection that it shares with who reads the same mailbox at that time; None: its own.
    """

    def __init__(
        self,
        settings: MailboxSettings,
        capacity: CapacitySettings,
        *,
        clock: Clock,
        masker: Masker,
        visits: Visits | None = None,
    ) -> None:
        self._settings = settings
        self._capacity = capacity
        self._clock = clock
        self._masker = masker
        self._visits = visits or Visits(settings, clock=clock)

    @property
    def place(self) -> str:
        """The mailbox's name in the configuration."""
        return self._settings.place

    @property
    def name(self) -> GaugeName:
        """What it reads."""
        return GaugeName.MAILBOX_CAPACITY

    async def read(self) -> Sequence[Gauge]:
        """Read now. Without any way to know, or a mailbox that can't be read: a gauge in state ``unknown``."""
        read_at = self._clock.now()
        try:
            uses = await self._uses()
        except MailboxUnreadable as error:
            return [self._unknown(read_at, str(error))]
        if all(one.used is None for one in uses):
            return [
                self._unknown(
                    read_at, "neither quota nor size is told. Name a command: `capacity: {exec: …}`."
                )
            ]
        return [self._gauge(one, read_at) for one in uses if one.used is not None]

    async def _uses(self) -> Sequence[Use]:
        declares = self._capacity.declared_bytes is not None or self._capacity.declared_messages is not None
        if self._capacity.command:
            return await self._by_command()
        async with self._visits.session() as session:
            return await session.run(
                lambda connection: read_uses(connection, self._settings.folder, is_declared=declares),
                doing="quota",
                is_urgent=True,
            )

    async def _by_command(self) -> Sequence[Use]:
        name = self._capacity.command[0]
        try:
            async with self._clock.timeout(self._capacity.command_seconds):
                output = await output_of(self._capacity.command, most_bytes=ANSWER_BYTES)
        except TimeoutError:
            cause = f"took longer than {self._capacity.command_seconds:g} s"
        except CommandFailed as error:
            cause = str(error)
        else:
            return self._read_output(name, output)
        raise MailboxUnreadable(f"the command {name} {cause}. Run it by hand to see why.")

    def _read_output(self, name: str, output: bytes) -> Sequence[Use]:
        uses = parse_command_output(output)
        if not uses:
            raise MailboxUnreadable(
                f"the command {name} prints no use: JSON with used_bytes and limit_bytes, or two numbers of bytes."
            )
        return uses

    def _gauge(self, use: Use, read_at: datetime) -> Gauge:
        declared = (
            self._capacity.declared_bytes
            if use.resource is Resource.STORAGE
            else self._capacity.declared_messages
        )
        limit = use.limit if use.limit is not None else declared
        how = use.how if use.limit is not None or declared is None else f"{use.how}; the limit is declared"
        return Gauge(
            place=self.place,
            name=GaugeName.MAILBOX_CAPACITY,
            value=use.used,
            unit=UNITS[use.resource],
            limit=limit,
            read_at=read_at,
            resource=use.resource,
            detail=how,
            is_local=bool(self._capacity.command),
        )

    def _unknown(self, read_at: datetime, detail: str) -> Gauge:
        return Gauge(
            place=self.place,
            name=GaugeName.MAILBOX_CAPACITY,
            value=None,
            unit=UNITS[Resource.STORAGE],
            limit=None,
            read_at=read_at,
            state=GaugeState.UNKNOWN,
            resource=Resource.STORAGE,
            detail=self._masker.detail(detail),
        )


def read_uses(connection: Connection, folder: str, *, is_declared: bool) -> Sequence[Use]:
    """The uses by QUOTA; where the server knows no limit, the folders' sizes by STATUS or summed. Blocking."""
    if has_quota(connection.capabilities):
        quotas = quota_uses(connection.quotas(folder))
        if quotas:
            return quotas
    how = (
        "the server knows no quota" if has_quota(connection.capabilities) else "the server does not do QUOTA"
    )
    has_size = connection.can("STATUS=SIZE") or connection.can("IMAP4REV2")
    items = ["MESSAGES", "SIZE"] if has_size else ["MESSAGES"]
    names = [one.name for one in connection.folders()] or [folder]
    if len(names) > FOLDERS:
        how += f", and there are more than {FOLDERS} folders"
        return [Use(Resource.STORAGE, None, None, how), Use(Resource.MESSAGE, None, None, how)]
    statuses = [connection.status(name, items) for name in names]
    messages = sum(one.get("MESSAGES", 0) for one in statuses)
    size_bytes = sum(one["SIZE"] for one in statuses) if all("SIZE" in one for one in statuses) else None
    if size_bytes is None and is_declared and messages <= SUMMED_MESSAGES:
        size_bytes = sum(_summed(connection, name) for name in names)
        how += "; sizes were summed"
    return [Use(Resource.STORAGE, size_bytes, None, how), Use(Resource.MESSAGE, messages, None, how)]


def _summed(connection: Connection, folder: str) -> int:
    connection.examine(folder)
    return sum(connection.sizes(connection.search(["ALL"])))


def has_quota(capabilities: frozenset[str]) -> bool:
    """Whether a server does QUOTA: the old form (RFC 2087), or the new one, with or without the old name (RFC 9208)."""
    return any(one == "QUOTA" or one.startswith(("QUOTA=RES-", "QUOTASET")) for one in capabilities)


def quota_uses(quotas: Sequence[tuple[str, str, int, int]]) -> Sequence[Use]:
    """The uses of (root, resource, use, limit); of several roots, the one that is fullest decides, a resource each.

    A limit of 0 with nothing in it stands for "none" on some servers; a resource that we don't know is left out.
    """
    fullest: dict[Resource, tuple[float, Use]] = {}
    for root, name, used, limit in quotas:
        match name:
            case "STORAGE":
                resource, unit = Resource.STORAGE, STORAGE_UNIT_BYTES
            case "MESSAGE":
                resource, unit = Resource.MESSAGE, 1
            case _:
                continue
        known = limit * unit if limit > 0 else None
        share = used / limit if limit > 0 else -1.0
        use = Use(resource, used * unit, known, f"quota root {root!r}" if root else "quota")
        if resource not in fullest or share > fullest[resource][0]:
            fullest[resource] = (share, use)
    return [use for _, use in fullest.values()]


def parse_command_output(output: bytes) -> Sequence[Use]:
    """What a command printed: JSON with the four names, or the bytes used and the limit as two numbers."""
    text = output.decode("utf-8", "replace").strip()
    how = "by command"
    words = text.split()
    if 1 <= len(words) <= 2 and all(word.isascii() and word.isdecimal() for word in words):  # noqa: PLR2004 -- use and limit
        return [Use(Resource.STORAGE, int(words[0]), int(words[1]) if words[1:] else None, how)]
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        return []
    if not isinstance(answer, dict):
        return []
    found = [
        Use(resource, _count(answer.get(f"used_{noun}")), _count(answer.get(f"limit_{noun}")), how)
        for resource, noun in ((Resource.STORAGE, "bytes"), (Resource.MESSAGE, "messages"))
    ]
    return [one for one in found if one.used is not None]


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
