"""What `ticketing try --create` opened and closed is in the audit, where there is a store; else that is said."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from canary.signature import mint_id
from runners.clock import SystemClock
from runners.config.config import Config
from runners.contracts import AuditEntry
from runners.store import open_store
from runners.ticketing_rights import Step, StepState
from runners.trial_audit import note_trial
from tests.unit.runners.config.examples import FULL, read

CREATED = Step("create", StepState.OK, "ticket 108 was opened", "", 0.3, "108")
FOUND = Step("find", StepState.OK, "seen by a narrow look, the first", "", 0.1, "108")
CLOSED = Step("close", StepState.OK, "tagged synthetic and closed", "", 0.1, "108")
LEFT = Step("close", StepState.FAIL, "ticket 108 is still open: 403", "Close it by hand.", 0.1, "108")
REFUSED = Step("create", StepState.FAIL, "answered 403", "", 0.1)
UNKNOWN = Step("close", StepState.BLIND, "whether a ticket was made is not known", "", 0.1)


def noted(config: Config, *steps: Step, has_store: bool = True) -> tuple[Sequence[AuditEntry], list[str]]:
    """What is in the audit after these steps, newest last, and what was said."""
    clock = SystemClock()
    said: list[str] = []

    async def main() -> Sequence[AuditEntry]:
        if has_store:
            async with open_store(config.prober.store_url, clock=clock):
                pass
        now = clock.now()
        timed = [(now, one) for one in steps]
        await note_trial(config, "desk", mint_id(now, b"abcd"), timed, clock=clock, tell=said.append)
        if not has_store:
            return ()
        async with open_store(config.prober.store_url, clock=clock) as store:
            return list(await store.audit(since=None, limit=10))

    return asyncio.run(main()), said


@pytest.mark.parametrize(("end", "outcome"), [(CLOSED, "done"), (LEFT, "failed")])
def test_ticket_that_was_opened__has_a_line_of_that_and_of_its_end(
    tmp_path: Path, end: Step, outcome: str
) -> None:
    lines, said = noted(read(tmp_path, FULL), CREATED, FOUND, end)

    assert {(one.action, one.place, one.what, one.outcome) for one in lines} == {
        ("ticketing try", "desk", "108", "opened"),
        ("ticketing try", "desk", "108", outcome),
    }
    assert said == []


def test_trial_that_opened_nothing_that_is_known__writes_nothing(tmp_path: Path) -> None:
    assert noted(read(tmp_path, FULL), REFUSED, UNKNOWN) == ([], [])


def test_trial_without_a_store__makes_none_and_says_that_it_is_not_in_the_audit(tmp_path: Path) -> None:
    _, said = noted(read(tmp_path, FULL), CREATED, CLOSED, has_store=False)

    assert len(said) == 1
    assert said[0].startswith("what was opened and closed is not in `intake-prober audit`: ")
    assert not (tmp_path / "intake.db").exists()
