"""Who witnesses exchanges hears of each, whatever becomes of it, and shows none of it by accident."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator

import httpx
import pytest

from probes.contracts import Blind
from probes.http_exchange import Exchange
from probes.http_wire import HttpSettings, Request, open_wire
from probes.masking import Masker
from tests.fakes.answers import Answering
from tests.fakes.clock import FakeClock

URL = "https://desk.acme.test"


def witnessed(
    answer: Callable[[httpx.Request], httpx.Response], request: Request, *, most_bytes: int = 1000
) -> list[Exchange]:
    heard: list[Exchange] = []

    async def main() -> None:
        settings = HttpSettings(name="desk", url=URL, most_answer_bytes=most_bytes)
        async with open_wire(
            settings, clock=FakeClock(), masker=Masker(), transport=Answering(answer), witness=heard.append
        ) as wire:
            with contextlib.suppress(Blind):  # whoever asks is told; here it matters what was heard
                await wire.ask(request)

    asyncio.run(main())
    return heard


def test_request_without_an_answer__is_heard_with_the_kind_of_failure() -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    (one,) = witnessed(refuse, Request("GET", "/tickets"))

    assert (one.status, one.failure, one.content) == (None, "ConnectError", b"")


def test_answer_that_is_too_long__is_heard_as_far_as_it_was_read() -> None:
    (one,) = witnessed(lambda _: httpx.Response(200, content=b"x" * 2000), Request("GET", "/tickets"))

    assert (one.status, one.failure) == (200, "Blind")


def test_try_again_after_a_lost_connection__is_heard_twice() -> None:
    answers: Iterator[Exception | httpx.Response] = iter(
        [httpx.RemoteProtocolError("closed"), httpx.Response(200, json=[])]
    )

    def answer(_: httpx.Request) -> httpx.Response:
        found = next(answers)
        if isinstance(found, Exception):
            raise found
        return found

    assert [one.status for one in witnessed(answer, Request("GET", "/tickets"))] == [None, 200]


@pytest.mark.parametrize("status", [200, 401, 404, 500])
def test_exchange__is_heard_whole_whatever_its_status(status: int) -> None:
    request = Request("POST", "/tickets", [("a", "1")], json={"say": "hi"}, headers={"X-Key": "k"})

    (one,) = witnessed(lambda _: httpx.Response(status, json={"told": 1}), request)

    assert (one.method, one.url, one.status) == ("POST", f"{URL}/tickets?a=1", status)
    assert ("x-key", "k") in [(name.lower(), text) for name, text in one.headers]
    assert (one.body, one.content, one.failure) == (b'{"say":"hi"}', b'{"told":1}', "")


def test_redirect__is_an_exchange_of_its_own() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/old":
            return httpx.Response(302, headers={"Location": f"{URL}/new"})
        return httpx.Response(200, json=[])

    assert [one.url for one in witnessed(answer, Request("GET", "/old"))] == [f"{URL}/old", f"{URL}/new"]


def test_exchange__shows_no_header_and_no_body_when_printed() -> None:
    request = Request("POST", "/tickets", json={"word": "said-by-us"}, headers={"X-Key": "key-of-ours"})

    (one,) = witnessed(lambda _: httpx.Response(200, json={"told": "by-a-stranger"}), request)

    assert not [word for word in ("said-by-us", "key-of-ours", "by-a-stranger") if word in repr(one)]
