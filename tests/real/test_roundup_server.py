"""What Roundup 2.6.0 does, for whoever writes a configuration for it: each fact as it was seen, no adapter between."""

import time
from collections.abc import Iterator, Mapping
from email.message import EmailMessage
from typing import Any
from urllib.parse import quote

import pytest

from tests.real.servers.roundup import Answer, Roundup, running_roundup
from tests.real.servers.roundup_files import (
    CANARY,
    MINIMAL_RIGHTS,
    PROBER,
    PROBER_PASSWORD,
    RETIRE,
    STRANGER,
    SUPPORT_ADDRESS,
    TAG,
)

CLOSED: Mapping[str, object] = {"status": "resolved", "keyword": [TAG]}


@pytest.fixture(scope="module")
def roundup() -> Iterator[Roundup]:
    with running_roundup(rights=(*MINIMAL_RIGHTS, RETIRE)) as server:
        yield server


def rows(roundup: Roundup, query: str = "") -> list[dict[str, Any]]:
    """What the list shows the prober."""
    answer = roundup.call(f"/data/issue?{query}")
    assert answer.status == 200, answer.body
    return list(answer.body["data"]["collection"])


def listed(roundup: Roundup, query: str = "") -> list[str]:
    return [one["id"] for one in rows(roundup, query)]


def shown(roundup: Roundup, issue: str) -> dict[str, Any]:
    answer = roundup.call(f"/data/issue/{issue}?@verbose=2")
    assert answer.status == 200
    return dict(answer.body["data"]["attributes"])


def put(roundup: Roundup, issue: str, headers: Mapping[str, str]) -> Answer:
    return roundup.call(f"/data/issue/{issue}", {"priority": "bug"}, method="PUT", headers=headers)


def mail(
    sender: str, subject: str, *, text: str = "Guten Tag, Grüße", headers: Mapping[str, str] | None = None
) -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, SUPPORT_ADDRESS, subject
    message["Message-ID"] = f"<{time.monotonic_ns()}@probe.test>"
    for name, value in (headers or {}).items():
        message[name] = value
    message.set_content(text)
    return message.as_bytes()


def by_title(roundup: Roundup, title: str) -> list[dict[str, Any]]:
    return [one for one in roundup.issues() if one["title"] == title]


def stamp(seconds_from_now: float, how: str = "%Y-%m-%d.%H:%M:%S;") -> str:
    return quote(time.strftime(how, time.gmtime(time.time() + seconds_from_now)))


def test_list__without_asking_for_fields__has_ids_as_strings_and_links(roundup: Roundup) -> None:
    issue = roundup.open_issue("plain", "…")

    (row,) = [one for one in rows(roundup) if one["id"] == issue]

    assert row == {"id": issue, "link": f"{roundup.url}/rest/data/issue/{issue}"}


def test_list__with_fields__has_all_but_the_text__and_times_in_utc_without_a_zone(roundup: Roundup) -> None:
    issue = roundup.open_issue("with fields", "Grüße")
    fields = "title,status.name,creation,creator.address,messages,keyword"

    (row,) = [one for one in rows(roundup, f"@fields={fields}") if one["id"] == issue]

    assert (row["title"], row["status.name"], row["creator.address"]) == ("with fields", "unread", CANARY)
    assert (
        abs(time.mktime(time.strptime(row["creation"], "%Y-%m-%d.%H:%M:%S")) - time.mktime(time.gmtime()))
        < 60
    )
    assert row["keyword"] == []
    assert [sorted(one) for one in row["messages"]] == [["id", "link"]]


def test_text__comes_by_a_second_request_for_the_message__and_only_when_verbose(roundup: Roundup) -> None:
    issue = roundup.open_issue("with text", "Grüße\nund mehr")
    message = shown(roundup, issue)["messages"][0]["id"]

    terse = roundup.call(f"/data/msg/{message}").body["data"]["attributes"]
    verbose = roundup.call(f"/data/msg/{message}?@verbose=3").body["data"]["attributes"]
    alone = roundup.call(f"/data/msg/{message}/content").body["data"]

    assert terse["content"] == {"link": f"{roundup.url}/msg{message}/"}
    assert verbose["content"] == alone["data"] == "Grüße\nund mehr"


