"""The sender of traces: a thread that is left behind has nothing in common with the next one, and closes what it opened."""

import asyncio
import threading
from collections.abc import Mapping
from typing import Any

import pytest
from opentelemetry.sdk.trace.export import SpanExportResult

from runners.clock import SystemClock
from runners.config.telemetry import OtlpConfig
from runners.telemetry import traces
from runners.telemetry.otlp_requests import NotSent
from runners.telemetry.traces import OtlpSender


class Exporter:
    """One that takes everything."""

    def __init__(self) -> None:
        self.exports = 0
        self.is_shut = threading.Event()

    def export(self, _: object) -> SpanExportResult:
        self.exports += 1
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        self.is_shut.set()


def test_closed_sender__shuts_its_exporter(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Exporter()
    monkeypatch.setattr(traces, "_open", lambda _, headers: opened(made, headers))

    async def main() -> None:
        sender = OtlpSender(OtlpConfig("http://127.0.0.1:9/v1/traces"), clock=SystemClock())
        await sender.knock()
        sender.close()

    asyncio.run(main())

    assert made.is_shut.wait(10)
    assert made.exports == 1


def test_thread_that_was_left_behind_while_it_opened__gives_its_exporter_to_nobody_and_shuts_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    late, prompt = Exporter(), Exporter()
    several, may_open = [late, prompt], threading.Event()

    def open_next(_: object, headers: Mapping[str, str]) -> Any:  # noqa: ANN401 -- private to its module
        one = several.pop(0)
        if one is late:
            may_open.wait()
        return opened(one, headers)

    monkeypatch.setattr(traces, "_open", open_next)

    async def main() -> None:
        sender = OtlpSender(
            OtlpConfig("http://127.0.0.1:9/v1/traces", timeout_seconds=0.0), clock=SystemClock()
        )
        with pytest.raises(NotSent, match="no answer"):
            await sender.knock()
        await sender.knock()
        may_open.set()
        assert await asyncio.to_thread(late.is_shut.wait, 10)
        await sender.knock()
        sender.close()

    try:
        asyncio.run(main())
    finally:
        may_open.set()

    assert (late.exports, prompt.exports) == (1, 2)


def opened(exporter: Exporter, headers: Mapping[str, str]) -> Any:  # noqa: ANN401 -- private to its module
    return traces._Opened(exporter, headers, [])  # type: ignore[arg-type]
