"""APScheduler as a timer: each path is announced when its slot is due, once after a pause, and nothing after the end."""

import asyncio
from datetime import UTC, datetime, timedelta

from canary.path import PathName
from runners.schedule import SchedulerTimer, trigger_class

PATH, OTHER = PathName("support-mail"), PathName("contact-form")


def test_paths__are_announced_whenever_one_of_their_slots_is_due() -> None:
    announced: list[PathName] = []
    enough = asyncio.Event()

    def announce(path: PathName) -> None:
        announced.append(path)
        if announced.count(PATH) >= 3:
            enough.set()

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            timer = group.create_task(
                SchedulerTimer().run(
                    {
                        PATH: lambda now: now + timedelta(milliseconds=30),
                        OTHER: lambda _: None,
                    },
                    announce,
                )
            )
            await enough.wait()
            timer.cancel()

    asyncio.run(main())

    assert announced.count(PATH) >= 3
    assert OTHER not in announced


def test_after_a_pause__the_trigger_names_the_slot_to_come_not_the_many_that_passed() -> None:
    trigger = trigger_class()(lambda now: now + timedelta(minutes=10))
    before = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

    assert trigger.get_next_fire_time(before, before + timedelta(hours=3)) == before + timedelta(
        hours=3, minutes=10
    )
    assert trigger.get_next_fire_time(None, before) == before + timedelta(minutes=10)
