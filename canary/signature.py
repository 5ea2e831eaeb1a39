"""Mint, find and verify the signed token; key and randomness are arguments.

A token is one lower-case word of the alphabet ``a-z2-7`` (RFC 4648 section 6, without padding) that starts with
a letter: ``k``, then 16 characters of id (48 bits of launch time in milliseconds, 32 of randomness), then 20
characters (100 bits) of HMAC-SHA-256 over the id and the path's name. Without punctuation it survives case
folding, quoting, HTML escaping, subject rewriting and search indexes, and never threads a mail into an old ticket.
"""

import base64
import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NewType

CanaryId = NewType("CanaryId", str)

_LETTER = "k"
ID_LENGTH = 16
"""Letters of every canary's id."""
_SIGNATURE_LENGTH = 20
TOKEN_LENGTH = len(_LETTER) + ID_LENGTH + _SIGNATURE_LENGTH
RANDOM_BYTES = 4
"""How much randomness `mint_id` takes."""

# Without ASCII, the letters U+017F and U+212A would count as s and k in another case, and no signature has them.
_TOKEN = re.compile(
    rf"(?<![a-z0-9]){_LETTER}[a-z2-7]{{{TOKEN_LENGTH - 1}}}(?![a-z0-9])", re.IGNORECASE | re.ASCII
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Verified:
    """What a token that verifies says: which canary, of which path, launched when."""

    canary_id: CanaryId
    path: str
    launched_at: datetime


def _base32(data: bytes) -> str:
    return base64.b32encode(data).decode().rstrip("=").lower()


def mint_id(launched_at: datetime, randomness: bytes) -> CanaryId:
    """Make the id of a canary: its launch time in whole milliseconds, and 32 random bits.

    Raises:
        ValueError: the time is naive or out of range, or the randomness has not `RANDOM_BYTES` bytes.
    """
    if launched_at.tzinfo is None:
        raise ValueError("a launch time must be aware")
    if len(randomness) != RANDOM_BYTES:
        raise ValueError(f"an id takes {RANDOM_BYTES} bytes of randomness")
    milliseconds = (launched_at - _EPOCH) // _MILLISECOND
    if not 0 <= milliseconds < 1 << 48:
        raise ValueError("a launch time must lie between 1970 and 10889")
    return CanaryId(_base32(milliseconds.to_bytes(6, "big") + randomness))


def launched_at_of(canary_id: CanaryId) -> datetime:
    """The launch time that an id holds, to the millisecond, aware UTC.

    Raises:
        ValueError: it is no id.
    """
    if len(canary_id) != ID_LENGTH:
        raise ValueError(f"no canary id: {canary_id!r}")
    raw = base64.b32decode(canary_id.upper())
    try:
        return _EPOCH + int.from_bytes(raw[:6], "big") * _MILLISECOND
    except OverflowError as error:
        raise ValueError(f"no canary id: {canary_id!r} is of a year after 9999") from error


def _sign(canary_id: CanaryId, path: str, key: bytes) -> bytes:
    """The signature's bits: twelve bytes, and the upper half of a thirteenth."""
    message = f"intake-prober/token/1\n{canary_id}\n{path}".encode()
    digest = hmac.digest(key, message, "sha256")
    return digest[:12] + bytes([digest[12] & 0xF0])


def mint_token(canary_id: CanaryId, path: str, key: bytes) -> str:
    """The token of a canary of a path, signed with the key.

    Raises:
        ValueError: the key is shorter than 16 bytes.
    """
    if len(key) < 16:  # noqa: PLR2004 -- 128 bits, the least that makes guessing hopeless
        raise ValueError("a signing key needs at least 16 bytes")
    return f"{_LETTER}{canary_id}{_base32(_sign(canary_id, path, key))[:_SIGNATURE_LENGTH]}"


def find_tokens(text: str) -> tuple[str, ...]:
    """The words of a text that have a token's shape, lower case, each once, in order of appearance."""
    return tuple(dict.fromkeys(match.group().lower() for match in _TOKEN.finditer(text)))


def unsigned(text: str) -> str:
    """The text with the signature of every token in it cut off: what is left finds a mail, and fakes none."""
    return _TOKEN.sub(lambda match: f"{match[0][:-_SIGNATURE_LENGTH]}…", text)


def verify(token: str, *, keys: Sequence[bytes], paths: Iterable[str]) -> Verified | None:
    """Whose token it is, or None: forged, altered, or of a path that is not among the given ones.

    Every key is tried, so that tokens signed before a rotation stay valid.
    """
    word = token.lower()
    if not _TOKEN.fullmatch(word):
        return None
    canary_id = CanaryId(word[1 : 1 + ID_LENGTH])
    # "a" stands for five bits that are 0; base32 is read in groups of eight letters.
    signature = base64.b32decode(f"{word[1 + ID_LENGTH :]}aaaa".upper())[:13]
    for path in paths:
        for key in keys:
            if hmac.compare_digest(_sign(canary_id, path, key), signature):
                return Verified(canary_id, path, launched_at_of(canary_id))
    return None
