"""Make looks, pages and clean-ups of their documents, for a ticketing system that is known by configuration alone."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from canary.ticket import TicketState
from probes.contracts import DisposalAction, View
from probes.ticketing.generic.conversions import As, TimeFormat
from probes.ticketing.generic.failures import Means
from probes.ticketing.generic.paging import Counted, Cursor, Ends, Into, Next, Paging, Range, Single
from probes.ticketing.generic.settings import (
    CleanSettings,
    JobSettings,
    LookSettings,
    Order,
    Per,
    ProofSettings,
    ReadSettings,
    SightSettings,
    Step,
)
from probes.ticketing.generic.templates import Vocabulary
from probes.ticketing.generic.tickets import FIELDS, FileMap, TicketMap
from runners.config.build_ticketing_parts import PAGE, Parts
from runners.config.document_ticketing_looks import (
    CleanDocument,
    DivertedDocument,
    FilesDocument,
    HttpStepDocument,
    LookDocument,
    NumberDocument,
    PageBlock,
    ProofDocument,
    ReadDocument,
    SightDocument,
    TicketMapDocument,
)
from runners.config.reading import Loc

_USUAL: Final[Mapping[str, tuple[As, ...]]] = {
    "id": (As.TEXT,),
    "subject": (As.TEXT,),
    "body": (As.TEXT,),
    "requester": (As.ADDRESS,),
    "channel": (As.TEXT,),
    "group": (As.TEXT,),
    "open": (As.BOOL,),
    "version": (As.TEXT,),
    "message_id": (As.TEXT,),
    "url": (As.TEXT,),
    "reason": (As.TEXT,),
}
_READ_BACK: Final = frozenset({"id", "subject", "body", "message_id", "open", "tags", "version"})
"""What of one ticket, read alone, says whether it is ours and closed."""
_COMPARED: Final = frozenset({"requester", "created_at"})
"""What says so where no token is read back; a ticket alone may have them in another shape, and no list's joins."""
_SAFE: Final = frozenset({"GET", "OPTIONS"})
_ROW: Final[Vocabulary] = {"ticket": None, "row": None, "answer": None}


def build_map(
    document: TicketMapDocument,
    parts: Parts,
    loc: Loc,
    vocabulary: Vocabulary,
    *,
    under: TicketMap | None = None,
) -> TicketMap:
    """Where a ticket's fields are; ``under``: what holds where the document does not say otherwise."""
    known = {**vocabulary, "ticket": None}
    picks = {
        name: parts.pick(
            one,
            (*loc, name),
            known,
            usual=_USUAL.get(name, ()),
            time=TimeFormat() if name == "created_at" else None,
        )
        for name in FIELDS
        if (one := getattr(document, name)) is not None
    }
    also = {name: parts.pick(one, (*loc, "also", name), known) for name, one in document.also.items()}
    files = _files(document.files, parts, (*loc, "files"), known) if document.files is not None else None
    if under is None:
        return TicketMap(picks, also, files)
    return TicketMap(
        {**under.picks, **picks},
        {**under.also, **also},
        files or under.files,
        lenient=under.lenient - picks.keys(),
    )


def _files(document: FilesDocument, parts: Parts, loc: Loc, vocabulary: Vocabulary) -> FileMap:
    return FileMap(
        rows=parts.pick(document.rows, (*loc, "rows"), {}),
        name=parts.pick(document.name, (*loc, "name"), {}, usual=(As.TEXT,)),
        url=parts.optional_pick(document.url, (*loc, "url"), {**vocabulary, "file": None}, usual=(As.TEXT,)),
    )


