"""A process stopped between taking a message from the outbox and sending it: what is over is not opened again."""

import asyncio
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from canary.alert import AlertTransition
from runners.alert_contracts import AlertStep
from runners.alerts.delivery import LEASE_MARGIN_SECONDS
from runners.clock import SystemClock
from runners.store import open_store
from tests.chaos import frozen_child
from tests.chaos.children import wait_until_past
from tests.chaos.frozen_child import LIMIT_SECONDS, delivery
from tests.unit.runners.alerts.cases import an_alert


async def _write(address: str, version: int, transition: AlertTransition) -> None:
    clock = SystemClock()
    one = replace(
        an_alert(), id=f"{version}", key="one", sink="pager", seq=version + 1, transition=transition
    )
    async with open_store(address, clock=clock) as store:
        step = AlertStep(one.concern.subject, None, version, (one,))
        await store.store_alerts(step, at=clock.now())


async def _drain(address: str, file: Path) -> None:
    async with open_store(address, clock=SystemClock()) as store:
        await delivery(store, file, "other").drain(5)


def test_process_that_is_stopped_with_a_message_in_its_hands__does_not_open_again_what_is_over(
    tmp_path: Path,
) -> None:
    address, file = f"sqlite:///{tmp_path / 'intake.db'}", tmp_path / "heard"
    asyncio.run(_write(address, 0, AlertTransition.OPENED))
    words = [sys.executable, "-m", frozen_child.__name__, address, str(file)]
    with subprocess.Popen(words) as frozen:
        try:
            _, status = os.waitpid(frozen.pid, os.WUNTRACED)
            assert os.WIFSTOPPED(status)
            wait_until_past(LIMIT_SECONDS + LEASE_MARGIN_SECONDS + 1)
            asyncio.run(_write(address, 1, AlertTransition.RESOLVED))
            asyncio.run(_drain(address, file))
            frozen.send_signal(signal.SIGCONT)
            assert frozen.wait(timeout=30) == 0
        finally:
            if frozen.poll() is None:
                frozen.kill()

    assert file.read_text().splitlines() == ["other opened", "other resolved"]
