"""Requests as the configuration writes them: templates for path, query, header fields and body."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from probes.contracts import Blind
from probes.http_wire import Request
from probes.ticketing.generic.failures import Means
from probes.ticketing.generic.filters import as_text
from probes.ticketing.generic.paging import Page
from probes.ticketing.generic.templates import Shape, Template, Words, filled, names_in

_A_STEP: Final = re.compile(r"\.clean(\.\w+)?\[\d+\]$", re.ASCII)
"""The key of a step of a clean-up, which is made for tickets of ours alone."""
_NONE: Final[Mapping[str, Template]] = MappingProxyType({})
_NO_STATUSES: Final[Mapping[int, Means]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Asking:
    """One request with its templates.

    Attributes:
        key: where it stands in the configuration, for messages.
        query, form: a value may be a list: the parameter then comes once for each.
        json: the body, or None.
        ok: what statuses mean here, before any other table.
    """

    key: str
    method: str
    path: Template
    query: Mapping[str, Shape] = field(default_factory=lambda: MappingProxyType({}))
    headers: Mapping[str, Template] = field(default_factory=lambda: _NONE)
    json: Shape | None = None
    form: Mapping[str, Shape] | None = None
    ok: Mapping[int, Means] = field(default_factory=lambda: _NO_STATUSES)

    @property
    def names(self) -> frozenset[tuple[str, str]]:
        """All that its templates need."""
        parts: Sequence[Shape] = (self.path, self.query, self.headers, self.json, self.form)
        return frozenset().union(*(names_in(one) for one in parts))

    @property
    def is_of_a_strangers(self) -> bool:
        """Whether it asks for one ticket that may be a stranger's: what is said of it may be words of theirs."""
        is_of_one = any(name in {"row", "ticket"} for name, _ in self.names)
        return is_of_one and _A_STEP.search(self.key) is None

    def request(self, words: Words, page: Page = Page()) -> Request:  # noqa: B008 -- frozen
        """What is sent.

        Raises:
            Blind: a template names what has no value.
        """
        body = filled(self.json, words) if self.json is not None else None
        for where, value in page.json.items():
            body = _with(body, where.split("."), value)
        headers = {name: one.text(words) for name, one in {**self.headers, **page.headers}.items()}
        for name, value in headers.items():
            if not value.isprintable():
                raise Blind(f"{self.key}: the header field {name} would hold control characters.")
        if page.url is not None:
            return Request(self.method, page.url, None, json=body, headers=headers)
        query = [*_pairs({name: one for name, one in self.query.items() if name not in page.query}, words)]
        query += page.query.items()
        return Request(
            self.method,
            self.path.path(words),
            query or None,
            json=body,
            form=[*_pairs(self.form, words)] if self.form is not None else None,
            headers=headers,
        )


def _pairs(values: Mapping[str, Shape], words: Words) -> Iterator[tuple[str, str]]:
    for name, shape in values.items():
        value = filled(shape, words)
        for one in value if isinstance(value, list) else [value]:
            if one is not None:
                yield name, as_text(one)


def _with(body: object, where: Sequence[str], value: object) -> object:
    """The body with a value set at a path."""
    inner = dict(body) if isinstance(body, dict) else {}
    inner[where[0]] = _with(inner.get(where[0]), where[1:], value) if len(where) > 1 else value
    return inner
