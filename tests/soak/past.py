"""A store that has served for a while: so full that whatever is kept of the newest canaries has all that it may keep."""

import asyncio
from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from canary.hop import Channel
from canary.path import PathName
from canary.verdict import Verdict
from runners.clock import SystemClock
from runners.store import open_store
from tests.benchmarks.million import Target, fill, history
from tests.fakes.page_scene import make_path


def give_past(store: Path, names: Collection[str], *, minutes: int) -> None:
    """Write the confirmed canaries of the last minutes, one a minute of each path, into a new store."""
    if not minutes:
        return
    url, clock = f"sqlite:///{store}", SystemClock()

    async def make() -> None:
        async with open_store(url, clock=clock, prober="tests"):
            pass  # opening makes the tables

    asyncio.run(make())
    until = clock.now() - timedelta(minutes=1)
    known = {PathName(one): make_path(PathName(one), Channel.EMAIL, 1) for one in names}
    made = history(known, minutes, until=until, every_seconds=60.0)
    with Target(url).open() as target:
        fill(
            target,
            known,
            (replace(one, verdict=Verdict.CONFIRMED, seconds=one.seconds or 20.0) for one in made),
            until=until,
        )
