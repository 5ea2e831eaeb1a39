"""Processes with other sinks on one store: a rollout, a run by hand, a CronJob. Whoever hears a beginning hears its end."""

import asyncio
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from canary.alert import Alert, AlertKind, AlertTransition
from canary.blame import Stop
from canary.hop import Hop
from canary.incident import Change, Incident, Progress, Transition
from canary.reason import Reason, Side
from runners.housekeeping import Housekeeping
from runners.oneshot import OneShot, RunOptions
from runners.progress import Silent
from tests.fakes.clock import run_jumping
from tests.unit.runners.test_alerting import Scene, mail_path

OPENED, CHANGED, REMINDER, RESOLVED = AlertTransition
BOTH = frozenset({"pager", "chat"})
_FULL = Stop(Hop.MAILBOX_ARRIVAL, Reason.MAILBOX_FULL, Side.TARGET)
_MAIL = mail_path()


def story(heard: list[Alert], sink: str) -> list[tuple[int, AlertTransition]]:
    """What a sink heard of incidents."""
    return [
        (one.seq, one.transition)
        for one in heard
        if one.sink == sink and one.concern.kind is AlertKind.INCIDENT
    ]


def keep_house(scene: Scene) -> None:
    """What a daemon of this configuration does each hour."""
    made = Housekeeping(
        scene.prober(),
        scene.store,
        clock=scene.clock,
        progress=Silent(),
        alerting=scene.alerting(),
        holder="here",
    )

    async def main() -> None:
        await made.give_up_alerts()
        await made.forget()

    asyncio.run(main())


def sharpened(scene: Scene, incident: Incident) -> Incident:
    """The incident, whose blame is known better by now."""
    sharper = replace(incident, sharper=_FULL)
    scene.change(_MAIL.name, Progress(target=sharper), Change(sharper, Transition.CHANGED))
    return sharper


def test_end_that_is_settled_where_no_sink_is_configured__is_heard_by_whoever_heard_the_beginning() -> None:
    s = Scene(paths=(_MAIL,), sinks=BOTH)
    incident = s.opened(_MAIL)
    heard = s.heard()
    s.clock.advance(600)
    s.sinks = frozenset()
    s.resolved(incident)
    heard += s.heard()

    assert {sink: story(heard, sink) for sink in BOTH} == {
        sink: [(1, OPENED), (2, RESOLVED)] for sink in BOTH
    }


def test_end_that_waits_for_a_sink__outlives_a_lone_daemon_of_another_configuration_for_a_day() -> None:
    s = Scene(paths=(_MAIL,), sinks=frozenset({"pager"}))
    incident = s.opened(_MAIL)
    assert story(s.heard(), "pager") == [(1, OPENED)]
    s.clock.advance(600)
    s.sinks = frozenset()
    s.resolved(incident)
    for _ in range(23):
        s.clock.advance(3600)
        keep_house(s)

    assert story(s.heard(), "pager") == [(2, RESOLVED)]


def test_end_that_waits_for_a_sink__outlives_any_run_of_another_configuration() -> None:
    s = Scene(paths=(_MAIL,), sinks=frozenset({"pager"}))
    incident = s.opened(_MAIL)
    s.heard()
    s.clock.advance(600)
    s.sinks = frozenset()
    s.resolved(incident)
    for _ in range(2):
        shot = OneShot(s.prober(), s.store, clock=s.clock, progress=Silent())
        run_jumping(s.clock, shot.run(RunOptions(launches=False)))
        s.clock.advance(25 * 3600)

    assert story(s.heard(), "pager") == [(2, RESOLVED)]


def test_sink_that_is_put_back_while_an_incident_lasts__hears_its_end() -> None:
    s = Scene(paths=(_MAIL,), sinks=BOTH)
    incident = sharpened(s, s.opened(_MAIL))
    for sinks in (frozenset({"chat"}), BOTH):
        s.clock.advance(60)
        s.sinks = sinks
        s.review()
    s.clock.advance(60)
    s.resolved(incident)

    assert story(s.heard(), "pager") == [(1, OPENED), (2, CHANGED), (3, RESOLVED)]


_SINKS = st.frozensets(st.sampled_from(sorted(BOTH)))
_BEATS = st.tuples(st.sampled_from(["open", "sharpen", "end", "review"]), _SINKS, st.integers(1, 90))


@given(st.lists(_BEATS, max_size=15), _SINKS)
def test_whatever_sinks_each_review_has__each_key_that_opened_ends_at_each_sink_that_heard_it(
    beats: list[tuple[str, frozenset[str], int]], last: frozenset[str]
) -> None:
    s = Scene(paths=(_MAIL,), pages_per_hour=1000)
    lasting: Incident | None = None
    for what, sinks, minutes in beats:
        s.clock.advance(60 * minutes)
        s.sinks = sinks
        if what == "open" and lasting is None:
            lasting = s.opened(_MAIL)
        elif what == "sharpen" and lasting is not None:
            lasting = sharpened(s, lasting)
        elif what == "end" and lasting is not None:
            s.resolved(lasting)
            lasting = None
        else:
            s.review()
        keep_house(s)
    s.clock.advance(60)
    s.sinks = last
    if lasting is not None:
        s.resolved(lasting)
    s.review()

    told: dict[tuple[str, str], list[tuple[int, AlertTransition]]] = {}
    for one in s.heard():
        if one.concern.kind is AlertKind.INCIDENT:
            told.setdefault((one.sink, one.key), []).append((one.seq, one.transition))
    for each in told.values():
        numbers, transitions = [seq for seq, _ in each], [how for _, how in each]
        assert numbers == sorted(set(numbers))
        assert (transitions[0], transitions[-1]) == (OPENED, RESOLVED)
        assert (transitions.count(OPENED), transitions.count(RESOLVED)) == (1, 1)
