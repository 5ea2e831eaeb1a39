"""Secrets that never print, and the masking of whatever text may hold one."""

import base64
import hmac
import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote, quote_plus

MASK: Final = "***"
DETAIL_CHARACTERS: Final = 256
_SHORTEST_SECRET = 4
_HEADERS = re.compile(r"(?i)\b((?:proxy-)?authorization|cookie|set-cookie)(\s*[:=]\s*)[^\r\n]+")
_SASL = re.compile(r"(?i)\b(AUTH(?:ENTICATE)?\s+(?:PLAIN|LOGIN|XOAUTH2|OAUTHBEARER)\s+)\S+")
_BEARER = re.compile(r"(?i)\b(bearer|token)\s+[A-Za-z0-9._~+/-]{16,}=*")
_USERINFO = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^/\s:@]+:[^/\s@]+@")
_QUERY = re.compile(r"(?i)(https?://[^\s?#\"'<>]+)\?[^\s\"'<>]*")


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


class Masker:
    """Replaces every secret that was registered, also in the encodings in which protocols carry it."""

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        self._registered: set[str] = set()
        self._words: tuple[str, ...] = ()  # the longest first: one may hold another
        for secret in secrets:
            self.register(secret)

    def register(self, secret: Secret) -> Secret:
        """Mask this secret from now on; returns it."""
        value = secret.reveal()
        if len(value) >= _SHORTEST_SECRET and value not in self._registered:
            self._registered.add(value)
            encoded = base64.b64encode(value.encode()).decode().rstrip("=")
            words = {*self._words, value, quote(value, safe=""), quote_plus(value), encoded}
            self._words = tuple(sorted(words, key=len, reverse=True))
        return secret

    def mask(self, text: str) -> str:
        """The text without secrets, credentials in headers, SASL lines, URLs' userinfo and query strings."""
        if not text:
            return text
        for word in self._words:
            text = text.replace(word, MASK)
        text = _HEADERS.sub(rf"\1\2{MASK}", text)
        text = _SASL.sub(rf"\1{MASK}", text)
        text = _BEARER.sub(rf"\1 {MASK}", text)
        text = _USERINFO.sub(rf"\1{MASK}@", text)
        return _QUERY.sub(rf"\1?{MASK}", text)

    def mask_known(self, text: str) -> str:
        """The text without the secrets that were registered, else as it is: for links, whose query is part of them."""
        for word in self._words:
            text = text.replace(word, MASK)
        return _USERINFO.sub(rf"\1{MASK}@", text)

    def detail(self, text: str) -> str:
        """Masked, on one line, and short enough for an observation's detail."""
        line = " ".join(self.mask(text).split())
        return line if len(line) <= DETAIL_CHARACTERS else f"{line[: DETAIL_CHARACTERS - 1]}…"
