"""The simulated Zammad, held to its documentation and source."""

import pytest

from tests.fakes.clock import FakeClock
from tests.simulators.table import File
from tests.simulators.zammad import HEALTH_TOKEN, TOKEN, Zammad
from tests.unit.simulators.asking import Client

JANE = "jane@customer.test"
SINCE = {"operator": "after (absolute)", "value": "2026-03-02T11:00:00Z"}


class Scene:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.zammad = Zammad(self.clock)
        self.desk = self.zammad.desk
        self.client = Client(self.zammad)
        self.client.headers = {"Authorization": f"Token token={TOKEN}"}

    def search(self, **said: object) -> list[dict[str, object]]:
        found = self.client.call("POST", "/api/v1/tickets/search", json=said).json()
        assert isinstance(found, list)
        return found


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_token__that_is_wrong__is_refused__or_sees_an_empty_list(scene: Scene) -> None:
    scene.client.headers = {"Authorization": "Token token=guessed"}

    refused = scene.client.call("GET", "/api/v1/tickets")
    scene.zammad.wrong_key_sees_nothing = True
    empty = scene.client.call("GET", "/api/v1/tickets")

    assert (refused.status_code, refused.json()["error"]) == (401, "Authentication required")
    assert (empty.status_code, empty.json()) == (200, [])


def test_search__by_condition__reads_the_table_and_by_query_the_index(scene: Scene) -> None:
    scene.desk.lag_seconds = 30
    scene.desk.plant("intakecanary abc", "text", JANE)
    condition = {
        "ticket.created_at": SINCE,
        "ticket.title": {"operator": "contains", "value": "intakecanary"},
    }

    by_table = scene.search(condition=condition, limit=200, expand=True)
    early = scene.search(query="intakecanary")
    scene.clock.advance(30)
    late = scene.search(query="intakecanary")

    assert [len(one) for one in (by_table, early, late)] == [1, 0, 1]
    assert by_table[0]["customer"] == JANE
    assert by_table[0]["create_article_type"] == "email"
    assert by_table[0]["created_at"] == "2026-03-02T12:00:00.000Z"


def test_search__has_at_most_two_hundred(scene: Scene) -> None:
    scene.desk.strangers(250)

    assert len(scene.search(condition={"ticket.created_at": SINCE}, limit=500)) == 200
    assert len(scene.search(condition={"ticket.created_at": SINCE}, limit=200, page=2)) == 50


def test_search__without_expand__has_ids_instead_of_names(scene: Scene) -> None:
    scene.desk.plant("one", "text", JANE)

    (found,) = scene.search(condition={"ticket.created_at": SINCE})

    assert "customer" not in found
    assert found["customer_id"] == 10


def test_search__with_a_condition_that_it_does_not_know__finds_nothing(scene: Scene) -> None:
    scene.desk.plant("one", "text", JANE)

    assert scene.search(condition={"ticket.gone": {"operator": "is", "value": "x"}}) == []


def test_articles__have_body_sender_message_id_and_files(scene: Scene) -> None:
    row = scene.desk.plant(
        "canary", "text", JANE, message_id="<1@x>", files=[File("invoice.pdf", b"%PDF \xff")]
    )
    scene.desk.append(row.id, "later")

    first, later = scene.client.get(f"/api/v1/ticket_articles/by_ticket/{row.id}")
    (file,) = first["attachments"]
    path = f"/api/v1/ticket_attachment/{row.id}/{first['id']}/{file['id']}"

    assert (first["body"], first["message_id"], later["body"]) == ("text", "<1@x>", "later")
    assert scene.client.call("GET", path).content == b"%PDF \xff"


def test_close_and_tag__are_two_calls(scene: Scene) -> None:
    row = scene.desk.plant("canary", "text", JANE)

    closed = scene.client.call("PUT", f"/api/v1/tickets/{row.id}", json={"state": "closed"})
    tagged = scene.client.call(
        "POST", "/api/v1/tags/add", json={"object": "Ticket", "o_id": row.id, "item": "synthetic"}
    )

    assert (closed.json()["state"], tagged.status_code, tagged.json()) == ("closed", 201, True)
    assert scene.client.get("/api/v1/tags", {"object": "Ticket", "o_id": row.id}) == {"tags": ["synthetic"]}


def test_write__that_is_swallowed__is_answered_as_if_it_were_done(scene: Scene) -> None:
    row = scene.desk.plant("canary", "text", JANE)
    scene.zammad.faults.swallows = True

    answer = scene.client.call("PUT", f"/api/v1/tickets/{row.id}", json={"state": "closed"})

    assert answer.status_code == 200
    assert row.is_open


def test_delete__needs_an_administrator_and_is_for_good(scene: Scene) -> None:
    row = scene.desk.plant("canary", "text", JANE)
    scene.zammad.may_delete = False
    refused = scene.client.call("DELETE", f"/api/v1/tickets/{row.id}")
    scene.zammad.may_delete = True
    done = scene.client.call("DELETE", f"/api/v1/tickets/{row.id}")

    assert (refused.status_code, done.status_code) == (403, 200)
    assert row.id not in scene.desk.rows


def test_health__counts_what_could_not_be_processed(scene: Scene) -> None:
    scene.desk.hold("canary", "text", JANE, cause="unprocessable")

    answer = scene.client.get("/api/v1/monitoring/health_check", {"token": HEALTH_TOKEN})

    assert answer["issues"] == ["emails that could not be processed: 1"]
