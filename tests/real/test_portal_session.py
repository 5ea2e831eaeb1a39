"""A log-in that is kept: used by the next canary, renewed when the portal no longer takes it, and never readable."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from canary.hop import Hop
from canary.observation import Outcome
from canary.reason import Reason, Side
from probes.portal.settings import Session
from probes.portal.steps import By, Click, Fill, Hidden, Locator, Step, Template, Wait
from tests.real.portal_scene import FORM, THANKS, Seen, Source, Stage, settings, staged
from tests.real.scripted_http import HTML, Reply, Request, Site, running
from tests.real.servers.needed import CHROMIUM

pytestmark = [pytest.mark.real, pytest.mark.browser]

PASSWORD = "l0g-in-Passw0rd"
LOG_IN = """<!doctype html><html><head><title>Log in</title></head><body><h1>Please log in</h1>
<form method="post" action="/login"><label>User name <input name="username"></label>
<label>Password <input type="password" name="password"></label><button>Log in</button></form></body></html>"""
LOGIN = (
    Step(1, Fill(Locator(By.LABEL, "User name"), Template("canary"))),
    Step(2, Fill(Locator(By.LABEL, "Password"), Hidden(Source(PASSWORD)))),
    Step(3, Click(Locator(By.ROLE, "button", name="Log in"))),
    Step(4, Wait(shown=Locator(By.LABEL, "Subject"))),
)


@dataclass
class Portal:
    """A portal whose form needs a session."""

    valid: set[str] = field(default_factory=set)
    revoked: set[str] = field(default_factory=set)
    form_is_public: bool = False
    log_ins: int = 0

    def site(self) -> Site:
        return Site({"GET /": self._first, "POST /login": self._log_in, "POST /requests": self._sent})

    def _is_known(self, request: Request) -> bool:
        return request.headers.get("cookie", "").removeprefix("sid=") in self.valid

    def revoke(self) -> None:
        """From now on, whoever comes with such a session is refused, without a word of a log-in."""
        self.revoked |= self.valid
        self.valid.clear()

    def _first(self, request: Request) -> Reply:
        session = request.headers.get("cookie", "").removeprefix("sid=")
        if session in self.revoked:
            return Reply(403, "<h1>Forbidden</h1>")
        is_let_in = self._is_known(request) or (self.form_is_public and bool(session))
        return Reply(body=FORM if is_let_in else LOG_IN)

    def _log_in(self, _: Request) -> Reply:
        self.log_ins += 1
        session = f"sess1on-{self.log_ins}-5e6f7a8b"
        self.valid.add(session)
        return Reply(303, "", {**HTML, "Location": "/", "Set-Cookie": f"sid={session}; HttpOnly; Path=/"})

    def _sent(self, request: Request) -> Reply:
        return Reply(body=THANKS if self._is_known(request) else LOG_IN)


def canaries(
    tmp_path: Path, how: Session, number: int, between: Callable[[Portal, Stage], None] = lambda *_: None
) -> tuple[Portal, list[Seen]]:
    CHROMIUM.require()
    portal = Portal()

    async def told() -> list[Seen]:
        seen = []
        async with running(portal.site()) as site, staged(tmp_path) as stage:
            for position in range(number):
                if position:
                    between(portal, stage)
                seen.append(await stage.launched(settings(f"{site.url}/", login=LOGIN, session=how)))
        return seen

    return portal, asyncio.run(told())


@pytest.mark.parametrize(("how", "log_ins"), [(Session.NONE, 2), (Session.MEMORY, 1), (Session.FILE, 1)])
def test_second_canary__logs_in_only_if_nothing_was_kept(tmp_path: Path, how: Session, log_ins: int) -> None:
    portal, seen = canaries(tmp_path, how, 2)

    assert all(one.is_confirmed for one in seen), [one.story() for one in seen]
    assert portal.log_ins == log_ins
    said = seen[1].last(Hop.PORTAL_LOGIN).detail
    assert ("still holds" in said) == (log_ins == 1)


@pytest.mark.parametrize("how", [Session.MEMORY, Session.FILE])
def test_session_that_the_portal_ended__is_renewed_by_the_same_canary__which_is_confirmed(
    tmp_path: Path, how: Session
) -> None:
    portal, seen = canaries(tmp_path, how, 3, lambda portal, _: portal.valid.clear())

    assert all(one.is_confirmed for one in seen), [one.story() for one in seen]
    assert portal.log_ins == 3
    assert not [one for one in seen[1].observations if one.outcome is Outcome.FAILED and one.rules_out_ticket]


def test_session_of_which_the_portal_says_nothing_but_no__is_renewed_by_the_same_canary(
    tmp_path: Path,
) -> None:
    portal, seen = canaries(tmp_path, Session.FILE, 3, lambda portal, _: portal.revoke())

    assert all(one.is_confirmed for one in seen), [one.story() for one in seen]
    assert portal.log_ins == 3


def test_session_that_ends_with_the_submit__is_not_used_again(tmp_path: Path) -> None:
    portal = Portal(form_is_public=True)

    async def told() -> list[Seen]:
        async with running(portal.site()) as site, staged(tmp_path) as stage:
            of = settings(f"{site.url}/", login=LOGIN, session=Session.MEMORY)
            seen = [await stage.launched(of)]
            portal.valid.clear()
            return [*seen, await stage.launched(of), await stage.launched(of)]

    first, second, third = asyncio.run(told())

    assert first.is_confirmed
    assert (second.end.hop, second.end.reason) == (Hop.PORTAL_CONFIRMATION, Reason.SESSION_EXPIRED)
    assert second.end.side is Side.PROBER
    assert third.is_confirmed, third.story()


def test_session_that_ends_with_the_submit__is_told__is_told__and_nothing_is_sent_twice(
    tmp_path: Path,
) -> None:
    portal, sent = Portal(), []

    async def told() -> list[Seen]:
        site = portal.site()

        def expired(request: Request) -> Reply:
            sent.append(request)
            portal.valid.clear()
            return Reply(body=LOG_IN)

        async with running(site), staged(tmp_path) as stage:
            of = settings(f"{site.url}/", login=LOGIN, session=Session.MEMORY)
            first = await stage.launched(of)
            site.answers["POST /requests"] = expired
            return [first, await stage.launched(of)]

    CHROMIUM.require()
    first, second = asyncio.run(told())

    assert first.is_confirmed
    assert second.end.reason is Reason.SESSION_EXPIRED, second.story()
    assert not second.end.rules_out_ticket
    assert len(sent) == 1


def test_session_file__is_of_the_key__and_holds_nothing_readable(tmp_path: Path) -> None:
    _, seen = canaries(tmp_path, Session.FILE, 1)

    assert seen[0].is_confirmed
    (file,) = (tmp_path / "sessions").iterdir()
    assert not [
        word for word in (b"sess1on", b"sid", b"127.0.0.1", PASSWORD.encode()) if word in file.read_bytes()
    ]
