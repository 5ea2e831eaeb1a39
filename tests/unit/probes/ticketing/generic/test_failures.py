"""What an answer means: the configuration's rules before the usual table."""

import json

import pytest

from probes.http_wire import Answer
from probes.ticketing.generic.expressions import compile_expression
from probes.ticketing.generic.failures import Means, Rule, at_key, means_of, refused, said_by, told_by_body
from probes.ticketing.generic.picking import Pick


def answer(status: int, body: object = None, **headers: str) -> Answer:
    content = json.dumps(body).encode() if body is not None else b""
    return Answer(status, headers, content, "GET https://desk.test/t", "desk")


def rule(means: Means, source: str, *statuses: int, equals: frozenset[str] | None = None) -> Rule:
    pick = Pick(key="failures[0].pick", expression=compile_expression(source, "failures[0].pick"))
    return Rule(means, frozenset(statuses), pick, equals)


@pytest.mark.parametrize(
    ("status", "means"),
    [
        (200, Means.OK),
        (304, Means.OK),
        (400, Means.BAD_REQUEST),
        (401, Means.AUTH),
        (403, Means.FORBIDDEN),
        (404, Means.GONE),
        (409, Means.CONFLICT),
        (410, Means.GONE),
        (412, Means.CONFLICT),
        (422, Means.BAD_REQUEST),
        (429, Means.THROTTLED),
        (500, Means.BROKEN),
        (503, Means.MAINTENANCE),
    ],
)
def test_status__without_a_rule__means_the_usual(status: int, means: Means) -> None:
    assert means_of(answer(status), ()) is means


def test_error_in_an_answer_of_200__means_what_its_rule_says() -> None:
    rules = (rule(Means.AUTH, "error.code", 200, equals=frozenset({"KEY", "7"})),)

    assert means_of(answer(200, {"error": {"code": "KEY"}}), rules) is Means.AUTH
    assert means_of(answer(200, {"error": {"code": 7}}), rules) is Means.AUTH
    assert means_of(answer(200, {"rows": []}), rules) is Means.OK
    assert means_of(answer(500, {"error": {"code": "KEY"}}), rules) is Means.BROKEN


def test_rules__first_match_wins() -> None:
    rules = (rule(Means.THROTTLED, "error", 403), rule(Means.AUTH, "@", 403))

    assert means_of(answer(403, {"error": "limit"}), rules) is Means.THROTTLED
    assert means_of(answer(403, {"message": "no"}), rules) is Means.AUTH


@pytest.mark.parametrize("body", [b"<html>", b"not json", b""])
def test_rule_about_a_body_that_is_no_json__does_not_match_and_does_not_fail(body: bytes) -> None:
    odd = Answer(200, {}, body, "GET x", "desk")

    assert means_of(odd, (rule(Means.AUTH, "error", 200),)) is Means.OK


@pytest.mark.parametrize(("came", "means", "status"), [(200, Means.BROKEN, 500), (403, Means.THROTTLED, 429)])
def test_answer_that_a_rule_makes_a_refusal__keeps_the_status_that_came(
    came: int, means: Means, status: int
) -> None:
    error = at_key(refused("desk", answer(came), means, retry_after_seconds=7), "looks[0]", "desk")

    assert (error.status, error.answered, error.retry_after_seconds) == (status, came, 7)


@pytest.mark.parametrize("means", [one for one in Means if one is not Means.OK])
def test_refusal__names_the_call_the_status_and_what_to_do(means: Means) -> None:
    text = str(refused("desk", answer(418), means))

    assert text.startswith("desk: GET https://desk.test/t answered 418: ")
    assert len(text.split(": ", 3)[-1].split(". ")) == 2


def test_rule_that_looks_into_the_body__speaks_and_one_by_status_alone_does_not() -> None:
    rules = (
        Rule(Means.BROKEN, frozenset({200})),
        rule(Means.AUTH, "error.code", 200, equals=frozenset({"KEY"})),
    )

    assert told_by_body(answer(200, {"error": {"code": "KEY"}}), rules) is Means.AUTH
    assert told_by_body(answer(200, {"rows": []}), rules) is None


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": "origin not allowed"}, "origin not allowed"),
        ([{"errorCode": "X", "message": "Session\nexpired"}], "Session expired"),
        ({"error": {"message": "bad \u202e key"}}, "bad key"),
        ({"error": "invalid_client", "error_description": "no such client"}, "no such client"),
        ({"rows": ["a customer's words"]}, ""),
        ({"error": 7}, ""),
        ({"error": [[[[[["deep"]]]]]]}, ""),
        (None, ""),
        ({"error": "x" * 5000}, ""),
        ({"fault": "foreign soil"}, "foreign soil"),
        ({"error": True, "fault": "out of\npuff"}, "out of puff"),
        ({"fault": "foreign soil", "hint": "another"}, ""),
        ({"ticket": {"subject": "a customer's words"}}, ""),
        ({"who": "jane@customer.test"}, ""),
        ({"trace": "8f3a77ab"}, ""),
        ({"fault": "word " * 40}, ""),
    ],
    ids=lambda one: repr(one)[:30],
)
def test_short_words_of_an_error__are_found_where_systems_have_them(body: object, said: str) -> None:
    assert said_by(answer(403, body)) == said


def test_closed_system__is_only_called_closed_where_it_says_so() -> None:
    assert "overloaded, or closed for maintenance" in str(refused("desk", answer(503), Means.MAINTENANCE))
    told = refused("desk", answer(503, **{"Retry-After": "60"}), Means.MAINTENANCE)
    assert "overloaded" not in str(told)
