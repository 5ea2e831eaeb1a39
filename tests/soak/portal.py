"""Portal canaries in a row through one prober against the sandbox's helpdesk: what memory, processes and files do."""

import asyncio
import os
import re
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import psutil

from probes.portal.processes import memory_bytes
from probes.portal.settings import PortalSettings
from probes.portal.steps import By, Confirm, Fill, Locator, Step, Submit, Template
from runners.clock import SystemClock
from tests.real.portal_scene import browser_family, css, settings, staged
from tests.sandbox import start_sandbox

WARM_CANARIES = 10
MOST_BROWSER_GROWTH = 1.5
"""Of one browser, from its third canary on."""
MOST_PROBER_GROWTH_BYTES = 32 * 2**20
SETTLED_CANARY = 3
COMPARED = 10


@dataclass
class Held:
    """What was held after each canary, in bytes; and which browser it was."""

    browser: list[int] = field(default_factory=list)
    prober: list[int] = field(default_factory=list)
    drivers: list[int] = field(default_factory=list)
    files: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    ends: Counter[str] = field(default_factory=Counter)

    @property
    def renewals(self) -> list[int]:
        """The canaries, from 0, that were the first of another browser."""
        first = {driver: number for number, driver in reversed(list(enumerate(self.drivers))) if driver}
        return sorted(first.values())[1:]


def of_helpdesk(url: str) -> PortalSettings:
    """The sandbox's public form."""
    return settings(
        f"{url}/tickets/submit/",
        steps=(
            Step(1, Fill(css("input[name=title]"), Template("{{ subject }}"))),
            Step(2, Fill(Locator(By.LABEL, "Description of your issue"), Template("{{ body }}"))),
            Step(3, Fill(css("input[name=submitter_email]"), Template("{{ sender }}"))),
            Step(4, Submit(Locator(By.ROLE, "button", name="Submit Ticket"))),
            Step(5, Confirm(url=re.compile(r"ticket=support-(?P<ticket>\d+)"))),
        ),
    )


def soak(canaries: int, *, minutes: float) -> tuple[Held, list[str]]:
    """So many canaries, or as many as there is time for; what was held, and the laws that were broken."""
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        temporary = Path(folder) / "t"
        temporary.mkdir()
        with start_sandbox(Path(folder) / "sandbox") as sandbox:
            tempfile.tempdir = str(temporary)
            try:
                files = _open_files()
                held = asyncio.run(
                    _run(sandbox.endpoints.portal_url, Path(folder), canaries, minutes=minutes)
                )
                left = [str(one) for one in temporary.iterdir()]
                more = _open_files() - files
            finally:
                tempfile.tempdir = before
    return held, [*_broken(held), *_left(left, more)]


async def _run(url: str, folder: Path, canaries: int, *, minutes: float) -> Held:
    held, clock = Held(), SystemClock()
    of, ends_at = of_helpdesk(url), clock.monotonic() + 60 * minutes
    async with staged(folder) as stage:
        while len(held.browser) < canaries and clock.monotonic() < ends_at:
            began = clock.monotonic()
            seen = await stage.launched(of)
            held.seconds.append(clock.monotonic() - began)
            held.ends.update(["confirmed" if seen.is_confirmed else f"{seen.end.hop} {seen.end.reason}"])
            driver = next((one for one in browser_family() if one.name().startswith("node")), None)
            held.drivers.append(driver.pid if driver is not None else 0)
            held.browser.append(
                memory_bytes(driver) if driver is not None else 0
            )  # 0: it has just ended, after its last one
            held.prober.append(_pss(psutil.Process()))
            held.files.append(_open_files())
            if len(held.browser) % 25 == 0:
                say(held)
    return held


def _broken(held: Held) -> list[str]:
    broken = [f"{number} of {what}" for what, number in held.ends.items() if what != "confirmed"]
    starts = [0, *held.renewals]
    for start, end in zip(starts, [*held.renewals, len(held.browser)], strict=True):
        life = [one for one in held.browser[start + SETTLED_CANARY : end] if one]
        if len(life) < 2 * COMPARED:
            continue
        # single values swing by half: a page's process is still ending, or is not
        early, late = int(median(life[:COMPARED])), int(median(life[-COMPARED:]))
        if late > MOST_BROWSER_GROWTH * early:
            broken.append(f"a browser grew from {_mib(early)} to {_mib(late)} MiB")
    warm = held.prober[WARM_CANARIES:]
    if warm and max(warm) - warm[0] > MOST_PROBER_GROWTH_BYTES:
        broken.append(f"the prober grew from {_mib(warm[0])} to {_mib(max(warm))} MiB")
    return broken


def _left(left: list[str], more_files: int) -> list[str]:
    broken = [f"left: {one}" for one in left]
    broken += [f"still there: {one.name()}" for one in browser_family()]
    return broken + ([f"{more_files} more open files"] if more_files > 0 else [])


def say(held: Held) -> None:
    """How it stands."""
    counts = ", ".join(f"{what} {number}" for what, number in sorted(held.ends.items()))
    sys.stdout.write(
        f"{len(held.browser)} portal canaries, {sum(held.seconds) / len(held.seconds):.2f} s each, browser"
        f" {_mib(held.browser[-1])} MiB (most {_mib(max(held.browser))}), prober {_mib(held.prober[-1])} MiB"
        f" (most {_mib(max(held.prober))}), {held.files[-1]} files, {len(held.renewals)} renewals: {counts}\n"
    )
    sys.stdout.flush()


def _pss(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.Error:  # it has just ended
        return 0


def _open_files() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 -- a count


def _mib(size: int) -> str:
    return f"{size / 2**20:.0f}"