def build_look(
    name: str,
    document: LookDocument,
    parts: Parts,
    loc: Loc,
    vocabulary: Vocabulary,
    *,
    under: TicketMap | None,
    shared: tuple[Loc, Sequence[ReadDocument]] | None = None,
) -> LookSettings:
    """One look; notes what it lacks.

    ``shared``: readings for a look that has none of its own, and where they stand.
    """
    per = Per(document.per) if document.per is not None else None
    words: dict[str, frozenset[str] | None] = {**vocabulary, "page": PAGE}
    if per is Per.REQUESTERS:
        words["requester"] = None
    if per is Per.TOKENS:
        words["token"] = None
    asking = parts.asking(document, loc, words)
    asking = replace(asking, ok={**dict.fromkeys(document.empty_on, Means.OK), **asking.ok})
    ticket = build_map(document.ticket, parts, (*loc, "ticket"), words, under=under)
    at, readings = shared if shared is not None and not document.read else (loc, document.read)
    reads = tuple(
        build_read(one, parts, (*at, "read", index), {**words, **_ROW}) for index, one in enumerate(readings)
    )
    if "id" not in ticket.picks:
        parts.around.note(
            (*loc, "ticket"), "it is not said what a ticket's id is", "Add ticket: {id: id}.", at_key=True
        )
    told = set(ticket.picks).union(*(one.ticket.picks for one in reads))
    if not {"subject", "body", "message_id"} & told:
        parts.around.note(
            (*loc, "ticket"),
            "there is no text in which a token could be found",
            "Add ticket: {subject: …}, or body, or message_id.",
            at_key=True,
        )
    if document.order != "any" and "created_at" not in ticket.picks:
        parts.around.note(
            (*loc, "order"),
            "where older pages begin can't be known without created_at",
            "Add ticket: {created_at: …}, or leave order out.",
        )
    if document.view is View.EVENTUAL and document.lag == 0:
        parts.around.note(
            (*loc, "view"), "an eventual view has a lag", "Add lag: 60s, or what its documentation says."
        )
    asks_tokens = any(one in {"tokens", "token"} for one, _ in asking.names)
    aside = document if isinstance(document, DivertedDocument) else None
    return LookSettings(
        name=name,
        key=asking.key,
        asking=asking,
        rows=parts.pick(document.rows, (*loc, "rows"), words),
        ticket=ticket,
        depths=frozenset(document.when),
        is_swept=document.sweep if document.sweep is not None else not asks_tokens,
        view=document.view,
        lag_seconds=document.lag,
        per=per,
        chunk=document.chunk,
        most_calls=document.max_calls,
        paging=build_paging(document.page, parts, (*loc, "page")),
        order=Order(document.order),
        most_pages=document.max_pages,
        must=parts.optional(document.must, (*loc, "must")),
        empty_on=frozenset(document.empty_on),
        reads=reads,
        most_reads=document.max_reads,
        state=TicketState.DIVERTED if aside is not None else TicketState.TICKET,
        clean=build_steps(aside.clean, parts, (*loc, "clean"), vocabulary) if aside is not None else (),
    )


def build_paging(document: PageBlock, parts: Parts, loc: Loc) -> Paging:
    """How further pages are had; notes where that is said twice."""
    given = [name for name in PageBlock.model_fields if getattr(document, name) is not None]
    if len(given) > 1:
        parts.around.note(
            loc, f"pages are had in one way, not by {' and '.join(given)}", "Keep one.", at_key=True
        )
    if document.number is not None:
        return _counted(document.number, parts, (*loc, "number"), counts_rows=False)
    if document.offset is not None:
        return _counted(document.offset, parts, (*loc, "offset"), counts_rows=True)
    if document.cursor is not None:
        at: Loc = (*loc, "cursor")
        into = document.cursor.into
        if (into.query is None) == (into.json_path is None):
            parts.around.note(
                (*at, "into"), "a cursor goes to one place", "Write query: or json:.", at_key=True
            )
        return Cursor(
            pick=parts.pick(document.cursor.pick, (*at, "pick"), {}),
            name=into.query or into.json_path or "cursor",
            into=Into.QUERY if into.query is not None else Into.JSON,
            more=parts.optional_pick(document.cursor.more, (*at, "more"), {}),
        )
    if document.next is not None:
        at = (*loc, "next")
        if (document.next.pick is None) == (document.next.link is None):
            parts.around.note(at, "a link is picked, or has a relation", "Write pick: or link:.", at_key=True)
        return Next(
            pick=parts.optional_pick(document.next.pick, (*at, "pick"), {}, usual=(As.TEXT,)),
            relation=document.next.link or "next",
            path_only=document.next.path_only,
            more=parts.optional_pick(document.next.more, (*at, "more"), {}),
            size=document.next.size,
            is_numbered=document.next.numbered,
        )
    if document.range is not None:
        at = (*loc, "range")
        if (document.range.query is None) == (document.range.header is None):
            parts.around.note(at, "a range goes to one place", "Write query: or header:.", at_key=True)
        return Range(
            template=parts.template(document.range.template, (*at, "template"), {"page": PAGE}),
            name=document.range.query or document.range.header or "range",
            size=document.range.size,
            is_header=document.range.query is None,
            total=parts.optional_pick(document.range.total, (*at, "total"), {}),
        )
    return Single()


def _counted(document: NumberDocument, parts: Parts, loc: Loc, *, counts_rows: bool) -> Counted:
    if document.ends == "short" and document.size is None:
        parts.around.note(
            (*loc, "ends"),
            "which page is short can't be known without its size",
            "Add size:, or leave it out.",
        )
    return Counted(
        param=document.param,
        counts_rows=counts_rows,
        first_number=document.first,
        size_param=document.size_param,
        size=document.size,
        into=Into(document.into),
        more=parts.optional_pick(document.more, (*loc, "more"), {}),
        total=parts.optional_pick(document.total, (*loc, "total"), {}),
        ends=Ends(document.ends),
    )


