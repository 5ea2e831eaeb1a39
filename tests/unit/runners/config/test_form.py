"""What a path by plain HTTP becomes, and what is said of one that isn't right."""

import re
from dataclasses import astuple
from pathlib import Path

import pytest

from canary.hop import Channel, Hop
from canary.path import PathName
from probes.form import settings
from probes.form.settings import (
    WEB_TO_CASE_URL,
    Button,
    Confirmation,
    FormChoice,
    FormLimits,
    FormSettings,
    HtmlForm,
    InboundParse,
    JsonApi,
    JsonMethod,
    WebToCase,
)
from runners.config.config import Config
from runners.config.document_form import Encoding, FormLimitsDocument, Method, Shape
from tests.unit.runners.config.examples import changed, mistakes, only_mistake, read
from tests.unit.runners.config.examples_web import CASE, FORM, JSON, PARSE, with_path

KEY = "-----BEGIN PRIVATE KEY-----\nMC4=\n-----END PRIVATE KEY-----\n"


def form_of(config: Config, name: str) -> FormSettings:
    sending = config.paths[PathName(name)].sending
    assert isinstance(sending, FormSettings)
    return sending


def test_html_form__becomes_its_settings(tmp_path: Path) -> None:
    config = read(tmp_path, with_path(FORM))

    form, path = form_of(config, "contact-form"), config.paths[PathName("contact-form")]
    html = form.submission
    assert isinstance(html, HtmlForm)
    assert (html.fields["title"], html.fields["mail"]) == ("{{ subject }}", "{{ sender }}")
    assert repr(html.fields["key"]) == "EnvSecret(DESK_TOKEN)"
    assert html.form == FormChoice("contact", "contact", "/send", 0)
    assert html.button == Button("send", "1")
    assert (html.upload, html.encoding) == ("attachment", settings.Encoding.MULTIPART)
    assert form.confirmation == Confirmation(
        frozenset({200, 201}),
        re.compile(r"#(?P<ticket>\d+)"),
        "thanks",
        headers={"X-Request": re.compile("[0-9a-f]+")},
    )
    assert form.expect_hosts == {"www.acme.example", "thanks.acme.example"}
    assert form.bears_attachment
    assert form.headers["X-Team"] == "intake"
    assert (form.proxy, form.http2, form.pace_seconds) == ("http://proxy.acme.example:3128", True, 3.0)
    assert form.idempotency_header == settings.IDEMPOTENCY_HEADER
    assert form.limits == FormLimits(connect_seconds=5.0, read_seconds=20.0)
    assert (form.most_answer_bytes, form.most_redirects) == (1_000_000, 3)
    assert path.path.channel is Channel.FORM
    assert path.path.domain == "www.acme.example"
    assert path.target is None
    assert path.path.route == (
        Hop.DNS,
        Hop.FORM_CONNECT,
        Hop.FORM_TLS,
        Hop.FORM_SUBMIT,
        Hop.FORM_CONFIRMATION,
        Hop.TICKET_CREATED,
        Hop.TICKET_CONTENT,
    )


def test_json_interface__becomes_its_tree_and_has_no_tls_by_http(tmp_path: Path) -> None:
    config = read(tmp_path, with_path(JSON))

    form = form_of(config, "api")
    assert form.submission == JsonApi(
        {
            "subject": "{{ subject }}",
            "comment": {"body": "{{ body }}", "public": True},
            "tags": ("a", 1, 2.5, None),
        },
        JsonMethod.PUT,
    )
    assert form.confirmation.statuses == {201}
    assert form.confirmation.json == {
        "ticket.id": re.compile(r"\d+"), "ok": True, "length(tags)": 4, "state": None,
    }  # fmt: skip
    assert form.idempotency_header == "X-Once"
    assert Hop.FORM_TLS not in config.paths[PathName("api")].path.route


def test_web_to_case__goes_to_salesforce_and_is_confirmed_by_its_header(tmp_path: Path) -> None:
    form = form_of(read(tmp_path, with_path(CASE)), "case")

    assert form.url == WEB_TO_CASE_URL
    assert form.expect_hosts == {"webto.salesforce.com"}
    assert isinstance(form.submission, WebToCase)
    assert form.submission.organization == "00D000000000062"
    processed = form.confirmation.headers["Is-Processed"]
    assert isinstance(processed, re.Pattern)
    assert processed.search("true")
    assert not processed.search("true Exception:common.exception.SalesforceGenericException")


