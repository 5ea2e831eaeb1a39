"""Secrets in a text: those that are known, in every form in which evidence may hold them, and what looks like one."""

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import quote, quote_plus, urlsplit, urlunsplit

from probes.masking import MASK

_NAMES: Final = r"auth|cookie|token|secret|session|passw|pwd|csrf|xsrf|api.?key|signature|credential|jwt|otp|nonce|ticket.?hash"
TELLING: Final = re.compile(rf"{_NAMES}|^(?:key|sid|sig|code|state|pin)$", re.IGNORECASE)
"""Names of headers, parameters and fields whose values are taken out."""
LOOKS_RANDOM: Final = re.compile(r"(?=[^&=]*\d)(?=[^&=]*[A-Za-z])[A-Za-z0-9_.~+/-]{20,}=*")
_JWT: Final = re.compile(r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_SCHEME: Final = re.compile(r"\b((?:Bearer|Basic|Digest|Negotiate)\s+)[A-Za-z0-9._~+/=-]{6,}", re.IGNORECASE)
_URL: Final = re.compile(r"\b[a-z][a-z0-9+.-]{1,15}://[^\s\"'<>\\]+", re.IGNORECASE)
_PARAMETER: Final = re.compile(
    rf"((?:[?&;#]|%3F|%26)(?:[\w.%-]*(?:{_NAMES})[\w.%-]*|key|sid|sig|code|state|pin)(?:=|%3D))[^&\s\"'<>#\\]+",
    re.IGNORECASE,
)
"""In relative addresses and in prose."""
_PAIR: Final = re.compile(
    rf"([\w.-]*(?:{_NAMES})[\w.-]*[\"'\\]*\s*(?:[:=]|\bis\b)\s*[\"'\\]*)([^\s\"'\\,;&<>(){{}}\[\]]+)",
    re.IGNORECASE,
)
"""``"csrfToken": "…"``, ``token is …``, ``sid=…``: in what scripts say and in data attributes."""
_TAG: Final = re.compile(r"<(?:input|meta|textarea|button)\b[^>]*>", re.IGNORECASE)
_TAG_VALUE: Final = re.compile(r"(\b(?:value|content)=)(\"[^\"]*\"|'[^']*'|[^\s>]+)", re.IGNORECASE)
_TAG_KIND: Final = re.compile(r"\btype=[\"']?(?:hidden|password)\b", re.IGNORECASE)
_TAG_NAME: Final = re.compile(r"\b(?:name|id|autocomplete|property)=[\"']?([^\s\"'>]+)", re.IGNORECASE)
_SHORTEST: Final = 4
_SHORTEST_FOUND: Final = 8
_LONG: Final = 24
_SHORTEST_FORM: Final = 8


def looks_secret(value: str) -> bool:
    """Whether a value that stood under a telling name is one: no plain word such as a label has."""
    if not len(value) >= _SHORTEST_FOUND or any(letter.isspace() for letter in value):
        return False
    return any(letter.isdigit() for letter in value) or len(value) >= _LONG


class Words:
    """The secrets to replace."""

    def __init__(self, secrets: Iterable[str]) -> None:
        found: set[str] = set()
        for secret in secrets:
            if len(secret) >= _SHORTEST:
                found |= set(_forms(secret))
        self._pattern = (
            re.compile("|".join(_guarded(one) for one in sorted(found, key=len, reverse=True)))
            if found
            else None
        )

    def replaced(self, text: str) -> str:
        """The text with each of them masked."""
        return self._pattern.sub(MASK, text) if self._pattern is not None else text

    def cleaned(self, text: str) -> str:
        """The text with each of them masked, and whatever looks like one."""
        return clean_text(self.replaced(text))


def _forms(secret: str) -> Iterator[str]:
    """As it is, and as URLs, HTML, JSON, JSON in JSON and base64 write it."""
    plain = {secret, secret.strip()}
    plain |= {
        quote(secret, safe=""),
        quote(secret),
        quote_plus(secret),
        quote(quote(secret, safe=""), safe=""),
    }
    plain |= {html.escape(secret), html.escape(secret, quote=False)}
    plain |= {html.escape(secret).replace("&#x27;", "&#39;").replace("&quot;", "&#34;")}
    for one in tuple(plain):
        for ascii_only in (True, False):
            once = json.dumps(one, ensure_ascii=ascii_only)[1:-1]
            plain |= {once, json.dumps(once, ensure_ascii=ascii_only)[1:-1]}
    plain |= {one.replace("%2F", "%2f").replace("%3D", "%3d") for one in plain}
    yield from (one for one in plain if len(one) >= _SHORTEST)
    # within something longer that is base64, it begins at one of three offsets; its edges mix with its neighbours
    for offset in range(3):
        raw = base64.b64encode(b"\0" * offset + secret.encode()).decode().rstrip("=")
        inner = raw[(0, 2, 3)[offset] : len(raw) - (1 if (offset + len(secret.encode())) % 3 else 0)]
        if len(inner) >= _SHORTEST_FORM:
            yield inner
            yield inner.replace("+", "-").replace("/", "_")


def _guarded(form: str) -> str:
    """A short number is not sought inside longer ones."""
    escaped = re.escape(form)
    return rf"(?<!\d){escaped}(?!\d)" if form.isdigit() and len(form) < _SHORTEST_FOUND else escaped


def clean_text(text: str) -> str:
    """The text without what looks like a secret: JWTs, credentials, telling parameters and pairs, hidden fields."""
    if len(text) <= _SHORTEST:
        return text
    text = _TAG.sub(lambda found: _clean_tag(found[0]), text)
    text = _URL.sub(lambda found: clean_url(found[0]), text)
    text = _PARAMETER.sub(rf"\1{MASK}", text)
    text = _SCHEME.sub(rf"\1{MASK}", text)
    text = _PAIR.sub(lambda found: f"{found[1]}{MASK}" if looks_secret(found[2]) else found[0], text)
    return _JWT.sub(MASK, text)


def pairs_in(text: str) -> Iterator[str]:
    """Values under telling names, JWTs and credentials in a script, a page or an answer."""
    yield from (found[2] for found in _PAIR.finditer(text) if looks_secret(found[2]))
    yield from _JWT.findall(text)
    yield from (found[0].split()[1] for found in _SCHEME.finditer(text))


def _clean_tag(tag: str) -> str:
    is_telling = _TAG_KIND.search(tag) or any(TELLING.search(name) for name in _TAG_NAME.findall(tag))
    return _TAG_VALUE.sub(rf'\1"{MASK}"', tag) if is_telling else tag


def clean_url(url: str) -> str:
    """An address without userinfo, and with the values of telling parameters, and what looks random, masked."""
    try:
        parts = urlsplit(url)
    except ValueError:  # brackets that are no IPv6 address
        return MASK
    query = _clean_query(parts.query)
    fragment = _clean_query(parts.fragment)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, query, fragment))


def _clean_query(query: str) -> str:
    return "&".join(_clean_parameter(one) for one in query.split("&")) if query else ""


def _clean_parameter(parameter: str) -> str:
    name, equals, value = parameter.partition("=")
    if equals and (TELLING.search(name) or LOOKS_RANDOM.fullmatch(value)):
        return f"{name}={MASK}"
    return f"{name}{equals}{value}"
