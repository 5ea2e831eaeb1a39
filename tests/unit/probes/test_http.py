"""The way to an API: what is taken for an answer, and what makes us blind."""

import asyncio
import gzip
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from email.utils import format_datetime
from typing import TypeVar

import httpx
import pytest

from canary.reason import Reason
from probes.contracts import Blind
from probes.http import Api, open_api
from probes.http_dates import retry_after_seconds
from probes.http_wire import HttpSettings
from probes.masking import Masker, Secret
from probes.reasons import explain
from tests.fakes.answers import Answering
from tests.fakes.clock import START, FakeClock, run_jumping

T = TypeVar("T")
Handler = Callable[[httpx.Request], httpx.Response]
URL = "https://desk.acme.test/base"
PATH = "api/tickets/"


class Vault:
    """Gives an old token until it is asked to renew."""

    def __init__(self) -> None:
        self.renewals = 0

    async def read(self, *, renew: bool = False) -> Secret:
        self.renewals += renew
        return Secret("new-token-of-tests" if self.renewals else "old-token-of-tests")


class Wire:
    """An API over a transport that answers as told; httpx's own seam stands for the network."""

    def __init__(
        self, handler: Handler | httpx.AsyncBaseTransport, *, most_answer_bytes: int = 10_000
    ) -> None:
        self.clock = FakeClock()
        self.vault = Vault()
        self.requests: list[httpx.Request] = []
        self._handler = handler
        self._settings = HttpSettings(name="desk", url=URL, most_answer_bytes=most_answer_bytes)

    def with_api(self, work: Callable[[Api], Awaitable[T]]) -> T:
        def noted(request: httpx.Request) -> httpx.Response:
            self.requests.append(request)
            assert not isinstance(self._handler, httpx.AsyncBaseTransport)
            return self._handler(request)

        transport = self._handler if isinstance(self._handler, httpx.AsyncBaseTransport) else Answering(noted)

        async def main() -> T:
            async with open_api(
                self._settings,
                clock=self.clock,
                masker=Masker(),
                secret=self.vault,
                authorise=lambda secret: {"Authorization": f"Token {secret.reveal()}"},
                transport=transport,
            ) as api:
                return await work(api)

        return run_jumping(self.clock, main())

    def blind(self, method: str = "GET") -> Blind:
        async def main(api: Api) -> Blind:
            with pytest.raises(Blind) as caught:
                (await api.call(method, PATH)).json()
            return caught.value

        return self.with_api(main)


def answering(status: int = 200, **more: object) -> Handler:
    return lambda _: httpx.Response(status, **more)  # type: ignore[arg-type]  # httpx's own keywords


def test_good_answer__is_read_and_carries_token_and_user_agent() -> None:
    wire = Wire(answering(json={"id": 7}))

    number = wire.with_api(lambda api: api.get(PATH, {"page": "last"}))["id"].number()

    assert number == 7
    (request,) = wire.requests
    assert str(request.url) == f"{URL}/api/tickets/?page=last"
    assert request.headers["Authorization"] == "Token old-token-of-tests"
    assert "intake-prober" in request.headers["User-Agent"]


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (401, Reason.CREDENTIALS_REJECTED),
        (403, Reason.CREDENTIALS_REJECTED),
        (404, Reason.TICKET_API_UNREADABLE),
        (418, Reason.TICKET_API_UNREADABLE),
        (429, Reason.RATE_LIMITED),
        (500, Reason.TICKET_API_UNREADABLE),
        (503, Reason.TICKET_API_UNREADABLE),
    ],
)
def test_refusal__is_blindness_with_its_status_and_reason(status: int, reason: Reason) -> None:
    blind = Wire(answering(status)).blind()

    fault = explain(blind)
    assert blind.status == status
    assert fault is not None
    assert fault.reason is reason
    assert str(blind).startswith("desk: GET https://desk.acme.test/base/api/tickets/ answered")


def test_refused_credential__is_renewed_once_and_then_used() -> None:
    wire = Wire(
        lambda request: httpx.Response(401 if "old" in request.headers["Authorization"] else 200, json={})
    )

    wire.with_api(lambda api: api.get(PATH))

    assert [one.headers["Authorization"] for one in wire.requests] == [
        "Token old-token-of-tests",
        "Token new-token-of-tests",
    ]


