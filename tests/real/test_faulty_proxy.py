"""The proxy of the tests does what it says: else the tests of the web channels would prove nothing."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tests.real.faulty_proxy import Greeting, Proxy, Rule, faulty_proxy, faulty_proxy_elsewhere, tls
from tests.real.servers.certificates import Certificates, make_certificates
from tests.real.web_faults import (
    Answer,
    Fault,
    Forward,
    Request,
    answer,
    answers,
    broken_script,
    cut,
    cuts_body,
    empty_page,
    html_error,
    inserts,
    latency,
    loses_answer,
    never_ends,
    page,
    redirect_loop,
    redirects,
    script,
    silence,
    stalls,
    swaps,
    trickle,
)

pytestmark = pytest.mark.real

PATIENCE_SECONDS = 0.3
NO_TRUST = ssl.SSLContext(
    ssl.PROTOCOL_TLS_CLIENT
)  # nothing here speaks TLS; a trust store takes time to read
FORM = page("Ask", '<form><input name="title"></form>')

Steps = Callable[[Proxy, httpx.AsyncClient], Awaitable[None]]


async def portal(request: Request, _: Forward) -> Answer:
    """A portal of a few lines: a page, a form's answer, and what it was sent."""
    match request.method, request.path:
        case "POST", "/submit":
            return answer(302, headers={"Location": f"http://{request.host}/thanks", "Set-Cookie": "seen=1"})
        case _, "/told":
            return answer(200, "\n".join(f"{k}: {v}" for k, v in request.headers), kind="text/plain")
        case _, "/here":
            return answer(200, f'<a href="http://{request.host}/there">there</a>')
        case _:
            return answer(200, FORM)


@asynccontextmanager
async def through(*rules: Rule, keeps_alive: bool = False) -> AsyncIterator[tuple[Proxy, httpx.AsyncClient]]:
    async with (
        faulty_proxy("http://127.0.0.1:1", Rule(portal)) as ours,
        faulty_proxy(ours.url, *rules, keeps_alive=keeps_alive) as proxy,
        httpx.AsyncClient(base_url=proxy.url, verify=NO_TRUST, trust_env=False, timeout=5.0) as client,
    ):
        yield proxy, client


def seen(test: Steps, *rules: Rule, keeps_alive: bool = False) -> None:
    async def main() -> None:
        async with asyncio.timeout(20), through(*rules, keeps_alive=keeps_alive) as (proxy, client):
            await test(proxy, client)

    asyncio.run(main())


def got(fault: Fault | None = None, path: str = "/") -> httpx.Response:
    """What one GET through one fault brings."""
    answers: list[httpx.Response] = []

    async def test(_: Proxy, client: httpx.AsyncClient) -> None:
        answers.append(await client.get(path))

    seen(test, *([] if fault is None else [Rule(fault)]))
    return answers[0]


def test_no_rule__passes_page_and_post__and_counts_them() -> None:
    async def test(proxy: Proxy, client: httpx.AsyncClient) -> None:
        assert (await client.get("/")).text == FORM
        sent = await client.post("/submit", data={"title": "a"})
        assert sent.status_code == 302
        assert [(one.method, one.path) for one in proxy.forwarded] == [("GET", "/"), ("POST", "/submit")]
        assert proxy.reached("/submit", "POST")[0].body == b"title=a"

    seen(test)


def test_own_address__stands_in_for_the_portals_in_fields_and_pages() -> None:
    async def test(proxy: Proxy, client: httpx.AsyncClient) -> None:
        sent = await client.post("/submit", headers={"Origin": proxy.url})
        told = await client.get("/told", headers={"Origin": proxy.url, "Referer": f"{proxy.url}/x"})
        here = await client.get("/here")

        assert sent.headers["Location"] == f"{proxy.url}/thanks"
        assert f"origin: {proxy.upstream}" in told.text
        assert f"referer: {proxy.upstream}/x" in told.text
        assert f"host: {proxy.upstream.removeprefix('http://')}" in told.text
        assert here.text == f'<a href="{proxy.url}/there">there</a>'

    seen(test)


def test_cookies_of_one_client__are_not_sent_for_another() -> None:
    async def test(_: Proxy, client: httpx.AsyncClient) -> None:
        await client.post("/submit")
        client.cookies.clear()
        assert "seen" not in (await client.get("/told")).text

    seen(test)


