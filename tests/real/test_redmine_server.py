"""What Redmine 5.0.4 does, for whoever writes a configuration for it: each fact as it was seen, no adapter between."""

import time
from collections.abc import Iterator
from contextlib import closing
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.real.servers.redmine import Redmine, running_redmine
from tests.real.servers.redmine_files import (
    CANARY,
    CLOSED_STATUS,
    EMISSION_ADDRESS,
    MINIMAL_RIGHTS,
    OPEN_STATUS,
    OTHER_PROJECT,
    STRANGER,
    TAG,
)

WRONG_KEY = "0" * 40
CLOSED = {"status_id": CLOSED_STATUS}
TAGGED = {"custom_fields": [{"id": 1, "value": [TAG]}]}


@pytest.fixture(scope="module")
def redmine() -> Iterator[Redmine]:
    with running_redmine(rights=(*MINIMAL_RIGHTS, "delete_issues")) as server:
        yield server


def listed(redmine: Redmine, **filters: object) -> list[int]:
    """The ids that the prober's list shows."""
    answer = redmine.call(f"/issues.json?{urlencode({'limit': 100, **filters})}")
    assert answer.status == 200, answer.body
    return [one["id"] for one in answer.body["issues"]]


def shown(redmine: Redmine, issue: int) -> dict[str, Any]:
    answer = redmine.call(f"/issues/{issue}.json?include=journals")
    assert answer.status == 200
    return dict(answer.body["issue"])


def put(
    redmine: Redmine,
    issue: int,
    change: object,
    *,
    key: str | None = None,
    headers: dict[str, str] | None = None,
) -> int:
    """Change an issue as the prober; the answer's status."""
    answer = redmine.call(f"/issues/{issue}.json", {"issue": change}, method="PUT", key=key, headers=headers)
    return answer.status


def mail(
    sender: str, subject: str, *, text: str = "Guten Tag, Grüße", headers: dict[str, str] | None = None
) -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, "support@acme.test", subject
    message["Message-ID"] = "<1@probe.test>"
    for name, value in (headers or {}).items():
        message[name] = value
    message.set_content(text)
    return message.as_bytes()


def by_subject(redmine: Redmine, subject: str) -> list[dict[str, Any]]:
    return [one for one in redmine.issues() if one["subject"] == subject]


def stamp(seconds_from_now: float, how: str = "%Y-%m-%dT%H:%M:%SZ") -> str:
    return ">=" + time.strftime(how, time.gmtime(time.time() + seconds_from_now))


def test_list__without_status_id__hides_closed_issues__even_those_asked_for_by_id(redmine: Redmine) -> None:
    issue = redmine.open_issue("listed", "…")
    put(redmine, issue, CLOSED)

    assert issue not in listed(redmine)
    assert issue not in listed(redmine, issue_id=issue)
    assert issue in listed(redmine, status_id="*")


def test_list__has_the_text_with_its_own_line_ends__and_of_its_author_only_id_and_name(
    redmine: Redmine,
) -> None:
    issue = redmine.open_issue("with text", "Grüße\nund mehr")

    (row,) = [one for one in redmine.call("/issues.json").body["issues"] if one["id"] == issue]

    assert row["description"] == "Grüße\r\nund mehr"
    assert row["author"] == {"id": 6, "name": "Canary Customer"}
    assert row["status"] == {"id": 1, "name": "New", "is_closed": False}


def test_author__by_a_second_request__has_the_address_as_mail_unless_hidden__and_as_login(
    redmine: Redmine,
) -> None:
    before = redmine.call("/users/6.json").body["user"]
    with closing(redmine.database()) as database, database:
        database.execute("UPDATE user_preferences SET hide_mail = 1 WHERE user_id = 6")
    hidden = redmine.call("/users/6.json").body["user"]
    with closing(redmine.database()) as database, database:
        database.execute("UPDATE user_preferences SET hide_mail = 0 WHERE user_id = 6")

    assert (before["login"], before["mail"]) == (CANARY, CANARY)
    assert hidden["login"] == CANARY
    assert "mail" not in hidden


def test_users__cannot_be_listed_by_who_is_no_administrator(redmine: Redmine) -> None:
    assert redmine.call("/users.json").status == 403


@pytest.mark.parametrize(
    ("words", "is_found"),
    [
        ("~INTAKEcanary", True),  # case does not matter
        ("~canary", True),  # nor where a word begins
        ("~needle", True),
        ("~one two three four needle", True),
        ("~one two three absent needle", False),  # all of the words
        ("~one two three four needle absent", True),  # of which it takes the first five
        ("~one two three four intakecanary absent needle", True),
        ("*~absent needle", True),  # any of the words
        ("^intakecanary", True),
        ("$needle", True),
        ("needle", False),  # without an operator the whole subject
        ("~need%", False),  # no wild cards
    ],
)
def test_subject_filter__knows_words(redmine: Redmine, words: str, is_found: bool) -> None:
    if not by_subject(redmine, "intakecanary one two three four needle"):
        redmine.open_issue("intakecanary one two three four needle", "…")

    assert bool(listed(redmine, subject=words)) is is_found


