"""What a journey through a portal becomes, and what is said of one that isn't right."""

import asyncio
import re
import subprocess
import sys
import typing
from dataclasses import astuple
from pathlib import Path

import pytest
from playwright.async_api import Page, _generated

from canary.hop import Channel, Hop
from canary.path import PathName
from probes.masking import Secret
from probes.portal import settings
from probes.portal.settings import PortalLimits, PortalSettings
from probes.portal.steps import (
    By,
    Click,
    Confirm,
    Fill,
    Frame,
    Hidden,
    Locator,
    OneTimePassword,
    Press,
    Script,
    Select,
    Submit,
    Template,
    Tick,
    Upload,
    Wait,
)
from probes.servers import Password
from runners.config.config import Config
from runners.config.document_portal import PortalLimitsDocument, Session
from runners.config.document_steps import ROLES
from tests.unit.runners.config.examples import FULL, changed, mistakes, only_mistake, read
from tests.unit.runners.config.examples_web import PORTAL, portal_file

NAME = PathName("support-portal")
BARE = """\
  support-portal:
    channel: portal
    url: https://support.acme.example/new
    steps:
      - fill: {label: Subject, with: "{{ subject }}"}
      - submit: {role: button, name: Send}
      - confirm: {text: Thank you}
    ticketing: desk
    deadline: 5m
"""


def portal_of(config: Config) -> PortalSettings:
    sending = config.paths[NAME].sending
    assert isinstance(sending, PortalSettings)
    return sending


def test_journey__becomes_its_steps_in_order(tmp_path: Path) -> None:
    portal = portal_of(read(tmp_path, portal_file(tmp_path)))

    assert [type(one.action).__name__ for one in portal.login] == [
        "Go", "Fill", "Fill", "Fill", "Click", "Wait",
    ]  # fmt: skip
    assert [one.action for one in portal.steps] == [
        Click(Locator(By.ROLE, "link", "Submit a request")),
        Wait(gone=Locator(By.CSS, ".spinner")),
        Wait(url=re.compile("new")),
        Frame(Locator(By.CSS, "iframe#form")),
        Fill(Locator(By.LABEL, "Subject"), Template("{{ subject }}")),
        Fill(Locator(By.LABEL, "Description", is_exact=True), Template("{{ body }}")),
        Select(Locator(By.LABEL, "Priority"), "Normal"),
        Select(Locator(By.LABEL, "Product"), "3", is_value=True),
        Tick(Locator(By.LABEL, "I agree")),
        Tick(Locator(By.LABEL, "Newsletter"), is_on=False),
        Upload(Locator(By.LABEL, "Attachment")),
        Press("Tab"),
        Press("Enter", Locator(By.LABEL, "Tags", index=-1)),
        Script(tmp_path / "steps.py", "choose"),
        Submit(Locator(By.ROLE, "button", "Send")),
        Frame(None),
        Wait(shown=Locator(By.TEXT, "Thank you")),
        Confirm(text=re.compile(r"request #(?P<ticket>\d+)")),
        Confirm(url=re.compile("requests")),
        Confirm(shown=Locator(By.ROLE, "heading", re.compile("Thank you"))),
    ]
    assert [one.number for one in portal.steps] == list(range(1, 21))
    assert portal.steps[0].timeout_seconds == 10.0
    assert [one.number for one in portal.steps if one.is_optional] == [10]


def test_journey__is_told_all_that_the_path_says(tmp_path: Path) -> None:
    config = read(tmp_path, portal_file(tmp_path))

    portal, path = portal_of(config), config.paths[NAME]
    assert portal.expect_hosts == {"support.acme.example", "acme.example"}
    assert portal.session is settings.Session.MEMORY
    assert portal.dismiss == (Locator(By.ROLE, "button", "Accept all"),)
    assert (portal.request.subject, portal.request.body) == ("My printer", "It burns.")
    assert portal.request.attachment is not None
    assert portal.request.attachment.content == b"smoke"
    assert portal.headers["X-Team"] == "intake"
    assert isinstance(portal.http_login, Password)
    assert (portal.pace_seconds, portal.viewport, portal.locale, portal.time_zone) == (
        3.0, (1024, 768), "de-DE", "Europe/Berlin",
    )  # fmt: skip
    assert (portal.limits.load_seconds, portal.limits.step_seconds, portal.limits.form_seconds) == (
        20.0,
        15.0,
        60.0,
    )
    assert path.path.channel is Channel.PORTAL
    assert path.path.domain == "support.acme.example"
    assert path.path.route[:3] == (Hop.DNS, Hop.PORTAL_LOAD, Hop.PORTAL_LOGIN)
    assert path.path.route[-1] is Hop.REPLY_RECEIVED
    assert path.senders == ("canary",)


