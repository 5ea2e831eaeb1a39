"""What a prober that has just begun to watch says of what lasted when the one before it ended."""

from dataclasses import replace
from datetime import timedelta

from canary.alert import AlertKind, AlertTransition
from tests.unit.runners.test_alerting import Scene, mail_path

OPENED, CHANGED, REMINDER, RESOLVED = AlertTransition
_MAIL = mail_path()


def _told(scene: Scene) -> list[AlertTransition]:
    """What was told of the incident, but for its opening."""
    about = [one.transition for one in scene.heard() if one.concern.kind is AlertKind.INCIDENT]
    return [one for one in about if one is not OPENED]


def test_prober_that_has_just_begun__reminds_nobody_before_it_can_have_looked() -> None:
    scene = Scene(paths=(_MAIL,))
    scene.opened(_MAIL)
    scene.review()
    scene.clock.advance(6 * 3600)
    begun = replace(scene, reminds_from=scene.clock.now() + timedelta(minutes=5))

    begun.review()
    assert _told(begun) == []

    begun.clock.advance(5 * 60)
    begun.review()
    assert _told(begun) == [REMINDER, REMINDER]


def test_what_ended_while_nobody_watched__is_told_at_once() -> None:
    scene = Scene(paths=(_MAIL,))
    incident = scene.opened(_MAIL)
    scene.review()
    scene.clock.advance(6 * 3600)
    begun = replace(scene, reminds_from=scene.clock.now() + timedelta(minutes=5))
    begun.resolved(incident)

    begun.review()

    assert _told(begun) == [RESOLVED, RESOLVED]
