"""What was registered as a secret is in no text any more, however it is written there."""

import base64
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.masking import DETAIL_CHARACTERS, Masker, Secret, shortened


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


def test_detail__of_several_sentences_with_a_remedy__is_kept_whole() -> None:
    said = (
        "desk: not one ticket is shown. " * 12 + "Look at our key: intake-prober ticketing try desk --create."
    )

    assert Masker().detail(said) == said


def test_detail__that_is_far_too_long__ends_with_a_whole_sentence() -> None:
    said = Masker().detail("Look at the key. " * 200)

    assert said.endswith("Look at the key. …")
    assert DETAIL_CHARACTERS - 20 < len(said) <= DETAIL_CHARACTERS


@given(text=st.text(alphabet="a. ", max_size=60), most=st.integers(5, 60))
def test_shortened__is_never_longer_than_it_may_be_and_a_beginning_of_the_text(text: str, most: int) -> None:
    short = shortened(text, most)

    assert len(short) <= most
    assert text.startswith(short.removesuffix("…").removesuffix(" ") if short != text else short)
    assert short == text or len(short) > most // 2
