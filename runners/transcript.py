"""The transcript of a trial: what was asked and answered, without a secret or a stranger's word, for a vendor's adapter.

Exchanges are kept as they were until the end: only then all secrets are known, also those that a log-in brought.
"""

import json
import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl

from probes.http_exchange import Exchange, Fields
from probes.masking import MASK
from probes.program import program_version
from runners.transcript_shapes import Shapes, is_credential

MOST_EXCHANGES: Final = 200
_MOST_BYTES: Final = 64 * 1024 * 1024
_ABOUT: Final = (
    "What a ticketing system was asked by intake-prober ticketing try, and what it answered. Values are replaced by"
    " others of the same type and shape: letters by a, digits by 1, words of both by x. Small numbers, times' formats,"
    " names of fields and words of protocols are as they were. Read it before you give it away."
)
_SCHEMES: Final = frozenset({"basic", "bearer", "token"})
_OF_LIMITS: Final = re.compile(r"rate|limit|retry|remaining|reset|quota|usage", re.IGNORECASE)
_AS_THEY_ARE: Final = frozenset({"date", "content-length"})
_LINKS: Final = frozenset({"location", "content-location", "referer", "origin"})
_LINKED: Final = re.compile(r"<([^>]*)>")
_HIDDEN: Final = frozenset(
    {"authorization", "proxy-authorization", "cookie", "set-cookie", "www-authenticate"}
)


class FileExists(Exception):
    """There is such a file already."""


class Transcript:
    """Witnesses exchanges, and tells them by their shapes."""

    def __init__(self) -> None:
        self._exchanges: list[Exchange] = []
        self._bytes = 0
        self._left_out = 0

    def __call__(self, exchange: Exchange) -> None:
        """Keep one exchange, within bounds."""
        size = len(exchange.body) + len(exchange.content)
        if len(self._exchanges) >= MOST_EXCHANGES or self._bytes + size > _MOST_BYTES:
            self._left_out += 1
            return
        self._bytes += size
        self._exchanges.append(exchange)

    def __len__(self) -> int:
        return len(self._exchanges)

    def text(self, shapes: Shapes, *, kind: str) -> str:
        """All that was witnessed, as JSON; ``kind``: the system's type in the configuration."""
        whole = {
            "about": _ABOUT,
            "program": f"intake-prober {program_version()}",
            "type": kind,
            "exchanges": [_exchange(one, shapes) for one in self._exchanges],
            "left_out": self._left_out,
        }
        # Once more over all of it: no secret that is known at the end stands in a name or in a number, either.
        return shapes.masker.mask_known(json.dumps(whole, indent=1, ensure_ascii=False)) + "\n"


def write_whole(file: Path, text: str, *, force: bool) -> None:
    """Write a file for its owner alone, whole or not at all.

    Raises:
        FileExists: there is one, and ``force`` is not set.
        OSError: it can't be written.
    """
    handle, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)  # made with mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as new:
            new.write(text)
            new.flush()
            os.fsync(new.fileno())
        if force:
            Path(name).replace(file)
            return
        try:
            os.link(name, file)  # unlike a rename it fails where somebody was faster
        except FileExistsError:
            raise FileExists(str(file)) from None
    finally:
        with suppress(FileNotFoundError):
            Path(name).unlink()


def _exchange(exchange: Exchange, shapes: Shapes) -> dict[str, object]:
    answer: dict[str, object] | None = None
    if exchange.status is not None:
        answer = {
            "status": exchange.status,
            "headers": _headers(exchange.answer_headers, shapes),
            "body": _answer_body(exchange, shapes),
        }
    return {
        "request": {
            "method": exchange.method,
            "url": shapes.link(exchange.url),
            # how long what we sent is tells how long the secret in it is
            "headers": _headers(
                [one for one in exchange.headers if one[0].lower() != "content-length"], shapes
            ),
            "body": _request_body(exchange, shapes),
        },
        "answer": answer,
        "seconds": round(exchange.seconds, 3),
        **({"failure": exchange.failure} if exchange.failure else {}),
    }


def _headers(fields: Fields, shapes: Shapes) -> list[str]:
    return [
        f"{shapes.name(name)}: {_header(name, text, shapes)}"
        for name, text in fields
        if name.lower() != "host"
    ]


def _header(name: str, text: str, shapes: Shapes) -> str:
    folded = name.lower()
    if folded in _HIDDEN or (is_credential(name) and not _OF_LIMITS.search(name)):
        scheme, _, rest = text.partition(" ")
        return f"{scheme} {MASK}" if rest and scheme.lower() in _SCHEMES else MASK
    if folded in _AS_THEY_ARE:
        return (
            text
            if re.fullmatch(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} [\d:]{8} GMT|\d{1,12}", text)
            else "…"
        )
    if folded in _LINKS:
        return shapes.link(text)
    if folded == "link":
        return "".join(
            f"<{shapes.link(part)}>" if number % 2 else shapes.spoken(part)
            for number, part in enumerate(_LINKED.split(text))
        )
    if _OF_LIMITS.search(name):
        # a window's numbers are ours, if they are no longer than a count or a stamp; whatever else stands there is not shown
        parts = re.split(r"((?<!\d)\d{1,10}(?!\d))", text, flags=re.ASCII)
        return "".join(
            part if number % 2 else shapes.words(part, shapes.vocabulary.words)
            for number, part in enumerate(parts)
        )
    return shapes.spoken(text)


def _answer_body(exchange: Exchange, shapes: Shapes) -> object:
    if not exchange.content:
        return None
    try:
        return shapes.value(json.loads(exchange.content.removeprefix(b")]}'")))
    except (ValueError, RecursionError):
        kind = {name.lower(): text for name, text in exchange.answer_headers}.get("content-type", "")
        return f"… {len(exchange.content)} bytes of {shapes.spoken(kind) or 'no type'}, not JSON"


def _request_body(exchange: Exchange, shapes: Shapes) -> object:
    if not exchange.body:
        return None
    try:
        return _said(json.loads(exchange.body), shapes)
    except (ValueError, RecursionError):
        pass
    pairs = parse_qsl(exchange.body.decode("utf-8", "replace"), keep_blank_values=True)
    if pairs:
        return "&".join(f"{shapes.spoken(name)}={shapes.parameter(name, text)}" for name, text in pairs)
    return f"… {len(exchange.body)} bytes"


def _said(value: object, shapes: Shapes, name: str = "") -> object:
    """The shape of a part of our own request."""
    match value:
        case dict():
            return {shapes.name(key): _said(one, shapes, key) for key, one in value.items()}
        case list():
            return [_said(one, shapes, name) for one in value]
        case str():
            return shapes.parameter(name, value)
        case _:
            return MASK if is_credential(name) and value is not None else shapes.value(value)
