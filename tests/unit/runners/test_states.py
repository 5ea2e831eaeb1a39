"""The state of a path: the first that holds of unknown, broken, stale, blind, degraded, ok."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from canary.blame import Flaw, Stop
from canary.gauge import Gauge, GaugeName, GaugeState
from canary.hop import Channel, Hop, route
from canary.incident import Incident, IncidentId, IncidentKind
from canary.path import Path, PathName, Slo
from canary.quarantine import Quarantine
from canary.reason import Reason, Side
from canary.signature import CanaryId
from canary.verdict import Verdict
from runners.asking import exit_of
from runners.cli.exits import Exit
from runners.contracts import PathFacts
from runners.history import Gist
from runners.states import PathState, PathView, view_path

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PATH = Path(
    name=PathName("p"),
    channel=Channel.EMAIL,
    route=route(Channel.EMAIL),
    slo=Slo(600.0),
    interval_seconds=600.0,
    mailbox="support",
    ticketing="desk",
)
STOP = Stop(Hop.TICKET_CREATED, Reason.NOT_SEEN, Side.TARGET)
INCIDENT = Incident(
    id=IncidentId("i"),
    path=PathName("p"),
    kind=IncidentKind.TARGET,
    first_canary=CanaryId("c"),
    onset_at=NOW - timedelta(hours=1),
    opened_at=NOW - timedelta(minutes=40),
    stop=STOP,
    impact_from=None,
    failures=2,
)


def _facts(*verdicts: Verdict, minutes_ago: float = 5) -> PathFacts:
    at = NOW - timedelta(minutes=minutes_ago)
    return PathFacts(at, at if verdicts else None, None, tuple((at, one) for one in verdicts))


def _gist(verdict: Verdict, *, slow: tuple[Hop, ...] = (), flaws: tuple[Flaw, ...] = ()) -> Gist:
    return Gist(CanaryId("aaaaaaaaaaaaaaaa"), verdict, None, slow, flaws)


def _view(facts: PathFacts, **changes: object) -> PathView:
    given: dict[str, object] = {"incidents": (), "recent": (), "gauges": (), "now": NOW, **changes}
    return view_path(PATH, facts, **given)  # type: ignore[arg-type]  # the tests' own shorthand


def test_path_without_a_verdict__is_unknown() -> None:
    assert _view(_facts()).state is PathState.UNKNOWN


def test_open_incident__is_broken_even_when_stale() -> None:
    view = _view(_facts(Verdict.BREACHED, minutes_ago=600), incidents=[INCIDENT])

    assert view.state is PathState.BROKEN
    assert view.why == "ticket.created is broken: not_seen"
    assert view.incident == INCIDENT


def test_resolved_incident__breaks_nothing() -> None:
    resolved = replace(INCIDENT, resolved_at=NOW)

    assert _view(_facts(Verdict.CONFIRMED), incidents=[resolved]).state is PathState.OK


def test_no_verdict_for_three_intervals_and_the_deadline__is_stale() -> None:
    assert _view(_facts(Verdict.CONFIRMED, minutes_ago=40)).state is PathState.OK
    assert _view(_facts(Verdict.CONFIRMED, minutes_ago=41)).state is PathState.STALE


def test_path_without_schedule__is_never_stale() -> None:
    by_hand = replace(PATH, interval_seconds=None)

    view = view_path(
        by_hand, _facts(Verdict.CONFIRMED, minutes_ago=9999), incidents=[], recent=[], gauges=[], now=NOW
    )

    assert view.state is PathState.OK


@pytest.mark.parametrize(
    ("only", "state"),
    [
        (Verdict.INCONCLUSIVE, PathState.BLIND),
        (Verdict.BREACHED, PathState.UNKNOWN),
        (Verdict.LOST, PathState.UNKNOWN),
    ],
)
def test_path_of_which_nothing_was_ever_proved__is_not_well__and_blind_only_where_nothing_was_seen(
    only: Verdict, state: PathState
) -> None:
    view = _view(_facts(only))

    assert view.state is state
    assert view.is_unproved
    assert exit_of([view]) is Exit.BLIND
    assert view.why.startswith("no canary was confirmed yet")


def test_last_two_inconclusive__is_blind() -> None:
    assert _view(_facts(Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE)).state is PathState.BLIND
    assert _view(_facts(Verdict.INCONCLUSIVE, Verdict.CONFIRMED)).state is PathState.OK


def test_slow_or_flawed_canaries__that_meet_the_rule__are_degraded() -> None:
    slow = _gist(Verdict.CONFIRMED, slow=(Hop.SMTP_ACCEPT,))
    flawed = _gist(Verdict.CONFIRMED, flaws=(Flaw(Hop.MAILBOX_ARRIVAL, Reason.MISROUTED),))
    good = _gist(Verdict.CONFIRMED)
    blind = _gist(Verdict.INCONCLUSIVE)

    view = _view(_facts(Verdict.CONFIRMED), recent=[slow, blind, good, flawed])

    assert view.state is PathState.DEGRADED
    assert view.why == "2 of the last 3 canaries were slow or flawed: smtp.accept slow"
    assert _view(_facts(Verdict.CONFIRMED), recent=[slow, good, good, flawed]).state is PathState.OK


def test_gauge_of_a_place_of_the_path__at_warn__is_degraded() -> None:
    gauge = Gauge("support", GaugeName.MAILBOX_CAPACITY, 81.0, "By", 100.0, NOW, GaugeState.WARN)

    view = _view(_facts(Verdict.CONFIRMED), gauges=[gauge])

    assert view.state is PathState.DEGRADED
    assert view.why == "mailbox.capacity of support is at warn"
    assert _view(_facts(Verdict.CONFIRMED), gauges=[replace(gauge, place="elsewhere")]).state is PathState.OK


def test_path_that_stands_still_for_its_quarantine__is_stale_for_that_and_not_for_a_prober_that_is_gone() -> (
    None
):
    held = replace(PATH, quarantine_misses=3)
    three = Quarantine(3, NOW - timedelta(hours=2))

    view = view_path(
        held,
        _facts(Verdict.CONFIRMED, minutes_ago=41),
        incidents=[],
        recent=[],
        gauges=[],
        now=NOW,
        quarantine=three,
    )

    assert view.state is PathState.STALE
    assert view.why == "no verdict for 41 min: its tickets are not kept in quarantine"
    assert view.quarantine.endswith("until a canary of `run PATH` bears it")


def test_miss_of_quarantine__is_told_and_changes_no_state() -> None:
    view = _view(_facts(Verdict.CONFIRMED), quarantine=Quarantine(1, NOW))

    assert view.state is PathState.OK
    assert view.why == ""
    assert "first seen without the mark" in view.quarantine
    assert _view(_facts(Verdict.CONFIRMED)).quarantine == ""