def build_read(
    document: ReadDocument, parts: Parts, loc: Loc, vocabulary: Vocabulary, *, under: TicketMap | None = None
) -> ReadSettings:
    """A request for one ticket."""
    return ReadSettings(
        asking=parts.asking(document, loc, vocabulary),
        ticket=build_map(document.ticket, parts, (*loc, "ticket"), vocabulary, under=under),
        must=parts.optional(document.must, (*loc, "must")),
        gone=parts.optional(document.gone, (*loc, "gone")),
        row=parts.optional(document.row, (*loc, "row")),
    )


def build_steps(
    documents: Sequence[HttpStepDocument], parts: Parts, loc: Loc, vocabulary: Vocabulary
) -> tuple[Step, ...]:
    """The requests of a clean-up."""
    return tuple(_step(one, parts, (*loc, index), vocabulary) for index, one in enumerate(documents))


def _step(document: HttpStepDocument, parts: Parts, loc: Loc, vocabulary: Vocabulary) -> Step:
    own: Vocabulary = {"ticket": None, "answer": None, "version": None}
    if document.batch is not None:
        own = {"ids": None} if document.item is None else {"ids": None, "items": None}
    elif document.item is not None:
        parts.around.note(
            (*loc, "item"), "an item is one of a batch", "Add batch:, or write it into json.", at_key=True
        )
    words = {**vocabulary, **own}
    job = document.job
    return Step(
        asking=parts.asking(document, loc, words),
        batch=document.batch,
        item=None
        if document.item is None
        else parts.shape(document.item, (*loc, "item"), {**vocabulary, "ticket": None}),
        if_match=parts.optional_pick(document.if_match, (*loc, "if_match"), words, usual=(As.TEXT,)),
        must=parts.optional(document.must, (*loc, "must")),
        job=None
        if job is None
        else JobSettings(
            asking=parts.asking(job, (*loc, "job"), {**words, "answer": None}),
            done=parts.expression(job.done, (*loc, "job", "done")),
            failed=parts.optional(job.failed, (*loc, "job", "failed")),
            every_seconds=job.every,
            limit_seconds=job.limit,
        ),
    )


def build_clean(
    document: CleanDocument, parts: Parts, loc: Loc, vocabulary: Vocabulary, *, ticket: TicketMap
) -> CleanSettings:
    """How tickets are removed."""
    words = {**vocabulary, "ticket": None}
    if document.tags is not None and (document.read is None or document.tags.ticket.tags is None):
        parts.around.note(
            (*loc, "tags"),
            "this tells no tags of a ticket that is read",
            "Write read: for the ticket, and here ticket: {tags: …}.",
            at_key=True,
        )
    read = None
    if document.read is not None:
        known = TicketMap(
            {
                name: one
                for name, one in ticket.picks.items()
                if name in _READ_BACK or (name in _COMPARED and one.join is None)
            },
            ticket.also,
            lenient=_COMPARED,
        )
        read = build_read(document.read, parts, (*loc, "read"), words, under=known)
    return CleanSettings(
        steps={
            DisposalAction.CLOSE: build_steps(document.close, parts, (*loc, "close"), vocabulary),
            DisposalAction.DELETE: build_steps(document.delete, parts, (*loc, "delete"), vocabulary),
        },
        read=read,
        tags=build_read(document.tags, parts, (*loc, "tags"), {**words, "answer": None})
        if document.tags is not None
        else None,
        verify_seconds=document.verify.limit,
        verify_every_seconds=document.verify.every,
    )


def build_sight(document: SightDocument, parts: Parts, loc: Loc, vocabulary: Vocabulary) -> SightSettings:
    """A request whose answer proves something."""
    return SightSettings(
        parts.asking(document, loc, vocabulary), parts.expression(document.must, (*loc, "must"))
    )


def build_proof(document: ProofDocument, parts: Parts, loc: Loc, vocabulary: Vocabulary) -> ProofSettings:
    """A request whose answer proves that we see."""
    if document.must is None and document.tickets is None:
        parts.around.note(
            loc,
            "what this proves is not said",
            "Add must: who we are, or tickets: where the answer has them.",
        )
    return ProofSettings(
        parts.asking(document, loc, vocabulary),
        must=parts.optional(document.must, (*loc, "must")),
        tickets=parts.optional(document.tickets, (*loc, "tickets")),
    )


def build_rights(document: SightDocument, parts: Parts, loc: Loc, vocabulary: Vocabulary) -> SightSettings:
    """What shows our rights on a ticket; notes a request that could change it, for it may be a stranger's."""
    found = build_sight(document, parts, loc, vocabulary)
    if found.asking.method not in _SAFE:
        method = found.asking.method.lower()
        parts.around.note(
            (*loc, method),
            f"check would make this {method.upper()} on the newest ticket, which may be a stranger's",
            "Ask by get: or options:, or leave rights out: try it with intake-prober ticketing try NAME --create.",
            at_key=True,
        )
    return found
