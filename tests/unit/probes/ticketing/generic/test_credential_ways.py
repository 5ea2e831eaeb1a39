"""Where our credential goes, how often it is shown when it is refused, and how long it is masked."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from canary.observation import Depth
from probes.contracts import Blind
from probes.masking import Masker
from probes.ticketing.generic.adapter import Generic
from tests.contracts.ticketing_contract import new_canary
from tests.fakes.answers import Answering
from tests.fakes.clock import FakeClock, run_jumping
from tests.generic_desks import configured, opened

REST = """
url: https://desk.acme.test
ticket: {id: id, subject: subject}
cleanup: none
find: {all: {get: /tickets, rows: tickets}}
sight: {get: /me, must: id}
"""
LOG_IN = """
auth:
  exchange: {post: /login, json: {key: "{{ secret.key }}"}, take: {token: token, lifetime: lifetime}}
  headers: {X-Token: "{{ auth.token }}"}
"""


class Desk:
    """A system with one user; what it answers is set by the test."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.masker = Masker()
        self.requests: list[httpx.Request] = []
        self.good = "the-good-key"
        self.lifetime = 600
        self.told: dict[str, str] = {}
        self.refused: set[str] = set()
        self.told_by_tickets: dict[str, object] = {"tickets": []}

    def paths(self) -> list[str]:
        return [one.url.path for one in self.requests]

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if request.url.path == "/login":
            if self.good.encode() not in request.content:
                return httpx.Response(401, json={"error": "wrong password"})
            token = f"token-number-{self.paths().count('/login')}"
            return httpx.Response(200, json={"token": token, "lifetime": self.lifetime, **self.told})
        if request.url.path in self.refused:
            return httpx.Response(401, json={})
        return httpx.Response(200, json={**self.told_by_tickets, "id": 1})

    def run(
        self,
        folder: Path,
        work: Callable[[Generic], Awaitable[None]],
        auth: str = LOG_IN,
        *,
        rest: str = REST,
    ) -> None:
        generic = configured(folder, f"secrets: {{key: {{file: {folder}/key}}}}\n{auth}{rest}")

        async def main() -> None:
            transport = Answering(self.handle)
            async with opened(generic, clock=self.clock, masker=self.masker, transport=transport) as system:
                await work(system)

        run_jumping(self.clock, main())

    async def look(self, system: Generic) -> str:
        """What a look says that is blind; else nothing."""
        try:
            await system.find([new_canary(self.clock.now())], Depth.DEADLINE)
        except Blind as error:
            return str(error)
        return ""


def keyed(folder: Path, key: str) -> None:
    (folder / "key").write_text(key)
    (folder / "key").chmod(0o600)


def test_wrong_password__is_tried_less_and_less_often(tmp_path: Path) -> None:
    desk = Desk()
    keyed(tmp_path, "a-wrong-key")

    async def work(system: Generic) -> None:
        for _ in range(60):
            assert "wrong password" in await desk.look(system)
            desk.clock.advance(5.0)

    desk.run(tmp_path, work)

    assert desk.paths() == ["/login"] * 4  # at 0, 30, 90 and 210 s


def test_password_that_was_changed__is_tried_at_once(tmp_path: Path) -> None:
    desk = Desk()
    keyed(tmp_path, "a-wrong-key")

    async def work(system: Generic) -> None:
        assert await desk.look(system)
        keyed(tmp_path, "the-good-key")
        assert await desk.look(system) == ""

    desk.run(tmp_path, work)


def test_fixed_credential__waits_as_well(tmp_path: Path) -> None:
    desk = Desk()
    keyed(tmp_path, "a-wrong-key")
    desk.refused = {"/tickets", "/me"}

    async def work(system: Generic) -> None:
        for _ in range(5):
            assert "refused" in await desk.look(system)
            desk.clock.advance(1.0)

    desk.run(tmp_path, work, 'auth: {headers: {X-Key: "{{ secret.key }}"}}\n')

    assert desk.paths() == ["/tickets"] * 2


def test_place_that_never_let_us_in__keeps_nobody_from_the_others(tmp_path: Path) -> None:
    desk = Desk()
    keyed(tmp_path, "the-good-key")
    desk.refused = {"/me"}

    async def work(system: Generic) -> None:
        for _ in range(3):
            assert await desk.look(system)
            desk.clock.advance(1.0)

    desk.run(tmp_path, work)

    assert desk.paths().count("/tickets") == 3


@pytest.mark.parametrize(
    ("place", "hosts"),
    [
        ("http://desk.acme.test", "hosts: [desk.acme.test]"),
        ("https://evil.test", "hosts: [desk.acme.test]"),
        ("https://evilacme.test", "hosts: [acme.test]"),
        ("https://[bad/", "hosts: [acme.test]"),
        ("ftp://eu.acme.test", "hosts: [acme.test]"),
    ],
)
def test_log_in_that_sends_us_elsewhere__is_not_followed(tmp_path: Path, place: str, hosts: str) -> None:
    desk = Desk()
    keyed(tmp_path, "the-good-key")
    desk.told = {"place": place}
    auth = LOG_IN.replace("lifetime: lifetime", "url: place").replace("auth:\n", f"auth:\n  {hosts}\n")

    async def work(system: Generic) -> None:
        assert "not shown there" in await desk.look(system)

    desk.run(tmp_path, work, auth)

    assert desk.paths() == ["/login"]


def test_tokens_that_were_replaced__are_masked_for_an_hour_and_not_for_ever(tmp_path: Path) -> None:
    desk = Desk()
    keyed(tmp_path, "the-good-key")

    async def work(system: Generic) -> None:
        for _ in range(30):
            assert await desk.look(system) == ""
            desk.clock.advance(600.0)

    desk.run(tmp_path, work)

    assert desk.paths().count("/login") == 30
    assert desk.masker.mask("token-number-1 then token-number-30") == "token-number-1 then ***"
    assert desk.masker.mask("token-number-26") == "***"


def test_error_in_an_answer_that_the_request_calls_ok__is_still_an_error(tmp_path: Path) -> None:
    desk = Desk()
    keyed(tmp_path, "the-good-key")
    desk.told_by_tickets = {"error": {"code": "E_SESSION", "message": "session over"}}
    rules = "failures:\n  - {status: 200, pick: error.code, equals: [E_SESSION], means: auth}\n"

    async def work(system: Generic) -> None:
        assert "session over" in await desk.look(system)

    desk.run(tmp_path, work, LOG_IN + rules, rest=REST.replace("get: /tickets,", "get: /tickets, ok: [200],"))
