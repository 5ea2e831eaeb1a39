"""A ticketing system whose list is now long, now short, and whose cursors end when it says so."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime

import httpx

from tests.fakes.clock import FakeClock

PAGES = {
    "cursor": "{cursor: {pick: {pick: next, default: null}, into: {query: cursor}}}",
    "link": "{next: {pick: {pick: link, default: null}}}",
    "offset": "{offset: {param: offset}}",
    "number": "{number: {param: page}}",
}
"""How the next rows may be asked for."""
_COMMON = """\
url: http://paged.acme.test
cleanup: none
ticket: {{id: id, subject: title, requester: mail, created_at: at, open: open}}
find:
  mine: {{when: poll, get: /mine, rows: rows, sweep: false}}
  wide: {{when: deadline, get: {path}, rows: rows, page: {page}, order: newest_first, max_pages: {pages}, empty_on: [{empty_on}]}}
"""


def paged(way: str, *, pages: int, path: str = "/tickets", empty_on: str = "") -> str:
    """A system that is read so many pages a look."""
    return _COMMON.format(page=PAGES[way], pages=pages, path=path, empty_on=empty_on)


_ODD = "odd "


def _shown(title: str) -> dict[str, object]:
    is_odd = title.startswith(_ODD)
    return {"title": "order" if is_odd else title, "mail": {"no": "address"} if is_odd else "x@y.test"}


@dataclass
class PagedDesk:
    """Tickets, the newest first, in pages of ``size``.

    Attributes:
        rows: title and time of each, the oldest first.
        mine: titles that the narrow list shows.
        refusal: the status for a cursor or link that has ended; 200: an empty list.
        asked: the query of each call of the wide list.
    """

    clock: FakeClock
    size: int = 2
    rows: list[tuple[str, datetime]] = field(default_factory=list)
    mine: set[str] = field(default_factory=set)
    refusal: int = 400
    asked: list[dict[str, str]] = field(default_factory=list)
    _life: int = 0

    def add(self, title: str = "order") -> None:
        """A ticket of this moment."""
        self.rows.append((title, self.clock.now()))

    def add_odd(self, title: str = "order") -> None:
        """A ticket of this moment that is shown and can't be read: nobody can tell whose it is."""
        self.add(f"{_ODD}{title}")

    def mend(self) -> None:
        """Show all tickets as they are."""
        self.rows = [(title.removeprefix(_ODD), at) for title, at in self.rows]

    def expire(self) -> None:
        """End all cursors and links that were given out."""
        self._life += 1

    def handle(self, request: httpx.Request) -> httpx.Response:
        """Answer one call."""
        query = dict(request.url.params)
        if request.url.path == "/mine":
            return self._answer([one for one in self._newest_first() if one["title"] in self.mine])
        self.asked.append(query)
        whole = self._newest_first()
        if "offset" in query:
            return self._answer(whole[int(query["offset"]) :][: self.size])
        if "page" in query:
            return self._answer(whole[(int(query["page"]) - 1) * self.size :][: self.size])
        if "cursor" in query:
            life, last = map(int, query["cursor"].split(":"))
            if life != self._life:
                return self._answer([], self.refusal)
            whole = [one for one in whole if int(str(one["id"])) < last]
        shown = whole[: self.size]
        if len(whole) <= self.size:
            return self._answer(shown)
        cursor = f"{self._life}:{shown[-1]['id']}"
        return self._answer(shown, more={"next": cursor, "link": f"{request.url.path}?cursor={cursor}"})

    def _newest_first(self) -> list[dict[str, object]]:
        return [
            {"id": str(number), "at": at.isoformat(), "open": True, **_shown(title)}
            for number, (title, at) in reversed([*enumerate(self.rows, 1)])
        ]

    def _answer(
        self, rows: list[dict[str, object]], status: int = 200, more: dict[str, str] | None = None
    ) -> httpx.Response:
        headers = {
            "date": format_datetime(self.clock.now(), usegmt=True),
            "content-type": "application/json",
        }
        return httpx.Response(status, content=json.dumps({"rows": rows, **(more or {})}), headers=headers)