@pytest.mark.parametrize(
    ("words", "is_found"),
    [
        ("title=INTAKEcanary", True),  # case does not matter
        ("title=canary", True),  # nor where a word begins
        ("title=intakecanary one", True),  # a blank is a letter like others
        ("title=intakecanary needle", False),
        ("title:=needle", False),  # with a colon the whole title
    ],
)
def test_title_filter__looks_for_a_piece_of_the_title(roundup: Roundup, words: str, is_found: bool) -> None:
    if not by_title(roundup, "intakecanary one two three four five needle"):
        roundup.open_issue("intakecanary one two three four five needle", "…")

    assert bool(listed(roundup, quote(words, safe="=:"))) is is_found


def test_creation_filter__is_a_range_with_a_semicolon_and_a_full_stop_before_the_time(
    roundup: Roundup,
) -> None:
    issue = roundup.open_issue("dated", "…")

    assert issue in listed(roundup, f"creation={stamp(-60)}")
    assert issue not in listed(roundup, f"creation={stamp(3600)}")
    assert issue not in listed(roundup, f"creation=%3B{stamp(-3600, '%Y-%m-%d.%H:%M:%S')}")
    assert issue in listed(roundup, f"creation={stamp(-60)}{stamp(60, '%Y-%m-%d.%H:%M:%S')}")
    assert issue not in listed(roundup, f"creation={stamp(-120)}{stamp(-60, '%Y-%m-%d.%H:%M:%S')}")


@pytest.mark.parametrize(
    "how", ["garbage", ">=%Y-%m-%d.%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ;", "%Y-%m-%d.%H:%M:%S"]
)
def test_creation_filter__that_it_does_not_understand__is_ignored_and_all_is_shown(
    roundup: Roundup, how: str
) -> None:
    issue = roundup.open_issue("all of them", "…")

    assert issue in listed(roundup, f"creation={stamp(3600, how)}")


def test_times__of_a_user_in_another_zone__are_shown_in_utc_and_asked_for_in_the_zone(
    roundup: Roundup,
) -> None:
    issue = roundup.open_issue("zoned", "…")
    (before,) = [one for one in rows(roundup, "@fields=creation") if one["id"] == issue]
    hours = 3600

    changed = roundup.change("user/3", {"timezone": "-5"})
    try:
        (after,) = [one for one in rows(roundup, "@fields=creation") if one["id"] == issue]
        in_utc = issue in listed(roundup, f"creation={stamp(-60)}")
        in_zone = issue in listed(roundup, f"creation={stamp(-60 - 5 * hours)}")
        later_in_zone = issue in listed(roundup, f"creation={stamp(60 - 5 * hours)}")
    finally:
        roundup.change("user/3", {"timezone": None})

    assert changed.status == 200
    assert after == before
    assert (in_utc, in_zone, later_in_zone) == (False, True, False)


def test_unknown_filter__is_400__and_unknown_option_is_ignored(roundup: Roundup) -> None:
    refused = roundup.call("/data/issue?nosuch=1")

    assert refused.status == 400
    assert refused.body["error"]["msg"] == "Field nosuch is not valid for issue class."
    assert roundup.call("/data/issue?@nosuch=1").status == 200
    assert roundup.call("/data/issue?@sort=nosuch").status == 403


def test_list__shows_closed_issues_too__unless_statuses_are_named(roundup: Roundup) -> None:
    issue = roundup.open_issue("closed", "…")

    roundup.change(f"issue/{issue}", CLOSED)

    assert issue in listed(roundup)
    assert issue not in listed(roundup, "status=unread,chatting")


