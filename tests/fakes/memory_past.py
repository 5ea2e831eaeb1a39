"""The part of the memory store that looks at several paths at once."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

from canary.ahead import is_ahead
from canary.incident import Incident
from canary.path import PathName
from canary.slot import MissedCause, MissedSlot, Slot
from canary.verdict import Verdict
from runners.contracts import CanaryQuery, PathFacts, Record
from runners.history import RECENT, Day, Gist, Glance, Past, Point


class MemoryPast:
    """Mixed into `MemoryStore`, which has the verbs of one path."""

    _incidents: dict[str, Incident]
    _slots: dict[Slot, tuple[datetime, str]]
    _missed: dict[Slot, MissedCause]

    async def canaries(self, query: CanaryQuery) -> Sequence[Record]:
        raise NotImplementedError

    async def path_facts(self, path: PathName, *, now: datetime | None = None) -> PathFacts:
        raise NotImplementedError

    async def days(self, path: PathName, *, since: datetime) -> Sequence[Day]:
        raise NotImplementedError

    async def points(
        self, path: PathName, *, since: datetime, limit: int, until: datetime | None = None
    ) -> Sequence[Point]:
        raise NotImplementedError

    async def ends(
        self,
        path: PathName,
        *,
        verdicts: Collection[Verdict],
        since: datetime,
        before: datetime | None,
        each: int,
    ) -> Sequence[Point]:
        newest_first = await self.points(path, since=since, limit=1_000_000)
        mine = [
            one
            for one in reversed(newest_first)
            if one.verdict in verdicts and (before is None or one.launched_at < before)
        ]
        return mine if len(mine) <= 2 * each else [*mine[:each], *mine[-each:]]

    async def missed(self, path: PathName, *, since: datetime) -> Sequence[MissedSlot]:
        return [
            MissedSlot(slot, cause)
            for slot, cause in sorted(self._missed.items(), key=lambda one: one[0].at)
            if slot.path == path and slot.at >= since
        ]

    async def others_claimed(self, holder: str, *, since: datetime) -> bool:
        return any(at >= since and one != holder for at, one in self._slots.values())

    async def glances(
        self, windows: Mapping[PathName, int], *, now: datetime, points: int = 0
    ) -> Mapping[PathName, Glance]:
        found = {}
        for path, window in windows.items():
            known = await self.canaries(CanaryQuery(path=path, limit=1_000_000))
            newest = ([one for one in known if not is_ahead(one.canary.launched_at, now)] or known)[:RECENT]
            counting = [one for one in newest if one.verdict is Verdict.CONFIRMED or one.verdict.is_breach]
            blind = [one for one in newest if one.verdict is Verdict.INCONCLUSIVE]
            wanted = [*counting[:window], *blind[:1]]
            recent = tuple(Gist.of(one.judgement) for one in newest if one in wanted and one.judgement)
            all_points = await self.points(path, since=datetime.min.replace(tzinfo=UTC), limit=1_000_000)
            drawn = [one for one in all_points if not is_ahead(one.launched_at, now)] or all_points
            facts = await self.path_facts(path, now=now)
            slots = (
                []
                if facts.verdicts
                else [one.at for one in (*self._slots, *self._missed) if one.path == path]
            )
            found[path] = Glance(facts, recent, tuple(drawn[:points]), min(slots, default=None))
        return found

    async def pasts(self, paths: Sequence[PathName], *, since: datetime) -> Mapping[PathName, Past]:
        return {
            path: Past(
                verdicts=_added(await self.days(path, since=since)),
                missed=len(await self.missed(path, since=since)),
            )
            for path in paths
        }

    async def open_incidents(self) -> Sequence[Incident]:
        lasting = [one for one in self._incidents.values() if one.is_open]
        return sorted(lasting, key=lambda one: (one.opened_at, one.id), reverse=True)

    async def incident(self, incident_id: str) -> Incident | None:
        return self._incidents.get(incident_id)


def _added(days: Sequence[Day]) -> dict[Verdict, int]:
    found: dict[Verdict, int] = {}
    for one in days:
        for verdict, count in one.verdicts.items():
            found[verdict] = found.get(verdict, 0) + count
    return found