def test_credential_refused_again__is_not_tried_a_third_time_and_not_shown() -> None:
    wire = Wire(answering(401))

    blind = wire.blind()

    assert len(wire.requests) == 2
    assert "token-of-tests" not in str(blind)


@pytest.mark.parametrize("value", ["120", format_datetime(START + timedelta(seconds=120), usegmt=True)])
def test_retry_after__in_both_forms__is_carried(value: str) -> None:
    assert Wire(answering(429, headers={"Retry-After": value})).blind().retry_after_seconds == 120


def test_retry_after_as_a_date__is_counted_by_the_servers_own_clock() -> None:
    date = format_datetime(START + timedelta(hours=5), usegmt=True)
    until = format_datetime(START + timedelta(hours=5, seconds=30), usegmt=True)

    assert retry_after_seconds({"Retry-After": until, "Date": date}, now=START) == 30


@pytest.mark.parametrize("value", ["", "soon", "-5", "1.5", "Fri, 31 Dec 9999 23:59:59 -0500"])
def test_retry_after__that_is_none__says_nothing(value: str) -> None:
    assert retry_after_seconds({"Retry-After": value}, now=START) is None


def test_retry_after_in_the_past__is_now() -> None:
    past = format_datetime(START - timedelta(hours=1), usegmt=True)

    assert retry_after_seconds({"Retry-After": past}, now=START) == 0


@pytest.mark.parametrize(
    "more",
    [
        {"html": "<html>maintenance</html>"},
        {"text": "  <!doctype html>", "headers": {"Content-Type": "application/json"}},
    ],
    ids=["by type", "by look"],
)
def test_web_page_instead_of_json__is_blindness_that_says_so(more: dict[str, object]) -> None:
    assert "web page instead of JSON" in str(Wire(answering(200, **more)).blind())


@pytest.mark.parametrize("text", ["", "{", "not json", '{"a": 1} x', "\x00\xff", "[" * 9_000])
def test_garbled_json__is_blindness(text: str) -> None:
    assert "not JSON" in str(Wire(answering(text=text)).blind())


def test_too_long_an_answer__is_not_read_to_its_end() -> None:
    sent = []

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1000):
            sent.append(1)
            yield b"x" * 1000

    blind = Wire(lambda _: httpx.Response(200, content=endless()), most_answer_bytes=5000).blind()

    assert "more than 5000 bytes" in str(blind)
    assert len(sent) < 10


def test_answer_that_is_packed_small_and_is_huge__is_not_unpacked_whole() -> None:
    packed = gzip.compress(bytes(30_000_000))

    async def small() -> AsyncIterator[bytes]:
        yield packed

    headers = {"Content-Encoding": "gzip"}
    tracemalloc.start()
    try:
        blind = Wire(
            lambda _: httpx.Response(200, content=small(), headers=headers), most_answer_bytes=5000
        ).blind()
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert "more than 5000 bytes" in str(blind)
    assert most < 10_000_000


def test_answer_packed_in_a_way_that_was_not_asked_for__is_blindness() -> None:
    async def brotli() -> AsyncIterator[bytes]:
        yield b"..."

    answer = httpx.Response(200, content=brotli(), headers={"Content-Encoding": "br"})

    assert "packed as 'br'" in str(Wire(lambda _: answer).blind())


