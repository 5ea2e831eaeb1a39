"""Request Tracker's adapter where the real one can't be made to do it on demand: races, floods, dropped fields."""

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from canary.canary import Canary
from canary.observation import Depth
from canary.ticket import Ticket, TicketId, TicketRef
from probes.contracts import Disposal, DisposalAction, RemovalState
from probes.http import open_api
from probes.http_wire import HttpSettings
from probes.masking import Masker, Secret
from probes.ticketing import rt
from probes.ticketing.rt import RequestTracker
from probes.ticketing.settings import RtSettings
from tests.contracts.ticketing_contract import BODY, MARKER, SENDER, new_canary
from tests.fakes.answers import Answering
from tests.fakes.clock import START, FakeClock, run_jumping

T = TypeVar("T")
URL = "http://rt.acme.test"
CLOSE = Disposal(DisposalAction.CLOSE, "synthetic")


class Known:
    async def read(self, *, renew: bool = False) -> Secret:
        return Secret("1-2-renewed" if renew else "1-2-token")


class Tracker:
    """A scripted Request Tracker: only what these tests provoke (the contract runs on the real one)."""

    def __init__(self, canaries: Sequence[Canary] = ()) -> None:
        self.subjects = [f"{one.subject_prefix} hello" for one in canaries]
        self.status = "new"
        self.version = 1
        self.changes_between = 0
        self.conditions: list[str | None] = []
        self.queries: list[str] = []
        self.bodies_read = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = urlsplit(str(request.url)).path
        if path.endswith("/tickets"):
            return self._found(request)
        if path.endswith("/attachments"):
            self.bodies_read += 1
            return httpx.Response(200, json={"items": [self._part()]})
        if request.method == "PUT":
            return self._put(request)
        fields = [{"name": "Canary", "values": ["synthetic"] if self.status != "new" else []}]
        return httpx.Response(
            200, json={"Status": self.status, "CustomFields": fields}, headers={"ETag": f'"{self.version}"'}
        )

    def _found(self, request: httpx.Request) -> httpx.Response:
        query = parse_qs(urlsplit(str(request.url)).query)
        self.queries.append(query["query"][0])
        first = (int(query["page"][0]) - 1) * int(query["per_page"][0])
        rows = [
            {
                "id": str(number),
                "Subject": subject,
                "Status": self.status,
                "Created": START.isoformat(),
                "Requestor": [{"EmailAddress": SENDER}],
                "CustomFields": "",
            }
            for number, subject in enumerate(self.subjects, start=1)
        ]
        return httpx.Response(200, json={"items": rows[first : first + int(query["per_page"][0])]})

    def _part(self) -> dict[str, object]:
        return {
            "TransactionId": "5",
            "MessageId": "",
            "Filename": "",
            "ContentType": "text/plain",
            "Headers": "",
            "Content": BODY,
        }

    def _put(self, request: httpx.Request) -> httpx.Response:
        self.conditions.append(request.headers.get("If-Match"))
        if self.changes_between > 0:
            self.changes_between -= 1
            self.version += 1
            return httpx.Response(412, json={"message": "Precondition Failed"})
        self.status = json.loads(request.content)["Status"]
        return httpx.Response(200, json=["Ticket 1: Status changed"])


def with_adapter(tracker: Tracker, work: Callable[[RequestTracker], Awaitable[T]], **more: object) -> T:
    clock = FakeClock()

    async def main() -> T:
        async with open_api(
            HttpSettings(name="rt", url=URL),
            clock=clock,
            masker=Masker(),
            secret=Known(),
            authorise=rt.authorise,
            transport=Answering(tracker),
        ) as api:
            settings = RtSettings(name="rt", url=URL, marker=MARKER, custom_field="Canary", **more)  # type: ignore[arg-type]  # single settings of the test
            return await work(RequestTracker(settings, api, clock=clock, masker=Masker()))

    return run_jumping(clock, main())


TICKET = Ticket(TicketRef("rt", TicketId("1")), subject="x", requester=SENDER)


def test_close__after_somebody_elses_change__reads_again_and_uses_the_new_version() -> None:
    tracker = Tracker()
    tracker.changes_between = 1

    (answer,) = with_adapter(tracker, lambda system: system.dispose([TICKET], CLOSE))

    assert answer.state is RemovalState.DONE
    assert tracker.conditions == ['"1"', '"2"']


def test_close__changed_by_others_each_time__is_failed_and_not_forced() -> None:
    tracker = Tracker()
    tracker.changes_between = 99

    (answer,) = with_adapter(tracker, lambda system: system.dispose([TICKET], CLOSE))

    assert answer.state is RemovalState.FAILED
    assert None not in tracker.conditions
    assert tracker.status == "new"


def test_find__with_more_tickets_than_one_look_may_read__goes_on_in_the_next() -> None:
    canaries = [new_canary(START) for _ in range(5)]
    tracker = Tracker(canaries)

    async def main(system: RequestTracker) -> list[tuple[int, bool, int]]:
        looks = []
        for _ in range(4):
            look = await system.find(canaries, Depth.POLL)
            looks.append((len(look.tickets), look.is_complete, tracker.bodies_read))
        return looks

    assert with_adapter(tracker, main, most_bodies=2) == [
        (2, False, 2),
        (4, False, 4),
        (5, True, 5),
        (5, True, 5),
    ]


def test_find__more_pages_than_allowed__is_incomplete() -> None:
    canaries = [new_canary(START) for _ in range(101)]

    look = with_adapter(Tracker(canaries), lambda system: system.find(canaries[:1], Depth.POLL), most_pages=1)

    assert not look.is_complete


@pytest.mark.parametrize("count", [1, 10, 200])
def test_find__however_many_canaries__is_one_search(count: int) -> None:
    canaries = [new_canary(START) for _ in range(count)]
    tracker = Tracker()

    with_adapter(tracker, lambda system: system.find(canaries, Depth.POLL), queue="Sup'port")

    assert tracker.queries == [
        f"Created >= '-3900 seconds' AND Subject LIKE '{MARKER}' AND ( Queue = 'Sup\\'port' )"
    ]


def test_find__where_a_rule_moves_canaries__looks_into_the_quarantines_queue_as_well() -> None:
    tracker, canaries = Tracker(), [new_canary(START)]

    with_adapter(
        tracker,
        lambda system: system.find(canaries, Depth.POLL),
        queue="Support",
        quarantine_queue="Canaries",
    )

    (query,) = tracker.queries
    assert query.endswith(" AND ( Queue = 'Support' OR Queue = 'Canaries' )")
