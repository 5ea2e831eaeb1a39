"""Who may read the page, and what every answer forbids."""

from dataclasses import dataclass
from ipaddress import ip_network

import httpx
import pytest

from probes.masking import Secret
from probes.servers import SecretUnavailable
from runners.config.page import PageConfig, ProxyConfig
from runners.web.access import COOKIE, HEADERS, Access
from tests.fakes.page_scene import Scene
from tests.unit.runners.web.asked import Asker

TOKEN = "a-token-of-the-page-0123456789ab"
OUTSIDE = ("203.0.113.9", 40000)


@dataclass(frozen=True)
class Source:
    value: str | None = TOKEN

    async def read(self, *, renew: bool = False) -> Secret:
        del renew
        if self.value is None:
            raise SecretUnavailable("the environment variable INTAKE_PAGE_TOKEN is not set")
        return Secret(self.value)


def guarded(**more: object) -> Asker:
    """A page that other machines reach, with a token."""
    access = Access(host="10.0.0.7", hosts=frozenset({"intake.acme.example"}), token=Source())
    given = {"access": access, "client": OUTSIDE, **more}
    return Asker(Scene(), **given)  # type: ignore[arg-type]  # the tests' own shorthand


def ask(asker: Asker, address: str = "/", **how: object) -> httpx.Response:
    return asker.ask(address, base="http://intake.acme.example", **how)


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8080", "localhost:8080", "LOCALHOST", "[::1]:8080", "localhost."]
)
def test_host_that_is_ours__is_answered(host: str) -> None:
    assert Asker(Scene()).ask("/", host=host).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.9", "", "localhost@evil.example", "[::2]:80"]
)
def test_host_that_is_not_ours__is_refused_with_the_remedy(host: str) -> None:
    answer = Asker(Scene()).ask("/", host=host)

    assert answer.status_code == 421
    assert "web.hosts" in answer.text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_method_that_could_change_something__is_refused(method: str) -> None:
    answer = Asker(Scene()).ask("/", method=method)

    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    "address",
    ["/", "/status.json", "/nowhere", "/metrics", "/healthz", "/static/page.js", "/canaries?limit=zero"],
)
def test_every_answer__forbids_the_browser_what_the_page_does_not_need(address: str) -> None:
    answer = Asker(Scene()).ask(address)

    for name, value in HEADERS.items():
        assert answer.headers[name] == value
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy


def test_head__answers_without_a_body() -> None:
    answer = Asker(Scene()).ask("/", method="HEAD")

    assert (answer.status_code, answer.text) == (200, "")


def test_without_a_token__it_is_said_how_to_come_in() -> None:
    answer = ask(guarded())

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="intake-prober"'
    assert "?token=TOKEN" in answer.text
    assert TOKEN not in answer.text


@pytest.mark.parametrize("header", [f"Bearer {TOKEN}", f"bearer  {TOKEN} "])
def test_bearer_token__may_read(header: str) -> None:
    assert ask(guarded(), authorization=header).status_code == 200


@pytest.mark.parametrize("header", [f"Bearer {TOKEN}x", "Bearer ", f"Basic {TOKEN}", TOKEN, "Bearer \xe9"])
def test_what_is_not_the_token__may_not(header: str) -> None:
    assert ask(guarded(), authorization=header.encode("latin-1")).status_code == 401


def test_token_in_the_address__becomes_a_strict_cookie_and_leaves_the_address() -> None:
    answer = ask(guarded(), f"/paths/support-email?before=x&token={TOKEN}")

    assert answer.status_code == 303
    assert answer.headers["location"] == "/paths/support-email?before=x"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert TOKEN not in answer.headers["set-cookie"]


def test_token_in_a_link_from_elsewhere__goes_on_by_a_page_of_ours() -> None:
    answer = ask(guarded(), f"/?token={TOKEN}", sec_fetch_site="cross-site")

    assert answer.status_code == 200
    assert 'http-equiv="refresh" content="0;url=/"' in answer.text
    assert "set-cookie" in answer.headers


def test_cookie__may_read_until_the_token_changes() -> None:
    kept = ask(guarded(), f"/?token={TOKEN}").cookies[COOKIE]

    assert ask(guarded(), cookies={COOKIE: kept}).status_code == 200
    renewed = Access(host="10.0.0.7", hosts=frozenset({"intake.acme.example"}), token=Source(TOKEN[::-1]))
    assert ask(guarded(access=renewed), cookies={COOKIE: kept}).status_code == 401


