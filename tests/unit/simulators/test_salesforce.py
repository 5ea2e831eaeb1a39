"""The simulated Salesforce, held to the examples and limits that its documentation publishes."""

import pytest

from tests.fakes.clock import FakeClock
from tests.simulators.salesforce import CLIENT_ID, CLIENT_SECRET, USERNAME, Salesforce, case_id
from tests.simulators.soql import MalformedQuery, parsed
from tests.simulators.table import File
from tests.unit.simulators.asking import BASE, Client

JANE = "jane@customer.test"
V = "/services/data/v61.0"


class Scene:
    def __init__(self, **limits: int) -> None:
        self.clock = FakeClock()
        self.salesforce = Salesforce(self.clock, **limits)
        self.client = Client(self.salesforce)
        form = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        token = self.client.call("POST", "/services/oauth2/token", data=form).json()
        self.instance = token["instance_url"]
        self.client.headers = {"Authorization": f"Bearer {token['access_token']}"}

    def query(self, soql: str) -> object:
        return self.client.get(f"{V}/query", {"q": soql})


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_token__names_the_instance_and_no_lifetime(scene: Scene) -> None:
    assert scene.instance == BASE


def test_token__by_a_jwt__needs_the_claims_and_an_end_within_three_minutes(scene: Scene) -> None:
    import jwt

    now = scene.clock.now().timestamp()
    statuses = []
    for subject, seconds in ((USERNAME, 170), (USERNAME, 900), ("other@acme.test", 170)):
        claims = {"iss": CLIENT_ID, "sub": subject, "aud": BASE, "exp": int(now + seconds)}
        form = {
            "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "assertion": jwt.encode(claims, "k" * 32, algorithm="HS256"),
        }
        statuses.append(scene.client.call("POST", "/services/oauth2/token", data=form).status_code)

    assert statuses == [200, 400, 400]


def test_session__that_ended__gets_an_array_with_the_code(scene: Scene) -> None:
    scene.salesforce.tokens.revoke()

    answer = scene.client.call("GET", f"{V}/limits")

    assert answer.status_code == 401
    assert answer.json() == [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]


def test_query__by_window_and_sender__shows_cases_newest_first_with_their_mails(scene: Scene) -> None:
    scene.salesforce.desk.plant("before", "text", JANE)
    scene.clock.advance(60)
    first = scene.salesforce.desk.plant("first", "text", JANE, message_id="<1@probe.test>")
    scene.clock.advance(60)
    second = scene.salesforce.desk.plant("second", "text", JANE.upper())
    scene.salesforce.desk.plant("another's", "text", "joe@customer.test")

    answer = scene.query(
        "SELECT Id,Subject,CreatedDate,(SELECT Id,FromAddress,Incoming FROM EmailMessages) FROM Case"  # noqa: S608 - SOQL
        f" WHERE CreatedDate>=2026-03-02T12:00:30Z AND SuppliedEmail IN ('{JANE}') ORDER BY CreatedDate DESC"
    )

    assert isinstance(answer, dict)
    assert (answer["totalSize"], answer["done"]) == (2, True)
    assert [one["Id"] for one in answer["records"]] == [case_id(second.id), case_id(first.id)]
    assert answer["records"][1]["CreatedDate"] == "2026-03-02T12:01:00.000+0000"
    assert answer["records"][1]["EmailMessages"]["records"][0]["Incoming"] is True
    assert answer["records"][1]["attributes"]["type"] == "Case"


def test_query__for_a_word_in_the_long_text__is_refused(scene: Scene) -> None:
    answer = scene.client.call(
        "GET", f"{V}/query", params={"q": "SELECT Id FROM Case WHERE Description LIKE '%x%'"}
    )

    assert answer.status_code == 400
    assert answer.json()[0]["errorCode"] == "INVALID_FIELD"


@pytest.mark.parametrize(
    ("soql", "code"),
    [
        ("SELECT Id FROM Case WHERE", "MALFORMED_QUERY"),
        ("SELECT Id FROM Case WHERE Gone__c = 'x'", "INVALID_FIELD"),
        ("SELECT Gone__c FROM Case", "INVALID_FIELD"),
        ("SELECT Id FROM Ticket", "INVALID_TYPE"),
    ],
)
def test_query__that_is_wrong__is_answered_with_its_code(scene: Scene, soql: str, code: str) -> None:
    scene.salesforce.desk.plant("one", "text", JANE)

    answer = scene.client.call("GET", f"{V}/query", params={"q": soql})

    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, code)


def test_query__of_more_than_a_page__goes_on_by_its_locator(scene: Scene) -> None:
    scene.salesforce.desk.strangers(450)

    page = scene.client.get(f"{V}/query", {"q": "SELECT Id,Description FROM Case ORDER BY CreatedDate DESC"})
    count = len(page["records"])
    while not page["done"]:
        page = scene.client.get(page["nextRecordsUrl"])
        count += len(page["records"])

    assert (page["totalSize"], count) == (450, 450)


