"""`python -m tests.soak [--only mail|portal|serve|replicas] [--minutes N] …`: what is too long for a test; 1 if a law broke.

By mail for so many minutes, with faults by chance; so many canaries through a portal, whose memory is drawn; two hundred
paths served for a quarter of an hour; and an hour of three replicas with accidents, on a fast clock.
"""

import argparse
import asyncio
import os
import random
import secrets
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from canary.verdict import Verdict
from runners.clock import SystemClock
from runners.config.load import load
from runners.oneshot import OneShot, RunOptions
from runners.progress import Silent
from runners.store import open_store
from runners.wiring import wired
from tests.chaos.replicas.scenario import Plan, play
from tests.real.intake import left_of, new_intake
from tests.real.servers.postgresql import running_postgresql
from tests.sandbox import Sandbox, start_sandbox
from tests.soak import portal, serve
from tests.soak.memory_picture import draw

FAULTS: tuple[dict[str, object], ...] = (
    {"smtp_refuse": True},
    {"smtp_defer": True},
    {"smtp_cut_in_data": True},
    {"smtp_cut_after_data": True},
    {"smtp_silent_after_data": "delivered"},
    {"delivery_drop": True},
    {"delivery_delay_seconds": 3.0},
    {"delivery_to_junk": True},
    {"delivery_duplicate": True},
    {"delivery_bounce": "rfc3464"},
    {"truncate_body_bytes": 100},
    {"imap_close_in_idle": True},
    {"imap_silent_in_idle": True},
    {"imap_login_refused": True},
    {"imap_uidvalidity_bump": 1},
    {"desk_poller_paused": True},
    {"desk_duplicates": 2},
    {"desk_acknowledge": False},
    {"desk_api_delay_seconds": 0.5},
)
PATH = {"deadline": "3s", "horizon": "8s"}
WARM_ROUNDS = 15
MOST_GROWTH_BYTES = 48 * 2**20
MOST_MORE_FILES = 6


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--only", choices=("mail", "portal", "serve", "replicas"), default=None)
    parser.add_argument("--minutes", type=float, default=None, help="of each; 30, and 15 of what is served")
    parser.add_argument("--canaries", type=int, default=500, help="through the portal")
    parser.add_argument("--picture", type=Path, default=None, help="where to draw the portal's memory (SVG)")
    parser.add_argument("--paths", type=int, default=200, help="that are served, and that replicas share")
    parser.add_argument(
        "--past",
        type=int,
        default=60,
        help="minutes of canaries that are in the store when it begins to be served",
    )
    parser.add_argument(
        "--trace", action="store_true", help="say which lines hold the memory of what is served; slow"
    )
    parser.add_argument("--speed", type=float, default=20.0, help="how fast the replicas' clock is")
    parser.add_argument("--seed", type=int, default=None, help="of an earlier run, to have its faults again")
    given = parser.parse_args()
    broken: list[str] = []
    for name, played in PLAYED.items():
        if given.only in {None, name}:
            sys.stdout.write(f"{name}\n")
            broken += played(given)
    sys.stdout.write("".join(f"broken: {one}\n" for one in broken) or "every law held\n")
    return 1 if broken else 0


def served(given: argparse.Namespace) -> list[str]:
    """The laws that were broken while two hundred paths were served."""
    with running() as (sandbox, directory):
        held, broken = serve.soak(
            sandbox,
            directory,
            paths=given.paths,
            minutes=given.minutes or 15.0,
            past_minutes=given.past,
            is_traced=given.trace,
        )
        serve.say(held)
    return broken


def replicated(given: argparse.Namespace) -> list[str]:
    """The laws that three replicas broke in an hour of accidents on a fast clock."""
    seed = given.seed if given.seed is not None else secrets.randbits(32)
    plan = Plan(seed=seed, paths=given.paths, minutes=60.0, speed=given.speed)
    sys.stdout.write(f"{plan}\n")
    with running_postgresql() as server:
        outcome = play(plan, server)
    sys.stdout.write(f"{outcome}\n")
    return outcome.wrong


