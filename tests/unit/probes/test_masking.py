"""What was registered as a secret is in no text any more, however it is written there."""

import base64
from urllib.parse import quote

import pytest

from probes.masking import Masker, Secret


@pytest.mark.parametrize("order", [("open", "open sesame!"), ("open sesame!", "open")])
def test_secret_that_holds_another__in_whatever_order_they_came__is_masked_whole(
    order: tuple[str, str],
) -> None:
    masker = Masker()

    for one in order:
        masker.register(Secret(one))

    assert masker.mask("open sesame! was said, not open") == "*** was said, not ***"


def test_secret__in_the_encodings_of_protocols__is_masked() -> None:
    masker = Masker([Secret("open sesame!")])
    masker.register(Secret("open sesame!"))

    encoded = base64.b64encode(b"open sesame!").decode().rstrip("=")

    assert masker.mask(f"{quote('open sesame!', safe='')} {encoded}") == "*** ***"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Proxy-Authorization: Basic eHg=", "Proxy-Authorization: ***"),
        ("set-cookie=sid", "set-cookie=***"),
        ("AUTHENTICATE PLAIN AGEAYg==", "AUTHENTICATE PLAIN ***"),
        ("bearer abcdefghijklmnop0", "bearer ***"),
        ("imap://u:p@host", "imap://***@host"),
        ("https://tok3n@host:4318/v1", "https://***@host:4318/v1"),
        ("https://:tok3n@host", "https://***@host"),
        ("https://a@b@host", "https://***@host"),
        ("https://u:pa?ss@host", "https://***@host"),
        ("https://host/people/@ada", "https://host/people/@ada"),
        ("https://x.example/?a=b", "https://x.example/?***"),
        ("smtp.accept", "smtp.accept"),
    ],
)
def test_what_looks_like_a_credential__is_masked_without_being_known(text: str, masked: str) -> None:
    assert Masker([Secret("open sesame!")]).mask(text) == masked


def test_secret_that_was_lent_twice_or_registered_too__stays_masked_until_all_have_forgotten_it() -> None:
    masker = Masker([Secret("for ever")])
    for one in ("token one", "token one", "for ever"):
        masker.lend(Secret(one))

    masker.forget(Secret("token one"))
    masker.forget(Secret("for ever"))
    masker.forget(Secret("never known"))
    assert masker.mask("token one, for ever") == "***, ***"
    masker.forget(Secret("token one"))
    assert masker.mask("token one, for ever") == "token one, ***"


def test_secret_that_is_another_one_as_it_is_quoted__is_masked_in_all_its_encodings() -> None:
    masker = Masker([Secret("a b c d"), Secret("a%20b%20c%20d")])

    assert masker.mask(quote("a%20b%20c%20d", safe="")) == "***"
