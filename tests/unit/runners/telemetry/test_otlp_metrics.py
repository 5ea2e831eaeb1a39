"""Metrics by OTLP: threads that are left behind hold up no end, and a refused secret is renewed."""

import asyncio
import os
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from probes.masking import Secret
from runners.config.telemetry import OtlpConfig
from runners.telemetry.otlp_metrics import OtlpMetrics
from runners.telemetry.otlp_requests import NotSent
from runners.telemetry.routes import NotPushed
from runners.telemetry.textfile import Textfile
from tests.unit.runners.telemetry.test_every_state import SNAPSHOT


class Hanging(OtlpMetrics):
    """One whose receiver never has done with its answer."""

    begun = threading.Event()
    may_end = threading.Event()

    def _export(self, *_: object) -> None:
        self.begun.set()
        self.may_end.wait()


def test_export_that_hangs__keeps_no_loop_from_its_end() -> None:
    way = Hanging(OtlpConfig("http://127.0.0.1:9/v1/metrics"), version="1", mask=str)

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            pushing = group.create_task(way.push(SNAPSHOT))
            while not way.begun.is_set():
                await asyncio.wait([pushing], timeout=0.01)
            pushing.cancel()

    try:
        asyncio.run(main())  # joins the loop's own threads
        [left] = [one for one in threading.enumerate() if one.name == "otlp metrics"]
        assert left.daemon
    finally:
        way.may_end.set()


def test_file_that_hangs__is_written_by_a_thread_that_keeps_nothing_alive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by: list[threading.Thread] = []
    monkeypatch.setattr(os, "fsync", lambda _: by.append(threading.current_thread()))

    asyncio.run(Textfile(tmp_path / "intake.prom").push(SNAPSHOT))

    assert [one.daemon for one in by] == [True]


class Refused(OtlpMetrics):
    """One whose receiver says what it is told to."""

    status = 401

    def _export(self, headers: Mapping[str, str], *_: object) -> NotSent | None:
        sent.append(headers["authorization"])
        return NotSent("no", status=self.status) if self.status != 200 else None


class Renewing:
    """A secret that changes when it is asked for anew."""

    renewals = 0

    async def read(self, *, renew: bool = False) -> Secret:
        self.renewals += renew
        return Secret(f"Bearer {self.renewals}")


sent: list[str] = []


def test_secret_of_a_header__is_read_anew_once_after_it_was_refused() -> None:
    sent.clear()
    otlp = OtlpConfig("http://127.0.0.1:9/v1/metrics", headers={"authorization": Renewing()})
    way = Refused(otlp, version="1", mask=str)

    async def main() -> None:
        with pytest.raises(NotPushed, match="Look at the credential"):
            await way.push(SNAPSHOT)
        Refused.status = 200
        await way.push(SNAPSHOT)
        await way.push(SNAPSHOT)

    asyncio.run(main())

    assert sent == ["Bearer 0", "Bearer 1", "Bearer 1"]
