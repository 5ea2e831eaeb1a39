"""Which header fields go where: a secret to one origin, and never a value that can't be sent."""

import asyncio
from typing import Any, cast

import pytest
from playwright.async_api import Page

from probes.portal.headers import origin_of, send_headers
from probes.servers import SecretUnavailable

HOSTS = frozenset({"support.acme.example", "login.acme.example"})
ORIGIN = "https://support.acme.example"


class Session:
    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.handler: Any = None

    def on(self, _event: str, handler: object) -> None:
        self.handler = handler

    async def send(self, method: str, arguments: dict[str, Any]) -> None:
        self.sent.append((method, arguments))


class Context:
    def __init__(self, session: Session) -> None:
        self._session = session

    async def new_cdp_session(self, _page: object) -> Session:
        return self._session


class Paged:
    def __init__(self) -> None:
        self.session = Session()
        self.context = Context(self.session)
        self.url = "about:blank"


def sent_to(url: str) -> dict[str, str]:
    """The fields that a request to the address goes on with; empty: as the browser made it."""
    page = Paged()

    async def asked() -> None:
        await send_headers(
            cast("Page", page), {"X-Plain": "1"}, {"X-Secret": "hush"}, hosts=HOSTS, origin=ORIGIN
        )
        await page.session.handler({"requestId": "7", "request": {"url": url, "headers": {"Accept": "*/*"}}})

    asyncio.run(asked())
    _, answer = page.session.sent[-1]
    return {one["name"]: one["value"] for one in answer.get("headers", [])}


def test_request_to_the_origin__bears_all_fields() -> None:
    assert sent_to("https://support.acme.example/x?y=1") == {
        "Accept": "*/*",
        "X-Plain": "1",
        "X-Secret": "hush",
    }


@pytest.mark.parametrize(
    "url",
    ["http://support.acme.example/", "https://support.acme.example:8443/", "https://login.acme.example/"],
)
def test_request_to_another_origin_of_ours__bears_no_secret(url: str) -> None:
    assert sent_to(url) == {"Accept": "*/*", "X-Plain": "1"}


@pytest.mark.parametrize("url", ["https://tracker.example/", "https://support.acme.example.evil.example/"])
def test_request_to_a_third_party__goes_on_as_the_browser_made_it(url: str) -> None:
    assert sent_to(url) == {}


@pytest.mark.parametrize(
    ("url", "at", "resource", "is_told"),
    [
        ("https://support.acme.example/form", "https://login.acme.example/", "Document", True),
        ("https://support.acme.example/api", "https://support.acme.example/form", "XHR", True),
        ("https://support.acme.example/api", "https://login.acme.example/", "XHR", False),
        ("https://login.acme.example/", "https://support.acme.example/form", "Document", False),
        ("https://login.acme.example/api", "https://login.acme.example/", "XHR", False),
        ("https://support.acme.example:8443/", "https://support.acme.example/", "Document", False),
    ],
)
def test_trace__is_told_to_the_paths_own_origin_alone(
    url: str, at: str, resource: str, is_told: bool
) -> None:
    page = Paged()
    page.url = at

    async def asked() -> None:
        await send_headers(
            cast("Page", page), {}, {}, hosts=HOSTS, origin=ORIGIN, trace=lambda: "00-4bf9-00f0-01"
        )
        request = {"url": url, "headers": {}}
        await page.session.handler({"requestId": "7", "resourceType": resource, "request": request})

    asyncio.run(asked())
    _, answer = page.session.sent[-1]
    assert ("headers" in answer) == is_told


def test_redirect__is_told_the_span_of_the_request_that_led_to_it_though_the_next_hop_began() -> None:
    page = Paged()
    spans = iter(["00-4bf9-submit-01", "00-4bf9-confirmation-01", "00-4bf9-later-01"])

    async def asked() -> None:
        await send_headers(cast("Page", page), {}, {}, hosts=HOSTS, origin=ORIGIN, trace=lambda: next(spans))
        for number, (network_id, path) in enumerate([("n1", "requests"), ("n1", "thanks"), ("n2", "logo")]):
            request = {"url": f"{ORIGIN}/{path}", "headers": {}}
            await page.session.handler(
                {
                    "requestId": str(number),
                    "networkId": network_id,
                    "resourceType": "Document",
                    "request": request,
                }
            )

    asyncio.run(asked())
    submitted, redirected, another = [answer["headers"][0]["value"] for _, answer in page.session.sent[1:]]
    assert submitted == redirected == "00-4bf9-submit-01"
    assert another != submitted


@pytest.mark.parametrize("value", ["two\nlines", "kéy", " hush", "hush ", "null\0"])
def test_secret_that_is_no_value_of_a_field__is_refused_by_name_and_not_shown(value: str) -> None:
    with pytest.raises(SecretUnavailable) as refused:
        asyncio.run(send_headers(cast("Page", Paged()), {}, {"X-Secret": value}, hosts=HOSTS, origin=ORIGIN))

    assert "headers.X-Secret" in str(refused.value)
    assert value.strip() not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://A.example:443/x", "https://a.example"),
        ("http://a.example:80", "http://a.example"),
        ("https://user:word@a.example:8443/x", "https://a.example:8443"),
    ],
)
def test_origin__is_scheme_host_and_unusual_port(url: str, origin: str) -> None:
    assert origin_of(url) == origin