def test_secrets_of_a_journey__are_sources_that_the_masker_knows(tmp_path: Path) -> None:
    config = read(tmp_path, portal_file(tmp_path))

    password, code = [one.action.value for one in portal_of(config).login if isinstance(one.action, Fill)][1:]
    assert isinstance(password, Hidden)
    assert isinstance(code, OneTimePassword)
    assert asyncio.run(password.source.read()) == Secret("support-password-planted")
    assert asyncio.run(code.key.read()) == Secret("JBSWY3DPEHPK3PXP")
    assert config.masker.mask("JBSWY3DPEHPK3PXP") == "***"
    assert "planted" not in repr(config)


def test_bare_journey__has_the_defaults(tmp_path: Path) -> None:
    config = read(tmp_path, portal_file(tmp_path, BARE))

    portal = portal_of(config)
    assert portal.expect_hosts == {"support.acme.example"}
    assert config.paths[NAME].path.route == (
        Hop.DNS,
        Hop.PORTAL_LOAD,
        Hop.PORTAL_FORM,
        Hop.PORTAL_SUBMIT,
        Hop.PORTAL_CONFIRMATION,
        Hop.TICKET_CREATED,
        Hop.TICKET_CONTENT,
    )
    assert portal.limits == PortalLimits()
    assert astuple(PortalLimits()) == tuple(PortalLimitsDocument().model_dump().values())
    assert portal.pace_seconds == 2.0


def test_browser_and_artifacts__have_defaults_beside_the_store(tmp_path: Path) -> None:
    prober = read(tmp_path, portal_file(tmp_path, BARE)).prober

    assert prober.browser == settings.BrowserSettings()
    assert prober.artifacts == settings.ArtifactSettings(tmp_path / "intake-artifacts")


def test_browser_and_artifacts__are_as_written(tmp_path: Path) -> None:
    text = portal_file(tmp_path, BARE).replace(
        "  resolver:",
        "  browser: {executable: bin/chromium, recycle_after: 7, start: 9s, arguments: [--lang=de], proxy: 'socks5://p:1080'}\n"
        "  artifacts: {directory: seen, most: 5, age: 1d, size: 1MB}\n  resolver:",
    )

    prober = read(tmp_path, text).prober

    assert prober.browser == settings.BrowserSettings(
        f"{tmp_path}/bin/chromium", 7, 9.0, ("--lang=de",), "socks5://p:1080"
    )
    assert prober.artifacts == settings.ArtifactSettings(tmp_path / "seen", 5, 86400.0, 1_000_000)


def test_artifacts__of_a_store_that_is_no_file__lie_in_the_working_directory(tmp_path: Path) -> None:
    text = portal_file(tmp_path, BARE).replace("sqlite:///intake.db", "postgresql+psycopg://u@h/db")

    artifacts = read(tmp_path, text).prober.artifacts

    assert artifacts is not None
    assert artifacts.directory == Path("intake-artifacts")


def test_file_without_a_portal__needs_no_browser(tmp_path: Path) -> None:
    assert read(tmp_path, FULL).prober.browser is None


def test_file_without_a_web_channel__imports_nothing_of_theirs(tmp_path: Path) -> None:
    (tmp_path / "intake.yaml").write_text(FULL)
    code = (
        "import sys; from runners.config.load import load; load(sys.argv[1], environ={}, needs_secrets=False);"
        "print([name for name in sys.modules if name.startswith(('probes.portal', 'probes.form', 'probes.message'))])"
    )

    ended = subprocess.run(  # noqa: S603 -- ourselves
        [sys.executable, "-c", code, str(tmp_path / "intake.yaml")],
        capture_output=True,
        text=True,
        check=True,
    )

    assert ended.stdout == "[]\n"


