"""Pages: which one comes after an answer, and whether it was the last. A page that repeats itself is no end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from urllib.parse import urljoin, urlsplit

import httpx

from probes.ticketing.generic.conversions import text_of, truth_of, whole_of
from probes.ticketing.generic.picking import Pick, Seen
from probes.ticketing.generic.templates import Template

_NOTHING: Final[Mapping[str, object]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Page:
    """What makes a request ask for one page.

    Attributes:
        words: what templates may say as ``page.…``.
        query, headers: set in the request; ``json``: set in its body, at a dotted path.
        url: asked instead of the request's own path and query.
    """

    words: Mapping[str, object] = field(default_factory=lambda: _NOTHING)
    query: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    json: Mapping[str, object] = field(default_factory=lambda: _NOTHING)
    headers: Mapping[str, Template] = field(default_factory=lambda: MappingProxyType({}))
    url: str | None = None


class End(StrEnum):
    """``last``: there is no further page. ``lost``: what comes next can't be known, so that absence may not be said."""

    LAST = "last"
    LOST = "lost"


class Ends(StrEnum):
    """What tells the last page where nothing else does: one without rows, or one that is not full."""

    EMPTY = "empty"
    SHORT = "short"


class Into(StrEnum):
    """Where a cursor goes."""

    QUERY = "query"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Single:
    """All rows come at once."""

    def first(self) -> Page:
        """The only page."""
        return Page()

    def after(self, page: Page, seen: Seen, count: int) -> Page | End:
        """There is none."""
        del page, seen, count
        return End.LAST


@dataclass(frozen=True, slots=True)
class Counted:
    """Pages by their number, or by how many rows come before them.

    Attributes:
        param: of the number or the offset; ``counts_rows``: it is an offset.
        first_number: what asks for the first page, 1 if not said; of an offset what asks for the first row, else 0.
        size: rows asked for a page; a system may give fewer.
        ends: what an end looks like, where neither ``more`` nor ``total`` tells it.
    """

    param: str
    counts_rows: bool = False
    first_number: int | None = None
    size_param: str | None = None
    size: int | None = None
    into: Into = Into.QUERY
    more: Pick | None = None
    total: Pick | None = None
    ends: Ends = Ends.EMPTY

    def first(self) -> Page:
        """The page at the beginning."""
        return self._page(0 if self.counts_rows else 1 if self.first_number is None else self.first_number, 0)

    def after(self, page: Page, seen: Seen, count: int) -> Page | End:
        """The next number, unless this page says that it was the last."""
        number, rows = _whole(page.words["number"]), _whole(page.words["rows"]) + count
        if self._is_last(seen, rows, count):
            return End.LAST
        return self._page(number + (count if self.counts_rows else 1), rows)

    def _is_last(self, seen: Seen, rows: int, count: int) -> bool:
        if self.more is not None:
            return not truth_of(self.more.found(seen), self.more.key)
        if count == 0:
            return True
        total = whole_of(self.total.found(seen), self.total.key) if self.total is not None else None
        if total is not None:
            return rows >= total
        return self.ends is Ends.SHORT and self.size is not None and count < self.size

    def _page(self, number: int, rows: int) -> Page:
        shift = (self.first_number or 0) if self.counts_rows else 0
        wanted: dict[str, object] = {self.param: number + shift}
        if self.size_param is not None and self.size is not None:
            wanted[self.size_param] = self.size
        words = {"number": number, "rows": rows, "size": self.size}
        if self.into is Into.JSON:
            return Page(words, json=wanted)
        return Page(words, query={name: str(one) for name, one in wanted.items()})


@dataclass(frozen=True, slots=True)
class Cursor:
    """Each answer holds a word that asks for the next page."""

    pick: Pick
    name: str
    into: Into = Into.QUERY
    more: Pick | None = None

    def first(self) -> Page:
        """The page without a cursor."""
        return Page({"cursor": None})

    def after(self, page: Page, seen: Seen, count: int) -> Page | End:
        """The page of the answer's cursor; lost, where it is that of this page again."""
        del count
        if self.more is not None and not truth_of(self.more.found(seen), self.more.key):
            return End.LAST
        cursor = self.pick.found(seen)
        if cursor in (None, "", False):
            return End.LAST if self.more is None else End.LOST
        if cursor == page.words.get("cursor"):
            return End.LOST
        words = {"cursor": cursor}
        if self.into is Into.JSON:
            return Page(words, json={self.name: cursor})
        return Page(words, query={self.name: text_of(cursor, self.pick.key) or ""})


@dataclass(frozen=True, slots=True)
class Next:
    """Each answer links to the next page, in its body or in ``Link`` (RFC 8288).

    Attributes:
        pick: the link in the body; None: in the header field, with the relation.
        path_only: of the link only path and query are used: for systems that don't know their own address.
    """

    pick: Pick | None = None
    relation: str = "next"
    path_only: bool = False

    def first(self) -> Page:
        """The request itself."""
        return Page()

    def after(self, page: Page, seen: Seen, count: int) -> Page | End:
        """The page that is linked to; lost, where that is this page again."""
        del count
        link = text_of(self.pick.found(seen), self.pick.key) if self.pick is not None else self._linked(seen)
        if not link:
            return End.LAST
        if self.path_only:
            parts = urlsplit(link)
            link = f"{parts.path}?{parts.query}" if parts.query else parts.path
        return End.LOST if link == page.url else Page(url=link)

    def _linked(self, seen: Seen) -> str | None:
        response = httpx.Response(200, headers={"link": seen.headers.get("link", "")})
        return response.links.get(self.relation, {}).get("url")


@dataclass(frozen=True, slots=True)
class Range:
    """Rows from a number to a number, in a query parameter or a header field.

    Attributes:
        template: says ``page.from`` and ``page.to``.
        total: how many rows there are; None: a page without rows ends it.
    """

    template: Template
    name: str
    size: int
    is_header: bool = False
    total: Pick | None = None

    def first(self) -> Page:
        """The first rows."""
        return self._page(0)

    def after(self, page: Page, seen: Seen, count: int) -> Page | End:
        """The rows after those that came."""
        begin = _whole(page.words["from"]) + count
        total = whole_of(self.total.found(seen), self.total.key) if self.total is not None else None
        if count == 0 or (total is not None and begin >= total):
            return End.LAST
        return self._page(begin)

    def _page(self, begin: int) -> Page:
        words = {"from": begin, "to": begin + self.size - 1, "size": self.size}
        if self.is_header:
            return Page(words, headers={self.name: self.template})
        return Page(words, query={self.name: self.template.text({"page": words})})


Paging = Single | Counted | Cursor | Next | Range


def absolute(link: str, base: str) -> str:
    """A link as an answer may give it, absolute or not, from the address that answered."""
    return urljoin(base if base.endswith("/") else f"{base}/", link) if "://" not in link else link


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0
