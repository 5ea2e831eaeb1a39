"""`python -m tests.real.portal_child {once,hold} DIRECTORY`: a prober of its own, for tests that kill it or run it as somebody else.

It says one line of JSON: what came of its canary (`once`), or that it waits for a page that never comes (`hold`).
"""

import asyncio
import json
import signal
import sys
from dataclasses import replace
from pathlib import Path

from canary.hop import Hop
from canary.observation import Observation
from tests.real.portal_scene import LIMITS, THANKS, browser_family, settings, small_portal, staged
from tests.real.scripted_http import Break, Reply, running


def main() -> None:
    # Whoever is started in the background of a script inherits that SIGINT is ignored (POSIX, "Asynchronous Lists").
    signal.signal(signal.SIGINT, signal.default_int_handler)
    how, directory = sys.argv[1:]
    asyncio.run({"once": once, "hold": hold}[how](Path(directory)))


async def once(directory: Path) -> None:
    async with running(small_portal()) as site, staged(directory) as stage:
        seen = await stage.launched(settings(f"{site.url}/"))
    say(
        confirmed=seen.is_confirmed,
        story=[f"{one.hop} {one.outcome}: {one.detail}" for one in seen.observations],
        sandboxed=seen.last(Hop.PORTAL_LOAD).facts.get("intake.browser.sandboxed"),
        left=[one.name() for one in browser_family()],
    )


async def hold(directory: Path) -> None:
    portal = small_portal()
    portal.answers["POST /requests"] = Reply(body=THANKS, broken=Break.SILENT)

    def tell(observation: Observation) -> None:
        if observation.hop is Hop.PORTAL_FORM:
            say(pids=[one.pid for one in browser_family()])

    async with running(portal) as site, staged(directory) as stage:
        limits = replace(LIMITS, submit_seconds=250.0)
        await stage.launched(settings(f"{site.url}/", limits=limits), then=tell)


def say(**words: object) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
