"""What is told of a concern, to whom, and when; whatever the order of things, each story has one beginning and one end."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from canary.alert import AlertKind, AlertTransition, Concern, Severity, Subject
from canary.blame import Stop
from canary.hop import Hop
from canary.path import PathName
from canary.reason import Reason, Side
from canary.review import Notice, Review, Standing, end, review

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MAIL, FORM = PathName("support-mail"), PathName("contact-form")
OPENED, CHANGED, REMINDER, RESOLVED = AlertTransition
FULL = Concern(
    Subject("incident/mailbox/support"),
    AlertKind.INCIDENT,
    Severity.PAGE,
    NOON,
    (MAIL,),
    stop=Stop(Hop.MAILBOX_ARRIVAL, Reason.NOT_SEEN, Side.TARGET),
)


def after(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def reviewed(
    standing: Standing | None,
    concern: Concern | None,
    *,
    minutes: float = 0,
    sinks: Sequence[str] = ("pager", "chat"),
    is_silenced: bool = False,
) -> Review:
    return review(
        standing,
        concern,
        sinks=sinks,
        is_silenced=is_silenced,
        namespace="fra-1",
        now=after(minutes),
    )


def told(notices: Sequence[Notice]) -> list[tuple[str, AlertTransition]]:
    return [(one.sink, one.transition) for one in notices]


def test_new_concern__is_told_to_each_sink_under_one_key() -> None:
    first = reviewed(None, FULL)

    assert told(first.notices) == [("pager", OPENED), ("chat", OPENED)]
    assert {(one.key, one.seq) for one in first.notices} == {
        ("intake/fra-1/incident/mailbox/support/20260302T120000Z", 1)
    }


def test_same_concern_again__tells_nothing() -> None:
    first = reviewed(None, FULL)

    again = reviewed(first.standing, FULL, minutes=1)

    assert again == Review(first.standing)


def test_end__is_told_to_whoever_knows_also_while_it_is_silenced() -> None:
    first = reviewed(None, FULL, sinks=("pager",))

    over = reviewed(first.standing, None, minutes=5, is_silenced=True)

    assert over.standing is None
    assert [(one.sink, one.seq, one.transition) for one in over.notices] == [("pager", 2, RESOLVED)]


def test_silence__holds_the_opening_back_and_its_end_sends_it() -> None:
    silenced = reviewed(None, FULL, is_silenced=True)
    spoken = reviewed(silenced.standing, FULL, minutes=60)

    assert silenced.notices == ()
    assert told(spoken.notices) == [("pager", OPENED), ("chat", OPENED)]
    assert spoken.standing is not None
    assert spoken.standing.opened_at == NOON


def test_concern_that_ends_within_a_silence__is_never_heard_of() -> None:
    silenced = reviewed(None, FULL, is_silenced=True)

    assert reviewed(silenced.standing, None, minutes=5) == Review(None)


def test_change_within_a_silence__is_told_when_it_ends() -> None:
    first = reviewed(None, FULL)
    wider = replace(FULL, paths=(FORM, MAIL))
    silenced = reviewed(first.standing, wider, minutes=5, is_silenced=True)
    spoken = reviewed(silenced.standing, wider, minutes=10)

    assert silenced.notices == ()
    assert told(spoken.notices) == [("pager", CHANGED), ("chat", CHANGED)]


def test_sharper_blame_or_another_path__is_a_change() -> None:
    first = reviewed(None, FULL)
    sharper = replace(FULL, stop=Stop(Hop.MAILBOX_ARRIVAL, Reason.MAILBOX_FULL, Side.TARGET))

    assert told(reviewed(first.standing, sharper, minutes=1).notices) == [
        ("pager", CHANGED),
        ("chat", CHANGED),
    ]
    assert told(reviewed(first.standing, replace(FULL, paths=(FORM, MAIL)), minutes=1).notices) == [
        ("pager", CHANGED),
        ("chat", CHANGED),
    ]


def test_more_failures__are_no_change() -> None:
    first = reviewed(None, FULL)

    assert reviewed(first.standing, replace(FULL, failures=9), minutes=1).notices == ()


def test_ticket_that_becomes_a_page__opens_anew_under_a_key_of_its_own() -> None:
    blind = replace(FULL, kind=AlertKind.BLINDNESS, severity=Severity.TICKET)
    first = reviewed(None, blind, sinks=("chat",))
    page = reviewed(first.standing, replace(blind, severity=Severity.PAGE), minutes=60)
    over = reviewed(page.standing, None, minutes=90)

    key = first.notices[0].key
    assert [(one.sink, one.key, one.transition) for one in page.notices] == [
        ("chat", key, CHANGED),
        ("pager", f"{key}/page", OPENED),
        ("chat", f"{key}/page", OPENED),
    ]
    assert sorted((one.sink, one.key) for one in over.notices) == [
        ("chat", key),
        ("chat", f"{key}/page"),
        ("pager", f"{key}/page"),
    ]


def test_reminder__comes_after_half_an_hour_and_then_every_four() -> None:
    standing = reviewed(None, FULL).standing
    heard = []
    for minutes in range(1, 10 * 60):
        step = reviewed(standing, FULL, minutes=minutes)
        standing = step.standing
        heard += [minutes for one in step.notices if one.sink == "pager"]

    assert heard == [30, 270, 510]


def test_sink_whose_hours_begin__hears_of_what_is_still_open() -> None:
    night = reviewed(None, FULL, sinks=("pager",))
    morning = reviewed(night.standing, FULL, minutes=10, sinks=("pager", "chat"))

    assert told(morning.notices) == [("chat", OPENED)]


def test_gauge_that_wavers__is_over_only_after_five_quiet_minutes() -> None:
    gauge = replace(FULL, kind=AlertKind.GAUGE, stop=None, place="support")
    standing = reviewed(None, gauge).standing

    away = reviewed(standing, None, minutes=10)
    back = reviewed(away.standing, gauge, minutes=12)
    gone = reviewed(back.standing, None, minutes=13)
    over = reviewed(gone.standing, None, minutes=18)

    assert (away.notices, back.notices, gone.notices) == ((), (), ())
    assert told(over.notices) == [("pager", RESOLVED), ("chat", RESOLVED)]


def elsewhere(standing: Standing | None, concern: Concern | None, *, minutes: float) -> Review:
    """Reviewed where chat alone is configured."""
    return review(
        standing,
        concern,
        sinks=("chat",),
        is_silenced=False,
        namespace="fra-1",
        now=after(minutes),
        configured={"chat"},
    )


def test_sink_that_is_not_configured_here__is_not_reminded_and_gets_what_changes_and_the_end() -> None:
    # Another process may have it: during a rollout, or beside a run by hand.
    first = reviewed(None, FULL)
    reminded = elsewhere(first.standing, FULL, minutes=31)
    changed = elsewhere(reminded.standing, replace(FULL, paths=(FORM, MAIL)), minutes=32)
    over = elsewhere(changed.standing, None, minutes=33)

    assert told(reminded.notices) == [("chat", REMINDER)]
    assert told(changed.notices) == [("pager", CHANGED), ("chat", CHANGED)]
    assert told(over.notices) == [("pager", RESOLVED), ("chat", RESOLVED)]


def test_sink_that_is_put_back__goes_on_where_it_was_and_is_not_opened_anew() -> None:
    first = reviewed(None, FULL)
    without = elsewhere(first.standing, FULL, minutes=1)
    again = reviewed(without.standing, FULL, minutes=2)
    over = reviewed(again.standing, None, minutes=3)

    assert again.notices == ()
    assert [(one.sink, one.seq) for one in over.notices] == [("pager", 2), ("chat", 2)]


GAUGE = Concern(Subject("gauge/mailbox"), AlertKind.GAUGE, Severity.PAGE, NOON, ())


@given(st.lists(st.tuples(st.integers(30, 3600), st.booleans()), min_size=1, max_size=20))
def test_gauge__is_over_only_at_a_good_reading_five_minutes_after_the_first_good_one_with_none_bad_between(
    readings: list[tuple[int, bool]],
) -> None:
    """It is reviewed four times a minute, far more often than it is read."""
    standing = reviewed(None, GAUGE).standing
    read_at, well_since = NOON, None
    for seconds, is_well in readings:
        read_at += timedelta(seconds=seconds)
        well_since = (well_since or read_at) if is_well else None
        is_over = well_since is not None and read_at - well_since >= timedelta(minutes=5)
        for now in (read_at, read_at + timedelta(seconds=15), read_at + timedelta(minutes=59)):
            got = review(
                standing,
                None if is_well else GAUGE,
                sinks=("pager",),
                is_silenced=False,
                namespace="fra-1",
                now=now,
                well_at=read_at,
            )
            resolved = [how for _, how in told(got.notices) if how is RESOLVED]
            assert bool(resolved) is (is_over and standing is not None)
            assert OPENED not in [how for _, how in told(got.notices)] or standing is None
            standing = got.standing


def test_sink_of_the_day__is_not_reminded_at_night() -> None:
    standing = reviewed(None, FULL).standing

    night = reviewed(standing, FULL, minutes=31, sinks=("pager",))

    assert told(night.notices) == [("pager", REMINDER)]


def test_reminder_that_falls_where_nobody_is_on_duty__is_given_when_somebody_is() -> None:
    standing = reviewed(None, FULL).standing

    off_duty = reviewed(standing, FULL, minutes=31, sinks=())
    on_duty = reviewed(off_duty.standing, FULL, minutes=40, sinks=("pager",))

    assert off_duty == Review(standing)
    assert told(on_duty.notices) == [("pager", REMINDER)]


_CONCERNS = st.none() | st.builds(
    lambda severity, paths, kind: replace(FULL, severity=severity, paths=paths, kind=kind),
    st.sampled_from(Severity),
    st.sampled_from([(MAIL,), (FORM, MAIL)]),
    st.sampled_from([AlertKind.INCIDENT, AlertKind.GAUGE]),
)
_MOMENTS = st.tuples(
    _CONCERNS,
    st.booleans(),
    st.lists(st.sampled_from(["pager", "chat", "hook"]), unique=True),
    st.floats(0, 300),
)


@given(st.lists(_MOMENTS, max_size=25))
def test_whatever_happens__each_key_of_a_sink_opens_first_ends_last_and_counts_up(
    moments: list[tuple[Concern | None, bool, list[str], float]],
) -> None:
    standing: Standing | None = None
    minutes = 0.0
    heard: dict[tuple[str, str], list[Notice]] = {}
    for concern, is_silenced, sinks, pause in moments:
        minutes += pause + 1 / 60
        step = reviewed(standing, concern, minutes=minutes, sinks=sinks, is_silenced=is_silenced)
        assert reviewed(
            step.standing, concern, minutes=minutes, sinks=sinks, is_silenced=is_silenced
        ) == Review(step.standing)
        standing = step.standing
        for one in step.notices:
            heard.setdefault((one.sink, one.key), []).append(one)
    if standing is not None:
        for one in end(standing).notices:
            heard.setdefault((one.sink, one.key), []).append(one)

    for notices in heard.values():
        assert [one.seq for one in notices] == list(range(1, len(notices) + 1))
        assert notices[0].transition is OPENED
        assert [one.transition for one in notices].count(OPENED) == 1
        assert [one.transition for one in notices].count(RESOLVED) == 1
        assert notices[-1].transition is RESOLVED


@given(st.lists(_MOMENTS, max_size=25))
def test_whatever_happens__silence_adds_nothing_but_ends(
    moments: list[tuple[Concern | None, bool, list[str], float]],
) -> None:
    standing: Standing | None = None
    minutes = 0.0
    for concern, is_silenced, sinks, pause in moments:
        minutes += pause + 1 / 60
        step = reviewed(standing, concern, minutes=minutes, sinks=sinks, is_silenced=is_silenced)
        standing = step.standing
        if is_silenced:
            assert {one.transition for one in step.notices} <= {RESOLVED}


def test_reminder__is_not_late_by_the_step_when_the_clock_is_set_back() -> None:
    # Told by a clock that was three hours ahead.
    first = reviewed(None, FULL, minutes=180)

    again = reviewed(first.standing, FULL, minutes=0)
    soon = reviewed(again.standing, FULL, minutes=1)

    assert told(again.notices) == [("pager", REMINDER), ("chat", REMINDER)]
    assert soon.notices == ()


def test_clock_of_another_replica__that_is_seconds_ahead_reminds_of_nothing_too_soon() -> None:
    first = reviewed(None, FULL, minutes=0.5)

    assert reviewed(first.standing, FULL, minutes=0).notices == ()


def test_gauge_that_went_away_in_the_future__is_over_five_minutes_after_it_is_seen_to_be_away() -> None:
    gauge = replace(FULL, subject=Subject("gauge/support"), kind=AlertKind.GAUGE)
    away = reviewed(reviewed(None, gauge, minutes=180).standing, None, minutes=181)

    seen = reviewed(away.standing, None, minutes=0)
    over = reviewed(seen.standing, None, minutes=5)

    assert seen.notices == ()
    assert told(over.notices) == [("pager", RESOLVED), ("chat", RESOLVED)]
