"""Rows of an answer: where they are, what it must hold, and whether one is a ticket of ours."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from canary.signature import find_tokens
from probes.contracts import Blind
from probes.ticketing.generic.expressions import MISSING, Expression
from probes.ticketing.generic.picking import Seen
from probes.ticketing.generic.settings import LookSettings, ReadSettings
from probes.ticketing.generic.tickets import Values, searched, tags_of

_TEXTS = ("subject", "body", "message_id")
_TO_CLEAN = frozenset({*_TEXTS, "open", "tags", "version"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for.

    Attributes:
        tokens: of the canaries; none: whatever bears any token together with the marker or the tag.
        since: older tickets are not asked for, by our clock.
        launched_since: when the oldest of the canaries was launched; None: whenever.
        is_wide: rows whose text is still to be read are read, too.
        is_for_cleaning: it is to be known that a ticket is ours, and whether it is open and tagged; no more. One that a
            further request calls gone is not shown then, and else it is, closed: that it is listed proves that it came.
    """

    tokens: frozenset[str]
    marker: str
    tag: str
    since: datetime
    is_wide: bool
    launched_since: datetime | None = None
    is_for_cleaning: bool = False


def rows_of(look: LookSettings, seen: Seen, system: str) -> list[Seen]:
    """The rows of an answer.

    Raises:
        Blind: there is no list where the configuration says.
    """
    found = look.rows.of(seen)
    if not isinstance(found, list | tuple):
        source = look.rows.expression.source if look.rows.expression is not None else "@"
        kind = "nothing" if found in (None, MISSING) else "no list"
        raise Blind(
            f"{system}: {look.rows.key}: the answer has {kind} at `{source}`: it is an error in disguise, or the system's"
            " version is another. Look at what it answers; where it leaves out an empty list, write default: []."
        )
    return [seen.of_row(row) for row in found]


def must(expression: Expression | None, seen: Seen, system: str) -> None:
    """See that an answer holds what it must.

    Raises:
        Blind: it does not, so that it proves nothing.
    """
    if expression is not None and not expression.holds(seen.row):
        raise Blind(
            f"{system}: {expression.key}: the answer does not hold `{expression.source}`, so nothing can be concluded from"
            " it. Look whether our credential is still good, and whether the filter is still understood."
        )


def bears(values: Values, wanted: Wanted) -> bool:
    """Whether a row bears a token that is wanted."""
    text = searched(values)
    words = find_tokens(text)
    if wanted.tokens:
        return any(word in wanted.tokens for word in words)
    is_tagged = wanted.tag in tags_of(values.get("tags"))
    return bool(words) and (wanted.marker.lower() in text.lower() or is_tagged)


def is_strangers(values: Values, wanted: Wanted) -> bool:
    """Whether nothing of a row says that it is a canary's: neither marker nor tag, nor any token."""
    text = searched(values)
    is_marked = wanted.marker.lower() in text.lower() or wanted.tag in tags_of(values.get("tags"))
    return not is_marked and not find_tokens(text)


def may_be_ours(look: LookSettings, values: Values, wanted: Wanted) -> bool:
    """Whether the rest of a row is worth a request: it bears a token of ours, or none yet and no subject was shown.

    In a wide look also where a subject was shown: a gateway may have rewritten it. Requests that tell no text can't
    find a token: a stranger's row is not read further for its files.
    """
    words = find_tokens(searched(values))
    if words:
        return not wanted.tokens or any(word in wanted.tokens for word in words)
    if not any(name in one.ticket.picks for one in look.reads for name in _TEXTS):
        return False
    return "subject" not in look.ticket.picks or (wanted.is_wide and bool(wanted.tokens))


def needed_to_clean(reads: Sequence[ReadSettings]) -> list[ReadSettings]:
    """Further requests up to the last that tells what a clean-up goes by: not who asked, and not which files."""
    last = max(
        (index for index, one in enumerate(reads, 1) if _TO_CLEAN & one.ticket.picks.keys()), default=0
    )
    return list(reads[:last])


def tells_text(reads: Sequence[ReadSettings], values: Values) -> bool:
    """Whether further requests have told any text of a row: a ticket is often there before its text is."""
    names = {name for one in reads for name in _TEXTS if name in one.ticket.picks}
    return any(str(values.get(name) or "").strip() for name in names if values.get(name) is not MISSING)


def bears_in_disguise(row: object, wanted: Wanted) -> bool:
    """Whether a row that can't be read bears a token of ours, wherever."""
    words = find_tokens(json.dumps(row, ensure_ascii=False, default=str))
    return any(word in wanted.tokens for word in words) if wanted.tokens else bool(words)


def mark_of(look: LookSettings, values: Values, row: object) -> str:
    """A row as it is now: an id that is given out again is another row."""
    content = json.dumps(row, sort_keys=True, default=str)
    return hashlib.sha256(
        f"{look.key}\n{values['id']}\n{content}".encode(errors="backslashreplace")
    ).hexdigest()
