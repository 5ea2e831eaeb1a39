"""The simulated GLPI, held to ``apirest.md``."""

import pytest

from tests.fakes.clock import FakeClock
from tests.simulators.glpi import APP_TOKEN, SESSION_SECONDS, USER_TOKEN, Glpi
from tests.unit.simulators.asking import Client

JANE = "jane@customer.test"
API = "/apirest.php"


class Scene:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.glpi = Glpi(self.clock)
        self.desk = self.glpi.desk
        self.client = Client(self.glpi)
        self.client.headers = {"App-Token": APP_TOKEN}
        answer = self.client.call(
            "GET", f"{API}/initSession", headers={"Authorization": f"user_token {USER_TOKEN}"}
        )
        self.client.headers = {"App-Token": APP_TOKEN, "Session-Token": answer.json()["session_token"]}


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_session__that_ended__is_an_array_of_a_code_and_a_sentence(scene: Scene) -> None:
    scene.clock.advance(SESSION_SECONDS)

    answer = scene.client.call("GET", f"{API}/search/Ticket")

    assert (answer.status_code, answer.json()[0]) == (401, "ERROR_SESSION_TOKEN_INVALID")


def test_session__can_be_ended(scene: Scene) -> None:
    scene.client.call("GET", f"{API}/killSession")

    assert scene.client.call("GET", f"{API}/search/Ticket").status_code == 401


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"App-Token": "guessed"}, "ERROR_WRONG_APP_TOKEN_PARAMETER"),
        ({"App-Token": APP_TOKEN}, "ERROR_SESSION_TOKEN_MISSING"),
    ],
)
def test_call__without_its_tokens__says_which(scene: Scene, headers: dict[str, str], code: str) -> None:
    scene.client.headers = headers

    assert scene.client.call("GET", f"{API}/search/Ticket").json()[0] == code


def test_call__from_another_address__is_403(scene: Scene) -> None:
    scene.glpi.allowed = False

    answer = scene.client.call("GET", f"{API}/search/Ticket")

    assert (answer.status_code, answer.json()[0]) == (403, "ERROR_NOT_ALLOWED_IP")


def test_search__has_numbers_for_columns_and_ranges(scene: Scene) -> None:
    scene.desk.plant("a question", "text", JANE)
    scene.clock.advance(60)
    for number in range(3):
        scene.desk.plant(f"intakecanary {number}", "text", JANE)
        scene.clock.advance(1)
    query = {
        "criteria[0][field]": 15,
        "criteria[0][searchtype]": "morethan",
        "criteria[0][value]": "2026-03-02 12:00:30",
        "criteria[1][link]": "AND",
        "criteria[1][field]": 1,
        "criteria[1][searchtype]": "contains",
        "criteria[1][value]": "intakecanary",
        "forcedisplay[0]": 1,
        "forcedisplay[1]": 15,
        "sort": 15,
        "order": "DESC",
    }

    part = scene.client.call("GET", f"{API}/search/Ticket", params={**query, "range": "0-1"})
    rest = scene.client.call("GET", f"{API}/search/Ticket", params={**query, "range": "2-3"})

    assert (part.status_code, part.headers["content-range"]) == (206, "0-1/3")
    assert [one["1"] for one in part.json()["data"]] == ["intakecanary 2", "intakecanary 1"]
    assert part.json()["data"][0]["15"] == "2026-03-02 12:01:02"
    assert "21" not in part.json()["data"][0]
    assert (part.json()["totalcount"], len(rest.json()["data"])) == (3, 1)


def test_search__of_nothing__has_no_data_at_all(scene: Scene) -> None:
    answer = scene.client.call("GET", f"{API}/search/Ticket")

    assert (answer.status_code, answer.json()["totalcount"]) == (200, 0)
    assert "data" not in answer.json()


def test_search__beyond_the_end__is_an_error(scene: Scene) -> None:
    scene.desk.plant("one", "text", JANE)

    answer = scene.client.call("GET", f"{API}/search/Ticket", params={"range": "5-9"})

    assert (answer.status_code, answer.json()[0]) == (400, "ERROR_RANGE_EXCEED_TOTAL")


def test_refused_mail__has_its_reason_and_needs_the_right(scene: Scene) -> None:
    scene.desk.hold("canary", "text", JANE, cause="e-mail not found, impossible import")

    answer = scene.client.call("GET", f"{API}/NotImportedEmail", params={"range": "0-9"})
    (seen,) = answer.json()
    removed = scene.client.call("DELETE", f"{API}/NotImportedEmail/{seen['id']}")
    scene.glpi.sees_refused = False

    assert (seen["subject"], seen["reason"], removed.status_code) == ("canary", 1, 200)
    assert answer.headers["content-range"] == "0-0/1"
    assert scene.client.call("GET", f"{API}/NotImportedEmail").status_code == 403


def test_search__shows_the_columns_that_the_user_prefers_unless_others_are_asked_for(scene: Scene) -> None:
    scene.desk.plant("one", "text", JANE)

    (preferred,) = scene.client.get(f"{API}/search/Ticket")["data"]
    (forced,) = scene.client.get(f"{API}/search/Ticket", {"forcedisplay[0]": 21})["data"]

    assert set(preferred) == {"1", "2", "4", "12", "15"}
    assert set(forced) == {"1", "2", "21"}


def test_requester__is_a_user_with_addresses_or_an_address_alone(scene: Scene) -> None:
    scene.glpi.users[JANE] = 7
    known = scene.desk.plant("of a user", "text", JANE)
    other = scene.desk.plant("of nobody", "text", "bob@customer.test")

    def asking(number: int) -> tuple[int, str]:
        actors = scene.client.get(f"{API}/Ticket/{number}/Ticket_User")
        (one,) = [actor for actor in actors if actor["type"] == 1]
        return one["users_id"], one["alternative_email"]

    assert asking(known.id) == (7, "")
    assert asking(other.id) == (0, "bob@customer.test")
    assert [one["email"] for one in scene.client.get(f"{API}/User/7/UserEmail")] == [JANE]
    assert scene.client.call("GET", f"{API}/User/0/UserEmail").status_code == 404


def test_close__answers_by_the_id(scene: Scene) -> None:
    row = scene.desk.plant("canary", "text", JANE)

    answer = scene.client.call("PUT", f"{API}/Ticket/{row.id}", json={"input": {"status": 6}})

    assert answer.json() == [{str(row.id): True, "message": ""}]
    assert scene.client.get(f"{API}/Ticket/{row.id}")["status"] == 6


def test_delete__is_soft_unless_it_is_forced__and_the_id_may_be_given_out_again(scene: Scene) -> None:
    soft, hard = scene.desk.plant("soft", "text", JANE), scene.desk.plant("hard", "text", JANE)

    scene.client.call("DELETE", f"{API}/Ticket/{soft.id}")
    scene.client.call("DELETE", f"{API}/Ticket/{hard.id}", params={"force_purge": "true"})
    scene.desk.plant("another's", "text", JANE, number=hard.id)

    assert scene.client.call("GET", f"{API}/Ticket/{soft.id}").status_code == 404
    assert soft.id in scene.desk.rows
    assert scene.client.get(f"{API}/Ticket/{hard.id}")["name"] == "another's"
