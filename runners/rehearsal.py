"""`portal try`: the steps of a path up to its submit, for the person who writes them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from canary.canary import Canary, Token, new_canary
from canary.hop import Hop
from canary.path import PathName
from canary.reason import CAUSES, Reason, Side
from canary.signature import RANDOM_BYTES, mint_id, mint_token
from probes.contracts import Clock
from probes.portal.settings import PortalSettings
from runners.config.config import Config, PathConfig
from runners.progress import Silent
from runners.site import Site, open_site
from runners.site_portals import open_portals

Show = Callable[[Hop, str, float], None]


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of it.

    Attributes:
        reason, detail: why a step could not be done, masked; empty: all were.
        remedy: what helps.
        is_ours: whether the prober itself is at fault (no browser, a credential, a bot defence); its steps are not.
        screenshot: the file that shows the end, or None.
    """

    reason: str
    detail: str
    remedy: str
    is_ours: bool
    screenshot: Path | None
    facts: dict[str, str | int | float | bool]


class ScreenshotUnwritable(Exception):
    """The picture of the end can't be written; the text says why."""


class NoPortal(Exception):
    """There is no such portal path; the text says which there are."""


def portal_path(config: Config, name: str | None) -> PathConfig:
    """The portal path of a name, or the only one.

    Raises:
        NoPortal: there is none, or there are several and none is named.
    """
    portals = {path: one for path, one in config.paths.items() if isinstance(one.sending, PortalSettings)}
    if name is not None:
        if PathName(name) not in portals:
            known = f"Portal paths: {', '.join(portals)}" if portals else "It has no path of channel portal"
            raise NoPortal(f"{name} is no portal path of the configuration. {known}")
        return portals[PathName(name)]
    if len(portals) != 1:
        raise NoPortal(
            f"name one of the portal paths: {', '.join(portals)}"
            if portals
            else "there is no path of channel portal"
        )
    return next(iter(portals.values()))


async def rehearse(
    config: Config,
    path: PathConfig,
    *,
    clock: Clock,
    randomness: Callable[[int], bytes],
    show: Show,
    screenshot: Path,
    is_headed: bool = False,
    slow_seconds: float = 0.0,
) -> Tried:
    """Do the steps of a path up to its submit; nothing is sent, nothing is recorded.

    Args:
        config: the configuration.
        path: of channel portal.
        clock: times and limits.
        randomness: for the token that is typed.
        show: told of each step as it is done.
        screenshot: where the picture of the end goes.
        is_headed: with a window.
        slow_seconds: a pause before each of the browser's actions.

    Raises:
        ScreenshotUnwritable: the picture can't be written.
        SecretUnavailable: a signing key can't be had.
    """
    from probes.portal.probe import PortalProbe

    site = await open_site(config, clock=clock, tell=Silent())
    async with open_portals(site, is_headed=is_headed, slow_seconds=slow_seconds) as portals:
        if portals is None or not isinstance(path.sending, PortalSettings):
            raise TypeError(f"{path.path.name} is no portal path")
        probe = portals.probe(path.sending, None)
        if not isinstance(probe, PortalProbe):
            raise TypeError("a portal's probe rehearses")
        rehearsal = await probe.rehearse(_canary(site, path, clock, randomness), show)
    written = None
    if rehearsal.screenshot is not None:
        try:
            await asyncio.to_thread(screenshot.write_bytes, rehearsal.screenshot)
        except OSError as error:
            raise ScreenshotUnwritable(error.strerror or str(error)) from error
        written = screenshot
    fault = rehearsal.fault
    if fault is None:
        return Tried("", "", "", is_ours=False, screenshot=written, facts=dict(rehearsal.facts))
    cause = CAUSES[fault.reason]
    return Tried(
        fault.reason,
        site.masker.detail(fault.detail),
        cause.remedy,
        is_ours=cause.side is Side.PROBER and fault.reason is not Reason.JOURNEY_INVALID,
        screenshot=written,
        facts=dict(rehearsal.facts),
    )


def _canary(site: Site, path: PathConfig, clock: Clock, randomness: Callable[[int], bytes]) -> Canary:
    """A canary that is in no store: its words are typed, and never sent."""
    canary_id = mint_id(clock.now(), randomness(RANDOM_BYTES))
    return new_canary(
        path.path,
        canary_id=canary_id,
        token=Token(mint_token(canary_id, path.path.name, site.signed.keys[0])),
        marker=site.config.prober.marker,
        sender=site.config.accounts[path.senders[0]].address,
        prober=site.config.prober.name,
        by_hand=True,
    )
