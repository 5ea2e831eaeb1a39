"""Log-ins of every kind that the configuration can say, and what is told when one is refused."""

import asyncio
import base64
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from canary.observation import Depth
from probes.contracts import Blind
from probes.masking import Masker
from tests.contracts.ticketing_contract import new_canary
from tests.fakes.answers import Answering
from tests.fakes.clock import FakeClock, run_jumping
from tests.generic_desks import configured, opened

SECRET = "secret-of-the-auth-tests"
REST = """
url: https://desk.acme.test/base
secrets: {key: {env: KEY}}
ticket: {id: id, subject: subject}
cleanup: none
find: {all: {get: /tickets, rows: tickets}}
"""
Handler = Callable[[httpx.Request], httpx.Response]


class Server:
    """Answers log-ins as told, and every list with nothing."""

    def __init__(self, login: Handler = lambda _: httpx.Response(500)) -> None:
        self.requests: list[httpx.Request] = []
        self.login = login
        self.statuses: list[int] = []

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if not request.url.path.endswith("/tickets"):
            return self.login(request)
        status = self.statuses.pop(0) if self.statuses else 200
        return httpx.Response(status, json={"tickets": []})

    @property
    def last(self) -> httpx.Request:
        return [one for one in self.requests if one.url.path.endswith("/tickets")][-1]


OAUTH = "{oauth: {token_url: /token, client_id: prober, client_secret: {env: KEY}}}"


def log_in_of_many() -> Handler:
    """Gives out another token each time."""
    count = itertools.count(1)
    return lambda _: httpx.Response(200, json={"access_token": f"token-number-{next(count)}"})


def looked(
    tmp_path: Path, auth: str, server: Server, *, looks: int = 1, seconds: float = 0.0, at_once: bool = False
) -> Masker:
    clock, masker = FakeClock(), Masker()
    generic = configured(tmp_path, f"auth: {auth}{REST}", {"KEY": SECRET})

    async def main() -> None:
        async with opened(generic, clock=clock, masker=masker, transport=Answering(server.handle)) as system:
            canaries = [new_canary(clock.now())]
            if at_once:
                async with asyncio.TaskGroup() as group:
                    for _ in range(looks):
                        group.create_task(system.find(canaries, Depth.POLL))
                return
            for _ in range(looks):
                await system.find(canaries, Depth.POLL)
                clock.advance(seconds)

    run_jumping(clock, main())
    return masker


@pytest.mark.parametrize(
    ("status", "content", "words"),
    [
        (400, b'{"error": "invalid_client"}', "credential is refused"),
        (401, b"{}", "credential is refused"),
        (200, b'{"error": "invalid_client"}', "without it"),
        (200, b'{"access_token": ""}', "without it"),
        (200, b"<html>log in here</html>", "web page instead of JSON"),
        (200, b"<html>log in here</html>", "desk: ticketing.desk.auth.oauth: POST http"),
        (500, b"", "the system fails"),
        (403, b'{"error": "origin not allowed"}', 'answered 403 and says "origin not allowed"'),
    ],
)
def test_log_in_that_is_refused__is_blind_and_shows_no_secret(
    tmp_path: Path, status: int, content: bytes, words: str
) -> None:
    server = Server(lambda _: httpx.Response(status, content=content))
    auth = "{oauth: {token_url: /token, client_id: prober, client_secret: {env: KEY}}}"

    with pytest.raises(Blind) as caught:
        looked(tmp_path, auth, server)

    assert words in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        ('{bearer: "{{ secret.key }}"}', "authorization", f"Bearer {SECRET}"),
        ('{headers: {X-Api-Key: "{{ secret.key }}"}}', "x-api-key", SECRET),
        (
            '{basic: {username: "it\'s me", password: "{{ secret.key }}"}}',
            "authorization",
            f"Basic {base64.b64encode(f'it{chr(39)}s me:{SECRET}'.encode()).decode()}",
        ),
    ],
    ids=["bearer", "header", "basic"],
)
def test_fixed_credential__is_on_the_call_and_masked_everywhere(
    tmp_path: Path, auth: str, header: str, value: str
) -> None:
    server = Server()

    masker = looked(tmp_path, auth, server)

    assert server.last.headers[header] == value
    assert SECRET not in masker.mask(f"it was {value}")


def test_credential_in_the_query__stands_beside_the_other_parameters(tmp_path: Path) -> None:
    server = Server()

    looked(tmp_path, '{query: {api_key: "{{ secret.key }}"}}', server)

    assert server.last.url.params["api_key"] == SECRET


@pytest.mark.parametrize("style", ["form", "basic"])
def test_client_credentials__are_exchanged_for_a_bearer_token(tmp_path: Path, style: str) -> None:
    server = Server(
        lambda _: httpx.Response(200, json={"access_token": "token-given-out", "expires_in": 600})
    )
    auth = f"{{oauth: {{token_url: /token, client_id: prober, client_secret: {{env: KEY}}, scope: read, style: {style}}}}}"

    masker = looked(tmp_path, auth, server)

    asked = server.requests[0]
    form = {name: one[0] for name, one in parse_qs(asked.content.decode()).items()}
    assert (form["grant_type"], form["scope"]) == ("client_credentials", "read")
    if style == "form":
        assert (form["client_id"], form["client_secret"]) == ("prober", SECRET)
    else:
        assert (
            base64.b64decode(asked.headers["authorization"].removeprefix("Basic ")).decode()
            == f"prober:{SECRET}"
        )
    assert server.last.headers["authorization"] == "Bearer token-given-out"
    assert "token-given-out" not in masker.mask("it was token-given-out")


