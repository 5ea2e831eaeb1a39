"""Pages: which one comes after an answer, and whether it was the last. A page that repeats itself is no end."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from urllib.parse import urljoin, urlsplit

import httpx

from probes.ticketing.generic.conversions import text_of, truth_of, whole_of
from probes.ticketing.generic.expressions import MISSING
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
        overlaps: its first row was the last of the page before it: if it is not, rows have moved, and some went unseen.
        is_kept: an earlier look was left off here, so that its cursor or link may have ended since.
        last: id of the last row that the earlier look read: whoever goes on meets it again, or may have missed some.
    """

    words: Mapping[str, object] = field(default_factory=lambda: _NOTHING)
    query: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    json: Mapping[str, object] = field(default_factory=lambda: _NOTHING)
    headers: Mapping[str, Template] = field(default_factory=lambda: MappingProxyType({}))
    url: str | None = None
    overlaps: bool = False
    is_kept: bool = False
    last: str | None = None


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
        if self.counts_rows:
            rows = number + count
        new = count - (1 if page.overlaps else 0)
        if self.more is not None:
            if (end := _told(self.more, seen, has_next=new > 0 or not self.counts_rows)) is not None:
                return end
        elif self._is_last(seen, rows, count=count, new=new):
            return End.LAST
        if not self.counts_rows:
            return self._page(number + 1, rows)
        return self._page(rows - 1, rows, overlaps=True) if count > 1 else self._page(rows, rows)

    def _is_last(self, seen: Seen, rows: int, *, count: int, new: int) -> bool:
        if new == 0:
            return True
        total = whole_of(self.total.found(seen), self.total.key) if self.total is not None else None
        if total is not None:
            return rows >= total
        return self.ends is Ends.SHORT and self.size is not None and count < self.size

    def _page(self, number: int, rows: int, *, overlaps: bool = False) -> Page:
        shift = (self.first_number or 0) if self.counts_rows else 0
        wanted: dict[str, object] = {self.param: number + shift}
        if self.size_param is not None and self.size is not None:
            wanted[self.size_param] = self.size
        words = {"number": number, "rows": rows, "size": self.size}
        if self.into is Into.JSON:
            return Page(words, json=wanted, overlaps=overlaps)
        return Page(words, query={name: str(one) for name, one in wanted.items()}, overlaps=overlaps)


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
        cursor = self.pick.of(seen)
        has_next = cursor not in (None, "", False, MISSING)
        if self.more is not None:
            if (end := _told(self.more, seen, has_next=has_next)) is not None:
                return end
        elif not has_next:
            return End.LOST if cursor is MISSING else End.LAST
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
        more: tells whether there is a further page, where a last one has no field for the link.
        size: rows of a full page: where one has no ``Link`` at all, something on the way may have dropped it.
        is_numbered: the links count pages or rows, so that a ticket that is deleted moves the others over their edges.
    """

    pick: Pick | None = None
    relation: str = "next"
    path_only: bool = False
    more: Pick | None = None
    size: int | None = None
    is_numbered: bool = False

    def first(self) -> Page:
        """The request itself."""
        return Page()

    def after(self, page: Page, seen: Seen, count: int) -> Page | End:
        """The page that is linked to; lost, where that is this page again, or where the field of the link is gone."""
        found = self.pick.of(seen) if self.pick is not None else self._linked(seen, count)
        link = (
            text_of(found, self.pick.key if self.pick is not None else "link") if found is not MISSING else ""
        )
        if self.more is not None and (end := _told(self.more, seen, has_next=bool(link))) is not None:
            return end
        if not link:
            return End.LOST if found is MISSING else End.LAST
        if self.path_only:
            try:
                parts = urlsplit(link)
            except ValueError:
                return End.LOST
            link = f"{parts.path}?{parts.query}" if parts.query else parts.path
        return End.LOST if link == page.url else Page(url=link)

    def _linked(self, seen: Seen, count: int) -> object:
        """The link of the relation; a link may have several (RFC 8288 section 3.3)."""
        links = httpx.Response(200, headers={"link": seen.headers.get("link", "")}).links
        for relations, one in links.items():
            if self.relation.lower() in (relations or "").lower().split():
                return one.get("url")
        is_full = self.size is not None and count >= self.size
        return MISSING if is_full and not links else None


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
        end = _whole(page.words["from"]) + count
        total = whole_of(self.total.found(seen), self.total.key) if self.total is not None else None
        if count == (1 if page.overlaps else 0) or (total is not None and end >= total):
            return End.LAST
        return self._page(end - 1, overlaps=True) if count > 1 else self._page(end)

    def _page(self, begin: int, *, overlaps: bool = False) -> Page:
        words = {"from": begin, "to": begin + self.size - 1, "size": self.size}
        if self.is_header:
            return Page(words, headers={self.name: self.template}, overlaps=overlaps)
        return Page(words, query={self.name: self.template.text({"page": words})}, overlaps=overlaps)


Paging = Single | Counted | Cursor | Next | Range


def written(page: Page) -> str:
    """A page as a text, so that another process can ask for it; see `read_page`."""
    return json.dumps(
        {
            "words": dict(page.words),
            "query": dict(page.query),
            "json": dict(page.json),
            "url": page.url,
            "last": page.last,
        }
    )


def read_page(paging: Paging, text: str) -> Page:
    """The page of a text that `written` made, for the same paging.

    Raises:
        ValueError: it is of another paging, or of another version of this program.
    """
    try:
        found = json.loads(text)
        words, query, body, url, last = (found[name] for name in ("words", "query", "json", "url", "last"))
        is_ours = all(isinstance(one, dict) for one in (words, query, body)) and set(words) == set(
            paging.first().words
        )
    except (LookupError, TypeError) as error:
        raise ValueError("this is no page") from error
    if not is_ours:
        raise ValueError("this is a page of another paging")
    is_in_header = isinstance(paging, Range) and paging.is_header
    headers = {paging.name: paging.template} if isinstance(paging, Range) and is_in_header else {}
    return Page(words, query, body, headers, url, is_kept=True, last=last)


def is_moved_by_deletion(paging: Paging) -> bool:
    """Whether a ticket that is deleted moves the first one of the next page to a page that was read already.

    Rows that are counted overlap by one, which shows it; a page's number can't, nor a link that has one in it.
    """
    match paging:
        case Counted():
            return not paging.counts_rows
        case Next():
            return paging.is_numbered
        case _:
            return False


def _told(more: Pick, seen: Seen, *, has_next: bool) -> End | None:
    """What the field that tells of further pages makes of this one; None: it leads on."""
    found = more.of(seen)
    if found is MISSING:
        return End.LOST
    if not truth_of(found, more.key):
        return End.LAST
    return None if has_next else End.LOST


def absolute(link: str, base: str) -> str:
    """A link as an answer may give it, absolute or not, from the address that answered."""
    return urljoin(base if base.endswith("/") else f"{base}/", link) if "://" not in link else link


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0
