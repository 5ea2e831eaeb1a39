"""django-helpdesk 2.6: tickets found on the last pages of its list, closed by one change each.

Its list has no search and no order but the ascending id, silently ignores parameters that it does not know, and
shows a ticket's creation only as the date of its first follow-up (views/api.py and serializers.py of 2.6.1). So a
look walks backwards from ``page=last`` until it meets a ticket that is older than the oldest launch.
"""

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

from canary.canary import Canary
from canary.hop import Channel
from canary.observation import Depth
from canary.signature import find_tokens
from canary.ticket import Attachment, Ticket, TicketId, TicketRef, TicketState
from canary.traffic import Strangers, Way, way_of
from probes.contracts import (
    Blind,
    Budget,
    Check,
    CheckState,
    Clock,
    Disposal,
    DisposalAction,
    Disposed,
    Glance,
    Look,
    RemovalState,
    View,
)
from probes.http import Api
from probes.json_answer import Json
from probes.masking import Masker, Secret
from probes.ticketing.checking import checked, skew_check
from probes.ticketing.disposing import dispose_each
from probes.ticketing.settings import LOOK_BACK_SECONDS, ORPHAN_DAYS, HelpdeskSettings
from probes.ticketing.tallying import GLANCE_PAGES, bears_token, tally_of

_OPEN: Final = (1, 2)
"""Open and reopened (helpdesk/settings.py of 2.6.1: 3 resolved, 4 closed, 5 duplicate)."""
_CLOSED: Final = 4
_PRIORITY: Final = 3
"""Normal (helpdesk/models.py of 2.6.1)."""
_SOUGHT: Final = ("id", "created_at", "requester", "channel", "subject", "body", "open", "message_id")
_TICKETS: Final = "api/tickets/"
_PAGE = re.compile(r"[?&]page=(\d+)")
_REMEMBERED: Final = 1000
_FIRST_FEW: Final = 3


@dataclass(frozen=True, slots=True)
class _Candidate:
    ticket: Ticket
    files: tuple[tuple[str, str], ...]


def authorise(secret: Secret) -> Mapping[str, str]:
    """Django REST framework's token (rest_framework.authentication.TokenAuthentication)."""
    return {"Authorization": f"Token {secret.reveal()}"}


_NOT_SERVED: Final = frozenset({301, 302, 303, 307, 308, 401, 403, 404})
"""Many installations serve attachments only to a browser that is logged in."""


