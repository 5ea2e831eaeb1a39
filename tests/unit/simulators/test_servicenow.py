"""The simulated ServiceNow, held to its documentation and to public recordings."""

import pytest

from tests.fakes.clock import FakeClock
from tests.simulators.servicenow import PASSWORD, USER, ServiceNow, sys_id
from tests.simulators.table import File
from tests.unit.simulators.asking import BASE, Client

JANE = "jane@customer.test"
INCIDENTS = "/api/now/table/incident"


class Scene:
    def __init__(self, *, calls_an_hour: int | None = None) -> None:
        self.clock = FakeClock()
        self.servicenow = ServiceNow(self.clock, calls_an_hour=calls_an_hour)
        self.desk = self.servicenow.desk
        self.client = Client(self.servicenow)
        self.client.auth = (USER, PASSWORD)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_user__that_is_wrong__gets_the_documented_failure(scene: Scene) -> None:
    scene.client.auth = (USER, "guessed")

    answer = scene.client.call("GET", INCIDENTS)

    assert answer.status_code == 401
    assert answer.json()["error"]["message"] == "User Not Authenticated"
    assert answer.json()["status"] == "failure"


def test_list__by_window_and_marker__is_text_without_zone_newest_first(scene: Scene) -> None:
    scene.desk.plant("intakecanary before", "text", JANE)
    scene.clock.advance(60)
    scene.desk.plant("intakecanary abc", "text", JANE)
    scene.desk.plant("a question", "text", JANE)
    query = "sys_created_on>=2026-03-02 12:00:30^short_descriptionLIKEIntakeCanary^ORDERBYDESCsys_created_on"

    (found,) = scene.client.get(INCIDENTS, {"sysparm_query": query})["result"]

    assert found["short_description"] == "intakecanary abc"
    assert found["sys_created_on"] == "2026-03-02 12:01:00"
    assert found["contact_type"] == "email"


def test_list__with_a_condition_on_an_unknown_column__shows_everything(scene: Scene) -> None:
    scene.desk.plant("one", "text", JANE)
    scene.desk.plant("two", "text", JANE)

    assert len(scene.client.get(INCIDENTS, {"sysparm_query": "gone=x"})["result"]) == 2


def test_list__of_pages__counts_all_and_links_the_next(scene: Scene) -> None:
    for number in range(3):
        scene.desk.plant(f"ticket {number}", "text", JANE)
    first = scene.client.call("GET", INCIDENTS, params={"sysparm_limit": 2, "sysparm_fields": "number"})
    second = scene.client.call("GET", first.links["next"]["url"].removeprefix(BASE))

    assert first.headers["x-total-count"] == "3"
    assert first.json()["result"][0] == {"number": "INC0001001"}
    assert len(second.json()["result"]) == 1
    assert "next" not in second.links


def test_mail__shows_arrival_cause_and_the_record_that_was_made(scene: Scene) -> None:
    row = scene.desk.plant("canary", "text", JANE, message_id="<1@probe.test>")
    scene.desk.hold(
        "canary", "text", JANE, cause="Ignored: sender is locked out", message_id="<2@probe.test>"
    )
    path = "/api/now/table/sys_email"

    (made,) = scene.client.get(path, {"sysparm_query": "message_id=<1@probe.test>"})["result"]
    (ignored,) = scene.client.get(path, {"sysparm_query": "typeINreceived-ignored"})["result"]

    assert (made["target"], made["receive_type"]) == (sys_id(row.id), "new")
    assert (ignored["error_string"], ignored["target"]) == ("Ignored: sender is locked out", "")


def test_mail__without_the_right__is_403(scene: Scene) -> None:
    scene.servicenow.sees_mail = False

    assert scene.client.call("GET", "/api/now/table/sys_email").status_code == 403


def test_close__may_be_refused_by_a_data_policy(scene: Scene) -> None:
    row = scene.desk.plant("canary", "text", JANE)
    scene.servicenow.required = ("close_code",)
    path = f"{INCIDENTS}/{sys_id(row.id)}"

    refused = scene.client.call("PATCH", path, json={"state": "7"})
    done = scene.client.call("PATCH", path, json={"state": "7", "close_code": "Closed/Resolved by Caller"})

    assert refused.status_code == 403
    assert "close_code is mandatory" in refused.json()["error"]["detail"]
    assert (done.json()["result"]["state"], row.is_open) == ("7", False)


def test_delete__is_204_and_then_404(scene: Scene) -> None:
    row = scene.desk.plant("canary", "text", JANE)

    statuses = [scene.client.call("DELETE", f"{INCIDENTS}/{sys_id(row.id)}").status_code for _ in range(2)]

    assert statuses == [204, 404]


def test_budget__is_told_only_where_a_rule_exists(scene: Scene) -> None:
    ruled = Scene(calls_an_hour=1)

    free = scene.client.call("GET", INCIDENTS)
    first, second = (ruled.client.call("GET", INCIDENTS) for _ in range(2))

    assert "x-ratelimit-limit" not in free.headers
    assert first.headers["x-ratelimit-limit"] == "1"
    assert (second.status_code, second.headers["retry-after"]) == (429, "3600")


def test_attachments__are_found_by_the_record(scene: Scene) -> None:
    row = scene.desk.plant("canary", "text", JANE, files=[File("invoice.pdf", b"%PDF \xff")])

    query = {"sysparm_query": f"table_sys_id={sys_id(row.id)}"}
    (file,) = scene.client.get("/api/now/attachment", query)["result"]

    assert file["file_name"] == "invoice.pdf"
    assert scene.client.call("GET", file["download_link"].removeprefix(BASE)).content == b"%PDF \xff"