def test_words_of_the_document__are_those_of_the_parts() -> None:
    assert [one.value for one in Session] == [one.value for one in settings.Session]
    known = typing.get_type_hints(Page.get_by_role, vars(_generated))["role"]
    assert set(typing.get_args(known)) == ROLES


def test_several_accounts__need_from(tmp_path: Path) -> None:
    text = changed(
        "mailboxes:", "  other: {address: other@probe.example}\nmailboxes:", portal_file(tmp_path, BARE)
    )

    error = only_mistake(tmp_path, text)

    assert str(error) == (
        f"{tmp_path}/intake.yaml:36:3: paths.support-portal.from: the key from is missing."
        " Name the account whose requests they are: canary, other."
    )


def test_from_of_one_of_several_accounts__is_its_sender(tmp_path: Path) -> None:
    text = changed(
        "mailboxes:",
        "  other: {address: other@probe.example, name: Olga}\nmailboxes:",
        portal_file(tmp_path, BARE),
    )

    config = read(tmp_path, changed("channel: portal", "channel: portal\n    from: other", text))

    assert config.paths[NAME].senders == ("other",)
    assert portal_of(config).request.display_names == {"other@probe.example": "Olga"}


def test_international_host__is_expected_in_its_ascii_form(tmp_path: Path) -> None:
    text = portal_file(tmp_path, BARE).replace(
        "https://support.acme.example/new", "https://hilfe.müller.example/"
    )

    config = read(tmp_path, text)

    assert portal_of(config).expect_hosts == {"hilfe.xn--mller-kva.example"}
    assert config.paths[NAME].path.domain == "hilfe.xn--mller-kva.example"


def test_literal_password__with_the_flag__is_typed_as_a_secret(tmp_path: Path) -> None:
    text = portal_file(tmp_path).replace(
        "{label: Password, with: {env: SUPPORT_PASSWORD}}", "{label: Password, with: hunter2}"
    )

    config = read(tmp_path, text, allow_literal_secrets=True)

    assert config.masker.mask("hunter2") == "***"
    assert "hunter2" not in repr(config)


def test_reader_of_the_store__needs_neither_script_nor_secrets(tmp_path: Path) -> None:
    text = portal_file(tmp_path).replace("PORTAL_TOTP", "NOT_SET")
    (tmp_path / "steps.py").unlink()

    assert NAME in read(tmp_path, text, needs_secrets=False).paths