def test_cookie__ends_twelve_hours_after_the_last_look_whatever_the_browser_keeps() -> None:
    page = guarded()
    kept = ask(page, f"/?token={TOKEN}").cookies[COOKIE]
    page.scene.clock.advance(11 * 3600)

    renewed = ask(page, cookies={COOKIE: kept}).cookies[COOKIE]
    page.scene.clock.advance(2 * 3600)

    assert ask(page, cookies={COOKIE: kept}).status_code == 401
    assert ask(page, cookies={COOKIE: renewed}).status_code == 200
    ends_at, _, signed = kept.partition(".")
    assert ask(page, cookies={COOKIE: f"{int(ends_at) + 9999}.{signed}"}).status_code == 401


@pytest.mark.parametrize(
    "header", ["forwarded", "via", "x_forwarded_for", "x_forwarded_proto", "x_forwarded_host"]
)
def test_open_page_behind_a_proxy__is_refused_with_the_remedy(header: str) -> None:
    page = Asker(Scene())

    answer = page.ask("/", **{header: "1.1 proxy"})

    assert answer.status_code == 403
    assert "web.token" in answer.text
    assert page.ask("/healthz", **{header: "1.1 proxy"}).status_code == 200


def test_cookie_over_https__is_never_sent_in_the_clear() -> None:
    plain = ask(guarded(), f"/?token={TOKEN}").headers["set-cookie"]
    behind = ask(guarded(), f"/?token={TOKEN}", x_forwarded_proto="https").headers["set-cookie"]

    assert "secure" not in plain.lower()
    assert "secure" in behind.lower()


@pytest.mark.parametrize("path", ["//evil.example/", "/%5Cevil.example", "/\\evil.example"])
def test_token_in_an_address__never_leads_to_another_site(path: str) -> None:
    answer = ask(guarded(), f"http://intake.acme.example{path}?token={TOKEN}")

    assert answer.status_code == 303
    assert answer.headers["location"][0] == "/"
    assert answer.headers["location"][1:2] not in {"/", "\\"}


def test_wrong_token_in_the_address__sets_no_cookie() -> None:
    answer = ask(guarded(), "/?token=guess")

    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


def test_token_that_can_t_be_read__is_our_fault_and_opens_nothing() -> None:
    access = Access(host="10.0.0.7", hosts=frozenset({"intake.acme.example"}), token=Source(None))

    answer = ask(guarded(access=access), authorization="Bearer ")

    assert answer.status_code == 503
    assert "INTAKE_PAGE_TOKEN" not in answer.text


def test_health__is_asked_without_a_token_and_gives_no_reason_away() -> None:
    asker = guarded()
    asker.scene.health.problems = ("the scheduler has not run for 3 min",)

    assert ask(asker, "/healthz").status_code == 200
    stranger = ask(asker, "/readyz")
    reader = ask(asker, "/readyz", authorization=f"Bearer {TOKEN}")

    assert (stranger.status_code, stranger.text) == (503, "not ready\n")
    assert (reader.status_code, reader.text) == (503, "the scheduler has not run for 3 min\n")


@pytest.mark.parametrize("address", ["/metrics", "/events", "/static/page.css", "/status.json", "/nowhere"])
def test_all_else__demands_the_token(address: str) -> None:
    assert ask(guarded(), address).status_code == 401


def by_proxy(client: str) -> Asker:
    access = Access.of(
        PageConfig(
            "10.0.0.7", 8080, frozenset({"intake.acme.example"}), None,
            ProxyConfig("X-Forwarded-User", (ip_network("10.0.0.0/8"),)),
        )
    )  # fmt: skip
    return guarded(access=access, client=(client, 40000))


@pytest.mark.parametrize("client", ["10.1.2.3", "::ffff:10.1.2.3"])
def test_proxy_that_names_a_reader__is_believed(client: str) -> None:
    assert ask(by_proxy(client), x_forwarded_user="m.okafor").status_code == 200


@pytest.mark.parametrize(
    ("client", "user"), [("203.0.113.9", "m.okafor"), ("10.1.2.3", " "), ("10.1.2.3", "")]
)
def test_header_from_elsewhere__or_empty__is_not(client: str, user: str) -> None:
    answer = ask(by_proxy(client), x_forwarded_user=user)

    assert answer.status_code == 401
    assert "did not come by the proxy" in answer.text


def test_address_that_the_connection_came_in_by__is_as_good_as_a_name() -> None:
    access = Access(host="0.0.0.0", token=Source())  # noqa: S104 -- with a token
    asker = Asker(Scene(), access=access, client=OUTSIDE)

    assert asker.ask("/", base="http://10.9.8.7", authorization=f"Bearer {TOKEN}").status_code == 200
    assert asker.ask("/", base="http://10.9.8.7", host="evil.example").status_code == 421


def test_page_that_anybody_could_read__can_t_be_made() -> None:
    with pytest.raises(ValueError, match="token or a proxy"):
        Access(host="0.0.0.0")  # noqa: S104 -- refused
