"""The alerts' part of a configuration: sinks, routes, reminders, and every mistake with its line and remedy."""

from datetime import timedelta
from pathlib import Path

import pytest

from canary.alert import AlertKind, Severity
from canary.path import PathName
from canary.review import Reminding
from runners.alerts.hours import parse_hours
from runners.alerts.routing import Route
from runners.config.alerting import (
    AlertmanagerConfig,
    AlertsConfig,
    EmailSinkConfig,
    HeartbeatConfig,
    PagerDutyConfig,
    SlackConfig,
    WebhookConfig,
)
from runners.config.document_alerts import AlertsVia
from runners.config.errors import ConfigErrors
from runners.config.load import load
from runners.config.starter import STARTER
from tests.unit.runners.config.examples import ENVIRON, FULL, only_mistake, read

SECRETS = {
    "PD_KEY": "0123456789abcdef0123456789abcdef",
    "SLACK_URL": "https://hooks.slack.com/services/T0/B0/planted",
    "HOOK_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "OLD_SECRET": "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "PING_URL": "https://hc-ping.com/planted-uuid",
    "BAD": "planted-nonsense",
}
ALERTS = """\
alerts:
  sinks:
    pager: {type: pagerduty, routing_key: {env: PD_KEY}}
    chat: {type: slack, url: {env: SLACK_URL}}
    hook: {type: webhook, url: "https://hooks.acme.example/intake", secret: [{env: HOOK_SECRET}, {env: OLD_SECRET}]}
    mail: {type: email, account: alerts, to: oncall@pager.example}
    am: {type: alertmanager, urls: ["http://am-1:9093", "http://am-2:9093"]}
    alive: {type: heartbeat, url: {env: PING_URL}}
  routes:
    - {sinks: pager, severity: page, labels: {team: support}}
    - {sinks: [chat, hook], kinds: [incident, gauge], paths: support-email, hours: "22:00-06:00 Europe/Berlin"}
  remind: {first: 15m, then: 2h, ticket: 48h}
  pages_per_hour: 5
  namespace: acme
"""
ACCOUNT = """\
  alerts:
    address: intake@other.example
    smtp: {host: smtp.other.example, username: intake, password: {env: CANARY_PASSWORD}}
mailboxes:
"""


def with_alerts(alerts: str) -> str:
    head, _, tail = FULL.partition("alerts: {")
    return head.replace("mailboxes:\n", ACCOUNT, 1) + alerts + tail[tail.index("\n") + 1 :]


def of(folder: Path, alerts: str = ALERTS) -> AlertsConfig:
    return read(folder, with_alerts(alerts)).alerts


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setitem(ENVIRON, name, value)


def changed(old: str, new: str) -> str:
    assert old in ALERTS, old
    return with_alerts(ALERTS.replace(old, new, 1))


def test_every_kind_of_sink__is_typed(tmp_path: Path) -> None:
    pager, chat, hook, mail, am, alive = of(tmp_path).sinks

    assert isinstance(pager, PagerDutyConfig)
    assert pager.url == "https://events.pagerduty.com/v2/enqueue"
    assert isinstance(chat, SlackConfig)
    assert isinstance(hook, WebhookConfig)
    assert (len(hook.secrets), hook.allow_private) == (2, False)
    assert mail == EmailSinkConfig("mail", "alerts", ("oncall@pager.example",))
    assert am == AlertmanagerConfig("am", ("http://am-1:9093", "http://am-2:9093"), ())
    assert isinstance(alive, HeartbeatConfig)


def test_heartbeat__is_no_sink_of_alerts(tmp_path: Path) -> None:
    assert of(tmp_path).sink_names == ("pager", "chat", "hook", "mail", "am")


def test_routes_and_reminders__are_typed(tmp_path: Path) -> None:
    alerts = of(tmp_path)

    assert alerts.routes == (
        Route(("pager",), Severity.PAGE, labels={"team": "support"}),
        Route(
            ("chat", "hook"),
            kinds=frozenset({AlertKind.INCIDENT, AlertKind.GAUGE}),
            paths=frozenset({PathName("support-email")}),
            hours=(parse_hours("22:00-06:00 Europe/Berlin"),),
        ),
    )
    assert alerts.reminding == Reminding(timedelta(minutes=15), timedelta(hours=2), timedelta(hours=48))
    assert (alerts.pages_per_hour, alerts.namespace, alerts.via) == (5, "acme", AlertsVia.DIRECT)


def test_nothing_said_of_alerts__has_its_defaults(tmp_path: Path) -> None:
    alerts = of(tmp_path, "")

    assert (alerts.via, alerts.sinks, alerts.routes) == (AlertsVia.PROMETHEUS, (), ())
    assert alerts.reminding == Reminding(timedelta(minutes=30), timedelta(hours=4), timedelta(hours=24))
    assert (alerts.pages_per_hour, alerts.namespace) == (10, "fra-1")


def test_heartbeat_alone__leaves_the_paging_to_prometheus(tmp_path: Path) -> None:
    alerts = of(tmp_path, "alerts: {sinks: {alive: {type: heartbeat, url: {env: PING_URL}}}}\n")

    assert alerts.via is AlertsVia.PROMETHEUS