@pytest.mark.parametrize(
    ("old", "new", "key", "message", "remedy"),
    [
        # the path
        ("url: https://support", "url: ftp://support", "url", "ftp://support.acme.example/ is not a URL", "Write https://host/path, without user, password and fragment."),
        ("url: https://support.acme.example/", "url: https://support.acme.example:99999/", "url", "https://support.acme.example:99999/ is not a URL", "Write https://host/path, without user, password and fragment."),
        ("    url: https://support.acme.example/\n", "", "url", "the key url is missing", "Add it; `intake-prober init` shows how."),
        ("url: https", "to: a@acme.example\n    url: https", "to", "unknown key to", "It belongs to channel email."),
        ("session: memory", "session: disk", "session", "disk is not known here", "Known are: file, memory, none."),
        ("viewport: 1024x768", "viewport: 9x9", "viewport", "9x9 is not a viewport", "Write width and height in pixels: 1280x900."),
        ("locale: de-DE", "locale: german!", "locale", "german! is not a locale", "Write language and country: de-DE."),
        ("time_zone: Europe/Berlin", "time_zone: Europe/Berln", "time_zone", "Europe/Berln is not a time zone", "Did you mean Europe/Berlin?"),
        ("pace: 3s", "pace: 6m", "pace", "pace 6m is longer than the deadline 5m", "Raise deadline or lower pace."),
        ("load: 20s", "load: 6m", "limits.load", "limits.load 6m is longer than the deadline 5m", "Raise deadline or lower limits.load."),
        ("portal.load: 5s", "smtp.accept: 5s", "budgets.smtp.accept", "this path has no hop smtp.accept", "It has dns, portal.load, portal.login, portal.form, portal.submit, portal.confirmation, ticket.created, ticket.content, reply.received."),
        ("X-Team: intake", "X Team: intake", "headers.X Team", "X Team is not the name of a header field", "Write it like X-Synthetic."),
        ("X-Team: intake", "Host: intake", "headers.Host", "the header field Host is set by the protocol itself", "Leave it out."),
        ("X-Team: intake", "Accept-Encoding: br", "headers.Accept-Encoding", "the header field Accept-Encoding is set by the protocol itself", "Leave it out."),
        ("X-Team: intake", "x-synthetic: intake", "headers.x-synthetic", "the header field x-synthetic stands here twice", "Keep one of them."),
        ("X-Team: intake", "X-Team: Zoë", "headers.X-Team", "a header field is ASCII", "Write it without other letters."),
        ("X-Team: intake", "Cookie: hunter2", "headers.Cookie", "a secret stands here as text", "Write {env: NAME}, {file: PATH} or {exec: [command]}; --allow-literal-secrets is for the sandbox."),
        ("{env: SUPPORT_PASSWORD}}\n    pace", "hunter2}\n    pace", "http_login.password", "a secret stands here as text", "Write {env: NAME}, {file: PATH} or {exec: [command]}; --allow-literal-secrets is for the sandbox."),
        ("pace: 3s", "client_certificate: {certificate: cert.pem, key: {env: DESK_TOKEN}}", "client_certificate.certificate", "the file {folder}/cert.pem can't be read: No such file or directory", "Correct the name or the permissions."),
        ("pace: 3s", "client_certificate: {certificate: steps.py, key: {env: DESK_TOKEN}}", "client_certificate.certificate", "there is no certificate in this file", "It begins with -----BEGIN CERTIFICATE-----."),
        ("pace: 3s", "client_certificate: {certificate: steps.py, key: {env: DESK_TOKEN}}", "client_certificate.key", "this is no private key in PEM", "It begins with -----BEGIN PRIVATE KEY-----."),
        ("pace: 3s", "client_certificate: {origin: 'http://h', certificate: steps.py, key: {env: DESK_TOKEN}}", "client_certificate.origin", "a certificate is shown to https:// only", "Write https:// in url, or an origin."),
        ("pace: 3s", "client_certificate: {origin: 'https://h/x', certificate: steps.py, key: {env: DESK_TOKEN}}", "client_certificate.origin", "an origin has no path", "Write https://host or https://host:port."),
        # one step
        ("click: {role: link", "clik: {role: link", "steps[0].clik", "unknown key clik", "Did you mean click?"),
        ("- press: Tab\n", "- press: Tab\n        upload: {label: File}\n", "steps[11]", "a step is one action, not upload and press", "Make it several steps."),
        ("- press: Tab\n", "- timeout: 5s\n", "steps[11]", "the step has no action", "Write one of go, click, fill, select, check, uncheck, upload, press, wait, frame, script, submit, confirm."),
        ("- press: Tab\n", "- press:\n", "steps[11].press", "the action says of nothing what to do", "Write what it is about, or remove the step."),
        ("- press: Tab\n", "- press Tab\n", "steps[11]", "a mapping belongs here, not a text", ""),
        ("timeout: 10s", "timeout: 2m", "steps[0].timeout", "the timeout 2m is longer than limits.form 1m", "Raise limits.form or lower the timeout."),
        ("role: link", "role: lnk", "steps[0].click.role", "lnk is not a role", "Did you mean link?"),
        ("role: link, name", "role: link, label", "steps[0].click", "an element is found by one key, not by role and label", "Keep one of them; beside role, the text of the element is its name."),
        ("{label: I agree}", "{exact: true}", "steps[8].check", "it is not said which element is meant", "Write one of role, label, placeholder, text, test_id, alt, title, css; a button is {role: button, name: Send}."),
        ("{label: I agree}", "{lable: I agree}", "steps[8].check.lable", "unknown key lable", "Did you mean label?"),
        ("{label: I agree}", "{label: I agree, name: x}", "steps[8].check.name", "name has no effect beside label", "It goes with role."),
        ("{label: I agree}", "{label: /(/}", "steps[8].check.label", "/(/ is not a regular expression: missing ), unterminated subpattern at position 0", "A text between slashes is one, in Python's syntax; escape what is meant as it stands."),
        ("nth: -1", "nth: -2", "steps[12].press.nth", "it must be at least -1", ""),
        ("{{ subject }}", "{{ subjet }}", "steps[4].fill.with", "a canary has no word subjet", "Did you mean subject?"),
        ("{{ subject }}", "{{ subject }", "steps[4].fill.with", "a word is not closed", "Write it as {{ subject }}."),
        (', with: "{{ subject }}"', "", "steps[4].fill.with", "the key with is missing", "Add it; `intake-prober init` shows how."),
        ("{totp: {env: PORTAL_TOTP}}", "{totp: {env: DESK_TOKEN}}", "login[3].fill.with.totp", "the key of the one-time password is not base32", "It is the text beside the QR code."),
        ("{totp: {env: PORTAL_TOTP}}", "{totp: {env: NOT_SET}}", "login[3].fill.with.totp", "the environment variable NOT_SET is not set", "Set NOT_SET where the prober runs, or name another source."),
        ("{totp: {env: PORTAL_TOTP}}", "{otp: {env: PORTAL_TOTP}}", "login[3].fill.with.otp", "unknown key otp", "Did you mean totp?"),
        ("{env: SUPPORT_PASSWORD}}\n      - fill", "hunter2}\n      - fill", "login[2].fill.with", "a secret stands here as text", "Write {env: NAME}, {file: PATH} or {exec: [command]}; --allow-literal-secrets is for the sandbox."),
        ("option: Normal", "exact: true", "steps[6].select", "there is neither option nor value", "Write the option as it is shown, or its value."),
        ("option: Normal", "option: Normal, value: n", "steps[6].select", "there is both option and value", "Write the option as it is shown, or its value."),
        ("{gone: {css: .spinner}}", "{gone: {css: .spinner}, url: x}", "steps[1].wait", "a wait is for one thing, not for gone and url", "Make it several steps."),
        ('{url: "/requests/"}', '{url: "/requests/", text: x}', "steps[18].confirm", "a confirm is of one thing, not of a locator and url", "Make it several steps."),
        ('{url: "/requests/"}', '{url: "/.*/"}', "steps[18].confirm.url", "every text matches this, so it confirms nothing", "Write what only the confirmation has."),
        ("go: /login", "go: javascript:alert(1)", "login[0].go", "this is not an address", "Write /path, taken from url, or https://host/path, without user."),
        ("go: /login", "go: 'https://u:p@h/'", "login[0].go", "this is not an address", "Write /path, taken from url, or https://host/path, without user."),
        ("go: /login", "go: '/new?s={{ token }}'", "login[0].go", "an address takes no words of the canary", "Write it as it is."),
        ("steps.py:choose", "choose", "steps[13].script", "this is not a script", "Write file and function: steps.py:choose_product."),
        ("steps.py:choose", "gone.py:choose", "steps[13].script", "the file {folder}/gone.py can't be read: No such file or directory", "Correct the name or the permissions."),
        ("steps.py:choose", "steps.py:chose", "steps[13].script", "steps.py has no function chose", "Did you mean choose?"),
        ("steps.py:choose", "plain.py:choose", "steps[13].script", "choose in plain.py is no async function of (page, canary)", "Write async def choose(page, canary):"),
        ("steps.py:choose", "broken.py:choose", "steps[13].script", "broken.py is not Python: invalid syntax in line 1", "Correct the file."),
        # the journey
        ("- submit: {role: button, name: Send}\n", "- click: {role: button, name: Send}\n", "steps", "there is no submit", "Write the step that sends the request as submit: {role: button, name: Send}."),
        ("- frame: main\n", "- submit: {role: button, name: Again}\n", "steps[15].submit", "this is a second submit", "A canary is sent once; what only leads on is a click."),
        ("- frame: main\n", "- click: {role: button, name: Again}\n", "steps[15].click", "click stands after the submit", "Only wait, frame and confirm may follow: whatever else might send the request again."),
        ("- press: Tab\n", "- confirm: {text: Thanks}\n", "steps[11].confirm", "confirm stands before the submit", "Use wait here."),
        ("name: Send}\n", "name: Send}\n        optional: true\n", "steps[14].optional", "a submit is never optional", "Remove it: without this step nothing is known of the request."),
        ("- go: /login", "- submit: {text: Log in}", "login[0].submit", "a log-in has no submit", "Write click, and wait for what shows that we are in."),
        (", attachment: {name: log.txt, text: smoke}", "", "steps[10].upload", "there is nothing to upload", "Add request: {attachment: {name: …, text: …}}."),
        ("text: smoke", "text: smoke, file: x", "request.attachment", "an attachment needs either file or text", "Keep one of them."),
    ],
)  # fmt: skip
def test_one_mistake__is_told_at_its_key(
    tmp_path: Path, *, old: str, new: str, key: str, message: str, remedy: str
) -> None:
    (tmp_path / "plain.py").write_text("def choose(page, canary): ...\n")
    (tmp_path / "broken.py").write_text("async def def\n")

    found = mistakes(
        tmp_path, changed("alerts:", f"{changed(old, new, PORTAL)}alerts:", portal_file(tmp_path, ""))
    )

    told = {one.key: (one.message, one.remedy) for one in found}
    expected = (message.replace("{folder}", str(tmp_path)), remedy)
    assert told.get(f"paths.support-portal.{key}") == expected, [str(one) for one in found]
    assert "hunter2" not in "".join(str(one) for one in found)
    assert all(one.line is not None and one.line >= 35 for one in found), "the place is in the path"


