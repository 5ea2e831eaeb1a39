"""An incident that flaps and works swallows no other outage, is told of when it fails again, and says no false word."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from canary.alert import AlertTransition, Severity
from canary.incident import Change, Incident, Progress, Transition
from canary.path import Path
from canary.verdict import Verdict
from runners.asking import Seen, working_beside
from runners.contracts import PathFacts
from runners.states import PathState, view_path
from tests.unit.runners.test_alerting import Scene, form_path, mail_path
from tests.unit.runners.test_alerting_at_risk import risks
from tests.unit.runners.test_alerting_at_risk import scene as busy

HOUR = timedelta(hours=1)
MAIL, FORM = mail_path(), form_path()


def grown(s: Scene, incident: Incident) -> Incident:
    """As the fold leaves it in the store, without a change."""
    progress = Progress(target=incident, confirmed=(s.clock.now(),))

    async def store() -> None:
        _, version = await s.store.progress(incident.path)
        await s.store.store_progress(incident.path, progress, version=version, changes=[], at=s.clock.now())

    asyncio.run(store())
    return incident


def proving(s: Scene, path: Path = MAIL) -> Incident:
    """One that was told of, and has come through for an hour."""
    incident = replace(s.opened(path), relapses=1)
    s.change(path.name, Progress(target=incident), Change(incident, Transition.CHANGED))
    s.heard()
    works_from = s.clock.now()
    s.clock.advance(3600)
    return grown(s, replace(incident, works_from=works_from))


def test_outage_of_another_path__pages_though_one_of_its_cause_still_proves_itself() -> None:
    s = Scene(paths=(MAIL, FORM), sinks=frozenset({"pager"}))
    proving(s)

    second = s.opened(FORM)

    (alert,) = [one for one in s.heard() if one.sink == "pager"]
    assert (alert.transition, alert.severity) == (AlertTransition.OPENED, Severity.PAGE)
    assert alert.concern.paths == (FORM.name,)
    s.resolved(second)
    assert [(one.transition, one.key) for one in s.heard() if one.sink == "pager"] == [
        (AlertTransition.RESOLVED, alert.key)
    ]


def test_failure_while_it_proves_itself__is_told_as_a_change() -> None:
    s = Scene(paths=(MAIL,), sinks=frozenset({"pager"}))
    incident = proving(s)
    s.review()
    s.heard()

    grown(s, replace(incident, works_from=None, broke_again=1))
    s.review()

    (alert,) = [one for one in s.heard() if one.sink == "pager"]
    assert alert.transition is AlertTransition.CHANGED
    assert "it failed again" in alert.concern.detail


def test_path_that_works_though_it_flaps__is_named_to_customers() -> None:
    form = replace(FORM, ticketing="other-desk")
    s = Scene(paths=(MAIL, form), sinks=frozenset({"pager"}))
    proving(s, form)

    s.opened(MAIL)

    assert {one.working for one in s.heard()} == {(form.name,)}


def test_state_of_a_path_that_works_though_it_flaps__says_so() -> None:
    s = Scene(paths=(MAIL,))
    lasting = proving(s)

    now = s.clock.now()
    facts = PathFacts(now, now, now, ((now, Verdict.CONFIRMED),))

    view = view_path(MAIL, facts, incidents=[lasting], recent=[], gauges=[], now=now)
    failing = replace(lasting, works_from=None)
    broken = view_path(MAIL, facts, incidents=[failing], recent=[], gauges=[], now=now)

    assert (view.state, broken.state) == (PathState.BROKEN, PathState.BROKEN)
    assert "it flaps, and has come through since 2026-" in view.why
    paths = {MAIL.name: MAIL}
    assert working_beside([Seen(view, facts)], [lasting], paths) == (MAIL.name,)
    assert working_beside([Seen(broken, facts)], [failing], paths) == ()


def test_tickets_at_risk__are_those_of_the_time_in_which_it_failed() -> None:
    s = busy()
    incident = proving(s)
    s.review()
    s.heard()

    grown(s, replace(incident, bisected=None, works_from=incident.works_from, failures=9))
    s.clock.advance(4 * 3600)
    s.review()

    assert risks(s) == risks_at_opening()


def risks_at_opening() -> list[float | None]:
    s = busy()
    s.opened(MAIL)
    return risks(s)
