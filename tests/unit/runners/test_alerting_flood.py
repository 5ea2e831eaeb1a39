"""However much comes and goes, an hour has a bounded number of pages, the one about what is held back among them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from canary.alert import Alert, AlertKind, AlertTransition, Severity
from canary.blame import Stop
from canary.hop import Hop
from canary.incident import Incident
from canary.path import PathName
from canary.reason import Reason, Side
from tests.fakes.world import email_path
from tests.unit.runners.test_alerting import Scene

OPENED, CHANGED, REMINDER, RESOLVED = AlertTransition
HOUR = timedelta(hours=1)
LIMIT = 2
PATHS = tuple(replace(email_path(f"path-{n}"), ticketing=None, domain=f"{n}.example") for n in range(4))
DNS = Stop(Hop.DNS, Reason.DNS_NO_RECORD, Side.TARGET)


def flooded() -> Scene:
    """A scene in which as many pages were opened as an hour may have."""
    scene = Scene(paths=PATHS, pages_per_hour=LIMIT)
    for path in PATHS[:LIMIT]:
        scene.opened(path, DNS)
    scene.review()
    scene.heard()
    return scene


def flaps(scene: Scene, *, for_minutes: int) -> list[Alert]:
    """One path more breaks and is well again, every minute: what is heard of it."""
    found: list[Alert] = []
    for _ in range(for_minutes):
        incident = scene.opened(PATHS[-1], DNS)
        scene.review()
        scene.clock.advance(30)
        scene.resolved(incident)
        scene.review()
        scene.clock.advance(30)
        found += scene.heard()
    return found


def of_flood(heard: Sequence[Alert]) -> list[tuple[str, AlertTransition]]:
    return sorted(
        (one.sink, one.transition)
        for one in heard
        if one.concern.kind is AlertKind.FLOOD and one.transition is not REMINDER
    )


def test_path_that_flaps_above_the_limit__is_one_flood() -> None:
    heard = flaps(flooded(), for_minutes=45)

    assert of_flood(heard) == [("chat", OPENED), ("pager", OPENED)]


def test_flood__is_over_once_nothing_was_held_back_for_an_hour() -> None:
    scene = flooded()
    flaps(scene, for_minutes=1)

    scene.clock.advance(HOUR.total_seconds() - 60)
    scene.review()
    before = of_flood(scene.heard())
    scene.clock.advance(60)
    scene.review()

    assert before == []
    assert of_flood(scene.heard()) == [("chat", RESOLVED), ("pager", RESOLVED)]


@settings(max_examples=12)
@given(
    st.lists(
        st.tuples(st.integers(0, len(PATHS) - 1), st.sampled_from([20, 300, 1500])), min_size=15, max_size=40
    )
)
def test_any_opens_and_ends_for_hours__no_hour_has_more_pages_than_the_limit_and_one(
    happened: list[tuple[int, int]],
) -> None:
    scene = Scene(paths=PATHS, pages_per_hour=LIMIT)
    open_now: dict[PathName, Incident] = {}
    pages: list[datetime] = []
    for which, seconds in happened:
        path = PATHS[which]
        lasting = open_now.pop(path.name, None)
        if lasting is not None:
            scene.resolved(lasting)
        else:
            open_now[path.name] = scene.opened(path, DNS)
        scene.review()
        scene.clock.advance(seconds)
        pages += [
            one.at
            for one in scene.heard()
            if (one.sink, one.transition, one.severity) == ("pager", OPENED, Severity.PAGE)
        ]

    in_any_hour = [sum(at <= one < at + HOUR for one in pages) for at in pages]
    assert max(in_any_hour, default=0) <= LIMIT + 1
