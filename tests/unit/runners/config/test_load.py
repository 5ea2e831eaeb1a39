"""What a configuration that is right becomes, and what is said of one that isn't."""

from pathlib import Path

import pytest

from canary.hop import Hop
from canary.path import OpenRule, PathName, Proof, Reply
from canary.reason import Reason
from probes.email import settings
from probes.message import compose
from probes.selfcheck import parse_control
from probes.servers import Password, TlsMode
from runners.check_places import placer
from runners.config.config import Every, TokenCommand
from runners.config.document_email import MxTls, Subaddress, Via
from runners.config.document_places import Cleanup, TicketingType
from runners.config.errors import ConfigErrors
from runners.config.load import load
from tests.unit.runners.config.examples import AUTHORITY, ENVIRON, FULL, changed, mistakes, only_mistake, read


def test_full_example__when_read__becomes_typed_values(tmp_path: Path) -> None:
    config = read(tmp_path, FULL)

    path = config.paths[PathName("support-email")]
    assert path.path.route == (
        Hop.DNS,
        Hop.SMTP_CONNECT,
        Hop.SMTP_TLS,
        Hop.SMTP_AUTH,
        Hop.SMTP_ACCEPT,
        Hop.MAILBOX_ARRIVAL,
        Hop.TICKET_CREATED,
        Hop.TICKET_CONTENT,
        Hop.REPLY_RECEIVED,
    )
    assert path.path.slo.deadline_seconds == 600.0
    assert path.path.slo.horizon_seconds == 86400.0
    assert path.path.slo.objective_share == 0.995
    assert path.path.reply is Reply.EXPECTED
    assert path.path.proof is Proof.API
    assert path.path.budgets == {Hop.SMTP_ACCEPT: 10.0, Hop.TICKET_CREATED: 120.0}
    assert path.path.interval_seconds == 600.0
    assert path.path.domain == "acme.example"
    assert path.path.incidents.open == (OpenRule(2, 3), OpenRule(3, 10))
    assert path.path.incidents.at_once == {Reason.MAILBOX_FULL}
    assert path.schedule == Every(600.0)
    assert config.prober.store_url == f"sqlite:///{tmp_path}/intake.db"
    assert config.mailboxes["support"].capacity.declared_bytes == 2 * 1024**3
    assert config.ticketing["desk"].type is TicketingType.HELPDESK
    assert config.ticketing["desk"].cleanup is Cleanup.CLOSE
    assert config.ticketing["desk"].url == "https://desk.acme.example"
    assert config.ticketing["desk"].cap_per_hour == 12.0
    assert config.own_addresses == {"canary@probe.example", "support@acme.example"}


def test_full_example__server_of_an_account__has_its_password(tmp_path: Path) -> None:
    smtp = read(tmp_path, FULL).accounts["canary"].smtp
    assert smtp is not None

    server = smtp.server(lambda _oauth, _name: pytest.fail("no OAuth here"))

    assert (server.host, server.port, server.tls) == ("smtp.probe.example", 587, TlsMode.STARTTLS)
    assert isinstance(server.credential, Password)
    assert server.credential.username == "canary"


def test_secrets_of_the_environment__when_read__are_known_to_the_masker(tmp_path: Path) -> None:
    config = read(tmp_path, FULL)

    assert config.masker.mask("login with canary-password-planted") == "login with ***"
    assert "planted" not in repr(config)


def test_many_mistakes__when_read__are_all_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = FULL
    for old, new in (
        ("host: imap.acme.example,", "host: imap.acme.example, pasword: hunter2,"),
        ("from: [canary]", "from: [canari]"),
        ("deadline: 10m", "deadline: 10x"),
        ("smtp.accept: 10s", "smtp.acept: 10s"),
        ("telemetry:", "telemetri:"),
    ):
        text = changed(old, new, text)

    found = mistakes(tmp_path, text)

    assert [(one.line, one.column, one.key) for one in found] == [
        (14, 37, "mailboxes.support.imap.pasword"),
        (23, 12, "paths.support-email.from[0]"),
        (30, 15, "paths.support-email.deadline"),
        (33, 15, "paths.support-email.budgets.smtp.acept"),
        (36, 1, "telemetri"),
    ]
    assert found[0].remedy == "Did you mean password?"
    assert found[1].remedy == "Did you mean canary?"
    assert found[3].remedy == "Did you mean smtp.accept?"
    assert found[4].remedy == "Did you mean telemetry?"
    assert "hunter2" not in "".join(str(one) for one in found)


