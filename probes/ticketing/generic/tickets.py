"""What of a row is a ticket: its fields by the configuration's picks, and whether the fields that we rely on are there."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Final

from canary.hop import Channel
from canary.ticket import Attachment, Ticket, TicketId, TicketRef, TicketState
from probes.contracts import Blind
from probes.ticketing.generic.conversions import text_of, truth_of
from probes.ticketing.generic.expressions import MISSING
from probes.ticketing.generic.picking import Pick, Seen
from probes.ticketing.generic.templates import Words

FIELDS: Final = (
    "id",
    "subject",
    "body",
    "requester",
    "created_at",
    "channel",
    "open",
    "tags",
    "group",
    "version",
    "message_id",
    "reason",
    "url",
)
"""What a ticket has; all but ``id`` may be left out."""
_RELIED_ON: Final = frozenset({"id", "subject", "body", "requester", "created_at", "open"})
_MARKS: Final = re.compile(r"[,;]")
Values = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class TicketMap:
    """Where a ticket's fields are in a row.

    Attributes:
        picks: by field; ``also``: further values, for the templates of requests.
        files: its attachments' list, name and, where a file can be fetched, address.
        lenient: fields that count as not there where they are not of their kind.
    """

    picks: Mapping[str, Pick]
    also: Mapping[str, Pick] = field(default_factory=lambda: MappingProxyType({}))
    files: "FileMap | None" = None
    lenient: frozenset[str] = frozenset()

    def read(self, seen: Seen, words: Words) -> dict[str, object]:
        """The values of a row, `MISSING` where a field is not there.

        Raises:
            Blind: the row has no id, or a value is not of its kind.
        """
        values: dict[str, object] = {}
        for name, pick in self.picks.items():
            values[name] = self._picked(name, pick, seen, words, values)
        for name, pick in self.also.items():
            values[name] = pick.found(seen, words)
        if self.files is not None:
            values["files"] = self.files.read(seen, _with(words, values))
        if "id" in self.picks and values["id"] in (None, MISSING, ""):
            pick = self.picks["id"]
            raise Blind(
                f"{pick.key}: a row has no id. Look whether `rows` finds the tickets, and how the system calls their id."
            )
        return values

    def attempted(self, seen: Seen, words: Words) -> tuple[dict[str, object], dict[str, str]]:
        """What of a row can be read, and by field why the rest can't."""
        values: dict[str, object] = {}
        faults: dict[str, str] = {}
        for name, pick in (*self.picks.items(), *self.also.items()):
            try:
                found = _field(pick, seen, words, values)
                values[name] = None if found is MISSING and name not in self.picks else found
            except Blind as error:
                faults[name] = str(error)
        if self.files is not None:
            try:
                values["files"] = self.files.read(seen, _with(words, values))
            except Blind as error:
                faults["files"] = str(error)
        return values, faults

    def _picked(self, name: str, pick: Pick, seen: Seen, words: Words, values: Values) -> object:
        try:
            return _field(pick, seen, words, values)
        except Blind:
            if name not in self.lenient:
                raise
            return MISSING


@dataclass(frozen=True, slots=True)
class FileMap:
    """Where a ticket's attachments are: the list, and of each the name and the address of its content.

    An address that no answer tells is put together by a template, of ``ticket.…`` and of ``file.…``, the list's row.
    """

    rows: Pick
    name: Pick
    url: Pick | None = None

    def read(self, seen: Seen, words: Words) -> tuple[tuple[str, str | None], ...]:
        """Names and addresses; ``words``: what the address's template may say beside ``file``."""
        rows = self.rows.found(seen)
        if not isinstance(rows, list):
            return ()
        files = []
        for row in rows:
            one = seen.of_row(row)
            name = text_of(self.name.found(one), self.name.key)
            if name:
                files.append((name, self._url(one, {**words, "file": row})))
        return tuple(files)

    def _url(self, seen: Seen, words: Words) -> str | None:
        return text_of(self.url.found(seen, words), self.url.key) if self.url is not None else None


def check_fields(rows: Sequence[Values], ticket: TicketMap, system: str) -> None:
    """See that what we rely on is there in at least one row.

    Raises:
        Blind: a field is there in none of them: the system's version changed, or our rights did.
    """
    for name, pick in relied_on(ticket):
        if rows and all(absent_from(row, name) for row in rows):
            raise Blind(absent_words(system, pick, len(rows)))


def relied_on(ticket: TicketMap) -> list[tuple[str, Pick]]:
    """The picks of fields that must be there in at least one row."""
    return [(name, ticket.picks[name]) for name in sorted(_RELIED_ON & set(ticket.picks))]


def absent_from(values: Values, name: str) -> bool:
    """Whether the field that a pick relies on is not there in a row; one that could not be read is."""
    return values.get(name) is MISSING


