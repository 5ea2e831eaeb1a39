"""The ticket of a trial: known again word for word, and nothing else is taken for one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from canary.path import PathName
from canary.signature import mint_id, mint_token
from canary.ticket import Attachment, Ticket, TicketId, TicketRef
from canary.trial import TRIAL_BODY, TRIAL_SUBJECT, is_trials

AT = datetime(2026, 11, 30, 12, tzinfo=UTC)
CANARY = mint_id(AT, b"abcd")
TOKEN = mint_token(CANARY, PathName("support-email"), b"signing-key-of-32-bytes-for-test")
TRIALS = Ticket(
    TicketRef("desk", TicketId("7")),
    subject=f"intakecanary {TOKEN} {TRIAL_SUBJECT}",
    body=TRIAL_BODY,
    requester="api-user@acme.test",
    remote_created_at=AT + timedelta(seconds=2),
)


@pytest.mark.parametrize(
    "other",
    [
        replace(TRIALS, subject=f"{TRIALS.subject} and mine"),
        replace(TRIALS, subject=f"Fwd: {TRIALS.subject}"),
        replace(TRIALS, subject=f"intakecanary {TOKEN} hello"),
        replace(TRIALS, subject=f"{TRIAL_SUBJECT}"),
        replace(TRIALS, subject=None),
        replace(TRIALS, body=f"{TRIAL_BODY}\n\nMy chair is broken."),
        replace(TRIALS, body="", remote_created_at=AT + timedelta(minutes=2)),
        replace(TRIALS, body=None, remote_created_at=AT + timedelta(minutes=2)),
        replace(TRIALS, remote_created_at=None),
        replace(TRIALS, remote_created_at=AT + timedelta(hours=2)),
        replace(TRIALS, remote_created_at=AT - timedelta(hours=2)),
        replace(TRIALS, attachments=(Attachment("invoice.pdf"),)),
    ],
)
def test_ticket_with_anything_of_anybodys__is_no_trials(other: Ticket) -> None:
    assert not is_trials(other, CANARY, TOKEN)


@pytest.mark.parametrize(
    "own",
    [
        TRIALS,
        replace(TRIALS, requester=None),
        replace(TRIALS, body=None),
        replace(TRIALS, remote_created_at=AT + timedelta(minutes=50)),
        replace(TRIALS, subject=f"{TOKEN.upper()} {TRIAL_SUBJECT}"),
        replace(TRIALS, body=TRIAL_BODY.replace(". ", ".\r\n") + "\n"),
        replace(TRIALS, attachments=()),
    ],
)
def test_trials_own_ticket__is_known_whoever_its_requester_is(own: Ticket) -> None:
    assert is_trials(own, CANARY, TOKEN)