def test_filters__of_unknown_name_and_sort__are_ignored_in_silence(redmine: Redmine) -> None:
    redmine.open_issue("all of them", "…")

    everything = listed(redmine)

    assert listed(redmine, no_such_filter="1") == everything
    assert listed(redmine, sort="no_such_column:desc") == everything


def test_filter__that_is_empty_or_no_date__is_refused_with_words(redmine: Redmine) -> None:
    empty = redmine.call(f"/issues.json?{urlencode({'subject': '~'})}")
    no_date = redmine.call(f"/issues.json?{urlencode({'created_on': '>=yesterday'})}")

    assert empty.status == no_date.status == 422
    assert no_date.body == {"errors": ["Created is invalid"]}


def test_created_on__of_a_window__holds_both_its_ends(redmine: Redmine) -> None:
    issue = redmine.open_issue("in a window", "…")

    assert issue in listed(redmine, created_on=f"><{stamp(-60)[2:]}|{stamp(60)[2:]}")
    assert issue not in listed(redmine, created_on=f"><{stamp(-120)[2:]}|{stamp(-60)[2:]}")


def test_created_on__takes_whole_seconds_with_z__and_neither_fraction_nor_offset(redmine: Redmine) -> None:
    issue = redmine.open_issue("dated", "…")

    assert issue in listed(redmine, created_on=stamp(-60))
    assert issue not in listed(redmine, created_on=stamp(3600))
    assert issue in listed(redmine, created_on=stamp(-60, "%Y-%m-%d"))
    for how in ("%Y-%m-%dT%H:%M:%S.000Z", "%Y-%m-%dT%H:%M:%S+00:00"):
        query = urlencode({"created_on": stamp(-60, how)})
        assert redmine.call(f"/issues.json?{query}").status == 422


@pytest.mark.parametrize("zone", ["Tokyo", "America/New_York"])
def test_times__are_utc__shown_and_asked_for__whatever_the_zone_of_the_user(
    redmine: Redmine, zone: str
) -> None:
    issue = redmine.open_issue("zoned", "…")
    before = shown(redmine, issue)["created_on"]
    with closing(redmine.database()) as database, database:
        database.execute("UPDATE user_preferences SET time_zone = ? WHERE user_id = 5", (zone,))
    try:
        after = shown(redmine, issue)["created_on"]
        is_found = issue in listed(redmine, created_on=stamp(-60))
        is_found_later = issue in listed(redmine, created_on=stamp(60))
    finally:
        with closing(redmine.database()) as database, database:
            database.execute("UPDATE user_preferences SET time_zone = '' WHERE user_id = 5")

    assert before.endswith("Z")
    assert after == before
    assert (is_found, is_found_later) == (True, False)


def test_paging__is_cut_to_a_hundred__and_says_the_total__and_is_empty_beyond(redmine: Redmine) -> None:
    issues = [redmine.open_issue(f"page {number}", "…") for number in range(3)]

    first = redmine.call("/issues.json?limit=2&offset=0&sort=id:desc&subject=~page").body
    second = redmine.call("/issues.json?limit=2&offset=2&sort=id:desc&subject=~page").body

    assert [one["id"] for one in (*first["issues"], *second["issues"])] == sorted(issues, reverse=True)
    assert first["total_count"] == second["total_count"] == 3
    assert redmine.call("/issues.json?limit=500").body["limit"] == 100
    assert redmine.call("/issues.json?limit=0").body["limit"] == 25
    assert redmine.call("/issues.json?offset=500").body["issues"] == []


def test_wrong_key__is_nobody__who_reads_public_projects_with_200_and_may_not_write(redmine: Redmine) -> None:
    issue = redmine.open_issue("public", "…")

    answer = redmine.call("/issues.json?project_id=support", key=WRONG_KEY)

    assert answer.status == 200
    assert issue in [one["id"] for one in answer.body["issues"]]
    assert put(redmine, issue, CLOSED, key=WRONG_KEY) == 401
    assert redmine.call("/users/current.json", key=WRONG_KEY).status == 401


