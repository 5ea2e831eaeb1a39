"""What is told of a sink that refused something: a page while it takes nothing, and no more than a ticket afterwards."""

import asyncio

import pytest

from canary.alert import AlertKind, Severity
from tests.unit.runners.test_alerting import Scene, first_of, mail_path


@pytest.mark.parametrize(("takes_others", "severity"), [(False, Severity.PAGE), (True, Severity.TICKET)])
def test_sink_that_refused_something_for_good__pages_only_until_it_takes_what_is_sent_now(
    takes_others: bool, severity: Severity
) -> None:
    mail, billing = mail_path(), mail_path("billing-mail")
    s = Scene(paths=(mail, billing))
    s.opened(mail)
    refused = first_of(s, "pager")
    asyncio.run(s.store.alert_given_up(refused, at=s.clock.now(), error="550 nobody"))
    s.clock.advance(60)
    if takes_others:
        s.opened(billing)
    s.heard()
    s.review()

    assert {one.severity for one in s.heard() if one.concern.kind is AlertKind.DELIVERY} == {severity}


def test_sink_that_refused_something_for_good__is_told_of_since_that_was_written() -> None:
    s = Scene(paths=(mail_path(),))
    began_at = s.clock.now()
    s.opened(mail_path())
    asyncio.run(s.store.alert_given_up(first_of(s, "pager"), at=began_at, error="550 nobody"))
    s.clock.advance(3600)
    s.review()

    assert {one.concern.since for one in s.heard() if one.concern.kind is AlertKind.DELIVERY} == {began_at}