def test_portal_that_is_gone__is_502_with_what_was_tried() -> None:
    async def main() -> httpx.Response:
        async with faulty_proxy("http://127.0.0.1:1") as proxy, httpx.AsyncClient(trust_env=False) as client:
            return await client.get(proxy.url)

    found = asyncio.run(main())

    assert found.status_code == 502
    assert "could not reach the portal" in found.text


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_fixed_answer__comes_instead_of_the_portals(status: int) -> None:
    async def test(proxy: Proxy, client: httpx.AsyncClient) -> None:
        found = await client.get("/")
        assert (found.status_code, found.headers["Retry-After"]) == (status, "30")
        assert proxy.forwarded == []

    seen(test, Rule(answers(status, headers={"Retry-After": "30"})))


def test_error_after_the_request_was_passed__reached_the_portal() -> None:
    async def test(proxy: Proxy, client: httpx.AsyncClient) -> None:
        assert (await client.post("/submit")).status_code == 500
        assert len(proxy.reached("/submit")) == 1

    seen(test, Rule(answers(500, forwarded=True), method="POST"))


def test_pages_with_status_200__are_an_error_or_nothing_at_all() -> None:
    error, nothing = got(html_error()), got(empty_page())

    assert (error.status_code, "Something went wrong" in error.text) == (200, True)
    assert (nothing.status_code, nothing.content) == (200, b"")


def test_scripts__are_served_as_such() -> None:
    broken, working = got(broken_script()), got(script())

    assert "throw" in broken.text
    assert broken.headers["Content-Type"] == working.headers["Content-Type"] == "text/javascript"


def test_redirect__leads_where_it_says__and_a_loop_never_ends() -> None:
    async def test(_: Proxy, client: httpx.AsyncClient) -> None:
        assert (await client.get("/moved")).headers["Location"] == "http://other.test/"
        with pytest.raises(httpx.TooManyRedirects):
            await client.get("/", follow_redirects=True)

    seen(test, Rule(redirects("http://other.test/"), path="^/moved"), Rule(redirect_loop()))


@pytest.mark.parametrize("forwarded", [True, False])
def test_latency__is_at_least_what_was_asked(forwarded: bool) -> None:
    began = time.perf_counter()

    assert got(latency(0.2, forwarded=forwarded)).text == FORM
    assert time.perf_counter() - began >= 0.2


def test_trickle__brings_the_whole_page_in_pieces() -> None:
    async def test(_: Proxy, client: httpx.AsyncClient) -> None:
        async with client.stream("GET", "/") as found:
            pieces = [piece async for piece in found.aiter_raw()]
        assert b"".join(pieces).decode() == FORM
        assert len(pieces) > 1

    seen(test, Rule(trickle(40, 0.02)))


@pytest.mark.parametrize(
    ("fault", "reached"),
    [(silence(), 0), (silence(forwarded=True), 1), (stalls(), 1)],
    ids=["before", "after", "in the body"],
)
def test_silence__is_kept_until_the_client_gives_up(fault: Fault, reached: int) -> None:
    async def test(proxy: Proxy, client: httpx.AsyncClient) -> None:
        with pytest.raises(httpx.ReadTimeout):
            await client.get("/", timeout=PATIENCE_SECONDS)
        assert len(proxy.forwarded) == reached

    seen(test, Rule(fault))


def test_never_ending_answer__goes_on_after_the_page() -> None:
    async def test(_: Proxy, client: httpx.AsyncClient) -> None:
        body = b""
        async with client.stream("GET", "/") as found:
            async for piece in found.aiter_raw():
                body += piece
                if len(body) > len(FORM) + 100:
                    break
        assert body.decode().startswith(FORM)

    seen(test, Rule(never_ends(pause_seconds=0.0)))


@pytest.mark.parametrize(
    ("fault", "error", "reached"),
    [
        (cut(), httpx.ReadError, 0),
        (cut(softly=True), httpx.RemoteProtocolError, 0),
        (loses_answer(), httpx.ReadError, 1),
        (loses_answer(softly=True), httpx.RemoteProtocolError, 1),
        (cuts_body(), httpx.ReadError, 1),
        (cuts_body(softly=True), httpx.RemoteProtocolError, 1),
    ],
    ids=["before", "before, softly", "after", "after, softly", "in the body", "in the body, softly"],
)
def test_cut__ends_the_connection_before_or_after_the_portal_has_the_request(
    fault: Fault, error: type[Exception], reached: int
) -> None:
    async def test(proxy: Proxy, client: httpx.AsyncClient) -> None:
        with pytest.raises(error):
            await client.post("/")
        assert len(proxy.forwarded) == reached

    seen(test, Rule(fault))


