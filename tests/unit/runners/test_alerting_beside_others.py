"""Reviews while others change the store: whatever they do between two of our reads, no story is told wrong."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from canary.alert import AlertKind, AlertTransition, Subject
from canary.incident import Incident
from canary.review import Standing
from tests.fakes.memory_store import MemoryStore
from tests.unit.runners.test_alerting import Scene, mail_path

OPENED, CHANGED, REMINDER, RESOLVED = AlertTransition
_MAIL = mail_path()


class _Interrupted(MemoryStore):
    """A store in which others do something between two of our reads: ``then`` is done once, after the given read."""

    def __init__(self) -> None:
        super().__init__(prober="test")
        self.left = -1
        self.then: Callable[[], None] | None = None

    def interrupt(self, after: int, then: Callable[[], None]) -> None:
        self.left, self.then = after, then

    def _read(self) -> None:
        then, self.left = self.then, self.left - 1
        if self.left < 0 and then is not None:
            self.then = None
            then()

    async def open_incidents(self) -> list[Incident]:
        found = list(await super().open_incidents())
        self._read()
        return found

    async def standings(self) -> Mapping[Subject, tuple[Standing | None, int]]:
        found = await super().standings()
        self._read()
        return found


@dataclass
class _Both:
    """Two processes on one store: what the other does happens in no loop of ours."""

    store: _Interrupted = field(default_factory=_Interrupted)

    def __post_init__(self) -> None:
        self.scene = Scene(store=self.store, paths=(_MAIL,))
        self.lasting: Incident | None = None

    def open_or_end(self) -> None:
        if self.lasting is None:
            self.lasting = self.scene.opened(_MAIL)
        else:
            self.scene.resolved(self.lasting)
            self.lasting = None

    def in_between(self) -> None:
        """As the other process: not in the loop that is reading."""
        loop = asyncio.events._get_running_loop()
        asyncio.events._set_running_loop(None)
        try:
            self.open_or_end()
        finally:
            asyncio.events._set_running_loop(loop)


@given(st.lists(st.tuples(st.integers(0, 1), st.booleans()), max_size=8))
def test_incident_that_others_open_or_end_between_our_reads__is_opened_once_and_resolved_once(
    beats: list[tuple[int, bool]],
) -> None:
    both = _Both()
    for read, is_interrupted in beats:
        both.scene.clock.advance(60)
        if is_interrupted:
            both.store.interrupt(read, both.in_between)
        both.scene.review()
    if both.lasting is not None:
        both.scene.clock.advance(60)
        both.open_or_end()
    both.scene.review()

    stories: dict[tuple[str, str], list[tuple[int, AlertTransition]]] = {}
    for one in both.scene.heard():
        if one.concern.kind is not AlertKind.INCIDENT:
            continue
        stories.setdefault((one.sink, one.key), []).append((one.seq, one.transition))
    assert len(stories) == 2 * ((sum(is_interrupted for _, is_interrupted in beats) + 1) // 2)
    assert all(told == [(1, OPENED), (2, RESOLVED)] for told in stories.values())
