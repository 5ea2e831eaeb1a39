"""A desk that tells a ticket's text by a further request alone, and has many tickets of canaries that are not sought."""

from pathlib import Path

import httpx

from canary.canary import Canary
from canary.observation import Depth
from probes.ticketing.generic.adapter import Generic
from tests.contracts.ticketing_contract import new_canary
from tests.unit.probes.ticketing.generic.test_doubts import Desk

MANY = 55
"""More than one look reads on."""
CONFIGURATION = """
url: https://desk.acme.test
cleanup: none
ticket: {id: id, requester: from, created_at: at, open: open}
find:
  wide:
    get: /tickets
    rows: tickets
    read: [{get: "/t/{{ ticket.id }}", ticket: {body: text}}]
sight: {get: /tickets, tickets: tickets}
"""


class Full(Desk):
    """Has a ticket of each canary; their texts alone bear a token."""

    def __init__(self, folder: Path, canaries: list[Canary]) -> None:
        super().__init__(folder, CONFIGURATION)
        texts = {str(number): one.subject_prefix for number, one in enumerate(canaries)}
        rows = [
            {"id": number, "from": "gateway@acme.test", "at": self.clock.now().isoformat(), "open": True}
            for number in texts
        ]
        self.answers = {"/tickets": lambda _: (200, {"tickets": rows})}
        for number, text in texts.items():
            self.answers[f"/t/{number}"] = self._told(text)
        self.clock.advance(600)

    def read(self) -> int:
        """How many texts were asked for since the last time."""
        count = sum(one.startswith("GET /t/") for one in self.asked)
        self.asked.clear()
        return count

    @staticmethod
    def _told(text: str):  # type: ignore[no-untyped-def]  # noqa: ANN205
        def told(_: httpx.Request) -> tuple[int, object]:
            return 200, {"text": text}

        return told


def test_tickets_of_others__are_read_once_and_the_look_comes_to_its_end(tmp_path: Path) -> None:
    others = [new_canary(Desk(tmp_path, CONFIGURATION).clock.now()) for _ in range(MANY)]
    desk = Full(tmp_path, others)
    sought = new_canary(desk.clock.now())

    async def work(system: Generic) -> list[tuple[bool, bool, int]]:
        async def looked() -> tuple[bool, bool, int]:
            look = await system.find([sought], Depth.DEADLINE)
            return look.is_complete, bool(look.tickets), desk.read()

        return [await looked() for _ in range(3)]

    assert desk.run(work) == [(False, False, 40), (True, False, MANY - 40), (True, False, 0)]


def test_ticket_that_was_read_for_others__is_found_when_its_own_canary_is_sought(tmp_path: Path) -> None:
    canaries = [new_canary(Desk(tmp_path, CONFIGURATION).clock.now()) for _ in range(MANY)]
    desk = Full(tmp_path, canaries)
    sought = new_canary(desk.clock.now())

    async def work(system: Generic) -> tuple[bool, bool, int]:
        for _ in range(3):
            await system.find([sought], Depth.DEADLINE)
        desk.read()
        look = await system.find([canaries[7]], Depth.DEADLINE)
        return look.is_complete, [one.ref.id for one in look.tickets] == ["7"], desk.read()

    assert desk.run(work) == (True, True, 1)


def test_ticket_of_another_canary__is_counted_as_no_strangers(tmp_path: Path) -> None:
    others = [new_canary(Desk(tmp_path, CONFIGURATION).clock.now()) for _ in range(3)]
    desk = Full(tmp_path, others)
    sought = new_canary(desk.clock.now())

    async def work(system: Generic) -> list[int]:
        counts = []
        for _ in range(2):
            strangers = (await system.find([sought], Depth.DEADLINE)).strangers
            assert strangers is not None
            counts.append(sum(len(several) for several in strangers.created.values()))
        return counts

    assert desk.run(work) == [0, 0]
