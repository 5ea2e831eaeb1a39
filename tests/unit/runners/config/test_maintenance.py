"""maintenance: windows that come again and again, over paths and the places that they go through."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.unit.runners.config.examples import FULL, mistakes, read

SUNDAY = datetime(2026, 3, 1, 1, 30, tzinfo=UTC)
"""02:30 in Berlin."""


def with_windows(text: str) -> str:
    return f"{FULL}\nmaintenance:\n  sundays: {text}\n"


def test_window_over_a_ticketing_system__covers_the_paths_through_it_while_it_lasts(tmp_path: Path) -> None:
    text = '{about: [desk], cron: "0 2 * * sun Europe/Berlin", for: 2h, why: changes}'
    config = read(tmp_path, with_windows(text))

    within = [window(SUNDAY) for window in config.maintenance]
    outside = [window(datetime(2026, 3, 1, 3, 0, tzinfo=UTC)) for window in config.maintenance]

    through = {name for name, one in config.paths.items() if one.path.ticketing == "desk"}
    assert {one.about for one in within if one is not None} == {"desk", *through}
    assert through
    assert {(one.begins_at, one.ends_at) for one in within if one is not None} == {
        (datetime(2026, 3, 1, 1, 0, tzinfo=UTC), datetime(2026, 3, 1, 3, 0, tzinfo=UTC))
    }
    assert outside == [None] * len(outside)


@pytest.mark.parametrize(
    ("text", "key", "message"),
    [
        (
            '{about: [dsk], cron: "0 2 * * sun", for: 2h, why: x}',
            "maintenance.sundays.about[0]",
            "no path or place dsk",
        ),
        (
            '{about: desk, cron: "0 25 * * sun", for: 2h, why: x}',
            "maintenance.sundays.cron",
            "25 is not a hour",
        ),
        (
            '{about: desk, cron: "0 2 * * sun", for: 8d, why: x}',
            "maintenance.sundays.for",
            "a silence for ever",
        ),
        ('{about: desk, cron: "0 2 * * sun", why: x}', "maintenance.sundays.for", "missing"),
    ],
)
def test_window_that_is_none__is_refused_by_its_place(
    tmp_path: Path, text: str, key: str, message: str
) -> None:
    (mistake,) = mistakes(tmp_path, with_windows(text))

    assert mistake.key == key
    assert message in mistake.message
