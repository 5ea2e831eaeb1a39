"""Whether an answer is the confirmation: status, text, address, JSON and header, and the ticket that they name."""

import json
import re
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.form.confirmation import Finding, compare, page_of
from probes.form.exchange import Answer
from probes.form.settings import Confirmation

TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


def answer(
    body: str = "",
    *,
    status: int = 200,
    kind: str = "text/html",
    url: str = "https://a.test/thanks?ticket=support-8&key=secret",
    **headers: str,
) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, httpx.URL(url), httpx.Headers({"content-type": kind, **named}), body.encode(), None)


def found(expected: Confirmation, of: Answer) -> Finding:
    return compare(expected, of, page_of(of))


def of_json(value: object, **expected: Any) -> Finding:  # noqa: ANN401 -- any JSON
    named = {name.replace("__", "."): wanted for name, wanted in expected.items()}
    return found(Confirmation(json=named), answer(json.dumps(value), kind="application/json"))


def test_nothing_given__is_confirmed_by_any_2xx() -> None:
    assert not found(Confirmation(), answer(status=204)).missing
    assert found(Confirmation(), answer(status=302)).missing == ("the status is 302",)


def test_status__is_one_of_those_given() -> None:
    expected = Confirmation(statuses=frozenset({201, 409}))

    assert not found(expected, answer(status=409)).missing
    assert found(expected, answer(status=200)).missing


def test_text__is_looked_for_in_what_a_person_reads() -> None:
    body = "<script>Thank you</script><p>We <b>got</b>\n it</p><!-- Thank you -->"

    assert not found(Confirmation(text="WE GOT IT"), answer(body)).missing
    assert found(Confirmation(text="Thank you"), answer(body)).missing == ('no text "Thank you"',)


def test_group_ticket__is_the_ticket() -> None:
    expected = Confirmation(text=re.compile(r"request #(?P<ticket>\d+)"))

    assert found(expected, answer("<p>Your request #<b>4711</b></p>")).missing
    assert found(expected, answer("<p>Your request #4711</p>")).ticket == "4711"


def test_address__is_searched_with_its_query__and_shown_without() -> None:
    assert found(Confirmation(url=re.compile(r"ticket=(?P<ticket>[\w-]+)")), answer()).ticket == "support-8"
    assert found(Confirmation(url="/done"), answer()).missing == ("the address is https://a.test/thanks",)


def test_header__has_the_text_or_matches() -> None:
    of = answer(location="/t/17")

    assert found(Confirmation(headers={"Location": re.compile(r"/t/(?P<ticket>\d+)")}), of).ticket == "17"
    assert found(Confirmation(headers={"X-Done": "yes"}), of).missing


@pytest.mark.parametrize(
    ("value", "wanted"),
    [(True, True), (1, 1), ("a", "a"), (None, None), (1.0, 1), (4711, re.compile(r"^\d+$"))],
)
def test_json__that_is_as_expected__confirms(value: object, wanted: object) -> None:
    assert not of_json({"a": {"b": value}}, a__b=wanted).missing


@pytest.mark.parametrize(
    ("value", "wanted"),
    [(1, True), (True, 1), ("true", True), ("1", 1), (None, re.compile("")), (False, None), ("ab", "a")],
)
def test_json__that_only_looks_alike__does_not_confirm(value: object, wanted: object) -> None:
    assert of_json({"a": {"b": value}}, a__b=wanted).missing


def test_json__of_the_wrong_shape__is_said_and_no_error() -> None:
    assert of_json([1], a__b=True).missing == ("no true at a.b",)
    assert found(Confirmation(json={"length(a)": 1}), answer('{"a": 5}')).missing == ("no 1 at length(a)",)
    assert found(Confirmation(json={"a": 1}), answer("<p>no</p>")).missing == (
        "the answer is not JSON but text/html",
    )


@given(TREES)
def test_value_anywhere__is_equal_to_itself_alone(value: Any) -> None:  # noqa: ANN401 -- any JSON
    is_plain = value is None or isinstance(value, bool | int | str)

    assert bool(of_json({"a": value}, a=value if is_plain else "x").missing) is not is_plain


@given(st.binary(max_size=200))
def test_any_bytes__come_to_a_finding(content: bytes) -> None:
    of = Answer(
        200, httpx.URL("https://a.test/"), httpx.Headers({"content-type": "text/html"}), content, None
    )

    assert isinstance(found(Confirmation(text="x", json={"a": 1}), of).missing, tuple)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20), st.text(max_size=10))
def test_plain_text__is_there_whatever_its_case(text: str, around: str) -> None:
    of = answer(f"{around}{text.swapcase()}{around}", kind="text/plain")

    expected = text.casefold() in of.text.casefold()
    assert bool(found(Confirmation(text=text), of).missing) is not expected