def test_prometheus_with_a_sink_that_gets_tickets_only__is_taken(tmp_path: Path) -> None:
    alerts = of(
        tmp_path,
        "alerts: {via: prometheus, sinks: {chat: {type: slack, url: {env: SLACK_URL}}},"
        " routes: [{sinks: chat, severity: ticket}]}\n",
    )

    assert alerts.router.catches is False


@pytest.mark.parametrize(
    ("old", "new", "key", "message"),
    [
        ("type: pagerduty", "type: pagerdut", "alerts.sinks.pager.type", "pagerdut is not a kind of sink"),
        ("type: pagerduty", "type: apprise", "alerts.sinks.pager.type", "there is no sink of type apprise yet"),
        ("type: slack,", "type: slack, urll: x,", "alerts.sinks.chat.urll", "unknown key urll"),
        ("PD_KEY", "BAD", "alerts.sinks.pager.routing_key", "this is no integration key of PagerDuty"),
        ("PD_KEY", "MISSING", "alerts.sinks.pager.routing_key", "the environment variable MISSING is not set"),
        ("{env: SLACK_URL}", "https://hooks.slack.com/x", "alerts.sinks.chat.url", "a secret stands here as text"),
        ("SLACK_URL", "BAD", "alerts.sinks.chat.url", "this is not a URL"),
        ("HOOK_SECRET", "BAD", "alerts.sinks.hook.secret[0]", "this is no secret of Standard Webhooks"),
        ("https://hooks.acme.example/intake", "hooks.acme", "alerts.sinks.hook.url", "this is not a URL"),
        ("account: alerts", "account: alert", "alerts.sinks.mail.account", "there is no account alert"),
        ("oncall@pager.example", "oncall", "alerts.sinks.mail.to[0]", "oncall is not an address"),
        ("http://am-1:9093", "am-1:9093", "alerts.sinks.am.urls[0]", "am-1:9093 is not a URL"),
        ("sinks: pager, severity", "sinks: pagr, severity", "alerts.routes[0].sinks[0]", "there is no sink pagr"),
        ("[chat, hook]", "[chat, alive]", "alerts.routes[1].sinks[1]", "alive is a heartbeat, which takes no alerts"),
        ("severity: page", "severity: pages", "alerts.routes[0].severity", "pages is not known here"),
        ("{team: support}", "{teem: support}", "alerts.routes[0].labels.teem", "teem is not a label"),
        ("paths: support-email", "paths: support-mail", "alerts.routes[1].paths[0]", "there is no path support-mail"),
        ("[incident, gauge]", "[incidents]", "alerts.routes[1].kinds[0]", "incidents is not known here"),
        ("22:00-06:00 Europe", "22-06 Europe", "alerts.routes[1].hours[0]", "'22-06' is not a span of hours"),
        ("Europe/Berlin", "Europe/Berlim", "alerts.routes[1].hours[0]", "Europe/Berlim is not a time zone"),
        ("first: 15m", "first: 15", "alerts.remind.first", "15 is not a duration"),
        ("pages_per_hour: 5", "pages_per_hour: 0", "alerts.pages_per_hour", "it must be at least 1"),
    ],
)  # fmt: skip
def test_mistake__is_told_with_its_key_line_and_remedy(
    tmp_path: Path, old: str, new: str, key: str, message: str
) -> None:
    text = changed(old, new)
    mistake = only_mistake(tmp_path, text)

    assert (mistake.key, mistake.message) == (key, message)
    assert mistake.line is not None
    assert "planted" not in str(mistake)


def test_account_without_smtp__can_send_no_mail(tmp_path: Path) -> None:
    text = with_alerts(ALERTS).replace(
        "    smtp: {host: smtp.other.example, username: intake, password: {env: CANARY_PASSWORD}}\n", ""
    )

    assert only_mistake(tmp_path, text).message == "the account alerts has no smtp"


def test_prometheus_and_a_sink_that_pages__is_refused(tmp_path: Path) -> None:
    mistake = only_mistake(tmp_path, changed("alerts:\n", "alerts:\n  via: prometheus\n"))

    assert mistake.key == "alerts.via"
    assert mistake.message == (
        "Prometheus pages by our rules, and so would pager, chat, hook: everybody would be paged twice"
    )


def test_sinks_that_are_no_mapping__are_told_once(tmp_path: Path) -> None:
    assert only_mistake(tmp_path, with_alerts("alerts: {sinks: [pager]}\n")).key == "alerts.sinks"


def test_kind_that_does_not_exist_yet__says_which_do(tmp_path: Path) -> None:
    mistake = only_mistake(
        tmp_path, changed("type: pagerduty, routing_key: {env: PD_KEY}", "type: statuspage")
    )

    assert mistake.remedy == "There are alertmanager, email, heartbeat, pagerduty, slack, webhook."


def test_reader_of_the_store__needs_none_of_the_secrets(tmp_path: Path) -> None:
    file = tmp_path / "intake.yaml"
    file.write_text(with_alerts(ALERTS))

    assert load(file, environ={}, needs_secrets=False).alerts.sink_names
    with pytest.raises(ConfigErrors):
        load(file, environ={})


def test_starter__shows_sinks_that_are_taken(tmp_path: Path) -> None:
    commented = STARTER[STARTER.index("# alerts:\n") :]
    shown = "".join(f"{line[2:]}\n" for line in commented.splitlines() if line.startswith("# "))

    alerts = read(tmp_path, with_alerts(shown), needs_secrets=False).alerts

    assert [one.name for one in alerts.sinks] == ["pager", "alive"]
