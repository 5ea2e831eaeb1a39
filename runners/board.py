"""The board: which canaries are outstanding now, and in which places each is still to be seen."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from canary.canary import Canary
from canary.hop import LAUNCH_HOPS, SUBMITTING_HOPS, Hop
from canary.observation import Observation, Outcome, Stage
from canary.path import Proof
from canary.signature import CanaryId
from canary.verdict import Verdict
from runners.contracts import Record
from runners.prober import Prober

FIRST_LOOK = timedelta(seconds=1)
"""Nothing that we can see says when a ticket is made, so it is looked for so long after the request was handed over."""
_ON_THE_WAY = LAUNCH_HOPS | {Hop.MAILBOX_ARRIVAL}


class Board:
    """A process's picture of what is outstanding. The store has the facts; this only saves asking it each time."""

    def __init__(self, prober: Prober) -> None:
        self._prober = prober
        self._records: dict[CanaryId, Record] = {}
        self._seen: dict[CanaryId, set[Hop]] = {}
        self._touched: set[CanaryId] = set()
        self._noticed: set[CanaryId] = set()
        self._is_touched = asyncio.Event()
        self._launching: set[CanaryId] = set()
        self._under_way: set[CanaryId] = set()
        self._handed_over_at: dict[CanaryId, datetime] = {}
        self._changes = _Changes()
        self._hints = _Changes()

    @property
    def version(self) -> int:
        """How many canaries were put."""
        return self._changes.count

    @property
    def hints(self) -> int:
        """How many hints there were that a ticket may be there."""
        return self._hints.count

    def put(self, record: Record, *, is_launching: bool = False) -> None:
        """Add a canary; wakes the watchers. What this process is launching is no ticket before its request left."""
        self._records[record.canary.id] = record
        self._seen.setdefault(record.canary.id, set())
        if is_launching:
            self._launching.add(record.canary.id)
            self._under_way.add(record.canary.id)
        self._changes.note()

    def handed_over(self, canary_id: CanaryId, at: datetime, *, is_stored: bool) -> None:
        """Its launch ended, in whatever way: if not before, from now on there may be a ticket.

        Args:
            canary_id: whose.
            at: when.
            is_stored: whether the store knows that the launch ended.
        """
        self._left(canary_id, at)
        self._under_way.discard(canary_id)
        record = self._records.get(canary_id)
        if record is not None and is_stored:
            self._records[canary_id] = replace(record, launch_ended=True)
        if canary_id in self._noticed:
            self.touch([canary_id])  # its verdict had to wait for this

    def is_under_way(self, canary_id: CanaryId) -> bool:
        """Whether this process is still launching it."""
        return canary_id in self._under_way

    def _left(self, canary_id: CanaryId, at: datetime) -> None:
        """From now on there may be a ticket, however long the launch still takes to say goodbye."""
        if canary_id in self._launching:
            self._launching.discard(canary_id)
            self._handed_over_at[canary_id] = at
            self._hints.note()

    def update(self, record: Record) -> None:
        """Take a new verdict into account; wakes nobody, for it can only mean that there is less to look for."""
        self._records[record.canary.id] = record

    def take_over(self, records: Sequence[Record]) -> None:
        """Take what the store says of canaries that are watched here: new ones, and verdicts that others reached."""
        for record in records:
            canary_id = record.canary.id
            known = self._records.get(canary_id)
            if known is None:
                self.put(record)
                self.touch([canary_id])
            elif known != record and canary_id not in self._under_way:
                self._records[canary_id] = record
                self.touch([canary_id])

    def drop(self, canary_ids: Collection[CanaryId]) -> frozenset[CanaryId]:
        """Forget canaries that are another's by now, or over; not what this process is launching. Returns which."""
        dropped = frozenset(one for one in canary_ids if one not in self._under_way)
        for canary_id in dropped:
            for known in (self._records, self._seen, self._handed_over_at):
                known.pop(canary_id, None)
            for some in (self._touched, self._noticed, self._launching):
                some.discard(canary_id)
        return dropped

    async def changed_since(self, version: int) -> None:
        """Return once anything was put after that version; no watcher can miss what another one took note of."""
        await self._changes.since(version)

    async def hinted_since(self, hints: int) -> None:
        """Return once anything more speaks for a ticket: a request was handed over, or an answer to one came back."""
        await self._hints.since(hints)

    def get(self, canary_id: CanaryId) -> Record | None:
        """What is known of a canary, if it is outstanding here."""
        return self._records.get(canary_id)

    def canaries(self) -> Mapping[CanaryId, Canary]:
        """All canaries on the board, by id."""
        return {canary_id: record.canary for canary_id, record in self._records.items()}

    def records(self) -> Sequence[Record]:
        """All, oldest launch first."""
        return sorted(self._records.values(), key=lambda one: one.canary.launched_at)

    def noticed(self, observation: Observation) -> None:
        """Take a stored observation into account: its canary wants judging."""
        record = self._records.get(observation.canary_id)
        if record is None:
            return
        if not self._settles_nothing(record, observation):
            self.touch([observation.canary_id])
            self._noticed.add(observation.canary_id)
        if observation.hop in SUBMITTING_HOPS and observation.outcome is not Outcome.FAILED:
            self._left(observation.canary_id, observation.ended_at)
        # A damaged ticket is no proof: an intact one may follow, and the deadline look must still be made.
        is_seen = observation.outcome is Outcome.OK or (
            observation.outcome is Outcome.FAILED and observation.hop is not Hop.TICKET_CONTENT
        )
        if is_seen:
            self._seen[observation.canary_id].add(observation.hop)
            if (
                observation.hop is Hop.REPLY_RECEIVED
                and Hop.TICKET_CONTENT not in self._seen[record.canary.id]
            ):
                self._hints.note()

    def touch(self, canary_ids: Iterable[CanaryId]) -> None:
        """Something about them wants judging, though it was no observation; who is not on the board is left out."""
        self._touched.update(one for one in canary_ids if one in self._records)
        if self._touched:
            self._is_touched.set()

    @property
    def wants_judging(self) -> bool:
        """Whether anything was noticed that nobody has taken yet."""
        return bool(self._touched)

    async def touched(self) -> None:
        """Return once anything wants judging."""
        await self._is_touched.wait()

    def take_touched(self) -> Sequence[Record]:
        """The canaries of which something was noticed since the last call."""
        touched, self._touched = self._touched, set()
        self._is_touched.clear()
        return [self._records[one] for one in touched if one in self._records]

    def wanted_at(self, place: str, now: datetime) -> tuple[list[Canary], list[Canary]]:
        """The canaries to look for at a place: those that wait, and those whose deadline look is due.

        Only pending canaries are waited for; what is breached or inconclusive is looked for once a round by
        whoever watches to the horizon.
        """
        waiting: list[Canary] = []
        due: list[Canary] = []
        is_system = self._prober.places[place].holds_tickets
        for canary in self._unseen(place):
            if now >= canary.deadline_at:
                due.append(canary)
            elif not (is_system and canary.id in self._launching):
                waiting.append(canary)
        return waiting, due

    def pause_at(self, place: str, now: datetime) -> timedelta:
        """How long a look would be in vain in all likelihood: until an answer to every request came back, or a while.

        A look that is made for one ticket delays that for the others, so it waits for all that are on their way.
        """
        if not self._prober.places[place].holds_tickets:
            return timedelta(0)
        unseen = list(self._unseen(place))
        if all(Hop.REPLY_RECEIVED in self._seen[one.id] for one in unseen):
            return timedelta(0)
        handed_over = [self._handed_over_at.get(one.id) for one in unseen if one.id not in self._launching]
        # A hand-over that is yet to come, by a clock that was set back, says nothing: the look is made.
        since = [FIRST_LOOK if at is None or at > now else now - at for at in handed_over]
        return max(timedelta(0), FIRST_LOOK - max(since, default=FIRST_LOOK))

    def _unseen(self, place: str) -> Iterable[Canary]:
        """The pending canaries that are to be seen at a place and were not."""
        hop = self._prober.places[place].hop
        for record in self._records.values():
            is_here = record.verdict is Verdict.PENDING and place in self._prober.places_of(record.canary)
            if is_here and hop not in self._seen[record.canary.id]:
                yield record.canary

    def next_deadline(self, now: datetime) -> datetime | None:
        """The next time at which a pending canary's deadline look becomes due."""
        coming = [
            record.canary.deadline_at
            for record in self._records.values()
            if record.verdict is Verdict.PENDING and record.canary.deadline_at > now
        ]
        return min(coming, default=None)

    def _settles_nothing(self, record: Record, observation: Observation) -> bool:
        """Whether no verdict can follow: a look in vain before the deadline, or a hop on the way that went well.

        What went well on the way proves no ticket, and neither does an answer, where it is not the path's proof; it
        only ever clears a hop of blame, and that of a canary which is settled already is judged again.
        """
        canary = record.canary
        if observation.stage(canary.deadline_at, canary.horizon_at) is not Stage.WAITING:
            return False
        if record.verdict is not Verdict.PENDING or observation.outcome is not Outcome.OK:
            return observation.is_look_in_vain
        path = self._prober.paths.get(canary.path)
        is_proof = path is None or path.proof is Proof.REPLY or Hop.TICKET_CONTENT in self._seen[canary.id]
        return observation.hop in _ON_THE_WAY or (observation.hop is Hop.REPLY_RECEIVED and not is_proof)


class _Changes:
    """Counts what happened, and wakes whoever waits for more; nobody can miss what another one took note of."""

    def __init__(self) -> None:
        self.count = 0
        self._next = asyncio.Event()

    def note(self) -> None:
        self.count += 1
        self._next.set()
        self._next = asyncio.Event()

    async def since(self, count: int) -> None:
        while self.count == count:
            await self._next.wait()
