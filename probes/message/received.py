"""Read a mail's trace: its relays oldest first, and what the receiving side said of its authenticity."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from itertools import pairwise
from typing import Final

from canary.observation import Fact, Relay
from probes.message.extract import fields

RELAYS: Final = 50
"""A trace of more fields is cut: a mail loop is ended by its relays at about this length (RFC 5321 section 6.3)."""
RAW_FIELDS: Final = 16
RAW_OCTETS: Final = 1000
"""So many fields are kept as they stand, the newest: those the receiving side wrote; of each so much (a line has at
most 998 octets, RFC 5322 section 2.1.1). A mail's sender could fill the store with them."""
RESOLUTION_SECONDS: Final = 1.0
"""Stamps have whole seconds, so two relays may seem to contradict each other by this much."""
AUTHENTICATION_METHODS: Final = ("spf", "dkim", "dmarc", "arc")

_CLAUSES = frozenset({"from", "by", "via", "with", "id", "for"})
_RESULT = re.compile(r"^\s*([a-z][a-z0-9-]*)\s*(?:/\s*\d+\s*)?=\s*([a-z]+)", re.IGNORECASE)
_PIECES = re.compile(r"\\.?|[()]|[^\\()]+", re.DOTALL)
"""An escaped character, a parenthesis, or a run of others."""
_LOCAL_PART = re.compile(
    r"""(?:"(?:\\.|[^"\\]){0,256}"|(?<![^\s<>()\[\],;:"@])[^\s<>()\[\],;:"@]++)"""
    r"""(?:\s++|\((?>\\.|[^()\\]|\((?:\\.|[^()\\]){0,64}\)){0,256}\))*+@"""
)
"""Of an address, quoted or not (RFC 5321 section 4.1.2); source routes (``@a,@b:c@d``) end with one, too.
It is tried where a word begins only: a long word without an @ would take a time that grows with its square."""
_SOMEBODY = re.compile(
    r"""(?P<name>(?<![^\s(;,])(?:for(?=[\s<("])|envelope-(?:from|to)|authenticated\s+(?:sender|user|as|id)|auth(?=:)
        |smtp\.(?:auth|mailfrom))(?:\s*[:=])?)
    (?:\s*(?!(?:by|from|with|via|id)\s)
        (?>"(?:\\.|[^"\\])*+"?|<(?>"(?:\\.|[^"\\])*+"|[^>"]|")*+>?|\((?:\\.|[^()\\]|\((?:\\.|[^()\\])*+\))*+\)|[^\s;()"<>]++)
    )++""",
    re.VERBOSE | re.IGNORECASE,
)
"""A clause or remark that says whose it is, whatever it looks like: a name without a domain is somebody's, too."""
_UNPRINTABLE = re.compile(r"[^ -~]")
_NOISE = " \t<>;,\"'"


@dataclass(frozen=True, slots=True)
class AuthenticationResults:
    """What one receiving server concluded (RFC 8601): its name, and a result by method.

    Attributes:
        results: such as ``{"spf": "pass", "dkim": "fail"}``; of several of a method, the worst but for one ``pass``
            of DKIM, which is enough (RFC 6376 section 6.1).
    """

    server: str
    results: Mapping[str, str]

    def facts(self) -> dict[str, Fact]:
        """The results as attributes of the span to come."""
        return {f"intake.mail.{method}": result for method, result in sorted(self.results.items())}


def relays(message: Message) -> tuple[Relay, ...]:
    """The relays that a mail passed, oldest first, from its ``Received:`` fields (RFC 5321 section 4.4).

    A relay whose stamp contradicts the others is marked; a negative delay is no delay. Of the newest `RAW_FIELDS` the
    field is kept, with ``***`` for whom it was for or from and for the local part of each address: that is somebody's.
    """
    values = fields(message, "Received")[:RELAYS][::-1]
    parted = [_parted(value) for value in values]
    oldest_kept = len(values) - RAW_FIELDS
    suspects = _suspects([stamp for _, stamp in parted])
    found: list[Relay] = []
    before: datetime | None = None
    for index, (clauses, stamp) in enumerate(parted):
        found.append(
            Relay(
                by_host=clauses.get("by", ""),
                from_host=clauses.get("from"),
                protocol=clauses.get("with"),
                queue_id=clauses.get("id"),
                remote_at=stamp,
                delay_seconds=_delay(before, stamp),
                is_clock_suspect=index in suspects,
                raw=_raw(values[index]) if index >= oldest_kept else "",
            )
        )
        before = stamp or before
    return tuple(found)


