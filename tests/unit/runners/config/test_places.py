"""The places of a configuration, as whoever reads the store knows them without wiring anything."""

import asyncio
from pathlib import Path

import pytest

from runners.config.places import gauged_places, web_site
from runners.progress import Silent
from runners.wiring import wired
from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import MemoryStore
from tests.unit.runners.config.examples import FULL, changed, read
from tests.unit.runners.config.examples_web import CASE, FORM, JSON, PARSE, with_path

BISECTED = changed("reply: true", "reply: true\n    bisect: in@vendor.example")
BY_MX = changed("via: smtp", "via: mx")


@pytest.mark.parametrize(
    "text",
    [
        FULL,
        BISECTED,
        BY_MX,
        *(with_path(one) for one in (JSON, CASE, PARSE, FORM.replace("    proxy:", "    #"))),
    ],
)
def test_places__are_at_least_those_that_are_wired(tmp_path: Path, text: str) -> None:
    config = read(tmp_path, text)

    async def named() -> frozenset[str]:
        clock = FakeClock()
        async with wired(config, clock=clock, store=MemoryStore(), progress=Silent()) as prober:
            return prober.gauged_places

    missing = asyncio.run(named()) - gauged_places(config)

    assert not missing


def test_places__are_mailboxes_systems_domains_and_certificates(tmp_path: Path) -> None:
    assert gauged_places(read(tmp_path, with_path(FORM))) == {
        "support",
        "account canary",
        "desk",
        "acme.example",
        "imap.acme.example:143",
        "www.acme.example",
        "www.acme.example:443",
    }


@pytest.mark.parametrize(
    ("url", "site"),
    [
        ("https://desk.acme.example/", ("desk.acme.example", 443)),
        ("https://bücher.example:8443/x", ("xn--bcher-kva.example", 8443)),
        ("http://desk.acme.example/", None),
        ("https:///x", None),
    ],
)
def test_site_of_an_address__is_where_its_certificate_is(url: str, site: tuple[str, int] | None) -> None:
    assert web_site(url) == site
