"""As much of SOQL as a prober asks: conditions joined by AND, OR in parentheses, one order, a limit, child queries.

*SOQL SELECT Syntax* and *Comparison Operators* of the SOQL and SOSL Reference. What is not understood raises, so that
it is answered as MALFORMED_QUERY and never with everything.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

Fields = Mapping[str, object]
_WORDS = re.compile(r"'(?:[^'\\]|\\.)*'|[(),]|>=|<=|!=|<>|[=<>]|[^\s(),=<>!']+")
_COMPARE: Final = frozenset({"=", "!=", "<>", ">", ">=", "<", "<="})


class MalformedQuery(ValueError):
    """The text is no query, or more of one than is understood."""


class NotFilterable(ValueError):
    """A field that may be shown and not be asked for; the message is the field's name."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison."""

    name: str
    operator: str
    value: object


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked: each of ``groups`` must hold, by one of its conditions.

    Attributes:
        children: fields that are wanted of each child relationship.
    """

    fields: tuple[str, ...]
    table: str
    children: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    groups: tuple[tuple[Condition, ...], ...] = ()
    order_by: str | None = None
    is_down: bool = False
    limit: int | None = None


def parsed(text: str) -> Query:
    """Read a query.

    Raises:
        MalformedQuery: it is none that is understood.
    """
    return _Reader(_WORDS.findall(text)).query()


def chosen(
    query: Query, rows: Iterable[Fields], *, unfilterable: frozenset[str] = frozenset()
) -> list[Fields]:
    """The rows that a query asks for, in its order.

    Raises:
        NotFilterable: it filters or orders by a long text.
        MalformedQuery: it names a field that there is not.
    """
    asked = [one.name for group in query.groups for one in group] + [query.order_by or ""]
    for name in asked:
        if name in unfilterable:
            raise NotFilterable(name)
    found = [row for row in rows if all(any(_holds(one, row) for one in group) for group in query.groups)]
    if query.order_by is not None:
        name = query.order_by
        found.sort(key=lambda row: str(row.get(name)), reverse=query.is_down)
    return found[: query.limit]


class _Reader:
    def __init__(self, words: Sequence[str]) -> None:
        self._words = words
        self._at = 0

    def query(self, *, is_child: bool = False) -> Query:
        self._expect("SELECT")
        fields: list[str] = []
        children: dict[str, tuple[str, ...]] = {}
        while True:
            if self._is("("):
                child = self.query(is_child=True)
                self._expect(")")
                children[child.table] = child.fields
            else:
                fields.append(self._next())
            if not self._is(","):
                break
        self._expect("FROM")
        table = self._next()
        groups: list[tuple[Condition, ...]] = []
        if self._is("WHERE"):
            groups.append(self._group())
            while self._is("AND"):
                groups.append(self._group())
        order_by, is_down = None, False
        if self._is("ORDER"):
            self._expect("BY")
            order_by = self._next()
            is_down = self._is("DESC") or (self._is("ASC") and False)
        limit = int(self._next()) if self._is("LIMIT") else None
        if not is_child and self._at < len(self._words):
            raise MalformedQuery(f"unexpected token: '{self._words[self._at]}'")
        return Query(tuple(fields), table, children, tuple(groups), order_by, is_down, limit)

    def _group(self) -> tuple[Condition, ...]:
        if not self._is("("):
            return (self._condition(),)
        found = [self._condition()]
        while self._is("OR"):
            found.append(self._condition())
        self._expect(")")
        return tuple(found)

    def _condition(self) -> Condition:
        name, operator = self._next(), self._next().upper()
        match operator:
            case "IN":
                self._expect("(")
                values = [self._value()]
                while self._is(","):
                    values.append(self._value())
                self._expect(")")
                return Condition(name, operator, values)
            case "LIKE":
                return Condition(name, operator, self._value())
            case _ if operator in _COMPARE:
                return Condition(name, operator, self._value())
            case _:
                raise MalformedQuery(f"unexpected token: '{operator}'")

    def _value(self) -> object:
        word = self._next()
        if word.startswith("'"):
            return re.sub(r"\\(.)", r"\1", word[1:-1])
        match word.lower():
            case "true":
                return True
            case "false":
                return False
            case "null":
                return None
            case _:
                try:
                    return datetime.fromisoformat(word).astimezone(UTC)
                except ValueError:
                    raise MalformedQuery(f"unexpected token: '{word}'") from None

    def _next(self) -> str:
        if self._at >= len(self._words):
            raise MalformedQuery("unexpected token: '<EOF>'")
        self._at += 1
        return self._words[self._at - 1]

    def _is(self, word: str) -> bool:
        if self._at < len(self._words) and self._words[self._at].upper() == word:
            self._at += 1
            return True
        return False

    def _expect(self, word: str) -> None:
        if not self._is(word):
            raise MalformedQuery(f"expecting {word}")


def _holds(condition: Condition, row: Fields) -> bool:
    if condition.name not in row:
        raise MalformedQuery(f"No such column '{condition.name}'")
    actual, wanted = row[condition.name], condition.value
    match condition.operator:
        case "IN":
            return isinstance(wanted, list) and any(_same(actual, one) for one in wanted)
        case "LIKE":
            pattern = re.escape(str(wanted)).replace("%", ".*").replace("_", ".")
            return re.fullmatch(pattern, str(actual or ""), re.IGNORECASE | re.DOTALL) is not None
        case "=":
            return _same(actual, wanted)
        case "!=" | "<>":
            return not _same(actual, wanted)
        case _:
            return _ordered(actual, condition.operator, wanted)


def _same(actual: object, wanted: object) -> bool:
    """Text is compared without case (*Comparison Operators*)."""
    if isinstance(actual, str) and isinstance(wanted, str):
        return actual.lower() == wanted.lower()
    return actual == wanted


def _ordered(actual: object, operator: str, wanted: object) -> bool:
    if not isinstance(actual, datetime) or not isinstance(wanted, datetime):
        raise MalformedQuery(
            "value of filter criterion must be of type dateTime and should not be enclosed in quotes"
        )
    match operator:
        case ">":
            return actual > wanted
        case ">=":
            return actual >= wanted
        case "<":
            return actual < wanted
        case _:
            return actual <= wanted
