"""Secrets in texts: what must go in every form, and what must stay."""

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.portal.words import Words, clean_text, clean_url, looks_secret

SECRETS = st.text(
    st.characters(codec="utf-8", exclude_characters="\r\n\0*"), min_size=12, max_size=30
).filter(lambda text: text.strip() == text and not text.isspace())


@given(secret=SECRETS, before=st.text(max_size=20), after=st.text(max_size=20))
def test_known_secret__is_in_no_text_whatever_stands_around_it(secret: str, before: str, after: str) -> None:
    words = Words([secret])
    for form in (
        secret,
        quote(secret, safe=""),
        quote_plus(secret),
        html.escape(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
    ):
        assert form not in words.replaced(f"{before}{form}{after}")


@given(secret=SECRETS, prefix=st.binary(max_size=9), suffix=st.binary(max_size=9))
def test_known_secret__is_not_to_be_had_from_base64_of_something_longer(
    secret: str, prefix: bytes, suffix: bytes
) -> None:
    encoded = base64.b64encode(prefix + secret.encode() + suffix).decode()

    middle = encoded[4 * -(-len(prefix) // 3) : 4 * ((len(prefix) + len(secret.encode())) // 3)]
    assert len(middle) >= 12  # what is the secret's alone
    assert middle not in Words([secret]).replaced(encoded)


def test_short_number__is_masked_alone__and_not_within_longer_ones() -> None:
    words = Words(["492817"])

    assert words.replaced("code 492817, at 1492817.25 and 4928170") == "code ***, at 1492817.25 and 4928170"


def test_what_is_too_short_to_be_found__masks_nothing() -> None:
    assert Words(["", "a", "no"]).replaced("a banana, no") == "a banana, no"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("token is abc12345", "token is ***"),
        ('{"csrfToken":"abc12345","page":2}', '{"csrfToken":"***","page":2}'),
        ('{\\"apiKey\\":\\"abc12345\\"}', '{\\"apiKey\\":\\"***\\"}'),
        ("Authorization: Bearer abc.def-123456", "Authorization: Bearer ***"),
        ("see /x?access_token=abc&n=1 there", "see /x?access_token=***&n=1 there"),
        ("https://me:pass@host.test/x?sid=1&n=2", "https://host.test/x?sid=***&n=2"),
        ("next=%2Fx%3Ftoken%3Dabc12345", "next=%2Fx%3Ftoken%3D***"),
        ("eyJhbGciOiJI.eyJzdWIi.c2ln at the end", "*** at the end"),
        ('<input type="hidden" name="n" value="abc">', '<input type="hidden" name="n" value="***">'),
        ("<meta name=csrf-token content=abc>", '<meta name=csrf-token content="***">'),
    ],
)
def test_what_looks_like_a_secret__goes(text: str, expected: str) -> None:
    assert clean_text(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Password",
        "Your session has expired: please log in again",
        "Passwort: vergessen",
        "token: expired",
        '<input type="text" name="title" value="Printer 4711 broken">',
        "https://portal.test/requests/4711?page=2&sort=created_at",
        "locator resolved to <button>Send</button>",
        "the secretary is in room 12345678",
    ],
)
def test_what_an_engineer_needs__stays(text: str) -> None:
    assert clean_text(text) == text


def test_address_that_is_none__is_masked_whole() -> None:
    assert clean_url("http://[::1/?token=x") == "***"


@pytest.mark.parametrize(
    ("value", "is_one"), [("Password", False), ("abc1234", False), ("abc12345", True), ("two words 1", False)]
)
def test_plain_words_under_a_telling_name__are_no_secrets(value: str, is_one: bool) -> None:
    assert looks_secret(value) is is_one


@given(text=st.text(max_size=200))
def test_cleaning__never_fails__and_is_done_once(text: str) -> None:
    once = clean_text(text)

    assert clean_text(once) == once