def test_paging__has_a_whole_link_to_the_next_page__and_says_a_wrong_total_beyond_the_last(
    roundup: Roundup,
) -> None:
    issues = [roundup.open_issue("paged through", "…") for _ in range(3)]
    first = roundup.call("/data/issue?title=paged&@page_size=2&@sort=-id").body["data"]
    link = first["@links"]["next"][0]["uri"]

    second = roundup.call(link).body["data"]
    beyond = roundup.call("/data/issue?title=paged&@page_size=2&@page_index=9").body["data"]

    assert link.startswith(f"{roundup.url}/rest/data/issue?")
    assert [one["id"] for one in (*first["collection"], *second["collection"])] == issues[::-1]
    assert first["@total_size"] == second["@total_size"] == 3
    assert "next" not in second["@links"]
    assert (beyond["collection"], beyond["@total_size"]) == ([], 16)


def test_read__needs_no_header_but_the_login(roundup: Roundup) -> None:
    assert roundup.call("/data/issue", headers={}).status == 200


def test_write__without_origin_or_x_requested_with__is_400__and_of_another_origin_too(
    roundup: Roundup,
) -> None:
    issue = roundup.open_issue("guarded", "…")
    good = roundup.write_headers(roundup.etag(f"issue/{issue}"))

    for missing in ("Origin", "X-Requested-With"):
        answer = put(roundup, issue, {name: value for name, value in good.items() if name != missing})
        assert (answer.status, answer.body["error"]["msg"]) == (400, "Required Header Missing")
    other = put(roundup, issue, good | {"Origin": "http://other.test"})
    without_referer = put(roundup, issue, {name: value for name, value in good.items() if name != "Referer"})

    assert (other.status, other.body["error"]["msg"]) == (400, "Client is not allowed to use Rest Interface.")
    assert without_referer.status == 200


def test_write__without_its_etag_or_with_an_old_or_weak_one__is_412(roundup: Roundup) -> None:
    issue = roundup.open_issue("conditional", "…")
    etag = roundup.etag(f"issue/{issue}")
    roundup.change(f"issue/{issue}", {"priority": "wish"})
    now = roundup.etag(f"issue/{issue}")

    statuses = [put(roundup, issue, roundup.write_headers(one)).status for one in ("", etag, f"W/{now}", now)]

    assert etag.startswith('"')
    assert etag != now
    assert statuses == [412, 412, 412, 200]


def test_write__with_the_etag_in_the_body__is_taken(roundup: Roundup) -> None:
    issue = roundup.open_issue("in the body", "…")
    values = {"priority": "wish", "@etag": roundup.etag(f"issue/{issue}")}

    assert roundup.call(f"/data/issue/{issue}", values, method="PUT").status == 200


def test_write__without_its_etag__is_412_to_who_may_write_and_403_to_who_may_not(roundup: Roundup) -> None:
    issue = roundup.open_issue("rights", "…")
    before = roundup.content_of(issue)

    mine = roundup.call(f"/data/issue/{issue}", CLOSED, method="PUT")
    priority = roundup.call("/data/priority/1", {"name": "first"}, method="PUT")

    assert (mine.status, priority.status) == (412, 403)
    assert roundup.content_of(issue) == before


@pytest.mark.parametrize("kind", ["text/plain", "application/json; charset=utf-8"])
def test_write__of_any_type_but_plain_json__is_415(roundup: Roundup, kind: str) -> None:
    issue = roundup.open_issue("typed", "…")
    headers = roundup.write_headers(roundup.etag(f"issue/{issue}")) | {"Content-Type": kind}

    answer = put(roundup, issue, headers)

    assert answer.status == 415
    assert answer.body["error"]["msg"] == f"Unable to process input of type {kind}"


def test_read__of_a_type_that_it_lacks__is_406(roundup: Roundup) -> None:
    assert roundup.call("/data/issue", headers={"Accept": "text/html"}).status == 406


def test_close_and_tag__by_names__is_one_write__answers_what_changed__and_mails_nobody(
    roundup: Roundup,
) -> None:
    issue = roundup.open_issue("to close", "…", requester=STRANGER)
    sent = roundup.mails_sent()

    once = roundup.change(f"issue/{issue}", CLOSED)
    twice = roundup.change(f"issue/{issue}", CLOSED)

    assert (once.status, once.body["data"]["attribute"]) == (200, {"status": "8", "keyword": ["1"]})
    assert twice.status == 200
    now = shown(roundup, issue)
    assert (now["status"]["name"], [one["name"] for one in now["keyword"]]) == ("resolved", [TAG])
    assert roundup.mails_sent() == sent


