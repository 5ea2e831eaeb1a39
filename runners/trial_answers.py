"""What `ticketing try` came to, as its `--json` answer, and as an exit status."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, cast

from probes.contracts import Budget, Glance
from runners.answers import stamp
from runners.ticketing_rights import Step, StepState
from runners.ticketing_trial import OurTicket, Understood, missing_of, skew_of
from runners.trial_shapes import (
    BudgetAnswer,
    LookReadAnswer,
    OurTicketAnswer,
    TicketingTryAnswer,
    TrialStepAnswer,
)

if TYPE_CHECKING:
    from runners.config.config import TicketingConfig


def trial_exit(understood: Understood, steps: Sequence[Step]) -> int:
    """2: something here is to be mended, 3: the system could not be read, 0: all was understood."""
    if understood.is_misunderstood or any(one.state is StepState.FAIL for one in steps):
        return 2
    if understood.is_unreadable or any(one.state is StepState.BLIND for one in steps):
        return 3
    return 0


def ours_in(understood: Understood, glance: Glance) -> int:
    """How many tickets of ours a look showed."""
    return sum(glance.name in one.looks for one in understood.ours)


def trial_answer(
    system: "TicketingConfig",
    understood: Understood,
    steps: Sequence[Step],
    *,
    transcript: str | None,
    status: int,
) -> TicketingTryAnswer:
    """The answer."""
    return {
        "system": system.name,
        "type": system.vendor or str(system.type),
        "since": stamp(understood.since),
        "looks": [_look(understood, one) for one in understood.glances],
        "tickets": [_ticket(one) for one in understood.ours],
        "foreign": understood.foreign,
        "budgets": [_budget(one) for one in understood.budgets],
        "skew_seconds": skew_of(understood.glances),
        "steps": [_step(one) for one in steps],
        "transcript": transcript,
        "exit": status,
    }


def _look(understood: Understood, glance: Glance) -> LookReadAnswer:
    return {
        "name": glance.name,
        "state": glance.state.value,
        "view": glance.view.value,
        "lag_seconds": glance.lag_seconds,
        "tickets": glance.shown,
        "ours": ours_in(understood, glance),
        "older": glance.older,
        "whole": glance.is_whole,
        "fields": [
            {"name": one.name, "read": one.read, "of": one.of, "fault": one.fault or None}
            for one in glance.fields
        ],
        "missing": list(missing_of(glance)),
        "fault": glance.fault or None,
        "unreadable": glance.is_unreadable,
        "note": glance.note or None,
    }


def _ticket(ticket: OurTicket) -> OurTicketAnswer:
    return {
        "id": ticket.id,
        "looks": list(ticket.looks),
        "state": ticket.state.value,
        "canary": ticket.canary_id,
        "path": ticket.path,
        "created_at": stamp(ticket.created_at) if ticket.created_at is not None else None,
        "channel": ticket.channel,
        "requester": ticket.requester.value,
        "address": ticket.address,
        "open": ticket.is_open,
        "tags": list(ticket.tags),
        "files": ticket.files,
        "files_read": ticket.files_read,
        "findings": list(ticket.findings) if ticket.findings is not None else None,
        "cause": ticket.cause,
    }


def _budget(budget: Budget) -> BudgetAnswer:
    return {
        "name": budget.name,
        "left": budget.left,
        "limit": budget.limit,
        "resets_at": stamp(budget.resets_at) if budget.resets_at is not None else None,
    }


def _step(step: Step) -> TrialStepAnswer:
    return {
        "name": cast(Literal["create", "find", "close"], step.name),
        "state": step.state.value,
        "finding": step.finding,
        "remedy": step.remedy or None,
        "seconds": step.seconds,
        "ticket": step.ticket_id,
    }
