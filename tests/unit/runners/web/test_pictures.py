"""The pictures: always well-formed, always finite, with a name and a description, without a style or a script."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some
from lxml import etree

from canary.blame import HopResult
from canary.forecast import Reading, forecast
from canary.hop import Hop
from canary.instruments import metrics
from canary.observation import Outcome
from canary.path import PathName
from canary.signature import CanaryId
from canary.verdict import Verdict
from runners.history import Day, Point
from runners.web import drawing, pictures, spread

YEAR_2020 = datetime(2020, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 3, 2, 3, 7, tzinfo=UTC)
BOUNDS = metrics.CANARY_DURATION.bounds
MAIL = PathName("support-email")
WORDS = some.text(max_size=40)
SECONDS = some.floats(0, 1e9, allow_nan=False) | some.none()
MOMENTS = some.integers(0, 10 * 366 * 86400).map(lambda seconds: YEAR_2020 + timedelta(seconds=seconds))
POINTS = some.lists(
    some.builds(
        Point,
        canary_id=some.just(CanaryId("c")),
        path=some.just(MAIL),
        launched_at=MOMENTS,
        verdict=some.sampled_from(Verdict),
        seconds=SECONDS,
    ),
    max_size=60,
)
DAYS = some.lists(
    some.builds(
        Day,
        path=some.just(MAIL),
        day=some.integers(0, 120).map(lambda back: NOW - timedelta(days=back)),
        verdicts=some.dictionaries(some.sampled_from(Verdict), some.integers(0, 10**6)),
        counts=some.lists(some.integers(0, 10**6), max_size=len(BOUNDS) + 1).map(tuple),
    ),
    max_size=95,
)
HOPS = some.lists(
    some.builds(
        HopResult,
        hop=some.sampled_from(Hop),
        outcome=some.sampled_from(Outcome),
        began_at=some.none() | MOMENTS,
        ended_at=some.none() | MOMENTS,
    ),
    max_size=12,
)


def check(svg: str) -> etree._Element:
    """The picture's root; what makes it one that any browser shows, and any reader is told of."""
    root = etree.fromstring(svg.encode())
    for element in root.iter():
        for name, value in element.attrib.items():
            assert name not in {"style", "onload", "onclick", "href"}
            if str(name) in {"x", "y", "width", "height", "cx", "cy", "r", "d"}:
                numbers = [float(one) for one in re.findall(r"-?\d*\.?\d+", str(value))]
                assert numbers
                assert all(abs(one) <= 1e6 for one in numbers)
                assert "nan" not in str(value)
                assert "inf" not in str(value)
    assert root.get("role") == "img" or root.get("aria-hidden") == "true"
    if root.get("role") == "img":
        title, about = root[0], root[1]
        assert (title.tag, about.tag) == ("title", "desc")
        assert root.get("aria-labelledby") == f"{title.get('id')} {about.get('id')}"
    return root


@given(POINTS, some.floats(0.001, 1e7), WORDS)
def test_sparkline__is_always_a_picture(points: list[Point], deadline: float, name: str) -> None:
    check(pictures.sparkline("k", points, deadline_seconds=deadline, name=name))


@given(HOPS, MOMENTS, WORDS)
def test_waterfall__is_always_a_picture(hops: list[HopResult], launched_at: datetime, name: str) -> None:
    check(pictures.waterfall("k", hops, launched_at, name=name))
    end = pictures.end_of(hops, launched_at)
    for hop in hops:
        check(pictures.bar(hop, launched_at, end))
        place = pictures.shares(hop, launched_at, end)
        assert place is None or (0 <= place[0] <= 1 and 0 <= place[0] + place[1] <= 1 + 1e-9)


@given(DAYS, some.floats(0.001, 1e7), WORDS)
def test_distribution__is_always_a_picture(days: list[Day], deadline: float, name: str) -> None:
    check(spread.distribution("k", days, BOUNDS, deadline_seconds=deadline, name=name))


@given(DAYS, WORDS)
def test_strip__is_always_a_picture(days: list[Day], name: str) -> None:
    check(pictures.strip("k", days, today=NOW, name=name))


@given(
    some.lists(some.tuples(MOMENTS, some.floats(0, 1e15)), max_size=300),
    some.floats(0, 1e15),
    WORDS,
)
def test_gauge__is_always_a_picture(readings: list[tuple[datetime, float]], limit: float, name: str) -> None:
    trend = forecast([Reading(at, value) for at, value in readings], limit or None)

    check(pictures.gauge("k", readings, limit=limit, now=NOW, trend=trend, name=name))