@pytest.mark.parametrize(
    ("greeting", "error"),
    [
        (Greeting.CUT, httpx.ReadError),
        (Greeting.SILENT, httpx.ReadTimeout),
        (Greeting.GARBLED, httpx.RemoteProtocolError),
    ],
)
def test_greeting__is_met_before_any_request(greeting: Greeting, error: type[Exception]) -> None:
    async def test(proxy: Proxy, client: httpx.AsyncClient) -> None:
        proxy.greeting = greeting
        with pytest.raises(error):
            await client.get("/", timeout=PATIENCE_SECONDS)
        assert proxy.requests == []

    seen(test)


def test_changed_page__differs_where_it_was_changed() -> None:
    assert 'name="subject"' in got(swaps('name="title"', 'name="subject"')).text
    assert got(inserts("<i>new</i>")).text == FORM.replace("</body>", "<i>new</i></body>")
    assert "new" not in got(inserts("<i>new</i>", before="content"), "/told").text


def test_rule__takes_what_its_method_path_host_and_number_say() -> None:
    async def test(_: Proxy, client: httpx.AsyncClient) -> None:
        found = [(await client.get("/third")).status_code for _ in range(4)]
        assert found == [200, 500, 500, 200]
        assert (await client.post("/third")).status_code == 429
        assert (await client.get("/other")).status_code == 200
        assert (await client.get("/", headers={"Host": "tracker.test:80"})).status_code == 503

    seen(
        test,
        Rule(answers(500), path="^/third$", method="GET", first=2, times=2),
        Rule(answers(429), path="^/third$", method="POST"),
        Rule(answers(503), host="tracker.test"),
    )


def test_rules_that_take_the_same_request__all_act__the_first_outermost() -> None:
    async def test(_: Proxy, client: httpx.AsyncClient) -> None:
        assert (await client.get("/")).text.endswith("<b></b><a></a></body></html>")

    seen(test, Rule(inserts("<a></a>")), Rule(inserts("<b></b>")))


@pytest.mark.parametrize(("keeps_alive", "connections"), [(True, 1), (False, 3)])
def test_connections__are_kept_only_if_asked(keeps_alive: bool, connections: int) -> None:
    async def test(proxy: Proxy, client: httpx.AsyncClient) -> None:
        for _ in range(3):
            await client.get("/")
        assert proxy.connections == connections

    seen(test, keeps_alive=keeps_alive)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(Path(tmp_path_factory.mktemp("tls")))


async def fetched_by_tls(certificates: Certificates, which: str, ca_path: Path) -> httpx.Response:
    trusted = ssl.create_default_context(cafile=str(ca_path))
    async with (
        faulty_proxy("http://127.0.0.1:1", Rule(portal)) as ours,
        faulty_proxy(
            ours.url, shown_as="localhost", context=tls(getattr(certificates, which)), keeps_alive=True
        ) as proxy,
        httpx.AsyncClient(trust_env=False, verify=trusted) as client,
    ):
        return await client.get(f"{proxy.url}/told", headers={"Origin": proxy.url})


def test_tls__is_ended_at_the_proxy(certificates: Certificates) -> None:
    found = asyncio.run(fetched_by_tls(certificates, "valid", certificates.ca_path))

    assert found.status_code == 200
    assert "origin: http://127.0.0.1:" in found.text


@pytest.mark.parametrize(
    ("which", "says"), [("expired", "certificate has expired"), ("wrong_name", "Hostname mismatch")]
)
def test_bad_certificate__is_shown(certificates: Certificates, which: str, says: str) -> None:
    with pytest.raises(httpx.ConnectError, match=says):
        asyncio.run(fetched_by_tls(certificates, which, certificates.ca_path))


def test_certificate_of_a_stranger__is_not_trusted(certificates: Certificates) -> None:
    with pytest.raises(httpx.ConnectError, match=r"self-signed certificate|unable to get local issuer"):
        asyncio.run(fetched_by_tls(certificates, "valid", certificates.other_ca_path))


def test_proxy_elsewhere__serves_clients_of_any_loop() -> None:
    with faulty_proxy_elsewhere("http://127.0.0.1:1", Rule(portal)) as proxy:
        assert httpx.get(proxy.url, trust_env=False).text == FORM
