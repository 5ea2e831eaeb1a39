"""The token: its shape survives what mail systems do to text, and only what we signed verifies."""

import html
import string
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.signature import (
    RANDOM_BYTES,
    TOKEN_LENGTH,
    CanaryId,
    find_tokens,
    launched_at_of,
    mint_id,
    mint_token,
    unsigned,
    verify,
)
from tests.unit.canary.facts import KEY, NOON

OTHER_KEY = b"fedcba9876543210fedcba9876543210"
PATH = "support-email"
ALPHABET = string.ascii_lowercase + "234567"

launches = st.datetimes(
    min_value=datetime(1970, 1, 1),  # noqa: DTZ001 -- Hypothesis adds the zone
    max_value=datetime(9999, 12, 31),  # noqa: DTZ001 -- as above
    timezones=st.just(UTC),
)
ids = st.builds(mint_id, launches, st.binary(min_size=RANDOM_BYTES, max_size=RANDOM_BYTES))
keys = st.binary(min_size=16, max_size=64)
tokens = st.builds(mint_token, ids, st.just(PATH), st.just(KEY))


@given(ids, keys)
def test_token__is_one_lower_case_base32_word_that_starts_with_a_letter(
    canary_id: CanaryId, key: bytes
) -> None:
    token = mint_token(canary_id, PATH, key)

    assert len(token) == TOKEN_LENGTH <= 40
    assert token[0] in string.ascii_lowercase
    assert set(token) <= set(ALPHABET)
    assert (len(token) - 1 - len(canary_id)) * 5 >= 80


@given(launches, st.binary(min_size=RANDOM_BYTES, max_size=RANDOM_BYTES))
def test_id__holds_its_launch_time_to_the_millisecond(launched_at: datetime, randomness: bytes) -> None:
    held = launched_at_of(mint_id(launched_at, randomness))

    assert timedelta(0) <= launched_at - held < timedelta(milliseconds=1)


@given(tokens)
def test_own_token__verifies_and_says_whose_it_is(token: str) -> None:
    verified = verify(token, keys=[OTHER_KEY, KEY], paths=["contact-form", PATH])

    assert verified is not None
    assert (verified.canary_id, verified.path) == (token[1:17], PATH)
    assert verified.launched_at == launched_at_of(verified.canary_id)


@given(tokens)
def test_token__in_another_case__verifies(token: str) -> None:
    assert verify(token.upper(), keys=[KEY], paths=[PATH]) == verify(token, keys=[KEY], paths=[PATH])


@given(tokens, st.integers(1, TOKEN_LENGTH - 1), st.sampled_from(ALPHABET))
def test_altered_token__never_verifies(token: str, at: int, letter: str) -> None:
    altered = token[:at] + letter + token[at + 1 :]

    assert altered == token or verify(altered, keys=[KEY], paths=[PATH]) is None


@given(st.text(alphabet=ALPHABET, min_size=TOKEN_LENGTH - 1, max_size=TOKEN_LENGTH - 1))
def test_forged_token__never_verifies(letters: str) -> None:
    assert verify(f"k{letters}", keys=[KEY], paths=[PATH]) is None


@given(tokens)
def test_foreign_token__of_another_key_or_path__never_verifies(token: str) -> None:
    assert verify(token, keys=[OTHER_KEY], paths=[PATH]) is None
    assert verify(token, keys=[KEY], paths=["contact-form"]) is None
    assert verify(token, keys=[], paths=[PATH]) is None


@given(st.text())
def test_any_text__verify_and_find__raise_nothing(text: str) -> None:
    assert verify(text, keys=[KEY], paths=[PATH]) is None
    assert all(len(one) == TOKEN_LENGTH for one in find_tokens(text))


@pytest.mark.parametrize(("letter", "twin"), [("s", "\u017f"), ("k", "\u212a")])
def test_letter_that_only_folds_to_one_of_ours__is_none(letter: str, twin: str) -> None:
    lookalike = ("k" + letter * (TOKEN_LENGTH - 1)).replace(letter, twin)

    assert find_tokens(f"order {lookalike} please") == ()
    assert verify(lookalike, keys=[KEY], paths=[PATH]) is None


@given(tokens, st.sampled_from(["{}", "<{}@probe.example>", "canary+{}@probe.example", "Re: [#42] {}!"]))
def test_token__inside_text_addresses_and_subjects__is_found(token: str, around: str) -> None:
    assert find_tokens(around.format(token)) == (token,)


@given(
    tokens,
    st.sampled_from(["> > {}\n", "<b>{}</b>", "&quot;{}&quot;", "|{}|", "\u00bb{}\u00ab", "\t{}\r\n "]),
)
def test_token__quoted_and_in_html__is_found(token: str, around: str) -> None:
    assert find_tokens(f"dear all,\n{around.format(token)} thanks") == (token,)


@given(tokens)
def test_token__escaped_folded_in_case_and_repeated__is_found_once(token: str) -> None:
    text = f"{html.escape(token)} {token.upper()}\n{token.title()}"

    assert find_tokens(text) == (token,)


@given(tokens, st.sampled_from(string.ascii_letters + string.digits))
def test_longer_word__holds_no_token(token: str, letter: str) -> None:
    assert find_tokens(f"{token}{letter}") == ()
    assert find_tokens(f"{letter}{token}") == ()


@given(st.lists(tokens, min_size=2, max_size=4, unique=True))
def test_several_tokens__are_found_in_order(several: list[str]) -> None:
    assert find_tokens(" ".join(several)) == tuple(several)


def test_same_moment_and_randomness__another_path__has_another_signature() -> None:
    canary_id = mint_id(NOON, b"abcd")

    assert mint_token(canary_id, "one", KEY) != mint_token(canary_id, "two", KEY)


def test_ids__sort_by_their_launch_time() -> None:
    launches_in_order = [NOON + timedelta(minutes=number) for number in range(50)]
    minted = [mint_id(one, b"abcd") for one in launches_in_order]

    assert sorted(minted, key=launched_at_of) == minted


@pytest.mark.parametrize(
    ("launched_at", "randomness"),
    [
        (NOON.replace(tzinfo=None), b"abcd"),
        (NOON, b"abc"),
        (datetime(1969, 12, 31, tzinfo=UTC), b"abcd"),
    ],
)
def test_impossible_id__is_refused(launched_at: datetime, randomness: bytes) -> None:
    with pytest.raises(ValueError, match=r"launch time|randomness"):
        mint_id(launched_at, randomness)


def test_short_key__is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        mint_token(mint_id(NOON, b"abcd"), PATH, b"short")


@pytest.mark.parametrize("word", ["", "abc", "0" * 16, "7" * 16, "ä" * 16])
def test_word_that_is_no_id__is_a_value_error(word: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        launched_at_of(CanaryId(word))


@given(tokens, st.text(alphabet=" <>@.\n…", max_size=5))
def test_token_without_its_signature__still_says_which_canary_and_signs_nothing(
    token: str, around: str
) -> None:
    shown = unsigned(f"{around}{token.upper()}{around}")

    assert token[:17] in shown.lower()
    assert token[17:] not in shown.lower()
    assert find_tokens(shown) == ()