def authentication_results(message: Message) -> AuthenticationResults | None:
    """The topmost ``Authentication-Results:`` field: the one that the last server wrote; those below may be forged."""
    values = fields(message, "Authentication-Results")
    if not values:
        return None
    server, *methods = _without_comments(values[0]).split(";")
    results: dict[str, str] = {}
    for text in methods:
        match = _RESULT.match(text)
        if match is None:
            continue
        method, result = match.group(1).lower(), match.group(2).lower()
        if method not in AUTHENTICATION_METHODS:
            continue
        known = results.get(method)
        if known is None or (method == "dkim" and result == "pass") or (method != "dkim" and known == "pass"):
            results[method] = result
    name = server.split()
    return AuthenticationResults(name[0] if name else "", results)


def _raw(value: str) -> str:
    """A field on one line, whatever is no printable ASCII in it as a question mark."""
    line = " ".join(value.split()).encode("ascii", "replace").decode()
    line = _LOCAL_PART.sub("***@", _SOMEBODY.sub(r"\g<name> ***", line))
    line = _UNPRINTABLE.sub("?", line)
    return line if len(line) <= RAW_OCTETS else f"{line[: RAW_OCTETS - 3]}..."


def _parted(value: str) -> tuple[dict[str, str], datetime | None]:
    """The clauses of one ``Received:`` field, and its stamp."""
    trace, _, stamp = value.rpartition(";")
    if not trace:
        trace, stamp = value, ""
    return _clauses(_without_comments(trace)), _stamp(stamp)


def _clauses(text: str) -> dict[str, str]:
    """The first value of each clause; a clause's name as a value (``by id``) is taken as a name."""
    found: dict[str, str] = {}
    words = text.split()
    for name, value in pairwise(words):
        key = name.lower()
        if key in _CLAUSES and value.lower() not in _CLAUSES and key not in found:
            found[key] = value.strip(_NOISE)[:256]
    return found


def _without_comments(text: str) -> str:
    """The text without its comments, which may be nested (RFC 5322 section 3.2.2)."""
    kept: list[str] = []
    depth = 0
    for piece in _PIECES.findall(text):
        if piece == "(":
            depth += 1
            kept.append(" ")
        elif piece == ")" and depth:
            depth -= 1
        elif not depth:
            kept.append(piece.removeprefix("\\"))
    return "".join(kept)


def _stamp(text: str) -> datetime | None:
    try:
        stamp = parsedate_to_datetime(_without_comments(text).strip())
        return (stamp.replace(tzinfo=UTC) if stamp.tzinfo is None else stamp).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _delay(before: datetime | None, at: datetime | None) -> float | None:
    if before is None or at is None:
        return None
    seconds = (at - before).total_seconds()
    if seconds < -RESOLUTION_SECONDS:
        return None
    return max(0.0, seconds)


def _suspects(stamps: Sequence[datetime | None]) -> frozenset[int]:
    """The relays without which the stamps rise: all that are not in every longest rising run.

    Of two relays that contradict each other and nobody else, both are suspect.
    """
    known = [(index, stamp.timestamp()) for index, stamp in enumerate(stamps) if stamp is not None]
    values = [at for _, at in known]
    ending = _run_lengths(values)
    starting = _run_lengths([-at for at in reversed(values)])[::-1]
    longest = max(ending, default=0)
    members = [i for i in range(len(values)) if ending[i] + starting[i] - 1 == longest]
    ranks = [ending[i] for i in members]
    sure = {i for i in members if ranks.count(ending[i]) == 1}
    return frozenset(index for position, (index, _) in enumerate(known) if position not in sure)


def _run_lengths(values: Sequence[float]) -> list[int]:
    """For each value, how long the longest run is that ends with it and never falls by more than the resolution."""
    lengths: list[int] = []
    for index, value in enumerate(values):
        before = [lengths[i] for i in range(index) if values[i] <= value + RESOLUTION_SECONDS]
        lengths.append(1 + max(before, default=0))
    return lengths
