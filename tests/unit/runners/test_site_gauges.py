"""The gauges of a configuration's places."""

import asyncio
from pathlib import Path

from canary.gauge import GaugeName
from runners.progress import Silent
from runners.site import open_site
from runners.site_gauges import gauges_of
from tests.fakes.clock import FakeClock
from tests.unit.runners.config.examples import FULL, read


def test_mailbox__has_its_backlog_read_before_its_capacity_may_take_long(tmp_path: Path) -> None:
    config = read(tmp_path, FULL)
    site = asyncio.run(open_site(config, clock=FakeClock(), tell=Silent()))

    names = [one.reader.name for one in gauges_of(site) if one.reader.place == "support"]

    assert names == [GaugeName.MAILBOX_BACKLOG, GaugeName.MAILBOX_CAPACITY]
