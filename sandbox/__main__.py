"""`python -m sandbox`: a whole intake on loopback, until it is told to stop or its parent ends."""

import argparse
import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sandbox.control import Control
from sandbox.desk import DeskFailed
from sandbox.intake import Intake, Places
from sandbox.lifeline import watch_parent
from sandbox.starter import write_configuration

_log = logging.getLogger("sandbox")


def main() -> int:
    """Run the sandbox; 0 after an orderly end, 1 if it couldn't start."""
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="A whole support intake on loopback: mail servers, mailboxes, helpdesk, portal and contact form. The"
        " first line of standard output says where each of them listens, as JSON.",
        epilog="It is steered over HTTP at the address 'control' of that line: GET / lists the routes and every switch."
        " It ends at SIGTERM, at Ctrl-C, at POST /stop, and when the process that started it is gone (see --stay).",
    )
    parser.add_argument("--directory", type=Path, required=True, help="where it may write")
    parser.add_argument(
        "--cache", type=Path, help="where the prepared database is kept (default: in the directory)"
    )
    parser.add_argument("--seconds-to-live", type=float, help="end by itself, so many seconds after it is up")
    parser.add_argument(
        "--stay", action="store_true", help="live on when the process that started it is gone (with nohup)"
    )
    parser.add_argument(
        "--write-config",
        type=Path,
        metavar="FILE",
        help="once it is up, write an intake.yaml for it, with the passwords of this start",
    )
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
        why = asyncio.run(
            _run(
                Places(directory, cache),
                Wanted(wanted.seconds_to_live, stays=wanted.stay, configuration=wanted.write_config),
            )
        )
    except OSError as error:
        sys.stderr.write(f"sandbox: {error}\n")
        return 1
    except DeskFailed as error:
        sys.stderr.write(f"sandbox: {error}\n")
        return 1
    sys.stderr.write(f"sandbox: ended: {why}\n")
    return 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """How it is to live.

    Attributes:
        seconds_to_live: after its start; None: until it is told to stop.
        stays: also when its parent is gone.
        configuration: where a configuration for it is written; None: nowhere.
    """

    seconds_to_live: float | None
    stays: bool
    configuration: Path | None


async def _run(places: Places, wanted: Wanted) -> str:
    """Live; returns why it ended."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    why: list[str] = []

    def stop(cause: str) -> None:
        why.append(cause)
        stopped.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, f"signal {signal.Signals(number).name}")
    if not wanted.stays:
        gone = "the process that started it is gone; --stay lets it live on"
        watch_parent(lambda: loop.call_soon_threadsafe(stop, gone))
    ending = asyncio.ensure_future(stopped.wait())
    living = asyncio.ensure_future(_live(places, partial(stop, "POST /stop"), wanted))
    # A stop while starting must not wait for the start.
    await asyncio.wait({ending, living}, return_when=asyncio.FIRST_COMPLETED)
    ending.cancel()
    if living.done():
        living.result()
        return "it lived its seconds"
    living.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await living
    return why[0]


async def _live(places: Places, stop: Callable[[], None], wanted: Wanted) -> None:
    async with Intake(places) as intake:
        control = Control(intake, stop)
        await control.open()
        if wanted.configuration is not None:
            write_configuration(intake.endpoints(control.url), wanted.configuration)
        sys.stdout.write(json.dumps(intake.endpoints(control.url)) + "\n")
        sys.stdout.flush()
        # Nothing else goes to standard output: whoever started us may have closed its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _log.info("up control=%s", control.url)
        try:
            # The life begins here: a slow machine would else spend all of it on the start.
            async with asyncio.timeout(wanted.seconds_to_live):
                await intake.run()
        except TimeoutError:
            _log.info("lived its seconds")
        finally:
            control.close()
            _log.info("stopped")


if __name__ == "__main__":
    sys.exit(main())