def test_tag__by_put_replaces_all__and_by_patch_adds(roundup: Roundup) -> None:
    issue = roundup.open_issue("tagged", "…")
    roundup.call("/data/keyword", {"name": "vip"}, method="POST")
    roundup.change(f"issue/{issue}", {"keyword": ["vip"]})

    added = roundup.change(f"issue/{issue}", {"@op": "add", "keyword": [TAG]}, method="PATCH")
    both = {one["name"] for one in shown(roundup, issue)["keyword"]}
    roundup.change(f"issue/{issue}", {"keyword": [TAG]})

    assert added.status == 200
    assert both == {"vip", TAG}
    assert [one["name"] for one in shown(roundup, issue)["keyword"]] == [TAG]


@pytest.mark.parametrize("change", [{"nosuch": "x"}, {"status": "nosuch"}, {"keyword": ["nosuch"]}])
def test_change__that_means_nothing__is_400_with_words(roundup: Roundup, change: dict[str, object]) -> None:
    issue = roundup.open_issue("meaningless", "…")

    answer = roundup.change(f"issue/{issue}", change)

    assert answer.status == 400
    assert "nosuch" in answer.body["error"]["msg"]


def test_delete__only_hides__the_item_answers_200_as_before__and_its_id_is_not_given_out_again(
    roundup: Roundup,
) -> None:
    issue = roundup.open_issue("to delete", "…")
    headers = roundup.write_headers(roundup.etag(f"issue/{issue}"))

    without = roundup.call(f"/data/issue/{issue}", method="DELETE")
    gone = roundup.call(f"/data/issue/{issue}", method="DELETE", headers=headers)
    again = roundup.call(
        f"/data/issue/{issue}",
        method="DELETE",
        headers=roundup.write_headers(roundup.etag(f"issue/{issue}")),
    )

    assert (without.status, gone.status, again.status) == (412, 200, 200)
    assert gone.body == {"data": {"status": "ok"}}
    assert issue not in listed(roundup)
    assert shown(roundup, issue)["title"] == "to delete"
    assert roundup.change(f"issue/{issue}", CLOSED).status == 409
    assert int(roundup.open_issue("the next one", "…")) == int(issue) + 1


def test_items_that_were_never_there__are_404(roundup: Roundup) -> None:
    assert [
        roundup.call(path).status for path in ("/data/issue/99999", "/data/issue/abc", "/data/nosuch")
    ] == [404, 404, 404]


def test_login__that_is_wrong__is_401_as_text__and_after_four_the_right_one_is_refused_too() -> None:
    with running_roundup() as roundup:
        wrong = [roundup.call("/data/issue", login=(PROBER, "wrong")) for _ in range(5)]
        right = roundup.call("/data/issue")
        other = roundup.call("/data/issue", login=(CANARY, PROBER_PASSWORD))
        nobody = roundup.call("/data/issue", login=("", ""))

    assert [one.status for one in wrong] == [401, 401, 401, 401, 429]
    assert wrong[0].body == "Invalid Login - Invalid login"
    assert (right.status, right.headers["Retry-After"]) == (429, "150")
    assert other.status == 200
    assert nobody.status == 403


def test_budget__is_a_users_own__told_in_headers__and_over_it_429() -> None:
    with running_roundup(calls_per_hour=2) as roundup:
        answers = [roundup.call("/data/issue") for _ in range(3)]
        other = roundup.call("/data/issue", login=(CANARY, PROBER_PASSWORD))

    assert [one.status for one in answers] == [200, 200, 429]
    assert [one.headers["X-RateLimit-Remaining"] for one in answers] == ["1", "0", "0"]
    assert answers[0].headers["X-RateLimit-Limit"] == "2"
    assert 0 < float(answers[0].headers["X-RateLimit-Reset"]) <= 3600
    assert 1700 < int(answers[2].headers["Retry-After"]) <= 1800
    assert other.status == 200


