"""What sinks did not take is told of those that are configured."""

from datetime import timedelta

from runners.alert_contracts import OutboxState
from runners.undelivered import undelivered
from tests.fakes.clock import START

OUTBOX = {
    "gone": OutboxState(pending=1, oldest_at=START - timedelta(days=3), dead=2),
    "pager": OutboxState(pending=1, oldest_at=START - timedelta(minutes=5)),
    "chat": OutboxState(pending=1, oldest_at=START - timedelta(minutes=4)),
}


def test_sink_that_is_configured_no_more__is_not_told() -> None:
    assert [one["sink"] for one in undelivered(OUTBOX, now=START, sinks=["pager", "chat"])] == ["pager"]


def test_without_a_configuration__every_sink_is_told() -> None:
    assert [one["sink"] for one in undelivered(OUTBOX, now=START)] == ["gone", "pager"]
