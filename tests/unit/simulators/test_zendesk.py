"""The simulated Zendesk, held to the examples and limits that its documentation publishes."""

import pytest

from tests.fakes.clock import FakeClock
from tests.simulators.table import File
from tests.simulators.zendesk import CLIENT_ID, CLIENT_SECRET, TOKEN_SECONDS, Zendesk
from tests.unit.simulators.asking import Client

JANE = "jane@customer.test"


class Scene:
    def __init__(self, **limits: int) -> None:
        self.clock = FakeClock()
        self.zendesk = Zendesk(self.clock, **limits)
        self.client = Client(self.zendesk)
        self.log_in()

    def log_in(self) -> None:
        answer = self.client.call(
            "POST",
            "/oauth/tokens",
            json={"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET},
        )
        self.client.headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_token__ends_after_half_an_hour_and_then_gets_the_words_of_401(scene: Scene) -> None:
    scene.clock.advance(TOKEN_SECONDS)

    answer = scene.client.call("GET", "/api/v2/tickets")

    assert answer.status_code == 401
    assert answer.json() == {"error": "Couldn't authenticate you"}


def test_token__of_a_wrong_secret__is_refused(scene: Scene) -> None:
    wrong = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": "guessed"}

    assert scene.client.call("POST", "/oauth/tokens", json=wrong).status_code == 401


def test_token__may_end_in_the_middle_of_a_look(scene: Scene) -> None:
    scene.zendesk.tokens.expire_after(1)

    statuses = [scene.client.call("GET", "/api/v2/tickets").status_code for _ in range(2)]

    assert statuses == [200, 401]


def test_list__by_cursor__has_meta_and_links_and_ends(scene: Scene) -> None:
    planted = [scene.zendesk.desk.plant(f"ticket {number}", "text", JANE).id for number in range(5)]
    query = {"page[size]": 2, "sort": "-id"}

    first = scene.client.get("/api/v2/tickets", query)
    second = scene.client.get("/api/v2/tickets", {**query, "page[after]": first["meta"]["after_cursor"]})
    third = scene.client.get("/api/v2/tickets", {**query, "page[after]": second["meta"]["after_cursor"]})

    seen = [one["id"] for page in (first, second, third) for one in page["tickets"]]
    assert seen == list(reversed(planted))
    assert [one["meta"]["has_more"] for one in (first, second, third)] == [True, True, False]
    assert third["links"]["next"] is None


def test_list__by_cursor__does_not_sort_by_creation(scene: Scene) -> None:
    answer = scene.client.call("GET", "/api/v2/tickets", params={"page[size]": 2, "sort": "created_at"})

    assert answer.status_code == 400


def test_list__of_a_cursor__has_at_most_a_hundred_a_page(scene: Scene) -> None:
    scene.zendesk.desk.strangers(130)

    page = scene.client.get("/api/v2/tickets", {"page[size]": 500})

    assert len(page["tickets"]) == 100


def test_list__of_a_requesters_tickets__is_linked_and_side_loads_its_users(scene: Scene) -> None:
    for number in range(3):
        scene.zendesk.desk.plant(f"ticket {number}", "text", JANE)
    scene.zendesk.desk.plant("another's", "text", "joe@customer.test")
    (user,) = scene.client.get("/api/v2/users/search.json", {"query": JANE})["users"]
    path = f"/api/v2/users/{user['id']}/tickets/requested.json"

    page = scene.client.get(
        path, {"sort_by": "created_at", "sort_order": "desc", "per_page": 2, "include": "users"}
    )
    rest = scene.client.call("GET", page["next_page"].replace("[", "%5B")).json()

    assert [one["subject"] for one in (*page["tickets"], *rest["tickets"])] == [
        "ticket 2",
        "ticket 1",
        "ticket 0",
    ]
    assert page["count"] == 3
    assert [one["email"] for one in page["users"]] == [JANE]
    assert rest["next_page"] is None


def test_list__beyond_a_hundred_offset_pages__is_refused(scene: Scene) -> None:
    assert scene.client.call("GET", "/api/v2/tickets", params={"page": 101}).status_code == 400


def test_ticket__has_the_fields_of_the_documented_format(scene: Scene) -> None:
    row = scene.zendesk.desk.plant("Help me!", "The fire is very colorful.", JANE, channel="portal")

    (ticket,) = scene.client.get("/api/v2/tickets/show_many.json", {"ids": f"{row.id},{row.id + 1}"})[
        "tickets"
    ]

    assert ticket["subject"] == "Help me!"
    assert ticket["description"] == "The fire is very colorful."
    assert ticket["via"]["channel"] == "web"
    assert ticket["status"] == "new"
    assert ticket["created_at"] == "2026-03-02T12:00:00Z"


def test_budget__is_told_in_the_headers_of_the_rate_limits_page(scene: Scene) -> None:
    headers = scene.client.call("GET", "/api/v2/tickets").headers

    assert headers["x-rate-limit"] == "700"
    assert headers["ratelimit-remaining"] == "699"
    assert headers["zendesk-ratelimit-tickets-index"] == "total=100; remaining=99; resets=60"


def test_budget__used_up__is_a_plain_429_with_the_wait__and_comes_back(scene: Scene) -> None:
    scene = Scene(list_calls_a_minute=1)
    scene.client.get("/api/v2/tickets")
    scene.clock.advance(20)

    answer = scene.client.call("GET", "/api/v2/tickets")
    scene.clock.advance(40)

    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "40"
    assert answer.headers["content-type"] == "text/plain"
    assert scene.client.call("GET", "/api/v2/tickets").status_code == 200


def test_budget__used_up__may_come_without_the_wait(scene: Scene) -> None:
    scene = Scene(list_calls_a_minute=0)
    scene.zendesk.faults.hides_wait = True

    answer = scene.client.call("GET", "/api/v2/tickets")

    assert answer.status_code == 429
    assert "retry-after" not in answer.headers


def test_bulk_update__is_a_job_that_is_done_later(scene: Scene) -> None:
    row = scene.zendesk.desk.plant("canary", "text", JANE)
    scene.zendesk.desk.job_seconds = 5
    body = {"ticket": {"status": "closed", "additional_tags": ["synthetic"]}}

    job = scene.client.call(
        "PUT", "/api/v2/tickets/update_many.json", params={"ids": row.id}, json=body
    ).json()["job_status"]
    at_once = row.is_open
    scene.clock.advance(5)
    path = job["url"].removeprefix("https://acme.vendor.test")
    later = scene.client.get(path)["job_status"]

    assert (job["status"], at_once) == ("queued", True)
    assert (later["status"], later["results"][0]["success"]) == ("completed", True)
    assert (row.is_open, row.tags) == (False, ["synthetic"])
    assert scene.zendesk.desk.mails == []


def test_update__of_a_closed_ticket__is_refused(scene: Scene) -> None:
    row = scene.zendesk.desk.plant("canary", "text", JANE)
    path = f"/api/v2/tickets/{row.id}.json"

    first = scene.client.call("PUT", path, json={"ticket": {"status": "closed"}})
    second = scene.client.call("PUT", path, json={"ticket": {"additional_tags": ["late"]}})

    assert (first.status_code, second.status_code) == (200, 422)


def test_update__to_solved__writes_to_the_requester(scene: Scene) -> None:
    row = scene.zendesk.desk.plant("canary", "text", JANE)

    scene.client.call("PUT", f"/api/v2/tickets/{row.id}", json={"ticket": {"status": "solved"}})

    assert scene.zendesk.desk.mails == [JANE]


def test_safe_update__with_an_older_stamp__is_a_conflict(scene: Scene) -> None:
    row = scene.zendesk.desk.plant("canary", "text", JANE)
    stamp = "2026-03-02T12:00:00Z"
    scene.clock.advance(10)
    scene.zendesk.desk.touch(row)
    body = {"ticket": {"status": "closed", "safe_update": True, "updated_stamp": stamp}}

    assert scene.client.call("PUT", f"/api/v2/tickets/{row.id}", json=body).status_code == 409


def test_delete__is_soft__and_then_for_good(scene: Scene) -> None:
    row = scene.zendesk.desk.plant("canary", "text", JANE)

    gone = scene.client.call("DELETE", f"/api/v2/tickets/{row.id}")
    again = scene.client.call("DELETE", f"/api/v2/tickets/{row.id}")
    scene.client.call("DELETE", "/api/v2/deleted_tickets/destroy_many", params={"ids": row.id})

    assert (gone.status_code, again.status_code) == (204, 404)
    assert row.id not in scene.zendesk.desk.rows


def test_search__shows_a_ticket_only_after_its_index_has_caught_up(scene: Scene) -> None:
    scene.zendesk.desk.lag_seconds = 120
    scene.zendesk.desk.plant("intakecanary abc", "text", JANE)

    early = scene.client.get("/api/v2/search.json", {"query": "type:ticket intakecanary"})
    listed = scene.client.get("/api/v2/tickets")
    scene.clock.advance(120)
    late = scene.client.get("/api/v2/search.json", {"query": "type:ticket intakecanary"})

    assert (early["count"], listed["count"], late["count"]) == (0, 1, 1)


def test_search__beyond_a_thousand_results__is_422(scene: Scene) -> None:
    assert scene.client.call("GET", "/api/v2/search", params={"query": "x", "page": 11}).status_code == 422


def test_suspended__shows_the_cause_and_can_be_deleted(scene: Scene) -> None:
    held = scene.zendesk.desk.hold("canary", "text", JANE, cause="Detected as mail loop", message_id="<1@x>")

    (seen,) = scene.client.get("/api/v2/suspended_tickets.json")["suspended_tickets"]
    answer = scene.client.call(
        "DELETE", "/api/v2/suspended_tickets/destroy_many.json", params={"ids": held.id}
    )

    assert (seen["cause"], seen["cause_id"], seen["author"]["email"]) == ("Detected as mail loop", 4, JANE)
    assert answer.status_code == 204
    assert scene.client.get("/api/v2/suspended_tickets.json")["count"] == 0


def test_suspended__for_a_restricted_agent__is_403(scene: Scene) -> None:
    scene.zendesk.sees_suspended = False

    assert scene.client.call("GET", "/api/v2/suspended_tickets").status_code == 403


def test_comments__have_the_attachments_of_the_mail(scene: Scene) -> None:
    row = scene.zendesk.desk.plant("canary", "text", JANE, files=[File("invoice.pdf", b"%PDF \xff")])

    first, *_ = scene.client.get(f"/api/v2/tickets/{row.id}/comments.json")["comments"]
    (file,) = first["attachments"]
    path = file["content_url"].removeprefix("https://acme.vendor.test")

    assert file["file_name"] == "invoice.pdf"
    sent_on = scene.client.call("GET", path)
    assert sent_on.status_code == 302
    assert not sent_on.headers["location"].startswith("https://acme.vendor.test")


def test_maintenance__is_a_page_with_the_status_200(scene: Scene) -> None:
    scene.zendesk.faults.maintenance = True

    answer = scene.client.call("GET", "/api/v2/tickets")

    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html")


def test_date__is_the_vendors_clock(scene: Scene) -> None:
    scene.zendesk.skew_seconds = 90

    assert scene.client.call("GET", "/api/v2/tickets").headers["date"] == "Mon, 02 Mar 2026 12:01:30 GMT"
