"""Secrets that never print, and the masking of whatever text may hold one."""

import base64
import hmac
import re
from collections import Counter
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote, quote_plus

MASK: Final = "***"
DETAIL_CHARACTERS: Final = 1000
"""A finding with its remedy, file and line; what a remote says of itself is cut much shorter where it is quoted."""
_SHORTEST_SECRET = 4
_LEAST_WITHIN_BASE64 = 8
_HEADERS = re.compile(r"(?i)\b((?:proxy-)?authorization|cookie|set-cookie)(\s*[:=]\s*)[^\r\n]+")
_SASL = re.compile(r"(?i)\b(AUTH(?:ENTICATE)?\s+(?:PLAIN|LOGIN|XOAUTH2|OAUTHBEARER)\s+)\S+")
_BEARER = re.compile(r"(?i)\b(bearer|token)\s+[A-Za-z0-9._~+/-]{16,}=*")
# A token alone is a secret, too. A question mark ends the host, unless it stands in a password that nobody quoted.
_USERINFO = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)(?:[^/\s?#\"'<>]*|[^/\s:@]*:[^/\s@]+)@")
_QUERY = re.compile(r"(?i)(https?://[^\s?#\"'<>]+)\?[^\s\"'<>]*")

_MAY_HOLD = re.compile(r"(?i)://|authorization|cookie|auth|bearer|token")
"""One of these is in whatever the other expressions match: most texts are done after one look."""


class Secret:
    """A text that no representation, comparison or exception shows."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The text itself: only where it is handed to a protocol."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({MASK!r})"

    def __str__(self) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __reduce__(self) -> str:
        raise TypeError("a secret is not pickled")


def _in_base64(value: str) -> set[str]:
    """How base64 spells a text, alone or with others before and after it (``user:password``), also URL-safe.

    Only the characters that the text alone decides; a short one leaves too few to tell it from anything else.
    """
    raw = value.encode()
    spelled = {base64.b64encode(raw).decode().rstrip("=")}
    if len(raw) >= _LEAST_WITHIN_BASE64:
        for before in range(3):
            text = base64.b64encode(bytes(before) + raw).decode()
            first = -(-before * 8 // 6)
            last = (before + len(raw)) * 8 // 6
            spelled.add(text[first:last])
    return spelled | {one.replace("+", "-").replace("/", "_") for one in spelled}


class Masker:
    """Replaces every secret that was registered, also in the encodings in which protocols carry it."""

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        self._registered: set[str] = set()
        self._lent: Counter[str] = Counter()
        self._known: re.Pattern[str] | None = None
        for secret in secrets:
            self.register(secret)

    def register(self, secret: Secret) -> Secret:
        """Mask this secret from now on; returns it."""
        value = secret.reveal()
        if len(value) >= _SHORTEST_SECRET and value not in self._registered:
            self._registered.add(value)
            self._compile()
        return secret

    def lend(self, secret: Secret) -> Secret:
        """Mask this secret until it is forgotten as often as it was lent; returns it."""
        value = secret.reveal()
        if len(value) >= _SHORTEST_SECRET:
            self._lent[value] += 1
            if self._lent[value] == 1:
                self._compile()
        return secret

    def forget(self, secret: Secret) -> None:
        """Mask a secret that was lent no longer, unless it was registered, or lent to another, too."""
        value = secret.reveal()
        if value not in self._lent:
            return
        self._lent[value] -= 1
        if self._lent[value] <= 0:
            del self._lent[value]
            self._compile()

    def _compile(self) -> None:
        words: set[str] = set()
        for value in (*self._registered, *self._lent):
            words |= {value, quote(value, safe=""), quote_plus(value), *_in_base64(value)}
        longest_first = sorted(words, key=len, reverse=True)  # one may hold another
        self._known = re.compile("|".join(map(re.escape, longest_first))) if words else None

    def mask(self, text: str) -> str:
        """The text without secrets, credentials in headers, SASL lines, URLs' userinfo and query strings."""
        if not text:
            return text
        text = self._without_known(text)
        if _MAY_HOLD.search(text) is None:
            return text
        text = _HEADERS.sub(rf"\1\2{MASK}", text)
        text = _SASL.sub(rf"\1{MASK}", text)
        text = _BEARER.sub(rf"\1 {MASK}", text)
        text = _USERINFO.sub(rf"\1{MASK}@", text)
        return _QUERY.sub(rf"\1?{MASK}", text)

    def mask_known(self, text: str) -> str:
        """The text without the secrets that were registered, else as it is: for links, whose query is part of them."""
        text = self._without_known(text)
        return _USERINFO.sub(rf"\1{MASK}@", text)

    def _without_known(self, text: str) -> str:
        return self._known.sub(MASK, text) if self._known is not None else text

    def detail(self, text: str) -> str:
        """Masked, on one line, and short enough for an observation's detail."""
        return shortened(" ".join(self.mask(text).split()), DETAIL_CHARACTERS)


def shortened(text: str, most: int) -> str:
    """The text, of at most so many characters: cut at a sentence's end, so that no remedy breaks off in the middle.

    Where the last whole sentence would leave less than half, it is cut in the sentence.
    """
    if len(text) <= most:
        return text
    end = text.rfind(". ", 0, most - 1)
    return f"{text[: end + 1]} …" if 2 * end >= most else f"{text[: most - 1]}…"
