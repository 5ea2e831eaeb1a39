"""The Alertmanager sink on the real Alertmanager."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from canary.alert import Alert, AlertKind, AlertTransition, Ending
from canary.path import PathName
from runners.alerts.alertmanager import Alertmanager
from runners.alerts.contracts import Refreshed, Undelivered
from runners.alerts.posting import Poster
from runners.clock import SystemClock
from tests.fakes.clock import FakeClock
from tests.real.scripted_http import closed_port
from tests.real.servers.alertmanager import Alertmanager as Server
from tests.real.servers.alertmanager import running_alertmanager
from tests.unit.runners.alerts.cases import KNOWN, MAIL, a_concern, an_alert


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_alertmanager() as running:
        yield running


def sink(*urls: str, clock: FakeClock | None = None) -> Alertmanager:
    """It thinks that it is ``clock``'s time; requests take the machine's."""
    return Alertmanager("am", urls, Poster("am", SystemClock(), str), clock or SystemClock(), KNOWN)


def opened(key: str, **more: object) -> Alert:
    now = SystemClock().now()
    concern = a_concern(since=now - timedelta(minutes=20), **more)
    return an_alert(concern, key=key, at=now)


def ended(alert: Alert) -> Alert:
    return replace(alert, transition=AlertTransition.RESOLVED, at=SystemClock().now(), seq=2, ending=Ending())


def firing(server: Server) -> dict[str, dict[str, object]]:
    return {one["labels"]["key"]: one for one in server.alerts()}


def test_alert__fires_with_its_words_and_ends_when_it_is_resolved(server: Server) -> None:
    alert = opened("fires")
    asyncio.run(sink(server.url).deliver(alert))

    found = firing(server)["fires"]
    assert found["labels"] == {
        "alertname": "IntakePathBroken",
        "severity": "page",
        "category": "target",
        "kind": "incident",
        "subject": "incident/mailbox/support",
        "key": "fires",
        "cause": "mailbox/support",
    }
    annotations = found["annotations"]
    assert isinstance(annotations, dict)
    assert annotations["summary"] == "PAGE: support-email broken at mailbox.arrival: mailbox_full"
    assert annotations["runbook_url"] == "https://wiki.acme.example/intake"

    asyncio.run(sink(server.url).deliver(ended(alert)))

    assert "fires" not in firing(server)


def test_concern_that_grew__is_still_one_alert_and_ends_whole(server: Server) -> None:
    alert = opened("grows")
    made = sink(server.url)
    asyncio.run(made.deliver(alert))
    grown = replace(alert, concern=replace(alert.concern, paths=(MAIL, PathName("other"))), seq=2)
    asyncio.run(made.deliver(grown))

    found = [one for one in server.alerts() if one["labels"]["key"] == "grows"]
    assert [one["annotations"]["paths"] for one in found] == ["support-email, other"]

    asyncio.run(made.deliver(ended(grown)))

    assert "grows" not in firing(server)


def test_refresh__keeps_it_alive_beyond_its_five_minutes(server: Server) -> None:
    clock = FakeClock(SystemClock().now())
    made, alert = sink(server.url, clock=clock), opened("lasts")
    asyncio.run(made.deliver(alert))
    first = datetime.fromisoformat(str(firing(server)["lasts"]["endsAt"]))

    clock.advance(60)
    asyncio.run(made.refresh([alert]))

    second = datetime.fromisoformat(str(firing(server)["lasts"]["endsAt"]))
    assert (second - first).total_seconds() == pytest.approx(60, abs=0.01)
    assert isinstance(made, Refreshed)


def test_refresh_that_was_asked_for_before_the_end__does_not_open_it_again(server: Server) -> None:
    made, alert = sink(server.url), opened("over")
    asyncio.run(made.deliver(alert))
    asyncio.run(made.deliver(ended(alert)))
    asyncio.run(made.refresh([alert]))

    assert "over" not in firing(server)


def test_every_kind__is_taken(server: Server) -> None:
    for kind in AlertKind:
        asyncio.run(
            sink(server.url).deliver(opened(f"kind-{kind}", kind=kind, place="support", detail="x: “y”\n"))
        )

    assert {f"kind-{kind}" for kind in AlertKind} <= set(firing(server))


def test_one_member_that_is_down__harms_nothing_and_none_left_may_pass(server: Server) -> None:
    down = f"http://127.0.0.1:{closed_port()}"
    asyncio.run(sink(down, server.url).deliver(opened("half")))

    assert "half" in firing(server)
    with pytest.raises(Undelivered) as refused:
        asyncio.run(sink(down).deliver(opened("none")))
    assert refused.value.permanent is False
