"""Metrics by OTLP: threads that are left behind hold up no end, and hear only what is theirs."""

import asyncio
import logging
import os
import threading
from pathlib import Path

import pytest

from runners.config.telemetry import OtlpConfig
from runners.telemetry import otlp_metrics
from runners.telemetry.otlp_metrics import OtlpMetrics
from runners.telemetry.textfile import Textfile
from tests.unit.runners.telemetry.test_every_state import SNAPSHOT

LIBRARY = "opentelemetry.exporter.otlp.proto.http"


class Hanging(OtlpMetrics):
    """One whose receiver never has done with its answer."""

    begun = threading.Event()
    may_end = threading.Event()

    def _exported(self, *_: object) -> None:
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


def test_two_exports_at_a_time__hear_each_its_own_and_our_log_neither(
    caplog: pytest.LogCaptureFixture,
) -> None:
    heard: dict[str, list[str]] = {}
    inside, other_is_done = threading.Event(), threading.Event()
    logger = logging.getLogger(f"{LIBRARY}.metric_exporter")

    def left_behind() -> None:
        with otlp_metrics.heard() as said:
            inside.set()
            other_is_done.wait()
            logger.error("late")
        heard["late"] = said

    thread = threading.Thread(target=left_behind)
    thread.start()
    inside.wait()
    with otlp_metrics.heard() as said:
        logger.error("prompt")
    other_is_done.set()
    thread.join()
    logger.error("by nobody")

    assert (said, heard["late"]) == (["prompt"], ["late"])
    assert caplog.records == []
