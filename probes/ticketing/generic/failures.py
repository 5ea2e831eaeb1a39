"""What an answer means, by the configuration's own table before the usual one: first match wins."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from probes.contracts import Blind
from probes.http_wire import Answer
from probes.ticketing.generic.conversions import text_of
from probes.ticketing.generic.picking import Pick, Seen, seen_of


class Means(StrEnum):
    """What an answer means."""

    OK = "ok"
    AUTH = "auth"
    FORBIDDEN = "forbidden"
    THROTTLED = "throttled"
    GONE = "gone"
    CONFLICT = "conflict"
    MAINTENANCE = "maintenance"
    BAD_REQUEST = "bad_request"
    BROKEN = "broken"


STATUS_OF: Final[Mapping[Means, int]] = MappingProxyType(
    {
        Means.AUTH: 401,
        Means.FORBIDDEN: 403,
        Means.THROTTLED: 429,
        Means.GONE: 404,
        Means.CONFLICT: 409,
        Means.MAINTENANCE: 503,
        Means.BAD_REQUEST: 400,
        Means.BROKEN: 500,
    }
)
"""The status by which the rest of the prober knows each, whatever the system's own was."""

_REMEDIES: Final[Mapping[Means, str]] = MappingProxyType(
    {
        Means.OK: "",
        Means.AUTH: "our credential is refused. Renew it",
        Means.FORBIDDEN: "our credential lacks a permission. Give it the rights that the guide lists",
        Means.THROTTLED: "we are throttled. Lower the rate, or ask for a higher limit",
        Means.GONE: "there is no such place, or it is not shown to us. Correct `url` or the path, or the permissions",
        Means.CONFLICT: "somebody else changes it at the same time. It is tried again",
        Means.MAINTENANCE: "overloaded, or closed for maintenance. Look at its own status",
        Means.BAD_REQUEST: "it does not take our request. Compare it with the system's documentation",
        Means.BROKEN: "the system fails. Look at its own status",
    }
)


