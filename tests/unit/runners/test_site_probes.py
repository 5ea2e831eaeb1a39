"""What is wired for each channel: its probe, what its tickets must say, and the mailbox where its replies come."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from canary.canary import Canary, Token, new_canary
from canary.gauge import GaugeName
from canary.hop import Channel
from canary.path import PathName
from canary.signature import mint_id, mint_token
from probes.contracts import Probe
from probes.form.probe import FormProbe
from probes.form.settings import FormSettings
from probes.user_agent import user_agent
from runners.clock import SystemClock
from runners.config.config import Config
from runners.config.places import own_mailbox
from runners.progress import Silent
from runners.site import Site, open_site, watched_mailboxes
from runners.site_gauges import gauges_of
from runners.site_portals import Portals, open_portals
from runners.site_probes import bears_attachment, expectations, probe_of
from tests.unit.runners.config.examples import changed, read
from tests.unit.runners.config.examples_web import CASE, FORM, JSON, PARSE, PORTAL, portal_file

KEY = b"signing-key-of-32-bytes-for-test"


def site_of(config: Config) -> Site:
    return asyncio.run(open_site(config, clock=SystemClock(), tell=Silent()))


def canary_of(config: Config, name: str) -> Canary:
    path = config.paths[PathName(name)].path
    canary_id = mint_id(datetime(2026, 3, 2, 12, tzinfo=UTC), b"\x01\x02\x03\x04")
    return new_canary(
        path,
        canary_id=canary_id,
        token=Token(mint_token(canary_id, path.name, KEY)),
        marker="intakecanary",
        sender="canary@probe.example",
        prober="tests",
    )


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return read(tmp_path, portal_file(tmp_path, PORTAL + FORM + JSON + CASE + PARSE))


@pytest.mark.parametrize(
    ("name", "channel"), [("support-email", Channel.EMAIL), ("contact-form", Channel.FORM)]
)
def test_path__has_the_probe_of_its_channel(config: Config, name: str, channel: Channel) -> None:
    assert probe_of(site_of(config), config.paths[PathName(name)], None, None).channel is channel


def test_form__says_to_its_target_who_asks_and_where_to_complain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contact = "https://www.acme.example/prober"
    text = changed("  signing_keys:", f"  contact: {contact}\n  signing_keys:", portal_file(tmp_path, FORM))
    config = read(tmp_path, text)
    made: list[FormSettings] = []

    def probe(settings: FormSettings, **_: object) -> FormProbe:
        made.append(settings)
        return FormProbe(settings, clock=SystemClock(), resolver=site.resolver, masker=site.masker)

    site = site_of(config)
    monkeypatch.setattr("probes.form.probe.FormProbe", probe)
    probe_of(site, config.paths[PathName("contact-form")], None, None)

    assert [one.user_agent for one in made] == [user_agent(contact)]


def test_portal_path__has_a_probe_that_shares_the_browser(config: Config) -> None:
    site = site_of(config)

    async def opened() -> Probe:
        async with open_portals(site) as portals:
            return probe_of(site, config.paths[PathName("support-portal")], None, portals)

    assert asyncio.run(opened()).channel is Channel.PORTAL


def test_configuration_without_portals__opens_no_browser(config: Config) -> None:
    site = site_of(config.with_paths(["support-email"]))

    async def opened() -> Portals | None:
        async with open_portals(site) as portals:
            return portals

    assert asyncio.run(opened()) is None


@pytest.mark.parametrize("name", ["support-portal", "contact-form"])
def test_ticket_of_a_web_canary__must_say_what_its_request_says_and_bear_what_it_uploads(
    config: Config, name: str
) -> None:
    canary = canary_of(config, name)

    expected = expectations(site_of(config))(canary)

    assert expected.content is not None
    assert expected.content.subject == f"intakecanary {canary.token} My printer"
    assert [one.name for one in expected.content.attachments] == ["log.txt"]
    assert expected.target is None


def test_ticket_of_a_form_without_a_file_field__bears_no_attachment(config: Config) -> None:
    expected = expectations(site_of(config))(canary_of(config, "api"))

    assert expected.content is not None
    assert expected.content.attachments == ()
    assert not bears_attachment(config.paths[PathName("api")])


def test_ticket_of_a_parsed_mail__has_the_support_address_as_its_target(config: Config) -> None:
    expected = expectations(site_of(config))(canary_of(config, "parse"))

    assert expected.target == "support@acme.example"
    assert bears_attachment(config.paths[PathName("parse")])


def test_ticket_of_a_path_that_is_gone__has_no_expected_content(config: Config) -> None:
    canary = canary_of(config, "api")

    assert expectations(site_of(config.with_paths(["case"])))(canary).content is None


def test_certificates_of_portals_and_forms__are_read_where_no_proxy_stands_between(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("https_proxy", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)

    read_at = {
        one.reader.place
        for one in gauges_of(site_of(config))
        if one.reader.name is GaugeName.CERTIFICATE_EXPIRY
    }

    assert read_at == {
        "imap.acme.example:143",
        "support.acme.example:443",
        "webto.salesforce.com:443",
        "hooks.acme.example:443",
    }


def test_mailbox_of_a_sender__is_watched_for_the_replies_to_its_portal_requests(tmp_path: Path) -> None:
    config = read(tmp_path, portal_file(tmp_path, changed("reply: true", "reply: required", PORTAL)))

    watched = watched_mailboxes(site_of(config.with_paths(["support-portal"])))

    assert own_mailbox("canary") in watched
