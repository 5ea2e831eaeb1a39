"""When a journey begins again, and when a failure rules a ticket out."""

import pytest

from canary.reason import Reason
from probes.portal.stages import Progress
from probes.reasons import Fault

EXPIRED = Fault(Reason.SESSION_EXPIRED, "a log-in is asked for again")


@pytest.mark.parametrize(
    ("reason", "begins_again"),
    [
        (Reason.SESSION_EXPIRED, True),
        (Reason.PAGE_ERROR, True),
        (Reason.REDIRECT_LOOP, True),
        (Reason.PAGE_TIMEOUT, False),
        (Reason.BROWSER_CRASHED, False),
        (Reason.CONNECTION_LOST, False),
    ],
)
def test_failure_with_a_kept_session__begins_again_where_the_portal_may_have_meant_that(
    reason: Reason, begins_again: bool
) -> None:
    progress = Progress(used_kept_session=True)

    assert progress.begins_again(Fault(reason, "x")) is begins_again
    assert progress.gives_up(Fault(reason, "x")) is not begins_again


def test_failure_of_a_journey_of_its_own__never_begins_again() -> None:
    assert not Progress().begins_again(EXPIRED)
    assert Progress().gives_up(EXPIRED)


@pytest.mark.parametrize(
    "progress",
    [
        Progress(used_kept_session=True, has_left=True),
        Progress(used_kept_session=True, has_sent_token=lambda: True),
    ],
)
def test_journey_that_may_have_sent_something__neither_begins_again_nor_rules_a_ticket_out(
    progress: Progress,
) -> None:
    assert not progress.begins_again(EXPIRED)
    assert not progress.gives_up(EXPIRED)