def test_expression_with_single_backslashes_in_double_quotes__is_told_how_to_write_it(tmp_path: Path) -> None:
    error = only_mistake(
        tmp_path, portal_file(tmp_path, changed("{text: Thank you}", '{text: "/\\d+/"}', BARE))
    )

    assert error.remedy == "Write the text in single quotes, or each backslash twice."


@pytest.mark.parametrize(
    ("old", "new", "key", "message"),
    [
        ('with: "{{ subject }}"', "with: help", "steps", "no step types the canary's token"),
        ("      - confirm: {text: Thank you}\n", "", "steps[1].submit", "no confirm follows the submit"),
        ("ticketing: desk", "ticketing: desk\n    session: file", "session", "session has no effect without login"),
        ("ticketing: desk", "ticketing: desk\n    limits: {login: 5s}", "limits.login", "login has no effect without login"),
        ("    ticketing: desk\n", "", "", "the key ticketing is missing"),
        ("ticketing: desk", "ticketing: desk\n    request: {attachment: {name: a, text: b}}", "request.attachment", "no step uploads the attachment"),
    ],
)  # fmt: skip
def test_only_mistake_of_a_bare_journey__is_told(
    tmp_path: Path, old: str, new: str, key: str, message: str
) -> None:
    error = only_mistake(tmp_path, portal_file(tmp_path, changed(old, new, BARE)))

    assert error.key == f"paths.support-portal.{key}".rstrip(".")
    assert error.message == message


def test_path_without_channel__is_told_with_its_other_mistakes(tmp_path: Path) -> None:
    text = changed("    channel: portal\n", "", changed("deadline: 5m", "deadline: 5x", BARE))

    found = mistakes(tmp_path, portal_file(tmp_path, text))

    assert [(one.key, one.message) for one in found] == [
        ("paths.support-portal.channel", "the key channel is missing"),
        ("paths.support-portal.deadline", "5x is not a duration"),
    ]
    assert found[0].remedy == "Write one of email, portal, form."


def test_unknown_channel__is_told_the_nearest_and_with_its_other_mistakes(tmp_path: Path) -> None:
    text = changed("channel: portal", "channel: portl", changed("label: Subject", "lable: Subject", BARE))

    found = mistakes(tmp_path, portal_file(tmp_path, text))

    assert [(one.key, one.message, one.remedy) for one in found] == [
        ("paths.support-portal.channel", "portl is not a channel", "Did you mean portal?"),
        ("paths.support-portal.steps[0].fill.lable", "unknown key lable", "Did you mean label?"),
    ]
