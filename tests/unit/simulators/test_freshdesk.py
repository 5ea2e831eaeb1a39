"""The simulated Freshdesk, held to the examples and limits that its documentation publishes."""

import pytest

from tests.fakes.clock import FakeClock
from tests.simulators.freshdesk import API_KEY, Freshdesk
from tests.simulators.table import File
from tests.unit.simulators.asking import BASE, Client

JANE = "jane@customer.test"
TICKETS = "/api/v2/tickets"


class Scene:
    def __init__(self, **limits: int) -> None:
        self.clock = FakeClock()
        self.freshdesk = Freshdesk(self.clock, **limits)
        self.desk = self.freshdesk.desk
        self.client = Client(self.freshdesk)
        self.client.auth = (API_KEY, "X")


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_key__that_is_wrong__is_401_and_counts(scene: Scene) -> None:
    scene.client.auth = ("guessed", "X")

    answer = scene.client.call("GET", TICKETS)

    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credentials")
    assert scene.freshdesk.account.used == 1


def test_list__newest_first__is_linked_page_by_page(scene: Scene) -> None:
    for number in range(3):
        scene.desk.plant(f"ticket {number}", "text", JANE)
        scene.clock.advance(1)

    first = scene.client.call("GET", TICKETS, params={"per_page": 2, "order_by": "created_at"})
    second = scene.client.call("GET", first.links["next"]["url"].removeprefix(BASE))

    assert [one["subject"] for one in (*first.json(), *second.json())] == ["ticket 2", "ticket 1", "ticket 0"]
    assert "next" not in second.links


def test_list__of_more_than_a_hundred_a_page__is_a_validation_error(scene: Scene) -> None:
    answer = scene.client.call("GET", TICKETS, params={"per_page": 101})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "per_page"


def test_list__has_body_and_requester_only_where_they_are_included__at_two_credits_each(scene: Scene) -> None:
    scene.desk.plant("one", "the text", JANE)

    plain = scene.client.call("GET", TICKETS)
    whole = scene.client.call("GET", TICKETS, params={"include": "description,requester"})

    assert "description" not in plain.json()[0]
    assert whole.json()[0]["description_text"] == "the text"
    assert whole.json()[0]["requester"]["email"] == JANE
    assert plain.headers["x-ratelimit-used-currentrequest"] == "1"
    assert whole.headers["x-ratelimit-used-currentrequest"] == "5"
    assert whole.headers["x-ratelimit-remaining"] == "94"


def test_list__without_a_date__shows_thirty_days(scene: Scene) -> None:
    scene.desk.plant("old", "text", JANE)
    scene.clock.advance(31 * 86400)

    assert scene.client.get(TICKETS) == []
    assert len(scene.client.get(TICKETS, {"updated_since": "2026-01-01T00:00:00Z", "email": JANE})) == 1


def test_budget__used_up__is_429_with_the_wait(scene: Scene) -> None:
    scene = Scene(calls_a_minute=1)
    scene.client.get(TICKETS)

    answer = scene.client.call("GET", TICKETS)

    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")


def test_spam__is_only_in_its_own_list(scene: Scene) -> None:
    scene.desk.hold("canary", "text", JANE, cause="spam")

    (seen,) = scene.client.get(TICKETS, {"filter": "spam"})

    assert (seen["spam"], seen["subject"]) == (True, "canary")
    assert scene.client.get(TICKETS) == []


def test_close__replaces_the_tags__and_may_miss_a_field(scene: Scene) -> None:
    row = scene.desk.plant("canary", "text", JANE)
    row.tags = ["before"]
    body = {"status": 5, "tags": ["synthetic"]}
    scene.freshdesk.required = ("type",)

    refused = scene.client.call("PUT", f"{TICKETS}/{row.id}", json=body)
    done = scene.client.call("PUT", f"{TICKETS}/{row.id}", json={**body, "type": "Incident"})

    assert refused.json()["description"] == "Validation failed"
    assert (done.status_code, row.is_open, row.tags) == (200, False, ["synthetic"])


def test_delete__is_soft_and_not_done_twice(scene: Scene) -> None:
    row = scene.desk.plant("canary", "text", JANE)

    statuses = [scene.client.call("DELETE", f"{TICKETS}/{row.id}").status_code for _ in range(2)]

    assert statuses == [204, 405]
    assert [one["id"] for one in scene.client.get(TICKETS, {"filter": "deleted"})] == [row.id]


def test_missing_ticket__is_404_without_a_body(scene: Scene) -> None:
    answer = scene.client.call("GET", f"{TICKETS}/1")

    assert (answer.status_code, answer.content) == (404, b"")


def test_search__lags_behind_the_list(scene: Scene) -> None:
    scene.desk.lag_seconds = 60
    scene.desk.plant("canary", "text", JANE)

    assert scene.client.get("/api/v2/search/tickets")["total"] == 0
    assert len(scene.client.get(TICKETS)) == 1


def test_attachments__are_shown_with_the_ticket_alone(scene: Scene) -> None:
    row = scene.desk.plant("canary", "text", JANE, files=[File("invoice.pdf", b"%PDF \xff")])

    (file,) = scene.client.get(f"{TICKETS}/{row.id}")["attachments"]

    assert "attachments" not in scene.client.get(TICKETS)[0]
    assert scene.client.call("GET", file["attachment_url"].removeprefix(BASE)).content == b"%PDF \xff"
