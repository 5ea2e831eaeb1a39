"""What each sink is handed: of its contract's form, within its limits, escaped, and the same when it is sent again."""

import json
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.policy import SMTP

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from canary.alert import AlertKind, AlertTransition, Severity
from canary.path import PathName
from canary.review import Standing, Told
from canary.trace import trace_id
from runners.alerts.alertmanager import labels_of
from runners.alerts.body import AlertBody, body_of, body_schema
from runners.alerts.mail import message_of as mail_of
from runners.alerts.pagerduty import dedup_key, event_of
from runners.alerts.refreshing import still_open
from runners.alerts.signing import key_of, signature
from runners.alerts.slack import escaped, message_of
from runners.alerts.wording import Known
from tests.unit.runners.alerts.cases import KNOWN, MAIL, NOON, a_concern, a_path, an_alert, resolved

HUNDRED = tuple(PathName(f"path-{number:03}") for number in range(100))


def test_pagerduty_trigger__bears_severity_blame_and_the_key() -> None:
    event = event_of(an_alert(), KNOWN, routing_key="R" * 32)

    assert (event["routing_key"], event["event_action"]) == ("R" * 32, "trigger")
    assert event["dedup_key"] == "intake/fra-1/0198f0aa"
    payload = event["payload"]
    assert payload["severity"] == "critical"
    assert (payload["component"], payload["class"], payload["group"]) == (
        "mailbox.arrival",
        "mailbox_full",
        "mailbox/support",
    )
    assert payload["custom_details"]["Whose"] == "the mail platform"
    assert event["links"] == [{"href": "https://wiki.acme.example/intake", "text": "Your runbook"}]


def test_pagerduty_resolve__bears_the_key_alone() -> None:
    assert event_of(resolved(), KNOWN, routing_key="R") == {
        "routing_key": "R",
        "dedup_key": "intake/fra-1/0198f0aa",
        "event_action": "resolve",
    }


def test_pagerduty_ticket__is_a_warning() -> None:
    assert (
        event_of(an_alert(severity=Severity.TICKET), KNOWN, routing_key="R")["payload"]["severity"]
        == "warning"
    )


@given(key=st.text(min_size=1, max_size=600))
def test_pagerduty_key__has_at_most_255_characters_and_stays_itself(key: str) -> None:
    assert len(dedup_key(key)) <= 255
    assert dedup_key(key) == dedup_key(key)
    assert len(key) > 255 or dedup_key(key) == key


def test_long_keys_that_begin_alike__stay_apart() -> None:
    assert dedup_key("k" * 300 + "a") != dedup_key("k" * 300 + "b")


def test_slack_message__fits_its_blocks_whatever_the_number_of_paths() -> None:
    message = message_of(an_alert(a_concern(paths=HUNDRED, detail="x" * 5000)), KNOWN)

    assert len(message["blocks"]) <= 50
    assert message["blocks"][0]["type"] == "header"
    assert len(message["blocks"][0]["text"]["text"]) <= 150
    assert all(len(one["text"]["text"]) <= 3000 for one in message["blocks"][1:])


def test_slack_message__mentions_nobody_and_opens_no_link_of_a_remote() -> None:
    concern = a_concern(
        kind=AlertKind.GAUGE, place="support", detail="<!channel> <https://evil.example|click> & so on"
    )
    message = message_of(an_alert(concern), KNOWN)

    text = json.dumps(message["blocks"][1:]) + message["text"]
    assert "<!channel>" not in text
    assert "<https://evil" not in text
    assert "&lt;!channel&gt; &lt;https://evil.example|click&gt; &amp; so on" in text
    assert escaped("&lt;") == "&amp;lt;"


def test_slack_message__unfurls_nothing_and_reads_nothing_into_its_text() -> None:
    message = message_of(an_alert(), KNOWN)

    assert (message["unfurl_links"], message["unfurl_media"]) == (False, False)
    assert {one["text"]["verbatim"] for one in message["blocks"][1:]} == {True}


@pytest.mark.parametrize("length", range(2970, 3010))
def test_slack_message_that_is_cut__tears_no_entity(length: int) -> None:
    message = message_of(an_alert(a_concern(detail="x" * (length - 20) + "&<" * 40)), KNOWN)

    texts = [one["text"]["text"] for one in message["blocks"][1:]]
    assert all(len(one) <= 3000 for one in texts)
    for text in texts:
        rest = text.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "")
        assert "&" not in rest
        assert rest.count("<") == rest.count(">")


