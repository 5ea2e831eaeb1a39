"""Roundup with the rendered detector as its quarantine: without it launches stop, with it they go on."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from canary.canary import Canary
from canary.quarantine import Mark
from runners.clock import SystemClock
from tests.generic_desks import of_preset, opened
from tests.real.quarantine_scene import TAG, hello, intake, rendered, with_the_rule, without_the_rule
from tests.real.servers.process import hand_over
from tests.real.servers.roundup import Roundup, running_roundup
from tests.real.servers.roundup_files import CANARY, PROBER_PASSWORD

RULE = "intake_prober_quarantine.py"
SYSTEM = "{type: roundup, url: 'https://roundup.acme.test', secrets: {password: {env: DESK_TOKEN}}, quarantine: {tag: %s}}"


def install(roundup: Roundup, folder: Path) -> None:
    """Put the rendered detector into the tracker, and start its server anew."""
    file = roundup.site.home / "detectors" / RULE
    file.write_text(rendered(folder, SYSTEM % TAG, sender=CANARY)[RULE])
    hand_over(file, roundup.account)
    roundup.stop()
    roundup.start()


@pytest.fixture(scope="module")
def roundup() -> Iterator[Roundup]:
    with running_roundup(wrong_logins=0) as started:
        started.call("/data/keyword", {"name": TAG}, method="POST")
        yield started


def test_tracker_without_its_rule__stops_launches__and_the_rendered_detector_lets_them_go_on(
    roundup: Roundup, tmp_path: Path
) -> None:
    def send(canary: Canary) -> None:
        assert roundup.deliver(hello(canary).as_bytes()) == 0

    async def main() -> None:
        generic = of_preset(tmp_path, "roundup", roundup.url, {"ROUNDUP_PASSWORD": PROBER_PASSWORD})
        async with (
            opened(generic, clock=SystemClock()) as system,
            intake(system, Mark(tag=TAG), send, tmp_path, sender=CANARY) as desk,
        ):
            await without_the_rule(desk)

            await asyncio.to_thread(install, roundup, tmp_path / "rendered")
            mails = roundup.mails_sent()

            await with_the_rule(desk)
            assert roundup.mails_sent() == mails

    asyncio.run(main())