def test_deadline_longer_than_horizon__is_told_with_both_and_the_remedy(tmp_path: Path) -> None:
    text = changed("horizon: 24h", "horizon: 30m", changed("deadline: 10m", "deadline: 45m"))

    error = only_mistake(tmp_path, text)

    assert str(error) == (
        f"{tmp_path}/intake.yaml:30:15: paths.support-email.deadline: deadline 45m is longer than horizon 30m."
        " Raise horizon or lower deadline."
    )


@pytest.mark.parametrize(
    ("old", "new", "key", "message"),
    [
        ("{env: CANARY_PASSWORD}}\n    imap", "hunter2}\n    imap", "accounts.canary.smtp.password", "a secret stands here as text"),
        ("{env: DESK_TOKEN}", "{env: NOT_SET}", "ticketing.desk.token", "the environment variable NOT_SET is not set"),
        ("{env: DESK_TOKEN}", "{file: gone}", "ticketing.desk.token", "the file {folder}/gone can't be read: No such file or directory"),
        ("{env: DESK_TOKEN}", "{exec: [no-such-command]}", "ticketing.desk.token", "there is no command no-such-command"),
        ("{env: DESK_TOKEN}", "{envv: X}", "ticketing.desk.token.envv", "unknown key envv"),
        ("{env: DESK_TOKEN}", "{env: 'A B'}", "ticketing.desk.token.env", "this is not the name of an environment variable"),
        ("{env: INTAKE_SIGNING_KEY}", "{file: short}", "prober.signing_keys[0]", "the signing key has fewer than 16 bytes"),
        ("signing_keys: [{env: INTAKE_SIGNING_KEY}]", "signing_keys: []", "prober.signing_keys", "the list is empty"),
        ("sqlite:///intake.db", "mysql://host/db", "prober.store", "this is not a store"),
        ("sqlite:///intake.db", "postgresql+psycopg://u:hunter2@h/db", "prober.store", "a secret stands here as text"),
        ("127.0.0.1:5353", "127.0.0.1", "prober.resolver", "127.0.0.1 is not a resolver"),
        ("dns:example.org", "ping:example.org", "prober.controls[1]", "ping:example.org is not a control"),
        ("port: 993", "port: 99999", "accounts.canary.imap.port", "it must be at most 65535"),
        ("port: 993", "port: '993'", "accounts.canary.imap.port", "a whole number belongs here, not a text"),
        ("tls: implicit", "tls: implict", "accounts.canary.imap.tls", "implict is not known here"),
        ("host: smtp.probe.example", "host: https://smtp", "accounts.canary.smtp.host", "https://smtp is not a host"),
        ("warn: 80%", "warn: 96%", "mailboxes.support.capacity", "warn is not below page"),
        ("warn: 80%", "warn: 80", "mailboxes.support.capacity.warn", "80 is not a share"),
        ("declared: 2GiB", "declared: 2 gigs", "mailboxes.support.capacity.declared.storage", "2 gigs is not a size"),
        ("type: helpdesk", "type: hubspot", "ticketing.desk.type", "ticketing type hubspot comes with a later release"),
        ("type: helpdesk", "type: helpdsk", "ticketing.desk.type", "helpdsk is not a ticketing type"),
        ("{env: DESK_TOKEN}", "{env: DESK_TOKEN}, username: me", "ticketing.desk.username", "helpdesk is read with a token, not with a user name and password"),
        ("token: {env: DESK_TOKEN}", "password: {env: DESK_TOKEN}", "ticketing.desk.password", "helpdesk is read with a token, not with a user name and password"),
        ("token: {env: DESK_TOKEN}, ", "", "ticketing.desk", "there is no credential: helpdesk needs a token"),
        ('type: helpdesk, url: "https://desk.acme.example/", token: {env: DESK_TOKEN}', 'type: rt, url: "https://desk.acme.example/", username: me', "ticketing.desk", "there is no credential: rt needs a token, or username and password"),
        ("cap: 12/h", "cap: 12", "ticketing.desk.cap", "12 is not a rate"),
        ("channel: email", "channel: portal", "paths.support-email.to", "unknown key to"),
        ("channel: email", "channel: emial", "paths.support-email.channel", "emial is not a channel"),
        ("to: support@acme.example", "to: <support@acme.example>", "paths.support-email.to", "<support@acme.example> is not an address"),
        ("to: support@acme.example", "to: Canary@probe.example", "paths.support-email.to", "account canary would write to itself"),
        ("mailbox: support", "mailbox: suport", "paths.support-email.mailbox", "there is no mailbox suport"),
        ("ticketing: desk\n", "ticketing: desc\n", "paths.support-email.ticketing", "there is no ticketing system desc"),
        ("    ticketing: desk\n", "", "paths.support-email", "the key ticketing is missing"),
        ("    deadline: 10m\n", "", "paths.support-email.deadline", "the key deadline is missing"),
        ("reply: true", "reply: yes", "paths.support-email.reply", "yes is not known here"),
        ("every: 10m", "every: 10m\n    cron: '* * * * *'", "paths.support-email.cron", "there are both every and cron"),
        ("every: 10m", "cron: '* * * *'", "paths.support-email.cron", "'* * * *' has 4 fields, a schedule has five and perhaps a time zone"),
        ("every: 10m", "every: 10m\n    jitter: 11m", "paths.support-email.jitter", "the jitter is not shorter than the interval"),
        ("via: smtp", "via: smtp\n    mx_port: 26", "paths.support-email.mx_port", "mx_port has no effect without via: mx"),
        ("smtp.accept: 10s", "portal.load: 10s", "paths.support-email.budgets.portal.load", "this path has no hop portal.load"),
        ("smtp.accept: 10s", "smtp.accept: 11m", "paths.support-email.budgets.smtp.accept", "the budget 11m is longer than the deadline 10m"),
        ("objective: 99.5%", "objective: 101%", "paths.support-email.objective", "101% is not a share"),
        ("2 of 3", "3 of 2", "alerts.open[0]", "3 of 2 is not a rule"),
        ("mailbox_full", "mailbox_ful", "alerts.at_once[0]", "mailbox_ful is not known here"),
        ("mailbox_full", "prober_stopped", "alerts.at_once[0]", "prober_stopped opens no incident"),
        ("resolve: 2", "resolve: 2, sinks: {pager: {type: pagerdut}}", "alerts.sinks.pager.type", "pagerdut is not a kind of sink"),
        ("  desk: {type", "  support: {type", "ticketing.support", "mailboxes has a support too"),
        ("accounts:\n  canary:", "accounts:\n  my canary:", "accounts.my canary", "my canary is not a name"),
    ],
)  # fmt: skip
def test_one_mistake__is_told_at_its_key(tmp_path: Path, old: str, new: str, key: str, message: str) -> None:
    (tmp_path / "short").write_text("fifteen-bytes!!\n")

    found = mistakes(tmp_path, changed(old, new))

    told = {one.key: one.message for one in found}
    assert told.get(key) == message.replace("{folder}", str(tmp_path)), [str(one) for one in found]
    assert "hunter2" not in "".join(str(one) for one in found)