def test_query__of_the_mail_services__shows_their_switches(scene: Scene) -> None:
    answer = scene.query("SELECT FunctionName,IsActive,AuthorizationFailureAction FROM EmailServicesFunction")

    assert isinstance(answer, dict)
    assert answer["records"][0]["IsActive"] is True


def test_budget__is_used_and_limit__and_beyond_it_403(scene: Scene) -> None:
    scene = Scene(calls_a_day=2)

    first = scene.client.call("GET", f"{V}/limits")
    scene.client.call("GET", f"{V}/limits")
    over = scene.client.call("GET", f"{V}/limits")

    assert first.headers["sforce-limit-info"] == "api-usage=1/2"
    assert first.json()["DailyApiRequests"] == {"Max": 2, "Remaining": 1}
    assert (over.status_code, over.json()[0]["errorCode"]) == (403, "REQUEST_LIMIT_EXCEEDED")


def test_update__of_a_collection__answers_for_each_in_order(scene: Scene) -> None:
    row = scene.salesforce.desk.plant("canary", "text", JANE)
    change = {"attributes": {"type": "Case"}, "Status": "Closed", "Synthetic__c": "synthetic"}
    records = [{**change, "id": case_id(9)}, {**change, "id": case_id(row.id)}]

    answer = scene.client.call(
        "PATCH", f"{V}/composite/sobjects", json={"allOrNone": False, "records": records}
    ).json()

    assert [one["success"] for one in answer] == [False, True]
    assert answer[0]["errors"][0]["statusCode"] == "ENTITY_IS_DELETED"
    assert (row.is_open, row.tags) == (False, ["synthetic"])


def test_update__that_a_validation_rule_forbids__fails_for_that_record(scene: Scene) -> None:
    row = scene.salesforce.desk.plant("canary", "text", JANE)
    scene.salesforce.required = ("Reason",)
    records = [{"attributes": {"type": "Case"}, "id": case_id(row.id), "Status": "Closed"}]

    (answer,) = scene.client.call("PATCH", f"{V}/composite/sobjects", json={"records": records}).json()

    assert answer["errors"][0]["statusCode"] == "FIELD_CUSTOM_VALIDATION_EXCEPTION"
    assert row.is_open


def test_update__of_one_record__is_204(scene: Scene) -> None:
    row = scene.salesforce.desk.plant("canary", "text", JANE)

    answer = scene.client.call("PATCH", f"{V}/sobjects/Case/{case_id(row.id)}", json={"Status": "Closed"})

    assert (answer.status_code, answer.content, row.is_open) == (204, b"", False)


def test_delete__of_a_collection__puts_into_the_bin(scene: Scene) -> None:
    row = scene.salesforce.desk.plant("canary", "text", JANE)

    scene.client.call("DELETE", f"{V}/composite/sobjects", params={"ids": case_id(row.id)})

    assert scene.client.call("GET", f"{V}/sobjects/Case/{case_id(row.id)}").status_code == 404
    assert row.id in scene.salesforce.desk.rows


def test_file__is_found_by_the_mail_of_the_case_and_read_byte_for_byte(scene: Scene) -> None:
    row = scene.salesforce.desk.plant("canary", "text", JANE, files=[File("invoice.pdf", b"%PDF \xff")])
    mail = scene.query(f"SELECT Id FROM EmailMessage WHERE ParentId = '{case_id(row.id)}'")  # noqa: S608 - SOQL
    assert isinstance(mail, dict)
    answer = scene.query(
        "SELECT ContentDocument.Title,ContentDocument.LatestPublishedVersionId FROM ContentDocumentLink"  # noqa: S608 - SOQL
        f" WHERE LinkedEntityId IN ('{case_id(row.id)}','{mail['records'][0]['Id']}')"
    )

    assert isinstance(answer, dict)
    version = answer["records"][0]["ContentDocument"]["LatestPublishedVersionId"]
    assert (
        scene.client.call("GET", f"{V}/sobjects/ContentVersion/{version}/VersionData").content == b"%PDF \xff"
    )


def test_portal_case__has_no_supplied_address(scene: Scene) -> None:
    row = scene.salesforce.desk.plant("canary", "text", JANE, channel="portal")

    assert scene.client.get(f"{V}/sobjects/Case/{case_id(row.id)}")["SuppliedEmail"] is None


def test_uri__beyond_its_end__is_414(scene: Scene) -> None:
    soql = f"SELECT Id FROM Case WHERE Subject IN ('{'x' * 17000}')"  # noqa: S608 - SOQL

    assert scene.client.call("GET", f"{V}/query", params={"q": soql}).status_code == 414


def test_soql__quotes_are_escaped_and_ors_stand_in_parentheses() -> None:
    query = parsed(
        r"SELECT Id FROM Case WHERE (Subject LIKE '%o\'brien%' OR IsClosed = true) AND Origin != 'Web'"
    )

    assert [len(one) for one in query.groups] == [2, 1]
    assert query.groups[0][0].value == "%o'brien%"
    with pytest.raises(MalformedQuery):
        parsed("SELECT Id FROM Case HAVING x = 1")
