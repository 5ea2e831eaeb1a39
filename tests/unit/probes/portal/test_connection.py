"""The way beside the browser: not tried behind a proxy, and every host of the portal verified once."""

import asyncio
from typing import cast

import pytest

from probes.portal.connection import Reach, Verified, goes_by_proxy
from probes.tls import Contexts
from runners.clock import SystemClock

PROXIES = (
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def reach(*, has_proxy: bool = False, ca_files: tuple[str, ...] = ()) -> Reach:
    return Reach(
        "https://support.acme.test/",
        ca_files=ca_files,
        contexts=Contexts(),
        clock=SystemClock(),
        has_proxy=has_proxy,
    )


@pytest.mark.parametrize(
    ("url", "configured", "named", "expected"),
    [
        ("https://support.acme.test/", None, {}, False),
        ("https://support.acme.test/", "http://proxy.acme.test:3128", {}, True),
        ("http://127.0.0.1:8000/", "http://proxy.acme.test:3128", {}, True),
        ("https://support.acme.test/", None, {"https_proxy": "http://proxy.acme.test:3128"}, True),
        ("https://support.acme.test/", None, {"http_proxy": "http://proxy.acme.test:3128"}, False),
        ("https://support.acme.test/", None, {"all_proxy": "http://p:1", "no_proxy": "acme.test"}, False),
        ("http://127.0.0.1:8000/", None, {"http_proxy": "http://proxy.acme.test:3128"}, False),
    ],
)
def test_proxy__is_the_configured_one_or_the_environment_s(
    environment: pytest.MonkeyPatch, url: str, configured: str | None, named: dict[str, str], expected: bool
) -> None:
    for name, value in named.items():
        environment.setenv(name, value)

    assert goes_by_proxy(url, configured) is expected


def test_behind_a_proxy__nothing_is_said_of_a_connection_of_ours() -> None:
    behind = reach(has_proxy=True, ca_files=("ca.pem",))

    assert behind.question("https://support.acme.test/") is None
    assert not asyncio.run(behind.is_unanswered("https://support.acme.test/"))
    assert not asyncio.run(behind.needs_own_authorities())


def test_question__is_about_the_place_that_failed() -> None:
    asked = reach().question("https://login.acme.test:8443/sso?next=x")

    assert asked is not None
    assert (asked.place, asked.port) == ("login.acme.test:8443", 8443)
    assert reach().question("about:blank") is None


class Asked:
    """Counts what is verified."""

    def __init__(self) -> None:
        self.urls: list[str] = []

    async def verify(self, url: str) -> None:
        self.urls.append(url)


def test_hosts_of_the_portal__are_each_verified_once__and_nobody_else() -> None:
    asked = Asked()
    hosts = frozenset({"support.acme.test", "login.acme.test"})
    verified = Verified(cast("Reach", asked), hosts=hosts, is_needed=True)
    first, other = "https://support.acme.test/", "https://login.acme.test/sso"

    async def journey() -> None:
        await verified.verify([first])
        await verified.verify([first, "https://ads.example/x", "http://support.acme.test/", other])
        await verified.verify([other, "https://login.acme.test:8443/"])

    asyncio.run(journey())

    assert asked.urls == [first, other, "https://login.acme.test:8443/"]


def test_browser_that_verifies_itself__is_not_doubted() -> None:
    asked = Asked()
    hosts = frozenset({"support.acme.test"})

    asyncio.run(
        Verified(cast("Reach", asked), hosts=hosts, is_needed=False).verify(["https://support.acme.test/"])
    )

    assert asked.urls == []
