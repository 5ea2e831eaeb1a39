"""`python -m sandbox`: a whole intake on loopback, until it is told to stop or its parent ends."""

import argparse
import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
from pathlib import Path

from sandbox.control import Control
from sandbox.desk import DeskFailed
from sandbox.intake import Intake, Places
from sandbox.lifeline import watch_parent

_log = logging.getLogger("sandbox")


def main() -> int:
    """Run the sandbox; 0 after an orderly end, 1 if it couldn't start."""
    parser = argparse.ArgumentParser(
        prog="python -m sandbox", description="A whole support intake on loopback."
    )
    parser.add_argument("--directory", type=Path, required=True, help="where it may write")
    parser.add_argument(
        "--cache", type=Path, help="where the prepared database is kept (default: in the directory)"
    )
    parser.add_argument("--seconds-to-live", type=float, help="end by itself, so many seconds after it is up")
    wanted = parser.parse_args()
    directory = wanted.directory.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    cache = (wanted.cache or directory / "cache").resolve()
    logging.basicConfig(
        filename=directory / "sandbox.log",
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    # The mail library logs every command, credentials of AUTH LOGIN among them.
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)
    # Connections that are open at the end are cut, and asyncio would report each with a traceback.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    try:
        asyncio.run(_run(Places(directory, cache), wanted.seconds_to_live))
    except DeskFailed as error:
        sys.stderr.write(f"sandbox: {error}\n")
        return 1
    return 0


async def _run(places: Places, seconds_to_live: float | None) -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    watch_parent(lambda: loop.call_soon_threadsafe(stopped.set))
    ending = asyncio.ensure_future(stopped.wait())
    living = asyncio.ensure_future(_live(places, stopped, seconds_to_live))
    # A stop while starting must not wait for the start.
    await asyncio.wait({ending, living}, return_when=asyncio.FIRST_COMPLETED)
    ending.cancel()
    if living.done():
        living.result()
        return
    living.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await living


async def _live(places: Places, stopped: asyncio.Event, seconds_to_live: float | None) -> None:
    async with Intake(places) as intake:
        control = Control(intake, stopped.set)
        await control.open()
        sys.stdout.write(json.dumps(intake.endpoints(control.url)) + "\n")
        sys.stdout.flush()
        # Nothing else goes to standard output: whoever started us may have closed its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _log.info("up control=%s", control.url)
        try:
            # The life begins here: a slow machine would else spend all of it on the start.
            async with asyncio.timeout(seconds_to_live):
                await intake.run()
        except TimeoutError:
            _log.info("lived its seconds")
        finally:
            control.close()
            _log.info("stopped")


if __name__ == "__main__":
    sys.exit(main())