class Silent(httpx.AsyncBaseTransport):
    """Accepts and never answers."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError(request)


def test_silence__ends_by_our_own_clock() -> None:
    wire = Wire(Silent())
    wire.clock.call_at(20.0, lambda: None)

    assert "no whole answer within 20 s" in str(wire.blind())


@pytest.mark.parametrize(
    "error",
    [httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("garbage")],
    ids=["refused", "slow", "garbage"],
)
def test_failing_connection__is_blindness(error: Exception) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise error

    assert str(Wire(fail).blind()).startswith("desk: GET")


def lost_once(request: httpx.Request, lost: list[str]) -> httpx.Response:
    if not lost:
        lost.append(request.method)
        raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
    return httpx.Response(200, json={})


def test_lost_idle_connection__is_tried_once_more_for_a_question() -> None:
    lost: list[str] = []

    Wire(lambda request: lost_once(request, lost)).with_api(lambda api: api.get(PATH))

    assert lost == ["GET"]


def test_lost_connection__is_not_tried_again_for_a_change() -> None:
    lost: list[str] = []

    Wire(lambda request: lost_once(request, lost)).blind("PATCH")

    assert lost == ["PATCH"]


def test_redirect_within_the_origin__is_followed() -> None:
    wire = Wire(
        lambda request: (
            httpx.Response(200, json={"id": 1})
            if request.url.path == "/elsewhere"
            else httpx.Response(302, headers={"Location": "/elsewhere"})
        )
    )

    assert wire.with_api(lambda api: api.get(PATH))["id"].number() == 1


@pytest.mark.parametrize(
    "place",
    [
        "https://evil.test/x",
        "http://desk.acme.test/base",
        "https://desk.acme.test:444/",
        "//evil.test/",
        "https://desk.acme.test:99999999/",
    ],
)
def test_redirect_to_another_origin__is_blindness_and_shows_no_credential_there(place: str) -> None:
    wire = Wire(answering(302, headers={"Location": place}))

    blind = wire.blind()

    assert "our credential is not shown there" in str(blind)
    assert len(wire.requests) == 1


def test_redirect_in_a_circle__ends() -> None:
    assert "in a circle" in str(Wire(answering(307, headers={"Location": f"{URL}/{PATH}"})).blind())


def test_redirected_change__is_not_followed() -> None:
    wire = Wire(answering(308, headers={"Location": "/elsewhere"}))

    assert "correct the configured `url`" in str(wire.blind("PATCH"))
    assert len(wire.requests) == 1


def test_absolute_url_of_another_origin__is_never_called() -> None:
    wire = Wire(answering(json={}))

    async def main(api: Api) -> str:
        with pytest.raises(Blind) as caught:
            await api.call("GET", "https://evil.test/file.pdf")
        return str(caught.value)

    assert "another place" in wire.with_api(main)
    assert wire.requests == []


def test_missing_field__is_named_with_its_place() -> None:
    wire = Wire(answering(json={"results": [{"id": 1}, {"ID": 2}]}))

    async def main(api: Api) -> str:
        answer = await api.get(PATH)
        with pytest.raises(Blind) as caught:
            [one["id"].number() for one in answer["results"].items()]
        return str(caught.value)

    assert "no field `results[1].id`" in wire.with_api(main)


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ([], lambda one: one["id"]),
        ({"id": {}}, lambda one: one["id"].number()),
        ({"id": True}, lambda one: one["id"].number()),
        ({"id": 1}, lambda one: one["id"].text()),
        ({"id": 1}, lambda one: list(one["id"].items())),
        ({"id": "yesterday"}, lambda one: one["id"].moment()),
        ({"id": "2026-01-01T00:00:00"}, lambda one: one["id"].moment()),
        ({"id": "9999-12-31T23:59:59-05:00"}, lambda one: one["id"].moment()),
        ({"id": "9" * 5000}, lambda one: one["id"].number()),
    ],
    ids=[
        "no object",
        "object",
        "boolean",
        "no text",
        "no array",
        "no date",
        "no zone",
        "beyond dates",
        "too long",
    ],
)
def test_wrong_kind_of_value__is_blindness_that_names_it(
    value: object, read: Callable[[object], object]
) -> None:
    wire = Wire(answering(json=value))

    async def main(api: Api) -> str:
        answer = await api.get(PATH)
        with pytest.raises(Blind) as caught:
            read(answer)
        return str(caught.value)

    assert "has at `" in wire.with_api(main)


def test_date_of_the_answers__tells_the_skew() -> None:
    date = format_datetime(START + timedelta(seconds=40), usegmt=True)
    wire = Wire(answering(json={}, headers={"Date": date}))

    async def main(api: Api) -> float | None:
        await api.get(PATH)
        return api.skew.seconds

    assert wire.with_api(main) == pytest.approx(40.5)


def test_rate_limit_headers__are_windows_of_the_budget() -> None:
    wire = Wire(
        answering(
            json={},
            headers={"X-RateLimit-Limit": "100", "X-RateLimit-Remaining": "7", "X-RateLimit-Reset": "30"},
        )
    )

    async def main(api: Api) -> list[tuple[int | None, int | None, float]]:
        await api.get(PATH)
        return [
            (one.left, one.limit, (one.resets_at - START).total_seconds() if one.resets_at else 0.0)
            for one in api.rate_limits.windows(now=START)
        ]

    assert wire.with_api(main) == [(7, 100, 30.0)]