@given(
    POINTS,
    some.dictionaries(
        some.sampled_from(["from", "onset", "opened", "until", "resolved"]), some.none() | MOMENTS
    ),
    WORDS,
)
def test_impact__is_always_a_picture(
    points: list[Point], times: dict[str, datetime | None], name: str
) -> None:
    check(pictures.impact("k", points, times, now=NOW, name=name))


@given(some.floats(allow_nan=True, allow_infinity=True))
def test_error_budget__is_always_a_picture(share: float) -> None:
    check(pictures.left(share))


@given(some.floats(allow_nan=True, allow_infinity=True))
def test_number__is_finite_whatever_it_was(value: float) -> None:
    assert abs(float(drawing.number(value))) <= 1e6


@given(some.lists(some.tuples(some.floats(0, 1), some.floats(0, 1)), min_size=1, max_size=500))
def test_thinned_line__keeps_its_ends(points: list[tuple[float, float]]) -> None:
    thin = pictures.thinned(points, 50)

    assert len(thin) <= 50
    assert (thin[0], thin[-1]) == (points[0], points[-1])


@pytest.mark.parametrize("word", [*Verdict, *Outcome, "stale", "page", "<b>", ""])
def test_mark__is_a_shape_for_every_word(word: str) -> None:
    assert len(check(drawing.mark(word))) >= 1


def _points(*verdicts: tuple[Verdict, float | None]) -> Sequence[Point]:
    return [
        Point(CanaryId(f"c{number}"), MAIL, NOW + timedelta(minutes=number), verdict, seconds)
        for number, (verdict, seconds) in enumerate(verdicts)
    ]


def test_sparkline__says_in_words_what_it_shows() -> None:
    points = _points(
        (Verdict.CONFIRMED, 30.0), (Verdict.CONFIRMED, 50.0), (Verdict.LOST, None), (Verdict.INCONCLUSIVE, None)
    )  # fmt: skip

    root = check(pictures.sparkline("k", points, deadline_seconds=600, name="support-email"))

    assert root[1].text == (
        "The last 4 canaries: 2 confirmed, in the middle after 50.0 s, at most 50.0 s; 1 breached; 1 inconclusive."
    )


def test_sparkline__draws_the_deadline_only_where_it_is_near() -> None:
    near = pictures.sparkline("k", _points((Verdict.CONFIRMED, 500.0)), deadline_seconds=600, name="p")
    far = pictures.sparkline("k", _points((Verdict.CONFIRMED, 5.0)), deadline_seconds=600, name="p")

    assert 'class="deadline"' in near
    assert 'class="deadline"' not in far


def test_what_failed__has_a_shape_of_its_own_beside_its_colour() -> None:
    good = check(pictures.sparkline("k", _points((Verdict.CONFIRMED, 5.0)), deadline_seconds=6, name="p"))
    bad = check(pictures.sparkline("k", _points((Verdict.BREACHED, None)), deadline_seconds=6, name="p"))

    assert not good.findall("rect")
    assert [one.get("height") for one in bad.findall("rect")] == ["40", "4"]


def test_day_with_one_breach_in_many__is_seen() -> None:
    day = Day(MAIL, NOW, {Verdict.CONFIRMED: 10_000, Verdict.BREACHED: 1}, ())

    root = check(pictures.strip("k", [day], today=NOW, name="p"))

    (bad,) = [one for one in root.findall("rect") if one.get("class") == "fill bad"]
    assert float(bad.get("height", "0")) >= 8
    assert "1 with a breach" in str(root[1].text)


def test_quantile__is_the_bound_below_which_the_share_lies() -> None:
    assert spread.quantile([1, 1, 8], [10.0, 20.0], 0.1) == 10.0
    assert spread.quantile([1, 1, 8], [10.0, 20.0], 0.2) == 20.0
    assert spread.quantile([1, 1, 8], [10.0, 20.0], 0.9) is None
    assert spread.quantile([0, 0, 0], [10.0, 20.0], 0.5) is None


def test_hostile_name__stays_text() -> None:
    svg = pictures.strip('k" onload="x', [], today=NOW, name="</title><script>alert(1)</script>")

    assert check(svg).find(".//script") is None
    assert "<script" not in svg