def test_inbound_parse__has_the_support_address_as_its_target(tmp_path: Path) -> None:
    config = read(tmp_path, with_path(PARSE))

    submission = form_of(config, "parse").submission
    assert isinstance(submission, InboundParse)
    assert (submission.shape, submission.recipient) == (settings.ParseShape.MAILGUN, "Support@acme.example")
    assert config.paths[PathName("parse")].target == "Support@acme.example"
    assert "support@acme.example" in config.own_addresses


def test_inbound_parse_of_sendgrid__is_signed_with_a_private_key(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text(KEY)
    (tmp_path / "locked.pem").write_text(KEY.replace("PRIVATE", "ENCRYPTED PRIVATE"))
    text = changed("shape: mailgun", "shape: sendgrid", PARSE)

    signed = read(tmp_path, with_path(changed("{env: DESK_TOKEN}", "{file: key.pem}", text)))
    locked = only_mistake(tmp_path, with_path(changed("{env: DESK_TOKEN}", "{file: locked.pem}", text)))
    none = only_mistake(tmp_path, with_path(text))

    assert isinstance(form_of(signed, "parse").submission, InboundParse)
    assert (locked.key, locked.message) == ("paths.parse.inbound_parse.key", "the private key is encrypted")
    assert (none.key, none.message) == ("paths.parse.inbound_parse.key", "this is no private key in PEM")


def test_words_and_limits_of_the_document__are_those_of_the_parts() -> None:
    assert [one.value for one in Encoding] == [one.value for one in settings.Encoding]
    assert [one.value for one in Method] == [one.value for one in JsonMethod]
    assert [one.value for one in Shape] == [one.value for one in settings.ParseShape]
    assert astuple(FormLimits()) == tuple(FormLimitsDocument().model_dump().values())


SECRET = "a secret stands here as text"
ELSE = "Write {env: NAME}, {file: PATH} or {exec: [command]}; --allow-literal-secrets is for the sandbox."
FIND = "Write {{ subject }} or {{ body }} into one: by the token its ticket is found."
NEEDS = "needs it; see docs/configuration.md."


@pytest.mark.parametrize(
    ("form", "old", "new", "key", "message", "remedy"),
    [
        (FORM, "    channel: form\n", "    channel: form\n    type: jason\n", "type", "jason is not known here", "Did you mean json?"),
        (FORM, "    url: https://www.acme.example/contact\n", "", "url", "the key url is missing", "Write where the form is."),
        (FORM, "url: https", "steps: []\n    url: https", "steps", "unknown key steps", "It belongs to channel portal."),
        (FORM, '    fields: {title: "{{ subject }}", body: "{{ body }}", mail: "{{ sender }}", key: {env: DESK_TOKEN}}\n', "", "fields", "the key fields is missing", f"A form of type html {NEEDS}"),
        (FORM, "{{ sender }}", "{{ sendr }}", "fields.mail", "a canary has no word sendr", "Did you mean sender?"),
        (FORM, "key: {env: DESK_TOKEN}", "key: {env: NOT_SET}", "fields.key", "the environment variable NOT_SET is not set", "Set NOT_SET where the prober runs, or name another source."),
        (FORM, 'title: "{{ subject }}", body: "{{ body }}"', "title: help", "fields", "no field holds the canary's token", FIND),
        (FORM, "nth: 0", "nth: first", "form.nth", "a whole number belongs here, not a text", ""),
        (FORM, "encoding: multipart", "encoding: form-data", "encoding", "form-data is not known here", "Known are: multipart, urlencoded."),
        (FORM, ", attachment: {name: log.txt, text: smoke}", "", "upload", "there is nothing to upload", "Add request: {attachment: {name: …, text: …}}."),
        (FORM, "    upload: attachment\n", "", "request.attachment", "the attachment is not sent", "Name the file field in upload, or leave the attachment out."),
        (FORM, "url: https://www", "method: PUT\n    url: https://www", "method", "method has no effect with type html", "Remove it, or write type: json."),
        (FORM, "url: https://www", "json: {a: b}\n    url: https://www", "json", "json has no effect with type html", "Remove it, or write type: json."),
        (FORM, "[200, 201]", "[200, 2001]", "confirm.status[1]", "it must be at most 599", ""),
        (FORM, "url: thanks", "url: /.*/", "confirm.url", "every text matches this, so it confirms nothing", "Write what only the confirmation has."),
        (FORM, "'/[0-9a-f]+/'", "'/[0-9/'", "confirm.header.X-Request", "/[0-9/ is not a regular expression: unterminated character set at position 0", "A text between slashes is one, in Python's syntax; escape what is meant as it stands."),
        (FORM, "X-Request:", "X Request:", "confirm.header.X Request", "X Request is not the name of a header field", "Write it like Location."),
        (FORM, "proxy: http://proxy", "proxy: socks5://proxy", "proxy", "this is no proxy", "Write http://host:port; with a password, as a secret."),
        (FORM, "proxy: http://proxy", "proxy: http://u:hunter2@proxy", "proxy", SECRET, ELSE),
        (FORM, "idempotency_key: true", "idempotency_key: false", "idempotency_key", "false is no header field", "Write true (Idempotency-Key) or its name."),
        (FORM, "redirects: 3", "redirects: 51", "redirects", "it must be at most 50", ""),
        (FORM, "connect: 5s", "connect: 6m", "limits.connect", "limits.connect 6m is longer than the deadline 5m", "Raise deadline or lower limits.connect."),
        (FORM, "form.submit: 5s", "portal.load: 5s", "budgets.portal.load", "this path has no hop portal.load", "It has dns, form.connect, form.tls, form.submit, form.confirmation, ticket.created, ticket.content."),
        (JSON, "deadline: 5m", "deadline: 5m\n    budgets: {form.tls: 5s}", "budgets.form.tls", "this path has no hop form.tls", "It has dns, form.connect, form.submit, form.confirmation, ticket.created, ticket.content."),
        (JSON, "{{ body }}", "{{ bdy }}", "json.comment.body", "a canary has no word bdy", "Did you mean body?"),
        (JSON, "[a, 1, 2.5, null]", "[a, 1e999]", "json.tags[1]", "inf is no number of JSON", "Write a smaller one."),
        (JSON, 'subject: "{{ subject }}", comment: {body: "{{ body }}", public: true}', "subject: help", "json", "no text of it holds the canary's token", FIND),
        (JSON, "method: PUT", "method: GET", "method", "GET is not known here", "Known are: POST, PUT."),
        (JSON, "method: PUT", "fields: {a: b}", "fields", "fields has no effect with type json", "Remove it, or write type: html or web_to_case."),
        (JSON, "method: PUT", "request: {attachment: {name: a, text: b}}", "request.attachment", "the attachment is not sent", "Leave it out: json takes none."),
        (JSON, "ticket.id:", "ticket..id:", "confirm.json.ticket..id", "this is not JMESPath: it goes wrong at character 8", "See jmespath.org."),
        (JSON, '"length(tags)"', '"lenth(tags)"', "confirm.json.lenth(tags)", "this is not JMESPath: Unknown function: lenth()", "See jmespath.org."),
        (JSON, "ok: true", "ok: [true]", "confirm.json.ok", "a list can't be compared", "Write a text, /regex/, number, true, false or null."),
        (CASE, "00D000000000062", "00X000000000062", "web_to_case.organization", "00X000000000062 is not an organization's id", "It has 15 or 18 letters and digits and begins with 00D."),
        (CASE, "    web_to_case: {organization: 00D000000000062}\n", "", "web_to_case", "the key web_to_case is missing", f"A form of type web_to_case {NEEDS}"),
        (PARSE, "shape: mailgun", "shape: mailgum", "inbound_parse.shape", "mailgum is not known here", "Did you mean mailgun?"),
        (PARSE, "shape: mailgun", "shape: postmark", "inbound_parse.key", "postmark signs nothing", "Remove it; its receivers know it by http_login."),
        (PARSE, "to: Support@acme.example", "to: support", "inbound_parse.to", "support is not an address", "Write it as name@example.org, without angle brackets."),
    ],
)  # fmt: skip
def test_one_mistake__is_told_at_its_key(
    tmp_path: Path, *, form: str, old: str, new: str, key: str, message: str, remedy: str
) -> None:
    found = mistakes(tmp_path, with_path(changed(old, new, form)))

    told = {one.key: (one.message, one.remedy) for one in found}
    name = form.split(":", 1)[0].strip()
    assert told.get(f"paths.{name}.{key}") == (message, remedy), [str(one) for one in found]
    assert "hunter2" not in "".join(str(one) for one in found)
    assert all(one.line is not None and one.line >= 35 for one in found), "the place is in the path"
