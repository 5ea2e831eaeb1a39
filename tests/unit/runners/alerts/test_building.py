"""Sinks are made of their configuration, each with its own secrets, and no IO."""

import asyncio
from pathlib import Path

import pytest

from probes.masking import Secret
from probes.servers import SecretSource, SecretUnavailable
from runners.alerts.alertmanager import Alertmanager
from runners.alerts.building import build_heartbeats, build_sinks, known_of
from runners.alerts.contracts import Refreshed, Undelivered
from runners.alerts.email import Email
from runners.alerts.renewing import Renewing
from runners.config.config import Oauth
from runners.config.secrets import LiteralSecret
from tests.fakes.clock import FakeClock
from tests.unit.runners.alerts.cases import an_alert
from tests.unit.runners.config.examples import AUTHORITY, ENVIRON, read
from tests.unit.runners.config.test_alerts import ALERTS, SECRETS, with_alerts


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setitem(ENVIRON, name, value)


class Gone:
    """A secret that can't be had."""

    async def read(self, *, renew: bool = False) -> Secret:
        raise SecretUnavailable(f"the vault is sealed ({renew})")


def token(oauth: Oauth, username: str) -> SecretSource:
    assert username == "intake"
    return LiteralSecret(Secret(f"token of {type(oauth).__name__}"))


def test_every_kind__is_made_and_a_heartbeat_is_no_sink(tmp_path: Path) -> None:
    config = read(tmp_path, with_alerts(ALERTS))

    sinks = build_sinks(config, clock=FakeClock(), tokens=token)

    assert list(sinks) == ["pager", "chat", "hook", "mail", "am"]
    assert all(one.name == name for name, one in sinks.items())
    assert isinstance(sinks["am"], Alertmanager)
    assert [name for name, one in sinks.items() if isinstance(one, Refreshed)] == ["am"]
    assert [one.name for one in build_heartbeats(config, clock=FakeClock())] == ["alive"]
    assert set(known_of(config).paths) == {"support-email"}


def test_account_with_oauth__sends_by_its_tokens(tmp_path: Path) -> None:
    text = with_alerts(ALERTS).replace(
        "username: intake, password: {env: CANARY_PASSWORD}", "username: intake, auth: {exec: [print-token]}"
    )

    mail = build_sinks(read(tmp_path, text), clock=FakeClock(), tokens=token)["mail"]

    assert isinstance(mail, Renewing)
    assert isinstance(mail.sink, Email)
    assert mail.sink.relay.is_token
    assert asyncio.run(mail.secrets[0]()) == "token of TokenCommand"


def test_secret_that_can_not_be_had__may_pass(tmp_path: Path) -> None:
    text = with_alerts(ALERTS).replace(
        "username: intake, password: {env: CANARY_PASSWORD}", "username: intake, auth: {exec: [print-token]}"
    )
    mail = build_sinks(read(tmp_path, text), clock=FakeClock(), tokens=lambda *_: Gone())["mail"]
    assert isinstance(mail, Renewing)

    with pytest.raises(Undelivered, match="the vault is sealed") as error:
        asyncio.run(mail.secrets[0]())

    assert error.value.permanent is False


def test_heartbeat__trusts_the_authorities_of_the_prober_and_can_renew_its_url(tmp_path: Path) -> None:
    (tmp_path / "ours.pem").write_text(AUTHORITY)
    text = with_alerts(ALERTS).replace("prober:", "prober:\n  ca: ours.pem", 1)

    (alive,) = build_heartbeats(read(tmp_path, text), clock=FakeClock())

    assert [Path(one).name for one in alive.poster.ca_files] == ["ours.pem"]
    assert alive.renew is not None


def test_sinks__show_no_secret(tmp_path: Path) -> None:
    sinks = build_sinks(read(tmp_path, with_alerts(ALERTS)), clock=FakeClock(), tokens=token)

    said = repr(sinks) + repr(an_alert())
    assert not [name for name, value in SECRETS.items() if value in said]
