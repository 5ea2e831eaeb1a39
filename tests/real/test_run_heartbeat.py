"""`run` and `sweep` as a user runs them, with a heartbeat at a real HTTP server: what it hears, and how long it may take."""

import asyncio
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from runners.pinging import END_SECONDS, INTERRUPTED_SECONDS, START_SECONDS
from tests.real.alert_receivers import PingSimulator
from tests.real.bare_intake import bare_intake
from tests.real.intake import Intake
from tests.real.scripted_http import Break, Reply, Site, running

PING = "/ping/2c8e"
LIMIT_SECONDS = 90.0


@dataclass
class Ended:
    status: int
    notes: str
    seconds: float


def intake_of(directory: Path, site: Site, **prober: object) -> Intake:
    """One with a heartbeat at the site."""
    alive = {"type": "heartbeat", "url": f"{site.url}{PING}"}
    return bare_intake(directory, site.url, {"prober": prober, "alerts": {"sinks": {"alive": alive}}})


def site_of(ping: PingSimulator, *, is_silent: bool = False) -> Site:
    page = '<form method="post" action="/contact"><input name="email"><textarea name="message"></textarea></form>'
    pinged = Reply(broken=Break.SILENT) if is_silent else ping.reply
    return Site(
        {
            "GET /contact": Reply(200, page),
            "POST /contact": Reply(200, "<p>Thank you</p>"),
            **{f"POST {PING}{one}": pinged for one in ("", "/start", "/fail")},
        }
    )


async def ended(intake: Intake, *words: str, number: signal.Signals | None = None) -> Ended:
    """Run a command to its end, or send it a signal once it has launched its canary."""
    process = await asyncio.create_subprocess_exec(
        *intake.command("--log-format", "json", *words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    notes, began = [], time.perf_counter()
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            async for line in process.stderr:
                notes.append(line.decode())
                if number is not None and b"canary_launched" in line:
                    began = time.perf_counter()
                    process.send_signal(number)
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode is not None
    return Ended(process.returncode, "".join(notes), time.perf_counter() - began)


def test_sweep_with_nothing_to_do__pings_start_and_success_of_one_run(tmp_path: Path) -> None:
    async def main() -> None:
        ping = PingSimulator(PING)
        async with running(site_of(ping)) as site:
            swept = await ended(intake_of(tmp_path, site), "sweep")

        assert swept.status == 0, swept.notes
        assert [what for what, _, _ in ping.pings] == ["/start", ""]
        assert len({run_id for _, run_id, _ in ping.pings}) == 1

    asyncio.run(main())


def test_run_that_can_not_see__pings_failure(tmp_path: Path) -> None:
    async def main() -> None:
        ping = PingSimulator(PING)
        async with running(site_of(ping)) as site:
            run = await ended(intake_of(tmp_path, site), "run")
        asked = [(one.method, one.path) for one in site.requests]

        assert run.status == 3, run.notes
        assert [what for what, _, _ in ping.pings] == ["/start", "/fail"]
        assert ping.pings[-1][2] == "exit 3: 1 canary launched or settled"
        assert ("POST", "/contact") in asked

    asyncio.run(main())


def test_store_that_can_not_be_opened__pings_failure_and_says_why(tmp_path: Path) -> None:
    async def main() -> None:
        ping = PingSimulator(PING)
        async with running(site_of(ping)) as site:
            store = f"sqlite:///{tmp_path / 'nowhere' / 'intake.db'}"
            run = await ended(intake_of(tmp_path / "here", site, store=store), "run")

        assert run.status == 3, run.notes
        assert [what for what, _, _ in ping.pings][-1] == "/fail"
        assert "nowhere" in ping.pings[-1][2]

    asyncio.run(main())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_interrupted_run__pings_failure(tmp_path: Path, number: signal.Signals) -> None:
    async def main() -> None:
        ping = PingSimulator(PING)
        async with running(site_of(ping)) as site:
            run = await ended(intake_of(tmp_path, site), "run", number=number)

        assert run.status == 128 + number, run.notes
        assert [what for what, _, _ in ping.pings] == ["/start", "/fail"]

    asyncio.run(main())


def test_heartbeat_that_never_answers__delays_neither_the_launch_nor_the_exit_beyond_the_bound(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        async with running(site_of(PingSimulator(PING), is_silent=True)) as site:
            intake = intake_of(tmp_path, site)
            run = await ended(intake, "run", number=signal.SIGTERM)
            # Ended by the signal that followed its launch: so the launch did not wait for the start's answer.
            swept = await ended(intake, "sweep")

        assert run.status == 143, run.notes
        assert run.seconds < INTERRUPTED_SECONDS + 15.0
        assert swept.status in {0, 3}, swept.notes
        assert "heartbeat_failed" in swept.notes
        assert swept.seconds < START_SECONDS + END_SECONDS + 15.0

    asyncio.run(main())
