"""Fields that are in none of the tickets that a short look shows: counted, so that no ticket is kept for it."""

from dataclasses import dataclass, field

from probes.ticketing.generic.misfits import instead_of
from probes.ticketing.generic.picking import Pick, Seen
from probes.ticketing.generic.tickets import TicketMap, Values, absent_from, absent_words, relied_on


@dataclass(slots=True)
class _Count:
    """Of one pick: its field's name, in how many rows it was sought and not there, and what the first has instead."""

    name: str
    pick: Pick
    instead: str
    sought: int = 0
    absent: int = 0


@dataclass(slots=True)
class Absence:
    """What of the fields that we rely on was not there, row by row."""

    _counts: dict[str, _Count] = field(default_factory=dict)

    def note(self, ticket: TicketMap, seen: Seen, values: Values) -> None:
        """One more row, and what was read of it."""
        for name, pick in relied_on(ticket):
            count = self._counts.setdefault(pick.key, _Count(name, pick, instead_of(pick, seen)))
            count.sought += 1
            count.absent += absent_from(values, name)

    def faults(self, system: str) -> list[tuple[str, str]]:
        """Fields that are there in none of the rows, and what is to be said of each: as `check_fields` says it."""
        return [
            (one.name, f"{absent_words(system, one.pick, one.sought)}{one.instead}")
            for one in self._counts.values()
            if one.absent == one.sought
        ]
