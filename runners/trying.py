"""A whole trial of a ticketing system: read, then, if asked to, open, find and close; witnessed from end to end."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from probes.contracts import Clock
from probes.origins import origin_of
from probes.servers import SecretUnavailable
from runners.check_places import placer
from runners.config.config import Config, TicketingConfig
from runners.site import Site
from runners.stopping import stoppable
from runners.ticketing_rights import NotTriable, RightsTrial, Step, Tell, path_for
from runners.ticketing_trial import Understood, placed_in, recognising_of, understand
from runners.transcript import Transcript
from runners.transcript_shapes import Shapes
from runners.transcript_words import vocabulary
from runners.trial_audit import note_trial

USUAL_SINCE: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Tried:
    """What a trial came to.

    Attributes:
        kind: the system's type as the configuration writes it: of a preset, its name.
        transcript: what was asked and answered, as it was.
        shapes: how it may be told; None where nothing was asked.
        understood: None where it did not come to it.
        error: why it could not be made, masked; empty where it could. ``is_ours``: the configuration is to be mended.
        interrupted_by: the exit status of the signal that ended it, or 0.
    """

    kind: str
    transcript: Transcript
    shapes: Shapes | None = None
    understood: Understood | None = None
    steps: tuple[Step, ...] = ()
    error: str = ""
    is_ours: bool = False
    interrupted_by: int = 0


@dataclass(slots=True)
class _SoFar:
    """What there is when it is interrupted."""

    shapes: Shapes | None = None
    understood: Understood | None = None
    steps: list[tuple[datetime, Step]] = field(default_factory=list)
    trial: RightsTrial | None = None


async def try_ticketing(
    config: Config,
    system: TicketingConfig,
    since: datetime | None,
    *,
    creates: bool,
    clock: Clock,
    randomness: Callable[[int], bytes],
    progress: Callable[[str], None],
    read: Callable[[Understood], None],
    step: Tell,
) -> Tried:
    """Try one system. SIGINT and SIGTERM end it in good order: what was opened is closed.

    Args:
        config: the configuration.
        system: which of its systems.
        since: older tickets are left out; None: a day.
        creates: whether one ticket is opened, found and closed.
        clock: times and limits.
        randomness: for the token of the ticket that is opened.
        progress: told what is being done.
        read: told what was read, before a ticket is opened.
        step: told of each step of the opened ticket.
    """
    transcript, so_far = Transcript(), _SoFar()
    tried = Tried(kind=system.vendor or str(system.type), transcript=transcript)

    def noted(one: Step) -> None:
        told = replace(one, finding=placed(one.finding))
        so_far.steps.append((clock.now(), told))
        step(told)

    placed = placer(config.file, config.keys)
    error, is_ours = "", False
    begin = since if since is not None else clock.now() - USUAL_SINCE
    async with stoppable() as stopped:
        try:
            path = path_for(config, system) if creates else None
            from runners.wiring import own_addresses, triable

            async with triable(config, system.name, clock=clock, witness=transcript) as (site, adapter):
                addresses = own_addresses(site)
                so_far.shapes = _shapes(site, system, addresses)
                progress(f"reading recent tickets of {system.name}")
                so_far.understood = placed_in(await understand(site, adapter, begin, addresses), placed)
                read(so_far.understood)
                if path is not None and so_far.understood.is_unreadable:
                    progress(
                        f"no ticket is opened: {system.name} can't be read, so it could not be closed surely"
                    )
                elif path is not None:
                    progress(f"opening one ticket in {system.name}, to close it again")
                    so_far.trial = trial = RightsTrial(
                        site, adapter, recognising_of(site, addresses), clock=clock, tell=noted
                    )
                    lag = max((one.lag_seconds for one in so_far.understood.glances), default=0.0)
                    await trial.run(path, system, randomness=randomness, lag_seconds=lag)
        except NotTriable as why:
            error, is_ours = str(why), True
        except SecretUnavailable as why:
            error = str(why)
        except (OSError, ssl.SSLError) as why:
            error, is_ours = f"a CA file can't be read: {why}", True
    if so_far.trial is not None and so_far.trial.canary_id is not None:
        await note_trial(
            config, system.name, so_far.trial.canary_id, so_far.steps, clock=clock, tell=progress
        )
    return replace(
        tried,
        shapes=so_far.shapes,
        understood=so_far.understood,
        steps=tuple(one for _, one in so_far.steps),
        error=placed(config.masker.mask(error)),
        is_ours=is_ours,
        interrupted_by=stopped.exit_code,
    )


def _shapes(site: Site, system: TicketingConfig, addresses: set[str]) -> Shapes:
    generic = system.generic
    return Shapes(
        vocabulary=vocabulary(generic.settings if generic is not None else None),
        origin=origin_of(system.url),
        marker=site.config.prober.marker,
        addresses=frozenset(addresses),
        is_ours=lambda word: site.signed.recognise(word) is not None,
        masker=site.masker,
    )