def test_password_and_auth__is_told(tmp_path: Path) -> None:
    text = changed(
        "password: {env: SUPPORT_PASSWORD}}",
        "password: {env: SUPPORT_PASSWORD}, auth: {exec: [token]}}",
    )

    assert only_mistake(tmp_path, text).message == "there is a password and an auth"


def test_auth_by_command__becomes_its_settings(tmp_path: Path) -> None:
    config = read(tmp_path, changed("password: {env: SUPPORT_PASSWORD}}", "auth: {exec: [print-token]}}"))

    assert config.mailboxes["support"].imap.login == TokenCommand(("print-token",))


def test_auth_without_provider__is_told(tmp_path: Path) -> None:
    error = only_mistake(tmp_path, changed("password: {env: SUPPORT_PASSWORD}}", "auth: {}}"))

    assert error.message == "auth needs exactly one of google, microsoft, oauth, exec"


def test_proof_by_reply__needs_no_ticketing_but_a_mailbox_of_the_sender(tmp_path: Path) -> None:
    text = changed("    ticketing: desk\n    reply: true\n", "    proof: reply\n")
    no_imap = "\n".join(
        line for line in text.splitlines() if not line.startswith("    imap: {host: imap.probe")
    )

    assert read(tmp_path, text).paths[PathName("support-email")].path.proof is Proof.REPLY
    assert "replies to account canary can't be read" in only_mistake(tmp_path, no_imap).message


def test_literal_secrets__with_the_flag__are_taken_and_masked(tmp_path: Path) -> None:
    text = changed("{env: DESK_TOKEN}", "hunter2-token")

    config = read(tmp_path, text, allow_literal_secrets=True)

    assert config.masker.mask("hunter2-token") == "***"
    assert "hunter2" not in repr(config)


def test_missing_secrets__for_a_reader_of_the_store__are_no_mistake(tmp_path: Path) -> None:
    config = read(tmp_path, changed("{env: DESK_TOKEN}", "{env: NOT_SET}"), needs_secrets=False)

    assert list(config.paths) == ["support-email"]


