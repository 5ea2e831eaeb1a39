"""The demonstration's story: eight acts, each with what must come true; exit 0 only if all of it did."""

import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from canary.quantity import duration
from probes.contracts import Clock
from runners.cli.exits import Exit
from runners.cli.interrupt import run_loop
from runners.cli.output import Output, Style, open_output
from runners.clock import SystemClock
from runners.config.load import load
from runners.contracts import Store
from runners.demo.browser import missing_browser
from runners.demo.hand import Interrupted, Stagehand
from runners.demo.mailbox_acts import drains, fills, is_clean, is_full
from runners.demo.portal_acts import is_healed, is_redirected, is_slow, works
from runners.demo.stage import Patience, StageError, stage, write_configuration, write_secrets
from runners.store import open_store

QUOTA_BYTES = 200 * 1024
ACTS = (works, is_slow, is_redirected, is_healed, fills, is_full, drains, is_clean)


def main() -> int:
    """Play the story; returns the exit status."""
    output = open_output(no_color=False)
    missing = missing_browser()
    if missing is not None:
        output.tell(f"intake-prober: {missing}")
        return Exit.USAGE
    try:
        directory = Path(tempfile.mkdtemp(prefix="demo-", dir=_home()))
    except OSError as error:
        output.tell(
            f"intake-prober: {error.filename}: {error.strerror}. The demo keeps its files in .demo of the folder"
            " that it is started in: start it in one that you may write to."
        )
        return Exit.USAGE
    try:
        return run_loop(_play(output, directory))
    except StageError as error:
        output.tell(f"intake-prober: {error}")
        return Exit.BLIND
    except (KeyboardInterrupt, Interrupted) as interrupt:
        output.tell("intake-prober: interrupted; the sandbox is stopped and its folder removed")
        return 128 + interrupt.number if isinstance(interrupt, Interrupted) else Exit.INTERRUPTED
    finally:
        shutil.rmtree(directory, ignore_errors=True)


async def _play(output: Output, directory: Path) -> int:
    clock = SystemClock()
    began = clock.monotonic()
    output.tell(
        "starting the sandbox: mail servers, a ticketing system, its portal and a contact form on loopback"
    )
    with stage(directory, cache=_home() / "cache") as running:
        output.tell(f"the sandbox is up after {duration(clock.monotonic() - began)}")
        running.mailbox("quota", storage_bytes=QUOTA_BYTES, messages=None)
        write_secrets(running)
        configuration = write_configuration(running, Patience())
        async with _opened(configuration, clock) as store:
            hand = Stagehand(running, configuration, output, clock, store)
            for act in ACTS:
                await act(hand)
    hand.output.answer("")
    took = duration(clock.monotonic() - began)
    if hand.wrong:
        output.answer(
            output.paint(f"{len(hand.wrong)} things came out other than they should, in {took}.", Style.BAD)
        )
        return Exit.BREACH
    output.answer(
        output.paint(f"Every act came out as it should, in {took}. The sandbox is gone.", Style.GOOD)
    )
    return Exit.OK


@asynccontextmanager
async def _opened(configuration: Path, clock: Clock) -> AsyncIterator[Store]:
    async with open_store(load(configuration).prober.store_url, clock=clock, prober="demo") as store:
        yield store


def _home() -> Path:
    """Where the demonstration keeps its files: in the folder that it is started in."""
    home = Path.cwd() / ".demo"
    home.mkdir(exist_ok=True)
    return home