def absent_words(system: str, pick: Pick, count: int) -> str:
    """What is to be said of a field that is in none of the tickets, with the remedy."""
    where = "not in the one ticket that is shown" if count == 1 else f"in none of the {count} tickets"
    return (
        f"{system}: {pick.key}: the field is {where}."
        " The system's version or our rights have changed: correct the pick, or give it a default."
    )


def searched(values: Values) -> str:
    """The text in which tokens are sought."""
    return "\n".join(
        str(values.get(name) or "") for name in ("subject", "body", "message_id") if _is(values, name)
    )


def word_of(values: Values, name: str) -> str:
    """A field as a word; empty where it is not there."""
    return text_of(_value(values, name), name) or ""


def created_of(values: Values) -> datetime | None:
    """When the system says that it made the ticket."""
    found = values.get("created_at")
    return found if isinstance(found, datetime) else None


@dataclass(frozen=True, slots=True)
class Making:
    """How values become a `Ticket`.

    Attributes:
        channels: ours by the system's word for them, lower case.
        prefix: what makes ids of this look differ from tickets' ids; empty for tickets.
    """

    system: str
    channels: Mapping[str, frozenset[Channel]]
    state: TicketState = TicketState.TICKET
    prefix: str = ""

    def ticket(self, values: Values, attachments: tuple[Attachment, ...] | None) -> Ticket:
        """The ticket of a row's values."""
        is_open = truth_of(_value(values, "open"), "open")
        number = text_of(_value(values, "id"), "id") or ""
        word = _text(values, "channel")
        channels = sorted(self.channels.get(word.lower(), ())) if word is not None else []
        return Ticket(
            ref=TicketRef(self.system, TicketId(f"{self.prefix}{number}"), _text(values, "url")),
            state=self.state,
            subject=_text(values, "subject"),
            body=_text(values, "body"),
            requester=_text(values, "requester"),
            remote_created_at=created_of(values),
            channel=channels[0] if channels else None,
            other_channels=frozenset(channels[1:]),
            tags=tags_of(_value(values, "tags")),
            shows_tags=_value(values, "tags") is not None,
            group=_text(values, "group"),
            is_open=True if is_open is None else is_open,
            version=_text(values, "version"),
            message_id=_bracketed(_text(values, "message_id")),
            attachments=attachments,
            cause=_text(values, "reason") if self.state is TicketState.DIVERTED else None,
        )


def tags_of(value: object) -> frozenset[str]:
    """Labels, of a list or of a text: semicolons or commas part them where there are some, else spaces do."""
    if value is None or value is MISSING or isinstance(value, bool | dict):
        return frozenset()
    match value:
        case list() | tuple():
            return frozenset(
                filter(None, (text_of(one, "tags") for one in value if not isinstance(one, dict)))
            )
        case _:
            text = text_of(value, "tags") or ""
            parts = [one.strip() for one in _MARKS.split(text)] if _MARKS.search(text) else text.split()
            return frozenset(filter(None, parts))


def merged(values: Values, more: Values) -> dict[str, object]:
    """The values of a row, with those of a later answer in place of what was not there."""
    found = {name: one for name, one in more.items() if one is not MISSING and one is not None}
    return {**more, **values, **found}


def files_of(values: Values) -> Iterable[tuple[str, str | None]] | None:
    """Names and addresses of the attachments; None where they were not read."""
    files = values.get("files")
    return files if isinstance(files, tuple) else None


def as_words(values: Values) -> Mapping[str, object]:
    """What a template may say as ``ticket.…``."""
    return {name: one for name, one in values.items() if one is not MISSING and name != "files"}


def with_ref(ticket: Ticket, number: str) -> Ticket:
    """The ticket under its bare id."""
    return replace(ticket, ref=replace(ticket.ref, id=TicketId(number)))


def _field(pick: Pick, seen: Seen, words: Words, values: Values) -> object:
    """The value of one pick; one that is made of words may name the fields that were read before it."""
    if pick.const is None:
        return pick.of(seen)
    return pick.of(seen, _with(words, values))


def _with(words: Words, values: Values) -> Words:
    """What templates may say once some of a row's values are read."""
    return {**words, "ticket": {**_plain(words.get("ticket")), **_known(values)}}


def _known(values: Values) -> dict[str, object]:
    return {name: one for name, one in values.items() if one is not MISSING}


def _plain(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _is(values: Values, name: str) -> bool:
    return values.get(name) is not MISSING


def _value(values: Values, name: str) -> object:
    found = values.get(name)
    return None if found is MISSING else found


def _text(values: Values, name: str) -> str | None:
    return text_of(_value(values, name), name)


def _bracketed(message_id: str | None) -> str | None:
    if not message_id:
        return None
    return message_id if message_id.startswith("<") else f"<{message_id}>"