def test_store_and_files__are_relative_to_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ca.pem").write_text(AUTHORITY)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)

    config = read(tmp_path, changed("  resolver:", "  ca: ca.pem\n  resolver:"))

    assert config.prober.ca_files == (f"{tmp_path}/ca.pem",)
    assert config.prober.store_url == f"sqlite:///{tmp_path}/intake.db"


def test_missing_ca_file__is_told(tmp_path: Path) -> None:
    error = only_mistake(tmp_path, changed("  resolver:", "  ca: ca.pem\n  resolver:"))

    assert error.message == f"the file {tmp_path}/ca.pem can't be read: No such file or directory"


@pytest.mark.parametrize(
    "content",
    ["", "hello", AUTHORITY[:300], AUTHORITY + AUTHORITY[:300]],
    ids=("empty", "text", "cut", "second cut"),
)
@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("  resolver:", "  ca: ca.pem\n  resolver:", "prober.ca[0]"),
        ("desk: {type: helpdesk,", "desk: {type: helpdesk, ca: [ca.pem],", "ticketing.desk.ca[0]"),
    ],
)
def test_ca_file_that_no_connection_could_use__is_told_at_its_key(
    tmp_path: Path, content: str, old: str, new: str, key: str
) -> None:
    (tmp_path / "ca.pem").write_text(content)

    error = only_mistake(tmp_path, changed(old, new))

    assert (error.key, error.line is not None) == (key, True)
    assert error.message == f"the file {tmp_path}/ca.pem holds no certificate, or one that was cut off"
    assert "-----BEGIN CERTIFICATE-----" in error.remedy


def test_ca_file_for_a_reader_of_the_store__need_not_be_there(tmp_path: Path) -> None:
    config = read(tmp_path, changed("  resolver:", "  ca: ca.pem\n  resolver:"), needs_secrets=False)

    assert config.prober.ca_files == (f"{tmp_path}/ca.pem",)


def test_no_file__is_told_with_init_as_remedy(tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors) as caught:
        load(tmp_path / "intake.yaml", environ=ENVIRON)

    assert str(caught.value).startswith(f"{tmp_path}/intake.yaml: there is no such file.")


def test_directory__is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors, match="this is a directory"):
        load(tmp_path, environ=ENVIRON)


def test_name_with_a_null_byte__is_told() -> None:
    with pytest.raises(ConfigErrors, match="the file can't be read"):
        load("in\0take.yaml", environ=ENVIRON)


def test_unreadable_file__is_told(tmp_path: Path) -> None:
    looping = tmp_path / "intake.yaml"
    looping.symlink_to(looping)

    with pytest.raises(ConfigErrors, match="the file can't be read: Too many levels of symbolic links"):
        load(looping, environ=ENVIRON)


@pytest.mark.parametrize(
    "text",
    [
        "https://www.example.com",
        "https://www.example.com/",
        "https://www.example.com:8443",
        "https://www.example.com/path",
        "https://",
        "http://www.example.com",
        "dns:example.org",
        "dns:example.org:53",
        "smtp:mx.example.net",
        "smtp:mx.example.net:587",
        "smtp:mx.example.net:99999",
        "smtp:[2001:db8::1]:25",
        "smtp:",
        "www.example.com",
    ],
)
def test_control__is_taken_where_the_prober_can_read_it(tmp_path: Path, text: str) -> None:
    found = mistakes(tmp_path, changed("dns:example.org", f'"{text}"'))

    assert (not found) == _is_readable(text)


def _is_readable(text: str) -> bool:
    try:
        parse_control(text)
    except ValueError:
        return False
    return True


def test_header_that_the_mail_sets_itself__is_told(tmp_path: Path) -> None:
    text = changed("reply: true", "reply: true\n    mail: {headers: {Message-ID: x, X-Team: intake}}")

    error = only_mistake(tmp_path, text)

    assert error.key == "paths.support-email.mail.headers.Message-ID"
    assert error.message == "header Message-ID: the canary mail sets it itself"


def test_words_of_the_document__are_those_of_the_parts() -> None:
    assert [one.value for one in Via] == [one.value for one in settings.Via]
    assert [one.value for one in MxTls] == [one.value for one in settings.MxTls]
    assert [one.value for one in Subaddress] == [one.value for one in compose.Subaddress]


def test_key_of_a_finding__keeps_the_line_at_which_it_was_read_when_the_file_is_changed(
    tmp_path: Path,
) -> None:
    config = read(tmp_path, FULL)
    line = FULL[: FULL.index("  desk:")].count("\n") + 1

    config.file.write_text("# a line more\n" * 9 + FULL, encoding="utf-8")

    said = placer(config.file, config.keys)("ticketing.desk: refused")
    assert said == f"{config.file}:{line}: ticketing.desk: refused"
