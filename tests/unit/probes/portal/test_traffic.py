"""What of a page's traffic is taken for the request, for a failure, and for somebody else's."""

from typing import Any

import pytest

from probes.portal.traffic import Exchange, Traffic, shown

OWN = "https://support.acme.test"


def exchange(url: str = f"{OWN}/new", **changes: Any) -> Exchange:  # noqa: ANN401 -- the fields of Exchange
    given: dict[str, Any] = {
        "number": 0,
        "method": "GET",
        "kind": "document",
        "is_document": False,
        "bears_token": False,
        "began": 1.0,
    }
    return Exchange(url=url, **{**given, **changes})


def traffic(*exchanges: Exchange, now: float = 10.0) -> Traffic:
    made = Traffic(lambda: now, "TOKEN", frozenset({"support.acme.test"}))
    made.exchanges.extend(exchanges)
    return made


FORM = exchange(method="POST", is_document=True, bears_token=True)
FETCH = exchange(f"{OWN}/api", method="POST", bears_token=True)
FILE = exchange(f"{OWN}/upload", method="POST")
LINK = exchange(f"{OWN}/send?t=TOKEN", is_document=True, bears_token=True)
PAGE = exchange(f"{OWN}/done", is_document=True)
RECORDER = exchange("https://rec.example/r", method="POST", bears_token=True)
COUNTER = exchange("https://count.example/c", method="POST")
API = exchange("https://api.example/requests", method="POST", bears_token=True)


@pytest.mark.parametrize(
    ("seen", "found"),
    [
        ([FORM, PAGE], [FORM]),
        ([FETCH], [FETCH]),
        ([LINK], [LINK]),
        ([RECORDER, FORM], [FORM]),
        ([API, FILE], [API]),
        ([FILE, PAGE], [FILE]),
        ([COUNTER], []),
        ([COUNTER, PAGE], [PAGE]),
        ([], []),
        ([exchange(method="POST", bears_token=True, failure="net::ERR_ABORTED")], []),
    ],
)
def test_request__is_what_bears_the_token__to_our_hosts_first(
    seen: list[Exchange], found: list[Exchange]
) -> None:
    assert traffic(*seen).submissions(0) == found


def test_request__is_looked_for_after_the_submit_alone() -> None:
    assert traffic(FETCH, FORM).submissions(1) == [FORM]


@pytest.mark.parametrize(
    ("one", "is_failure"),
    [
        (exchange(status=200), False),
        (exchange(status=304), False),
        (exchange(status=404), True),
        (exchange(failure="net::ERR_CONNECTION_RESET"), True),
        (exchange(failure="net::ERR_ABORTED"), False),
        (exchange(failure="net::ERR_ABORTED", status=404), True),  # a script's error page
        (exchange(f"{OWN}/favicon.ico", status=404), False),
    ],
)
def test_failure__is_what_a_customer_may_feel(one: Exchange, is_failure: bool) -> None:
    assert one.has_failed is is_failure


def test_failures__are_told_by_host_and_cause__the_most_frequent_first() -> None:
    seen = [exchange("https://cdn.example/a.js", status=503) for _ in range(2)]

    told = traffic(exchange(failure="net::ERR_FAILED"), *seen, exchange(status=200)).failed()

    assert told == "cdn.example 503 (2 times), support.acme.test net::ERR_FAILED"


def test_failure_whose_body_was_given_up__is_told_by_its_status() -> None:
    assert traffic(exchange(status=404, failure="net::ERR_ABORTED")).failed() == "support.acme.test 404"


def test_third_parties__are_counted__and_ours_are_none() -> None:
    assert (
        traffic(FORM, RECORDER, RECORDER, COUNTER).third_parties() == "rec.example (2 times), count.example"
    )


def test_slowest__tells_what_is_still_under_way() -> None:
    seen = [exchange(f"{OWN}/a?key=secret", began=1.0, ended=2.5), exchange(f"{OWN}/b", began=4.0)]

    assert traffic(*seen).slowest() == f"{OWN}/b 6.00 s so far; {OWN}/a 1.50 s"
    assert traffic(*seen).pending() == [seen[1]]


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://user:pw@a.example:8443/x?token=1#y", "https://a.example:8443/x"),
        ("about:blank", "about:blank"),
    ],
)
def test_address__is_shown_without_what_may_be_secret(url: str, told: str) -> None:
    assert shown(url) == told


def test_write_that_bears_the_token__may_have_made_a_ticket__whatever_step_sent_it() -> None:
    assert traffic(FETCH).has_sent_token
    assert not traffic(RECORDER, FILE, exchange(f"{OWN}/?q=TOKEN", bears_token=True)).has_sent_token


def test_write_to_our_hosts_that_is_pending__is_still_being_sent() -> None:
    ended = exchange(f"{OWN}/api", method="POST", bears_token=True, ended=2.0)

    assert traffic(ended, COUNTER, RECORDER, FILE).sending(0) == [RECORDER, FILE]
    assert traffic(FILE).sending(1) == []


POSTED = exchange(method="POST", status=500)
BEACON = exchange(f"{OWN}/statistics", method="POST", kind="ping", status=500)
TAKEN = exchange(f"{OWN}/login", method="POST", kind="fetch", status=200)


@pytest.mark.parametrize(
    ("seen", "failed"),
    [
        ([POSTED], POSTED),
        ([exchange(method="POST", status=401)], None),
        ([exchange(status=500)], None),
        ([exchange("https://count.example/c", method="POST", status=500)], None),
        ([BEACON], None),
        ([BEACON, POSTED], POSTED),
        ([POSTED, TAKEN], None),  # which of them was the log-in nobody can say
        ([], None),
    ],
)
def test_failed_write__is_told_only_if_the_portal_took_nothing_else(
    seen: list[Exchange], failed: Exchange | None
) -> None:
    assert traffic(*seen).failed_write(0) is failed


def test_failed_write__whose_connection_broke__is_one() -> None:
    broken = exchange(method="POST", failure="net::ERR_CONNECTION_RESET")

    assert traffic(broken).failed_write(0) is broken
    assert traffic(broken).failed_write(1) is None
