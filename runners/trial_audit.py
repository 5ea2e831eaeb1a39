"""What `ticketing try --create` opened and closed, as lines of the audit, where there is a store to write them into."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from canary.signature import CanaryId
from probes.contracts import Clock, RemovalState
from runners.config.config import Config
from runners.contracts import AuditEntry, RemovalKind, StoreError
from runners.ticketing_rights import Step, StepState

ACTION: Final = "ticketing try"
OPENED: Final = "opened"
_WRITE_SECONDS: Final = 10.0
_ENDS: Final = {
    StepState.OK: RemovalState.DONE,
    StepState.WARN: RemovalState.ACCEPTED,
    StepState.FAIL: RemovalState.FAILED,
    StepState.BLIND: RemovalState.FAILED,
}


async def note_trial(
    config: Config,
    system: str,
    canary_id: CanaryId,
    steps: Sequence[tuple[datetime, Step]],
    *,
    clock: Clock,
    tell: Callable[[str], None],
) -> None:
    """Write what was opened and closed; where it can't be written that is said, and the trial stays what it was.

    No store is made for it, and none is brought to this program's revision.

    Args:
        config: whose store; masks.
        system: the place.
        canary_id: of the ticket's token.
        steps: of the trial, each with when it was done.
        clock: limits.
        tell: told why it was not written.
    """
    entries = [_entry(config, system, canary_id, at, step) for at, step in steps if _is_told(step)]
    if not entries:
        return
    try:
        async with clock.timeout(_WRITE_SECONDS):
            await _write(config, entries, clock)
    except (StoreError, TimeoutError) as error:
        why = config.masker.mask(str(error)).rstrip(".") or "the store did not answer in time"
        tell(f"what was opened and closed is not in `intake-prober audit`: {why}")


async def _write(config: Config, entries: Sequence[AuditEntry], clock: Clock) -> None:
    from runners.store import open_store

    url, name = config.prober.store_url, config.prober.name
    async with open_store(url, clock=clock, prober=name, read_only=True):
        pass  # there is one, of this program's revision
    async with open_store(url, clock=clock, prober=name) as store:
        await store.note_begun(*entries)


def _is_told(step: Step) -> bool:
    """Whether a ticket is known to have been opened by the step, or something became of it."""
    return step.ticket_id is not None and (
        step.name == "close" or (step.name == "create" and step.state is StepState.OK)
    )


def _entry(config: Config, system: str, canary_id: CanaryId, at: datetime, step: Step) -> AuditEntry:
    return AuditEntry(
        at=at,
        prober=config.prober.name,
        canary_id=canary_id,
        kind=RemovalKind.TICKET,
        place=system,
        what=step.ticket_id or "",
        action=ACTION,
        outcome=OPENED if step.name == "create" else _ENDS[step.state].value,
        detail=config.masker.detail(step.finding),
    )