def test_slack_link_that_is_too_long__is_its_words_alone() -> None:
    long = Known({MAIL: a_path(runbook="https://wiki.acme.example/" + "x" * 4000)})

    texts = [one["text"]["text"] for one in message_of(an_alert(), long)["blocks"][1:]]

    assert "\n".join(texts).endswith("Your runbook")


def test_slack_message__says_incident_and_transition() -> None:
    text = json.dumps(message_of(resolved(), KNOWN))

    assert "0198f0aa" in text
    assert "resolved" in text


def test_webhook_body__is_of_its_published_schema() -> None:
    adapter = TypeAdapter(AlertBody)
    for alert in (
        an_alert(),
        resolved(),
        resolved(is_retired=True),
        an_alert(a_concern(stop=None, canary=None)),
    ):
        adapter.validate_python(body_of(alert, KNOWN), strict=True)

    body = body_of(an_alert(), KNOWN)
    assert body["type"] == "intake.incident.opened"
    assert body["timestamp"] == "2026-03-02T12:20:00.000000Z"
    assert body["schema"] == "intake-prober/alert/1"
    assert body["data"]["trace_id"] == trace_id("c4n4ry")
    assert body_schema()["properties"]["schema"]["const"] == "intake-prober/alert/1"


def test_webhook_body__has_the_fields_of_version_1() -> None:
    """Receivers rely on them: a field may be added here, none may go."""
    assert {
        "at", "blame", "canary", "detail", "failures", "id", "impact_from", "impact_until", "incidents", "key", "kind",
        "lines", "links", "only_sender", "paths", "place", "prober", "reason", "retired", "seq", "severity", "side",
        "since", "subject", "title", "trace_id", "transition", "working",
    } <= set(body_of(an_alert(), KNOWN)["data"])  # fmt: skip


def test_signature__is_that_of_the_published_example() -> None:
    """From the test vectors of the specification's reference libraries."""
    key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    assert key is not None

    assert (
        signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}')
        == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_c2hvcnQ=", "whsec_not base64!", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]
)
def test_secret_of_another_form__is_none(secret: str) -> None:
    assert key_of(secret) is None


def test_alertmanager_identity__is_the_same_from_the_opening_to_the_end() -> None:
    grown = a_concern(paths=HUNDRED, only_sender="x@example.org", stop=None)
    last = replace(resolved(), concern=grown, prober="fra-2")

    assert labels_of(an_alert()) == labels_of(last)
    assert all(labels_of(an_alert()).values())


def test_mail__is_marked_as_automatic_and_belongs_to_its_thread() -> None:
    first = mail_of(
        an_alert(), KNOWN, sender="alerts@other.example", to=("oncall@pager.example", "b@pager.example")
    )
    last = mail_of(resolved(), KNOWN, sender="alerts@other.example", to=("oncall@pager.example",))

    assert first["Auto-Submitted"] == "auto-generated"
    assert first["References"] == last["References"]
    assert first["Message-ID"] != last["Message-ID"]
    assert first["To"] == "oncall@pager.example, b@pager.example"
    assert first["Importance"] == "high"
    parsed = message_from_bytes(first.as_bytes(policy=SMTP))
    assert parsed.get_content_type() == "text/plain"


def test_mail__is_the_same_when_it_is_sent_again() -> None:
    made = [
        mail_of(an_alert(), KNOWN, sender="a@b.example", to=("c@d.example",)).as_bytes() for _ in range(2)
    ]

    assert made[0] == made[1]


@given(
    detail=st.text(max_size=200),
    prober=st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=20),
)
def test_mail__takes_no_header_from_a_detail(detail: str, prober: str) -> None:
    concern = a_concern(kind=AlertKind.GAUGE, place="x", detail=f"{detail}\r\nBcc: evil@example.org")
    mail = mail_of(an_alert(concern, prober=prober), KNOWN, sender="a@b.example", to=("c@d.example",))

    parsed = message_from_bytes(mail.as_bytes(policy=SMTP))
    assert parsed["Bcc"] is None
    assert len(parsed.get_all("Subject", [])) == 1


def test_what_lasts__is_told_again_to_whoever_knows_of_it() -> None:
    told = (Told("am", "k1", Severity.PAGE, 3), Told("pager", "k1", Severity.PAGE, 3))
    standing = Standing(a_concern(), "0198f0aa", NOON, told=told, told_at=NOON + timedelta(minutes=1))

    (alert,) = still_open([None, standing], "am", prober="fra-1")

    assert (alert.key, alert.seq, alert.transition) == ("k1", 3, AlertTransition.OPENED)
    assert labels_of(alert)["key"] == "k1"