REFUSED_AGAIN: Final = "our credential is refused, also after it was renewed. Renew it"
"""Of a call that was made anew."""
LOGIN_REFUSED: Final = (
    "our credential is refused at the log-in. Renew it, or look whether a header is missing that the system asks for"
    " (Origin, a CSRF token): `headers`"
)
_MOST_SAID: Final = 120
_MOST_READ: Final = 4096
_DEEPEST: Final = 4
_WORD: Final = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*[.,:;!?]?|[(][^\W\d_][\w'-]*[)][.,:;!?]?|\d{1,4}")
"""A word, also in brackets, or a short number."""
_SAYING: Final = (
    "error_description",
    "message",
    "detail",
    "description",
    "error",
    "errors",
    "title",
    "reason",
    "code",
    "errorCode",
)
"""Where systems say in words why they refuse (RFC 6749 section 5.2, RFC 9457, and usage), the most telling first."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the configuration's table: all that it names must hold.

    Attributes:
        statuses: empty: any.
        pick: what of the answer is looked at; without ``equals`` and ``regex`` in it, that there is something.
    """

    means: Means
    statuses: frozenset[int] = frozenset()
    pick: Pick | None = None
    equals: frozenset[str] | None = None

    def holds(self, answer: Answer, seen: Seen | None) -> bool:
        """Whether the answer is what the rule is about; ``seen`` is None where the body is no JSON."""
        if self.statuses and answer.status not in self.statuses:
            return False
        if self.pick is None:
            return True
        if seen is None and self.pick.expression is not None:
            return False
        try:
            found = self.pick.found(
                seen if seen is not None else Seen(None, None, answer.headers, answer.status)
            )
        except Blind:
            return False
        if self.equals is not None:
            return _word(found) in self.equals
        return found not in (None, False, "", [], {})


def means_of(answer: Answer, rules: tuple[Rule, ...]) -> Means:
    """What an answer means."""
    found = _by_rule(answer, rules)
    return found if found is not None else _usual(answer.status)


def _by_rule(answer: Answer, rules: tuple[Rule, ...]) -> Means | None:
    if not rules:
        return None
    try:
        seen: Seen | None = seen_of(answer)
    except Blind:
        seen = None
    return next((one.means for one in rules if one.holds(answer, seen)), None)


def _said(value: object, depth: int) -> str | None:
    """The first telling text of an error's body."""
    if depth > _DEEPEST:
        return None
    match value:
        case str():
            return value if value.strip() else None
        case list():
            return next((said for one in value if (said := _said(one, depth + 1))), None)
        case dict():
            return next((said for name in _SAYING if (said := _said(value.get(name), depth + 1))), None)
        case _:
            return None


def _only_words(body: object) -> str:
    """The one text of an error's body, whatever it is called there; empty where there are several, or it is no words.

    A number, an address or a key is left out: it explains nothing, and may be somebody's. So is what lies deeper: it may
    be a ticket's.
    """
    named = body.values() if isinstance(body, dict) else ()
    texts = [one for one in named if isinstance(one, str) and one.strip()]
    words = texts[0].split() if len(texts) == 1 and len(texts[0]) <= _MOST_SAID else []
    return " ".join(words) if all(_WORD.fullmatch(one) for one in words) else ""


def told_by_body(answer: Answer, rules: tuple[Rule, ...]) -> Means | None:
    """What a rule that looks into the answer says of it, or None."""
    picking = tuple(one for one in rules if one.pick is not None)
    return _by_rule(answer, picking)


def said_by(answer: Answer) -> str:
    """The answer's own short words on one line, not yet masked; empty where it has none: only of refusals."""
    if len(answer.content) > _MOST_READ:
        return ""
    try:
        body = answer.json().value
    except Blind:
        return ""
    words = _said(body, 0) or _only_words(body)
    line = "".join(one if one.isprintable() else " " for one in words or "")
    return " ".join(line.split())


def short(words: str) -> str:
    """An answer's words for a line that has others; cut after they were masked, so that no half of a secret is left."""
    return words if len(words) <= _MOST_SAID else f"{words[: _MOST_SAID - 1]}…"


def refused(
    system: str,
    answer: Answer,
    means: Means,
    *,
    retry_after_seconds: float | None = None,
    remedy: str | None = None,
    said: str = "",
) -> Blind:
    """The blindness that an answer is; ``remedy`` in place of the usual one, ``said``: its own words, masked."""
    quoted = f' and says "{said}"' if said else ""
    told = remedy or _REMEDIES[means]
    if means is Means.MAINTENANCE and any(name.lower() == "retry-after" for name in answer.headers):
        told = "closed for maintenance, and says when to come again. Look at its own status"
    error = Blind(
        f"{system}: {answer.what} answered {answer.status}{quoted}: {told}.",
        status=STATUS_OF.get(means, answer.status),
        retry_after_seconds=retry_after_seconds,
    )
    error.answered = answer.status
    return error


def reworded(error: Blind, text: str, kind: type[Blind] | None = None) -> Blind:
    """The same blindness in other words, and of another kind where one is given."""
    same = (kind or type(error))(text, status=error.status, retry_after_seconds=error.retry_after_seconds)
    same.answered = error.answered
    return same


def at_key(error: Blind, key: str, system: str) -> Blind:
    """The same blindness with the key of the configuration that led to it, unless it names one already."""
    text = str(error)
    if "ticketing." in text:
        return error
    return reworded(error, f"{system}: {key}: {text.removeprefix(f'{system}: ')}")


_USUAL: Final[Mapping[int, Means]] = MappingProxyType(
    {
        HTTPStatus.NOT_MODIFIED: Means.OK,
        HTTPStatus.UNAUTHORIZED: Means.AUTH,
        HTTPStatus.FORBIDDEN: Means.FORBIDDEN,
        HTTPStatus.NOT_FOUND: Means.GONE,
        HTTPStatus.GONE: Means.GONE,
        HTTPStatus.CONFLICT: Means.CONFLICT,
        HTTPStatus.PRECONDITION_FAILED: Means.CONFLICT,
        HTTPStatus.TOO_MANY_REQUESTS: Means.THROTTLED,
        HTTPStatus.SERVICE_UNAVAILABLE: Means.MAINTENANCE,
    }
)


def _usual(status: int) -> Means:
    if status in _USUAL:
        return _USUAL[status]
    if status < HTTPStatus.MULTIPLE_CHOICES:
        return Means.OK
    return Means.BROKEN if status >= HTTPStatus.INTERNAL_SERVER_ERROR else Means.BAD_REQUEST


def _word(value: object) -> str | None:
    return text_of(value, "failures") if not isinstance(value, dict | list) else None