class Helpdesk:
    """A django-helpdesk as a `TicketingSystem`. Its list reads the table: the view is strong."""

    def __init__(self, settings: HelpdeskSettings, api: Api, *, clock: Clock, masker: Masker) -> None:
        self._settings = settings
        self._api = api
        self._clock = clock
        self._masker = masker
        self._digests: dict[str, str | None] = {}

    @property
    def name(self) -> str:
        """Its name in the configuration."""
        return self._settings.name

    async def find(self, canaries: Sequence[Canary], depth: Depth) -> Look:
        """Walk back from the newest ticket; see `TicketingSystem.find`.

        A narrow look reads the newest pages of open tickets; a wide one all tickets since the oldest launch, open
        or not. Without canaries it goes back as far as tokens are kept.
        """
        since = self._since(canaries)
        tokens = frozenset(one.token for one in canaries)
        is_narrow = depth is Depth.POLL and bool(canaries)
        most_pages = self._settings.poll_pages if is_narrow else self._settings.most_pages
        candidates: dict[str, _Candidate] = {}
        others = _Others(since)
        is_complete = False
        page = "last"
        for _ in range(most_pages):
            found, before, newest_at = await self._page(
                page, is_narrow=is_narrow, tokens=tokens, others=others
            )
            candidates.update((one.ticket.ref.id, one) for one in found)
            if before is None or (newest_at is not None and newest_at < self._by_its_clock(since)):
                is_complete = True
                break
            page = before
        read = [await self._with_digests(one) for one in candidates.values()]
        return Look(
            tickets=tuple(read),
            view=View.STRONG,
            lag_seconds=0.0,
            is_complete=is_complete,
            since=since,
            skew_seconds=self._api.skew.seconds,
            # A narrow look shows open tickets alone: of those that agents have closed it knows nothing.
            strangers=None if is_narrow else others.seen(),
        )

    async def dispose(self, tickets: Sequence[Ticket], how: Disposal) -> Sequence[Disposed]:
        """Close with the tag in the resolution, or delete; neither mails the submitter (seen on 2.6.1)."""
        match how.action:
            case DisposalAction.CLOSE:
                return await dispose_each(tickets, self._close, how, masker=self._masker)
            case DisposalAction.DELETE:
                return await dispose_each(tickets, self._delete, how, masker=self._masker)

    async def glance(self, since: datetime) -> Sequence[Glance]:
        """Read the newest pages of the list; no attachment of anybody's, but of tickets that bear a token's shape."""
        glance = Glance("", TicketState.TICKET, View.STRONG, 0.0)
        shown: dict[str, _Candidate] = {}
        older, page = 0, "last"
        is_whole, fault, is_asking = False, "", True
        try:
            for _ in range(GLANCE_PAGES):
                is_asking = True
                answer = await self._api.get(
                    _TICKETS, {"page": page, "page_size": str(self._settings.page_size)}
                )
                is_asking = False
                before = _page_before(answer["previous"])
                for row in answer["results"].items():
                    one = _Candidate(self._ticket(row, _created_at(row)), _files(row))
                    at = one.ticket.remote_created_at
                    is_older = at is not None and at < since
                    older += is_older
                    if not is_older:
                        shown[one.ticket.ref.id] = one
                is_whole = before is None
                if before is None or older:
                    break
                page = before
            ours = [await self._with_digests(one) for one in shown.values() if bears_token(one.ticket)]
        except Blind as error:
            fault, ours = self._masker.mask(str(error)), []
        return [
            replace(
                glance,
                shown=len(shown),
                older=older,
                tickets=tuple(ours),
                fields=tally_of((one.ticket for one in shown.values()), sought=_SOUGHT),
                is_whole=is_whole and not fault,
                skew_seconds=self._api.skew.seconds,
                fault=fault,
                is_unreadable=bool(fault) and is_asking,
            )
        ]

    async def create(self, *, subject: str, body: str, requester: str) -> str:
        """Make a ticket in the queue of the newest one; the helpdesk mails the requester if that queue says so."""
        rows = list((await self._api.get(_TICKETS, {"page": "last", "page_size": "1"}))["results"].items())
        if not rows:
            raise LookupError(
                f"{self.name} shows no ticket yet, so that no queue is known to make one in: open one by hand first"
            )
        ticket = {
            "queue": rows[-1]["queue"].number(),
            "title": subject,
            "description": body,
            "submitter_email": requester,
            "priority": _PRIORITY,
        }
        answer = await self._api.call("POST", _TICKETS, body=ticket)
        return str(answer.json()["id"].number())

    def budget(self) -> Sequence[Budget]:
        """Windows of whatever stands in front of it; the helpdesk itself has none."""
        return self._api.rate_limits.windows(now=self._clock.now())

    async def check(self) -> Sequence[Check]:
        """Read one ticket, and ask by OPTIONS what we may do with it; changes nothing."""
        found = await checked(self.name, "ticket.search", self._check_search, masker=self._masker)
        if found.state is CheckState.FAIL:
            return (found,)
        changes = await checked(self.name, "ticket.close", self._check_change, masker=self._masker)
        return (found, changes, skew_check(self.name, self._api.skew))

    async def _page(
        self, page: str, *, is_narrow: bool, tokens: Collection[str], others: "_Others"
    ) -> tuple[list[_Candidate], str | None, datetime | None]:
        """The candidates of one page, the page before it, and when its newest ticket was created; counts the others.

        Not its oldest: a ticket with which an older one was merged seems older than its neighbours.
        """
        query = {"page": page, "page_size": str(self._settings.page_size)}
        if is_narrow:
            query["status"] = ",".join(str(one) for one in _OPEN)
        answer = await self._api.get(_TICKETS, query)
        found: list[_Candidate] = []
        created: list[datetime] = []
        for row in answer["results"].items():
            created_at = _created_at(row)
            if created_at is not None:
                created.append(created_at)
            if self._is_candidate(row, tokens):
                found.append(_Candidate(self._ticket(row, created_at), _files(row)))
            elif created_at is not None and not self._is_canary(row):
                others.count(row, created_at)
        others.page_begins(created)
        return found, _page_before(answer["previous"]), max(created, default=None)

    def _is_candidate(self, row: Json, tokens: Collection[str]) -> bool:
        """Whether a ticket bears a token of ours; others are dropped here, before anything keeps them."""
        text = _searched(row)
        words = find_tokens(text)
        if tokens:
            return any(word in tokens for word in words)
        is_marked = self._settings.marker.lower() in text.lower()
        return bool(words) and (is_marked or self._is_tagged(row))

    def _is_canary(self, row: Json) -> bool:
        """Whether it may be any prober's: it bears our marker, our tag, or a word of a token's shape."""
        text = _searched(row)
        return (
            self._is_tagged(row) or self._settings.marker.lower() in text.lower() or bool(find_tokens(text))
        )

    def _ticket(self, row: Json, created_at: datetime | None) -> Ticket:
        number = row["id"].number()
        status = row["status"].number()
        message_id = _message_id(row)
        return Ticket(
            ref=TicketRef(
                self.name, TicketId(str(number)), f"{self._settings.url.rstrip('/')}/tickets/{number}/"
            ),
            subject=row["title"].text(),
            body=row["description"].text(),
            requester=row["submitter_email"].text().strip().lower() or None,
            remote_created_at=created_at,
            channel=Channel.EMAIL if message_id else None,
            tags=frozenset({self._settings.tag}) if self._is_tagged(row) else frozenset(),
            is_open=status in _OPEN,
            message_id=message_id,
            group=str(row["queue"].number()) if row.has("queue") else None,
        )

    def _is_tagged(self, row: Json) -> bool:
        return row["resolution"].text().startswith(f"{self._settings.tag}:")

    async def _with_digests(self, candidate: "_Candidate") -> Ticket:
        """The ticket with the digests of its attachments, as far as they are wanted and their files served to us."""
        is_wanted = self._settings.reads_files
        digested = [
            Attachment(name, await self._digest(url) if is_wanted else None) for name, url in candidate.files
        ]
        return replace(candidate.ticket, attachments=tuple(digested))

    async def _digest(self, url: str) -> str | None:
        if url not in self._digests:
            if len(self._digests) >= _REMEMBERED:
                self._digests.clear()
            try:
                answer = await self._api.call("GET", url)
            except Blind as error:
                if error.status not in _NOT_SERVED:
                    raise
                self._digests[url] = None
            else:
                self._digests[url] = hashlib.sha256(answer.content).hexdigest()
        return self._digests[url]

    async def _close(self, ticket: Ticket, how: Disposal) -> Disposed:
        if not ticket.is_open and how.tag in ticket.tags:
            return Disposed(ticket.ref, RemovalState.ABSENT, "already closed")
        resolution = f"{how.tag}: a synthetic request, opened and closed by intake-prober"
        answer = await self._api.call(
            "PATCH",
            f"{_TICKETS}{ticket.ref.id}/",
            body={"status": _CLOSED, "resolution": resolution},
            accept={HTTPStatus.NOT_FOUND},
        )
        if answer.status == HTTPStatus.NOT_FOUND:
            return Disposed(ticket.ref, RemovalState.ABSENT, "no longer there")
        after = answer.json()
        if after["status"].number() != _CLOSED or after["resolution"].text() != resolution:
            return Disposed(ticket.ref, RemovalState.FAILED, "it took the change and did not make it")
        return Disposed(ticket.ref, RemovalState.DONE)

    async def _delete(self, ticket: Ticket, how: Disposal) -> Disposed:
        answer = await self._api.call("DELETE", f"{_TICKETS}{ticket.ref.id}/", accept={HTTPStatus.NOT_FOUND})
        is_gone = answer.status == HTTPStatus.NOT_FOUND
        state = RemovalState.ABSENT if is_gone else RemovalState.DONE
        return Disposed(ticket.ref, state, f"no longer there ({how.action})" if is_gone else "")

    async def _check_search(self) -> Check:
        answer = await self._api.get(_TICKETS, {"page": "last", "page_size": "1"})
        count = answer["count"].number()
        return Check(
            self.name, "ticket.search", CheckState.OK, f"reachable and authorised; {count} tickets are shown"
        )

    async def _check_change(self) -> Check:
        newest = await self._api.get(_TICKETS, {"page": "last", "page_size": "1"})
        rows = list(newest["results"].items())
        where = f"{_TICKETS}{rows[0]['id'].number()}/" if rows else _TICKETS
        wanted = "PUT" if rows else "POST"
        answer = (await self._api.call("OPTIONS", where)).json()
        if answer.has("actions") and answer["actions"].has(wanted):
            return Check(self.name, "ticket.close", CheckState.OK, "authorised to tag, close and delete")
        return Check(
            self.name,
            "ticket.close",
            CheckState.FAIL,
            "the credential may read tickets and not change them",
            "Give its user staff status and access to the queue, or set `cleanup: none`.",
        )

    def _since(self, canaries: Sequence[Canary]) -> datetime:
        if not canaries:
            return self._clock.now() - timedelta(days=ORPHAN_DAYS)
        return min(one.launched_at for one in canaries) - timedelta(seconds=LOOK_BACK_SECONDS)

    def _by_its_clock(self, moment: datetime) -> datetime:
        """The moment by the helpdesk's clock where that is behind ours; never a later one."""
        return moment + timedelta(seconds=min(0.0, self._api.skew.seconds or 0.0))