def test_wrong_key__where_all_is_private__gets_200_and_nothing__unless_the_project_is_named(
    redmine: Redmine,
) -> None:
    redmine.open_issue("private", "…")

    with redmine.all_private():
        everywhere = redmine.call("/issues.json", key=WRONG_KEY)
        named = redmine.call("/issues.json?project_id=support", key=WRONG_KEY)

    assert (everywhere.status, everywhere.body["total_count"]) == (200, 0)
    assert named.status == 401
    assert named.headers["WWW-Authenticate"] == 'Basic realm="Redmine API"'


def test_other_projects__are_left_out_in_silence__and_refused_when_named(redmine: Redmine) -> None:
    issue = redmine.open_issue("in secret", "…", requester="admin", project=OTHER_PROJECT)

    assert issue not in listed(redmine, status_id="*")
    assert redmine.call(f"/issues.json?project_id={OTHER_PROJECT}").status == 403
    assert redmine.call(f"/issues/{issue}.json").status == 403
    assert redmine.call("/issues.json?project_id=nosuch").status == 404


def test_etag__is_weak_and_good_for_reading_again__and_if_match_is_not_heeded(redmine: Redmine) -> None:
    issue = redmine.open_issue("tagged", "…")
    etag = redmine.call(f"/issues/{issue}.json").headers["ETag"]

    again = redmine.call(f"/issues/{issue}.json", headers={"If-None-Match": etag})

    assert etag.startswith('W/"')
    assert again.status == 304
    assert put(redmine, issue, {"done_ratio": 10}, headers={"If-Match": '"another"'}) == 204


def test_change__with_an_old_lock_version__is_422_with_an_empty_list(redmine: Redmine) -> None:
    issue = redmine.open_issue("locked", "…")
    put(redmine, issue, {"done_ratio": 10})
    put(redmine, issue, {"done_ratio": 20})

    answer = redmine.call(
        f"/issues/{issue}.json", {"issue": {"done_ratio": 30, "lock_version": 0}}, method="PUT"
    )

    assert (answer.status, answer.body) == (422, {"errors": []})


def test_close_and_tag__is_one_write__answered_204_without_a_body__and_repeatable(redmine: Redmine) -> None:
    issue = redmine.open_issue("to close", "…")

    once = redmine.call(f"/issues/{issue}.json", {"issue": {**CLOSED, **TAGGED}}, method="PUT")
    twice = put(redmine, issue, {**CLOSED, **TAGGED})

    assert (once.status, once.body, twice) == (204, "", 204)
    now = shown(redmine, issue)
    assert now["status"]["is_closed"]
    assert now["custom_fields"] == [{"id": 1, "name": "Tags", "multiple": True, "value": [TAG]}]


def test_tag__that_the_field_does_not_list__is_422_and_nothing_is_written(redmine: Redmine) -> None:
    issue = redmine.open_issue("wrong tag", "…")

    answer = redmine.call(
        f"/issues/{issue}.json",
        {"issue": {**CLOSED, "custom_fields": [{"id": 1, "value": ["unlisted"]}]}},
        method="PUT",
    )

    assert (answer.status, answer.body) == (422, {"errors": ["Tags is not included in the list"]})
    assert not shown(redmine, issue)["status"]["is_closed"]


def test_close__for_a_role_without_a_workflow__is_answered_204_and_changes_nothing(redmine: Redmine) -> None:
    issue = redmine.open_issue("no workflow", "…")

    with redmine.without_workflow():
        status = put(redmine, issue, CLOSED)

    assert status == 204
    assert shown(redmine, issue)["status"]["id"] == OPEN_STATUS


def test_allowed_statuses__are_shown_with_an_issue_when_asked_for(redmine: Redmine) -> None:
    issue = redmine.open_issue("allowed", "…", requester=STRANGER)
    path = f"/issues/{issue}.json?include=allowed_statuses"

    mine = redmine.call(path).body["issue"]["allowed_statuses"]
    another = redmine.call(path, key=redmine.keys.customer).body["issue"]["allowed_statuses"]

    assert CLOSED_STATUS in [one["id"] for one in mine]
    assert CLOSED_STATUS not in [one["id"] for one in another]


@pytest.mark.parametrize("change", [{"status_id": 99}, {"no_such_field": 1}])
def test_change__that_means_nothing__is_answered_204_and_changes_nothing(
    redmine: Redmine, change: dict[str, int]
) -> None:
    issue = redmine.open_issue("meaningless", "…")

    assert put(redmine, issue, change) == 204
    assert shown(redmine, issue)["status"]["id"] == OPEN_STATUS


def test_change__by_a_customer_without_the_right__is_answered_204_and_changes_nothing(
    redmine: Redmine,
) -> None:
    issue = redmine.open_issue("not mine", "…", requester=STRANGER)

    assert put(redmine, issue, CLOSED, key=redmine.keys.customer) == 204
    assert shown(redmine, issue)["status"]["id"] == OPEN_STATUS


