"""A ticketing system of a busy tenant: strangers' tickets come at an even pace, and ours are among them.

A stranger's ticket costs nothing until it is shown, so that a window of hours can be read.
"""

import math
from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime

import httpx

from tests.fakes.clock import FakeClock

_COMMON = """\
url: http://busy.acme.test
ticket: {{id: id, subject: title, requester: mail, created_at: {{pick: at, as: {{time: epoch_ms}}}}, open: {{pick: state, not_among: [9]}}}}
find:
  narrow: {{when: poll, get: /none, rows: rows}}
  wide:
    when: deadline
    get: /tickets
    query: {{after: "{{{{ since | epoch_ms }}}}", size: {size}{bound}}}
    page: {page}
    order: newest_first
    max_pages: {pages}
    rows: rows
clean: {{close: [{{put: "/tickets/{{{{ ticket.id }}}}"}}]}}
"""
WAYS = {
    "time": (', before: "{{ until | epoch_ms }}"', "{number: {param: page}}"),
    "number": ("", "{number: {param: page}}"),
    "cursor": ("", "{cursor: {pick: {pick: cursor, default: null}, into: {query: cursor}}}"),
    "link": ("", "{next: {pick: {pick: next, default: null}}}"),
}
"""How the next rows are asked for: bounded by time, or by the page alone."""


def configuration(way: str, *, size: int, pages: int) -> str:
    """Of a system that is read by pages of so many rows, so many a look."""
    bound, page = WAYS[way]
    return _COMMON.format(size=size, bound=bound, page=page, pages=pages)


@dataclass(frozen=True, slots=True)
class _Row:
    at: datetime
    title: str
    mail: str


class BusyDesk:
    """Strangers' tickets since a moment, so many a second; and those that `plant` adds.

    Attributes:
        calls: pages that were asked for.
    """

    def __init__(self, clock: FakeClock, *, since: datetime, a_second: float) -> None:
        self._clock = clock
        self._since = since
        self._apart = 1 / a_second
        self._ours: list[_Row] = []
        self.calls = 0

    def plant(self, title: str, mail: str, at: datetime) -> None:
        """One of ours, between two of strangers."""
        self._ours = sorted([*self._ours, _Row(at, title, mail)], key=lambda one: one.at)

    def handle(self, request: httpx.Request) -> httpx.Response:
        """Answer one call."""
        headers = {"date": format_datetime(self._clock.now(), usegmt=True)}
        if request.url.path == "/none":
            return httpx.Response(200, json={"rows": []}, headers=headers)
        self.calls += 1
        query = request.url.params
        size = int(query["size"])
        floor = datetime.fromtimestamp(int(query["after"]) / 1000, tz=self._since.tzinfo)
        top = self._clock.now()
        if "before" in query:
            top = min(top, datetime.fromtimestamp(int(query["before"]) / 1000, tz=self._since.tzinfo))
        begin = (int(query.get("page", "1")) - 1) * size
        if "cursor" in query:
            begin = self._count(top) - int(query["cursor"])
        whole = self._count(top)
        rows = [self._row(number) for number in range(whole - begin, max(0, whole - begin - size), -1)]
        shown = [(number, one) for number, one in rows if one.at >= floor]
        body: dict[str, object] = {
            "rows": [
                {
                    "id": number,
                    "title": one.title,
                    "mail": one.mail,
                    "state": 1,
                    "at": round(one.at.timestamp() * 1000),
                }
                for number, one in shown
            ]
        }
        is_more = len(shown) == size
        if is_more:
            body["cursor"] = str(rows[-1][0] - 1)
            page = begin // size + 2
            body["next"] = f"/tickets?after={query['after']}&size={size}&page={page}"
        return httpx.Response(200, json=body, headers=headers)

    def _count(self, moment: datetime) -> int:
        """How many tickets there were at a moment; the newest has that number."""
        strangers = math.floor((moment - self._since).total_seconds() / self._apart + 1e-9) + 1
        return max(0, strangers) + bisect_right(self._ours, moment, key=lambda one: one.at)

    def _row(self, number: int) -> tuple[int, _Row]:
        """The ticket of a number: the first moment at which there were so many tells which it is."""
        low, high = 0, len(self._ours)
        while low < high:  # how many of ours come before it
            middle = (low + high) // 2
            low, high = (middle + 1, high) if self._rank(middle) < number else (low, middle)
        if low < len(self._ours) and self._rank(low) == number:
            return number, self._ours[low]
        index = number - 1 - low
        at = self._since + timedelta(seconds=index * self._apart)
        return number, _Row(at, f"order {index}", f"customer{index % 97}@customer.test")

    def _rank(self, index: int) -> int:
        """The number of one of ours."""
        at = self._ours[index].at
        strangers = math.floor((at - self._since).total_seconds() / self._apart + 1e-9) + 1
        return max(0, strangers) + index + 1