class _Others:
    """When tickets that are no canary's were created, and how far back none of them is missing."""

    def __init__(self, since: datetime) -> None:
        self._since = since
        self._created: dict[Way, dict[int, datetime]] = {}

    def count(self, row: Json, created_at: datetime) -> None:
        """One of them. A page that is read again, since the list grew, counts nothing twice."""
        way = way_of(Channel.EMAIL if _message_id(row) else None)
        self._created.setdefault(way, {})[row["id"].number()] = created_at

    def page_begins(self, created: Sequence[datetime]) -> None:
        """A page was read; pages are read backwards, and the ids of each ascend.

        All that came after its first ticket was shown. That one seems older than it is where an older one was merged
        with it: the newest of the first few is taken for it.
        """
        if created:
            self._since = max(created[:_FIRST_FEW])

    def seen(self) -> Strangers:
        """What was shown."""
        return Strangers(
            self._since,
            {
                way: tuple(sorted(one for one in several.values() if one >= self._since))
                for way, several in self._created.items()
            },
        )


def _searched(row: Json) -> str:
    return "\n".join((row["title"].text(), row["description"].text(), _message_id(row) or ""))


def _created_at(row: Json) -> datetime | None:
    return min((one["date"].moment() for one in row["followup_set"].items()), default=None)


def _message_id(row: Json) -> str | None:
    """The Message-ID of the mail that made the ticket; only mails have one."""
    return next((one["message_id"].text() or None for one in row["followup_set"].items()), None)


def _files(row: Json) -> tuple[tuple[str, str], ...]:
    """Names and addresses of the files that came with the first message."""
    first = next(row["followup_set"].items(), None)
    if first is None:
        return ()
    return tuple(
        (one["filename"].text(), one["file"].text()) for one in first["followupattachment_set"].items()
    )


def _page_before(previous: Json) -> str | None:
    """The number of the page before; the link of page 2 leads to the list without a number."""
    if previous.is_null:
        return None
    found = _PAGE.search(previous.text())
    return found.group(1) if found is not None else "1"
