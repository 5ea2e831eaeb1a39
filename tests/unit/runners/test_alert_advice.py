"""What `check` says of the sinks: an alert about broken mail must not go by the same mail."""

from pathlib import Path

import pytest

from probes.contracts import Check, CheckState
from runners.alert_advice import advise_on_alerts
from tests.unit.runners.config.examples import ENVIRON, read
from tests.unit.runners.config.test_alerts import SECRETS, with_alerts

MAIL = """\
alerts:
  sinks:
    mail: {type: email, account: alerts, to: oncall@pager.example}
    alive: {type: heartbeat, url: {env: PING_URL}}
"""


def advised(tmp_path: Path, text: str) -> list[Check]:
    return list(advise_on_alerts(read(tmp_path, text)))


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setitem(ENVIRON, name, value)


def test_sink_at_another_provider__is_all_right(tmp_path: Path) -> None:
    found = advised(tmp_path, with_alerts(MAIL))

    assert [(one.place, one.state) for one in found] == [("mail", CheckState.OK), ("alive", CheckState.OK)]


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("account: alerts", "account: canary", "the account canary"),
        ("smtp.other.example", "smtp.probe.example", "the server smtp.probe.example"),
        ("smtp.other.example", "imap.acme.example", "the server imap.acme.example"),
        ("intake@other.example", "intake@acme.example", "the domain acme.example"),
        ("intake@other.example", "intake@Probe.example", "the domain probe.example"),
        ("oncall@pager.example", "support@acme.example", "the domain acme.example"),
    ],
)
def test_mail_that_depends_on_what_is_probed__fails(tmp_path: Path, old: str, new: str, named: str) -> None:
    text = with_alerts(MAIL)
    assert old in text
    found = [one for one in advised(tmp_path, text.replace(old, new)) if one.place == "mail"]

    assert [one.state for one in found] == [CheckState.FAIL]
    assert named in found[0].finding
    assert "the path support-email" in found[0].finding
    assert "an alert about broken mail by the same mail is no alert" in found[0].finding


@pytest.mark.parametrize(
    ("url", "more", "expected"),
    [
        ("https://10.0.0.7/hook", "", CheckState.FAIL),
        ("http://[::1]:8000/", "", CheckState.FAIL),
        ("http://localhost:8000/", "", CheckState.FAIL),
        ("https://10.0.0.7/hook", ", allow_private: true", CheckState.OK),
        ("https://hooks.acme.example/", "", CheckState.OK),
        ("https://1.1.1.1/", "", CheckState.OK),
    ],
)
def test_webhook_to_a_private_address__fails_before_anything_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, more: str, expected: CheckState
) -> None:
    monkeypatch.setitem(ENVIRON, "HOOK_URL", url)
    sinks = f"""\
alerts:
  sinks:
    hook: {{type: webhook, url: {{env: HOOK_URL}}, secret: {{env: HOOK_SECRET}}{more}}}
    alive: {{type: heartbeat, url: {{env: PING_URL}}}}
"""

    (found,) = (one for one in advised(tmp_path, with_alerts(sinks)) if one.place == "hook")

    assert found.state is expected
    assert "10.0.0.7" not in found.finding


def test_path_that_is_disabled__forbids_nothing(tmp_path: Path) -> None:
    text = with_alerts(MAIL).replace("account: alerts", "account: canary")
    off = text.replace("    channel: email\n", "    channel: email\n    enabled: false\n")

    assert all(one.state is CheckState.OK for one in advised(tmp_path, off))


def test_no_heartbeat__is_warned_of(tmp_path: Path) -> None:
    text = with_alerts(MAIL.replace("    alive: {type: heartbeat, url: {env: PING_URL}}\n", ""))
    (warning,) = [one for one in advised(tmp_path, text) if one.state is CheckState.WARN]

    assert warning.finding == "there is no heartbeat: nobody would hear that the prober itself is dead"


def test_pages_at_some_hours_only__are_warned_of(tmp_path: Path) -> None:
    text = with_alerts(MAIL + '  routes: [{sinks: mail, hours: "mon-fri 08:00-18:00 Europe/Berlin"}]\n')
    (warning,) = [one for one in advised(tmp_path, text) if one.state is CheckState.WARN]

    assert (warning.place, warning.name) == ("support-email", "routes")


def test_no_sinks__says_nothing(tmp_path: Path) -> None:
    assert advised(tmp_path, with_alerts("")) == []
