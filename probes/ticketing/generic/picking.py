"""Picks: one value out of an answer, by JMESPath, header field or status, and how it is read."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from probes.contracts import Blind
from probes.http_wire import Answer
from probes.ticketing.generic.conversions import As, TimeFormat, converted, moment_of, text_of
from probes.ticketing.generic.expressions import MISSING, Expression
from probes.ticketing.generic.templates import Template, Words


@dataclass(slots=True)
class Seen:
    """An answer, or one row of it, as picks look at it.

    Attributes:
        row: what expressions begin at.
        whole: the whole body, where joined tables are.
        tables: what joins have read of it so far, shared by all rows.
    """

    row: object
    whole: object = None
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    status: int = 200
    tables: dict[Expression, Mapping[str, object]] = field(default_factory=dict)

    def of_row(self, row: object) -> "Seen":
        """The same answer, seen from one of its rows."""
        return Seen(row, self.whole, self.headers, self.status, self.tables)


def seen_of(answer: Answer) -> Seen:
    """An answer as picks look at it; one without a body has the body null.

    Raises:
        Blind: it is a web page, or not JSON.
    """
    body = answer.json().value if answer.content.strip() else None
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return Seen(body, body, headers, answer.status)


@dataclass(frozen=True, slots=True)
class Join:
    """A value of a table that the answer has beside its rows.

    Attributes:
        table: the list of the table's rows, from the whole answer.
        key: what a table's row is called by; ``on``: what our row calls it by.
        pick: what is taken of the table's row.
    """

    table: Expression
    key: Expression
    on: Expression
    pick: Expression


@dataclass(frozen=True, slots=True)
class Pick:
    """How one value is had.

    Attributes:
        key: where it stands in the configuration, for messages.
        expression, header, takes_status, const, join: where it comes from: one of them.
        regex: what of the text is meant: its group ``v``, else its first, else all that matches.
        constant: a value that is no text, such as a list.
        steps: how it is read, one after the other; ``time``: as a moment.
        default: in place of nothing; `MISSING`: there is none.
        among, others: makes true or false of it: whether it is one of these, or none of those.
    """

    key: str
    expression: Expression | None = None
    header: str | None = None
    takes_status: bool = False
    const: Template | None = None
    join: Join | None = None
    constant: object = MISSING
    regex: re.Pattern[str] | None = None
    steps: tuple[As, ...] = ()
    time: TimeFormat | None = None
    default: object = MISSING
    among: frozenset[str] | None = None
    others: frozenset[str] | None = None

    def of(self, seen: Seen, words: Words = MappingProxyType({})) -> object:
        """The value; None for nothing, `MISSING` where the field that it relies on is not there.

        Raises:
            Blind: it is not of the kind that the configuration says.
        """
        found = self._raw(seen, words)
        if self.regex is not None:
            found = self._matched(found)
        if found is None or found is MISSING:
            return found if self.default is MISSING else self.default
        if self.time is not None:
            return moment_of(found, self.time, self.key)
        found = converted(found, self.steps, self.key)
        if self.among is not None:
            return text_of(found, self.key) in self.among
        if self.others is not None:
            return text_of(found, self.key) not in self.others
        return found

    def found(self, seen: Seen, words: Words = MappingProxyType({})) -> object:
        """The value; None for nothing, whether its field is there or not; raises as `of`."""
        value = self.of(seen, words)
        return None if value is MISSING else value

    def _raw(self, seen: Seen, words: Words) -> object:
        if self.expression is not None:
            return self.expression.of(seen.row)
        if self.header is not None:
            return seen.headers.get(self.header.lower(), MISSING)
        if self.const is not None:
            return self.const.value(words)
        if self.constant is not MISSING:
            return self.constant
        if self.join is not None:
            return self._joined(self.join, seen)
        return seen.status if self.takes_status else None

    def _matched(self, value: object) -> object:
        if value is None or value is MISSING or self.regex is None:
            return value
        match = self.regex.search(text_of(value, self.key) or "")
        if match is None:
            return None
        if "v" in self.regex.groupindex:
            return match["v"]
        return match[1] if self.regex.groups else match[0]

    def _joined(self, join: Join, seen: Seen) -> object:
        if join.table not in seen.tables:
            seen.tables[join.table] = dict(self._rows_of(join, seen.whole))
        on = join.on.of(seen.row)
        if on is None or on is MISSING:
            return on
        row = seen.tables[join.table].get(text_of(on, self.key) or "")
        return join.pick.of(row) if row is not None else None

    def _rows_of(self, join: Join, whole: object) -> Iterator[tuple[str, object]]:
        rows = join.table.of(whole)
        if not isinstance(rows, Sequence) or isinstance(rows, str):
            raise Blind(
                f"{self.key}: the answer has no table `{join.table.source}` beside its rows."
                " Look whether the request still asks for it."
            )
        for row in rows:
            name = join.key.of(row)
            if name is not None and name is not MISSING:
                yield text_of(name, self.key) or "", row