def test_address_and_delete__without_the_rights__are_left_out_and_403() -> None:
    with running_roundup(rights=()) as roundup:
        issue = roundup.open_issue("without rights", "…")
        (row,) = rows(roundup, "@fields=title,creator.address")
        headers = roundup.write_headers(roundup.etag(f"issue/{issue}"))
        deleted = roundup.call(f"/data/issue/{issue}", method="DELETE", headers=headers)
        user = roundup.call("/data/user/4").body["data"]["attributes"]

    assert sorted(row) == ["id", "link", "title"]
    assert (deleted.status, "Permission to retire" in deleted.body["error"]["msg"]) == (403, True)
    assert "address" not in user
    assert user["username"] == CANARY


def test_mail__of_a_known_sender__becomes_an_issue_with_text_and_message_id(roundup: Roundup) -> None:
    assert roundup.deliver(mail(CANARY, "intakecanary mailed Grüße")) == 0

    (issue,) = by_title(roundup, "intakecanary mailed Grüße")
    message = shown(roundup, issue["id"])["messages"][0]["id"]
    attributes = roundup.call(f"/data/msg/{message}?@verbose=3").body["data"]["attributes"]
    assert issue["requester"] == CANARY
    assert attributes["content"] == "Guten Tag, Grüße"
    assert attributes["messageid"].endswith("@probe.test>")


def test_mail__of_an_unknown_sender__makes_a_user_of_that_name(roundup: Roundup) -> None:
    roundup.deliver(mail("new@probe.test", "by a new one"))

    assert [one["requester"] for one in by_title(roundup, "by a new one")] == ["new@probe.test"]


@pytest.mark.parametrize(
    "headers", [{"Auto-Submitted": "auto-generated"}, {"Precedence": "bulk"}], ids=["automatic", "bulk"]
)
def test_mail__that_says_it_is_automatic__is_dropped_without_a_word(
    roundup: Roundup, headers: dict[str, str]
) -> None:
    sent = roundup.mails_sent()

    code = roundup.deliver(mail(CANARY, "dropped", headers=headers))

    assert (code, by_title(roundup, "dropped"), roundup.mails_sent()) == (0, [], sent)


@pytest.mark.parametrize("subject", ["[canary] hello", "[issue99999] hello", "hello [no=such]", ""])
def test_mail__whose_subject_it_reads_as_a_command__is_bounced_to_the_sender(
    roundup: Roundup, subject: str
) -> None:
    before, sent = len(roundup.issues()), roundup.mails_sent()

    code = roundup.deliver(mail(CANARY, subject))

    assert (code, len(roundup.issues()), roundup.mails_sent()) == (0, before, sent + 1)


def test_mail__that_is_html_alone__is_bounced(roundup: Roundup) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = CANARY, SUPPORT_ADDRESS, "html alone"
    message.set_content("<p>Hello</p>", subtype="html")
    sent = roundup.mails_sent()

    roundup.deliver(message.as_bytes())

    assert (by_title(roundup, "html alone"), roundup.mails_sent()) == ([], sent + 1)


def test_mail__with_an_issues_number_in_brackets__is_appended_there_and_renames_it(roundup: Roundup) -> None:
    issue = roundup.open_issue("the first name", "…", requester=STRANGER)

    roundup.deliver(mail(CANARY, f"[issue{issue}] another name", text="appended"))

    now = shown(roundup, issue)
    assert (now["title"], now["status"]["name"]) == ("another name", "chatting")
    assert len(now["messages"]) == 2


def test_stopped_and_started__keeps_its_issues_and_their_etags(roundup: Roundup) -> None:
    issue = roundup.open_issue("kept", "…")
    etag = roundup.etag(f"issue/{issue}")

    roundup.stop()
    roundup.start()

    assert roundup.etag(f"issue/{issue}") == etag
