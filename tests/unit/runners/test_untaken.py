"""A page that no sink takes: it is tried again while it lasts, and the prober says that it does not do its work."""

import asyncio

from canary.alert import AlertKind, AlertTransition
from runners.alerting import Alerting
from tests.fakes.clock import START
from tests.unit.runners.test_alerting import Scene, mail_path

OPENED, CHANGED, REMINDER, RESOLVED = AlertTransition
PAGER = frozenset({"pager"})


def refuse(scene: Scene, sink: str = "pager") -> int:
    """The sink refuses for good whatever is due; returns how much that was."""

    async def main() -> int:
        taken = await scene.store.claim_alerts(
            scene.clock.now(), sinks=[sink], holder="x", lease_until=scene.clock.now(), limit=50
        )
        for one in taken:
            await scene.store.alert_given_up(
                one.alert.id, at=scene.clock.now(), error=f"{sink}: 400 invalid key"
            )
        return len(taken)

    return asyncio.run(main())


def reviewed(scene: Scene) -> Alerting:
    made = scene.alerting()
    asyncio.run(made.review())
    return made


def test_page_that_the_only_sink_refuses__is_said_after_five_minutes_and_until_it_is_taken() -> None:
    mail = mail_path()
    s = Scene(paths=(mail,), sinks=PAGER)
    s.opened(mail)
    refuse(s)
    s.clock.advance(299)
    assert reviewed(s).untaken == []
    s.clock.advance(1)

    assert reviewed(s).untaken == [
        f"no sink took the page of {START:%H:%M} UTC, incident/ticketing/desk: pager: 400 invalid key"
    ]
    assert [one.transition for one in s.heard()] == [OPENED]
    assert reviewed(s).untaken == []


def test_page_that_was_refused__is_tried_every_five_minutes_while_it_lasts_and_no_longer() -> None:
    mail = mail_path()
    s = Scene(paths=(mail,), sinks=PAGER)
    incident = s.opened(mail)
    tried = 0
    for _ in range(25):
        tried += refuse(s)
        s.clock.advance(60)
        s.review()
    s.resolved(incident)
    heard = [one.transition for one in s.heard()]
    s.clock.advance(600)

    assert tried == 5
    assert heard in ([RESOLVED], [OPENED, RESOLVED])
    assert reviewed(s).untaken == []
    assert s.heard() == []


def test_page_that_another_sink_took__is_no_problem_and_is_tried_again_all_the_same() -> None:
    mail = mail_path()
    s = Scene(paths=(mail,), sinks=frozenset({"pager", "chat"}))
    s.opened(mail)
    refuse(s)
    s.heard()
    s.clock.advance(301)

    assert reviewed(s).untaken == []
    assert ("pager", OPENED) in {
        (one.sink, one.transition) for one in s.heard() if one.concern.kind is AlertKind.INCIDENT
    }


def test_page_that_only_waits__is_said_when_it_is_overdue() -> None:
    mail = mail_path()
    s = Scene(paths=(mail,), sinks=PAGER)
    s.opened(mail)
    s.clock.advance(301)

    (words,) = reviewed(s).untaken

    assert words.endswith(": pager: it waits")


def test_page_of_a_sink_that_is_not_configured_here__is_for_others_to_say() -> None:
    mail = mail_path()
    s = Scene(paths=(mail,), sinks=PAGER)
    s.opened(mail)
    refuse(s)
    s.clock.advance(600)
    s.sinks = frozenset()

    assert reviewed(s).untaken == []
    assert refuse(s) == 0


def test_end_that_a_sink_refuses__is_tried_again_for_a_day_and_said() -> None:
    mail = mail_path()
    s = Scene(paths=(mail,), sinks=PAGER)
    incident = s.opened(mail)
    s.heard()
    s.clock.advance(600)
    s.resolved(incident)
    ended_at = s.clock.now()
    tried, said = refuse(s), 0
    for _ in range(2 * 25):
        s.clock.advance(1800)
        said += reviewed(s).untaken == [
            f"no sink took the end of {ended_at:%H:%M} UTC of the page incident/ticketing/desk: pager: 400 invalid key"
        ]
        tried += refuse(s)

    assert (tried, said) == (1 + 48, 48)
    assert reviewed(s).untaken == []
    assert s.heard() == []


def test_end_that_was_refused__is_heard_once_the_key_is_mended() -> None:
    mail = mail_path()
    s = Scene(paths=(mail,), sinks=PAGER)
    incident = s.opened(mail)
    s.heard()
    s.clock.advance(600)
    s.resolved(incident)
    refuse(s)
    s.clock.advance(300)
    s.review()

    assert [one.transition for one in s.heard()] == [RESOLVED]
    s.clock.advance(300)
    assert reviewed(s).untaken == []
    assert s.heard() == []


def test_end_that_another_sink_took__is_tried_again_and_no_problem_of_the_prober() -> None:
    mail = mail_path()
    s = Scene(paths=(mail,), sinks=frozenset({"pager", "chat"}))
    incident = s.opened(mail)
    s.heard()
    s.clock.advance(600)
    s.resolved(incident)
    refuse(s)
    s.heard()
    s.clock.advance(301)

    assert reviewed(s).untaken == []
    assert ("pager", RESOLVED) in {
        (one.sink, one.transition) for one in s.heard() if one.concern.kind is AlertKind.INCIDENT
    }


def test_end_of_what_a_sink_never_took__is_not_tried_again() -> None:
    mail = mail_path()
    s = Scene(paths=(mail,), sinks=PAGER)
    incident = s.opened(mail)
    refuse(s)
    s.resolved(incident)
    refuse(s)
    s.clock.advance(600)

    assert reviewed(s).untaken == []
    assert s.heard() == []