def test_token__is_had_anew_before_it_ends_and_not_earlier(tmp_path: Path) -> None:
    server = Server(
        lambda _: httpx.Response(200, json={"access_token": "token-given-out", "expires_in": 600})
    )
    auth = "{oauth: {token_url: /token, client_id: prober, client_secret: {env: KEY}}}"

    looked(tmp_path, auth, server, looks=3, seconds=300.0)

    assert len([one for one in server.requests if one.url.path.endswith("/token")]) == 2


def test_several_calls_at_once__log_in_once(tmp_path: Path) -> None:
    server = Server(
        lambda _: httpx.Response(200, json={"access_token": "token-given-out", "expires_in": 600})
    )
    auth = "{oauth: {token_url: /token, client_id: prober, client_secret: {env: KEY}}}"

    looked(tmp_path, auth, server, looks=5, at_once=True)

    assert len([one for one in server.requests if one.url.path.endswith("/token")]) == 1


def test_fixed_credential_that_stays_refused__is_tried_twice_and_not_called_renewed(tmp_path: Path) -> None:
    server = Server()
    server.statuses = [401] * 9

    with pytest.raises(Blind) as caught:
        looked(tmp_path, '{bearer: "{{ secret.key }}"}', server)

    assert caught.value.status == 401
    assert "renewed" not in str(caught.value)
    assert len(server.requests) == 2


def test_log_in_whose_calls_stay_refused__is_had_anew_once_and_says_so(tmp_path: Path) -> None:
    server = Server(log_in_of_many())
    server.statuses = [401] * 9

    with pytest.raises(Blind, match="also after it was renewed"):
        looked(tmp_path, OAUTH, server)

    assert len(server.requests) == 4


def test_log_in_of_several_requests__passes_on_what_it_took(tmp_path: Path) -> None:
    def login(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json={}, headers={"X-Csrf": "csrf-of-the-page"})
        assert request.headers["x-csrf"] == "csrf-of-the-page"
        assert parse_qs(request.content.decode()) == {"password": [SECRET]}
        return httpx.Response(204, headers={"Set-Cookie": "sid=session-of-ours; Path=/"})

    auth = """
      exchange:
        - {get: /login, take: {csrf: {header: X-Csrf}}}
        - post: /login
          headers: {X-Csrf: "{{ auth.csrf }}"}
          form: {password: "{{ secret.key }}"}
          take: {sid: {header: Set-Cookie, regex: "sid=([^;]+)"}}
      headers: {X-Sid: "{{ auth.sid }}"}"""
    server = Server(login)

    looked(tmp_path, auth, server)

    assert server.last.headers["x-sid"] == "session-of-ours"
    assert server.last.headers["cookie"] == "sid=session-of-ours"


def test_log_in_that_tells_where_the_system_is__moves_the_calls_there(tmp_path: Path) -> None:
    told = {"access_token": "token-given-out", "instance_url": "https://eu7.acme.test"}
    server = Server(lambda _: httpx.Response(200, json=told))
    auth = """
      hosts: [acme.test]
      exchange: {post: "https://login.acme.test/token", take: {token: access_token, url: instance_url}}
      bearer: "{{ auth.token }}\""""

    looked(tmp_path, auth, server)

    assert [one.url.host for one in server.requests] == ["login.acme.test", "eu7.acme.test"]


def test_redirect_to_another_place__is_not_followed_with_our_credential(tmp_path: Path) -> None:
    server = Server()
    server.handle = lambda request: httpx.Response(302, headers={"Location": "https://evil.test/tickets"})  # type: ignore[method-assign]  # noqa: ARG005

    with pytest.raises(Blind, match="another place"):
        looked(tmp_path, '{bearer: "{{ secret.key }}"}', server)


def test_signed_assertion__is_of_now_and_verifies(tmp_path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "key.pem").write_bytes(pem)
    server = Server(lambda _: httpx.Response(200, json={"access_token": "token-given-out"}))
    auth = """
      jwt: {alg: RS256, key: {file: key.pem}, claims: {iss: prober, aud: "https://desk.acme.test"}, headers: {kid: k1}}
      exchange: {post: /token, form: {assertion: "{{ auth.jwt }}"}, take: {token: access_token}}
      bearer: "{{ auth.token }}\""""

    looked(tmp_path, auth, server)

    (assertion,) = parse_qs(server.requests[0].content.decode())["assertion"]
    claims = jwt.decode(
        assertion,
        key.public_key(),
        algorithms=["RS256"],
        audience="https://desk.acme.test",
        options={"verify_exp": False, "verify_iat": False},
    )
    assert (claims["iss"], claims["exp"] - claims["iat"]) == ("prober", 180)
    assert jwt.get_unverified_header(assertion)["kid"] == "k1"
    assert json.dumps(claims)