def through_the_portal(given: argparse.Namespace) -> list[str]:
    """The laws that were broken."""
    held, broken = portal.soak(given.canaries, minutes=given.minutes or 30.0)
    portal.say(held)
    if given.picture is not None:
        number = len(held.browser)
        draw(held, given.picture, title=f"{number} portal canaries in a row: memory after each")
    return broken


def by_mail(given: argparse.Namespace) -> list[str]:
    """The laws that were broken."""
    seed = given.seed if given.seed is not None else secrets.randbits(32)
    minutes = given.minutes or 30.0
    sys.stdout.write(f"seed {seed}, {minutes:g} minutes\n")
    with running() as (sandbox, directory):
        chance = random.Random(seed)  # noqa: S311 -- to be had again by its seed; it guards nothing
        return asyncio.run(soak(sandbox, directory, chance, seconds=60 * minutes))


@contextmanager
def running() -> Iterator[tuple[Sandbox, Path]]:
    with (
        tempfile.TemporaryDirectory(prefix="intake-soak-") as directory,
        start_sandbox(Path(directory) / "sandbox") as sandbox,
    ):
        yield sandbox, Path(directory) / "prober"


async def soak(sandbox: Sandbox, directory: Path, chance: random.Random, *, seconds: float) -> list[str]:
    """Run until the time is over; returns the laws that were broken."""
    intake = new_intake(directory, sandbox.endpoints, {"paths": {"support-email": PATH}})
    config, clock, process = (
        load(intake.configuration, allow_literal_secrets=True),
        SystemClock(),
        psutil.Process(),
    )
    verdicts: Counter[str] = Counter()
    ids: set[str] = set()
    warm = (0, 0)
    ends_at, rounds = clock.monotonic() + seconds, 0
    async with (
        open_store(intake.store, clock=clock, prober=config.prober.name) as store,
        wired(config, clock=clock, store=store, progress=Silent()) as prober,
    ):
        while clock.monotonic() < ends_at:
            fault = chance.choice(FAULTS) if chance.random() < 0.5 else {}
            sandbox.faults(**fault)
            result = await OneShot(prober, store, clock=clock, progress=Silent()).run(RunOptions())
            sandbox.clear_faults()
            verdicts.update(str(one.verdict) for one in result.records)
            ids |= {str(one.canary.id) for one in result.records}
            rounds += 1
            if rounds == WARM_ROUNDS:
                warm = (process.memory_info().rss, process.num_fds())
            if rounds % 10 == 0:
                say(rounds, process, verdicts)
        await clock.sleep(9.0)  # the horizon of the last
        for _ in range(3):
            swept = await OneShot(prober, store, clock=clock, progress=Silent()).run(
                RunOptions(launches=False, until_horizon=True)
            )
            verdicts.update(str(one.verdict) for one in swept.records)
        outstanding = await store.outstanding(clock.now())
        end = (process.memory_info().rss, process.num_fds())
    say(rounds, process, verdicts)
    broken = [f"{one.canary.id} is outstanding: {one.verdict}" for one in outstanding]
    broken += left_of(sandbox, sorted(ids))
    broken += ["nothing was confirmed"] if not verdicts[Verdict.CONFIRMED] else []
    if rounds > WARM_ROUNDS:
        grown, more = end[0] - warm[0], end[1] - warm[1]
        broken += [f"memory grew by {grown / 2**20:.0f} MiB"] if grown > MOST_GROWTH_BYTES else []
        broken += [f"{more} more open files"] if more > MOST_MORE_FILES else []
    return broken


def say(rounds: int, process: psutil.Process, verdicts: Counter[str]) -> None:
    memory = process.memory_info().rss / 2**20
    counts = ", ".join(f"{name} {number}" for name, number in sorted(verdicts.items()))
    sys.stdout.write(
        f"{rounds} runs, {memory:.0f} MiB, {process.num_fds()} files, pid {os.getpid()}: {counts}\n"
    )
    sys.stdout.flush()


PLAYED = {"mail": by_mail, "portal": through_the_portal, "serve": served, "replicas": replicated}

if __name__ == "__main__":
    sys.exit(main())