def test_note__without_the_right_to_add_notes__is_dropped_and_the_rest_is_written(redmine: Redmine) -> None:
    issue = redmine.open_issue("noted", "…")

    put(redmine, issue, {**CLOSED, "notes": "synthetic", "private_notes": True})

    now = shown(redmine, issue)
    assert now["status"]["is_closed"]
    assert [one["notes"] for one in now["journals"]] == [""]


def test_close__mails_an_author_who_takes_notifications__and_not_one_who_takes_none(
    redmine: Redmine,
) -> None:
    loud = redmine.open_issue("jane's", "…", requester=STRANGER)
    silent = redmine.open_issue("the canary's", "…")
    before = redmine.mails_sent()

    put(redmine, silent, CLOSED)
    after_silent = redmine.mails_sent()
    put(redmine, loud, CLOSED)

    assert after_silent == before
    assert redmine.mails_sent() == before + 1


def test_delete__is_final__and_the_newest_id_is_given_out_again(redmine: Redmine) -> None:
    issue = redmine.open_issue("to delete", "…")

    statuses = [redmine.call(f"/issues/{issue}.json", method="DELETE").status for _ in range(2)]
    another = redmine.open_issue("the next one", "…")

    assert statuses == [204, 404]
    assert another == issue
    assert shown(redmine, issue)["subject"] == "the next one"


def test_mail__of_a_known_sender__becomes_an_issue_with_subject_and_text(redmine: Redmine) -> None:
    code, said = redmine.deliver(mail(CANARY, "intakecanary mailed Grüße"))

    (issue,) = by_subject(redmine, "intakecanary mailed Grüße")
    assert code == 0, said
    assert (issue["author"], issue["description"]) == (CANARY, "Guten Tag, Grüße")


@pytest.mark.parametrize(
    ("sender", "headers"),
    [
        ("unknown@probe.test", {}),
        (EMISSION_ADDRESS, {}),
        (CANARY, {"Auto-Submitted": "auto-generated"}),
        (CANARY, {"X-Autoreply": "yes"}),
    ],
)
def test_mail__of_unknown_or_own_or_automatic_senders__is_dropped_with_422(
    redmine: Redmine, sender: str, headers: dict[str, str]
) -> None:
    code, said = redmine.deliver(mail(sender, "dropped", headers=headers))

    assert (code, "422" in said) == (77, True)
    assert by_subject(redmine, "dropped") == []


def test_mail__of_an_unknown_sender__with_create__makes_a_user_whose_login_is_the_address(
    redmine: Redmine,
) -> None:
    sent = redmine.mails_sent()

    code, _ = redmine.deliver(
        mail("new@probe.test", "by a new one"), "--unknown-user=create", "--no-account-notice"
    )

    assert code == 0
    assert [one["author"] for one in by_subject(redmine, "by a new one")] == ["new@probe.test"]
    assert redmine.mails_sent() == sent


def test_mail__with_a_number_in_brackets__is_appended_to_that_issue(redmine: Redmine) -> None:
    issue = redmine.open_issue("the first", "…", requester=STRANGER)

    code, _ = redmine.deliver(mail(CANARY, f"[canary #{issue}] hello", text="appended"))

    assert code == 0
    assert by_subject(redmine, f"[canary #{issue}] hello") == []
    assert [one["notes"] for one in shown(redmine, issue)["journals"]] == ["appended"]


def test_mail__with_a_wrong_key__is_refused_with_403(redmine: Redmine) -> None:
    code, said = redmine.deliver(mail(CANARY, "refused"), key="wrong")

    assert (code, "403" in said) == (77, True)


def test_attachment__of_a_mail__is_shown_with_the_issue_when_asked_for(redmine: Redmine) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = CANARY, "support@acme.test", "attached"
    message.set_content("see there")
    message.add_attachment(
        b"%PDF-1.4 \xff\x00", maintype="application", subtype="pdf", filename="invoice.pdf"
    )
    redmine.deliver(message.as_bytes())
    (issue,) = by_subject(redmine, "attached")

    plain = redmine.call(f"/issues/{issue['id']}.json").body["issue"]
    asked = redmine.call(f"/issues/{issue['id']}.json?include=attachments").body["issue"]

    assert "attachments" not in plain
    assert [(one["filename"], one["filesize"]) for one in asked["attachments"]] == [("invoice.pdf", 11)]


def test_stopped_and_started__keeps_its_issues(redmine: Redmine) -> None:
    issue = redmine.open_issue("kept", "…")

    redmine.stop()
    redmine.start()

    assert shown(redmine, issue)["subject"] == "kept"
