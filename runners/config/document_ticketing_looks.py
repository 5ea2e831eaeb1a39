"""The YAML document's looks into a ticketing system that is known by configuration alone, and its clean-up."""

# ruff: noqa: RUF012 -- pydantic copies its models' defaults

from typing import Annotated, Any, Literal

from pydantic import Field

from canary.observation import Depth
from probes.contracts import View
from runners.config.block import Block
from runners.config.document_ticketing_picks import HttpRequestDocument, PickDocument, PickSetting
from runners.config.fields import LISTED, Duration, Line, Name, Pause, word

Number = Annotated[int, Field(ge=0)]
Count = Annotated[int, Field(ge=1, le=10000)]


class NumberDocument(Block):
    """Pages by number."""

    param: Annotated[Line, Field(description="The parameter with the page's number.")] = "page"
    first: Annotated[Number, Field(description="The number of the first page.")] = 1
    size_param: Annotated[Line | None, Field(description="The parameter with the rows a page.")] = None
    size: Annotated[Count | None, Field(description="Rows a page.")] = None
    into: Annotated[Literal["query", "json"], Field(description="Where the parameters go.")] = "query"
    more: Annotated[PickSetting | None, Field(description="Whether there is another page.")] = None
    total: Annotated[PickSetting | None, Field(description="How many rows there are in all.")] = None
    ends: Annotated[
        Literal["empty", "short"],
        Field(
            description="Without `more` and `total`: the end is a page without rows; or one that is not full, where the system is known to honour `size`."
        ),
    ] = "empty"


class OffsetDocument(NumberDocument):
    """Pages by the number of rows before them."""

    param: Annotated[Line, Field(description="The parameter with the number of rows before the page.")] = (
        "offset"
    )
    first: Annotated[
        Number, Field(description="What asks for the first row: 0, or 1 where the system counts rows from 1.")
    ] = 0


class IntoDocument(Block):
    """Where a cursor goes: exactly one."""

    query: Annotated[Line | None, Field(description="A parameter of the query.")] = None
    json_path: Annotated[
        Line | None, Field(alias="json", description="A place in the JSON body, with dots.")
    ] = None


class CursorDocument(Block):
    """Each answer holds a word that asks for the next page."""

    pick: Annotated[PickSetting, Field(description="The cursor in the answer.")]
    into: Annotated[IntoDocument, Field(description="Where it goes.")]
    more: Annotated[PickSetting | None, Field(description="Whether there is another page.")] = None


class NextDocument(Block):
    """Each answer links to the next page: exactly one of `pick`, `link`."""

    pick: Annotated[PickSetting | None, Field(description="The link in the answer.")] = None
    link: Annotated[Line | None, Field(description="The relation in the header field Link: next.")] = None
    path_only: Annotated[
        bool, Field(description="Take path and query alone, where the system does not know its own address.")
    ] = False
    more: Annotated[
        PickSetting | None,
        Field(description="Whether there is a further page, where the last one has no field for the link."),
    ] = None
    size: Annotated[
        Count | None,
        Field(description="Rows of a full page: one without the header Link is not taken for the last."),
    ] = None
    numbered: Annotated[
        bool,
        Field(
            description="The links count pages or rows: each page is read again after the next, since a ticket deleted"
            " meanwhile would hide another."
        ),
    ] = False


class RangeDocument(Block):
    """Rows from a number to a number: exactly one of `query`, `header`."""

    template: Annotated[Line, Field(description="How it is written.")] = "{{ page.from }}-{{ page.to }}"
    query: Annotated[Line | None, Field(description="The parameter that takes it.")] = None
    header: Annotated[Line | None, Field(description="The header field that takes it.")] = None
    size: Annotated[Count, Field(description="Rows a page.")] = 100
    total: Annotated[PickSetting | None, Field(description="How many rows there are in all.")] = None


class PageBlock(Block):
    """How one look gets further pages: exactly one of these; none of them: all rows come at once."""

    number: NumberDocument | None = None
    offset: OffsetDocument | None = None
    cursor: CursorDocument | None = None
    next: NextDocument | None = None
    range: RangeDocument | None = None


class FilesDocument(Block):
    """A ticket's attachments."""

    rows: Annotated[PickSetting, Field(description="Their list.")]
    name: Annotated[PickSetting, Field(description="The file's name.")]
    url: Annotated[
        PickSetting | None,
        Field(
            description="Where its content is; else contents are not compared. What no answer tells is put together:"
            ' `{const: "/files/{{ ticket.id }}/{{ file.id }}"}`, `file` being a row of the list.'
        ),
    ] = None


class TicketMapDocument(Block):
    """Where a ticket's fields are in a row. A text is a JMESPath."""

    id: Annotated[PickSetting | None, Field(description="Its number or id. Needed.")] = None
    subject: Annotated[PickSetting | None, Field(description="Its subject.")] = None
    body: Annotated[PickSetting | None, Field(description="The text of the request.")] = None
    requester: Annotated[PickSetting | None, Field(description="The address of whoever asked.")] = None
    created_at: Annotated[
        PickSetting | None, Field(description="When it was made; RFC 3339 if not said.")
    ] = None
    channel: Annotated[PickSetting | None, Field(description="The system's word for how it came in.")] = None
    open: Annotated[
        PickSetting | None,
        Field(description="Whether agents still see it: `{pick: status, not_among: [closed]}`."),
    ] = None
    tags: Annotated[PickSetting | None, Field(description="Its labels: a list, or words in a text.")] = None
    group: Annotated[PickSetting | None, Field(description="The group, queue or team that it is in.")] = None
    version: Annotated[PickSetting | None, Field(description="What `if_match` sends back.")] = None
    message_id: Annotated[PickSetting | None, Field(description="The Message-ID of its mail.")] = None
    url: Annotated[PickSetting | None, Field(description="Where a person sees it; a template.")] = None
    reason: Annotated[PickSetting | None, Field(description="Why it is held aside.")] = None
    files: Annotated[FilesDocument | None, Field(description="Its attachments.")] = None
    also: Annotated[
        dict[Name, PickSetting], Field(description="Further values, for templates: `ticket.NAME`.")
    ] = {}


class ReadDocument(HttpRequestDocument):
    """A request for one ticket. Its templates may say `ticket.…`, `row.…` and `answer.…` (the answer before)."""

    row: Annotated[Line | None, Field(description="JMESPath of what the fields are picked from.")] = None
    must: Annotated[Line | None, Field(description="JMESPath that must hold, else we are blind.")] = None
    gone: Annotated[
        Line | None,
        Field(
            description="JMESPath of the whole answer that holds where the ticket is gone, and the answer is none of 404 and 410."
        ),
    ] = None
    ticket: Annotated[TicketMapDocument, Field(description="What it tells of the ticket.")] = (
        TicketMapDocument.model_construct()
    )


class LookDocument(HttpRequestDocument):
    """One look for tickets."""

    when: Annotated[
        list[Annotated[Depth, word(Depth)]],
        LISTED,
        Field(description="poll (often, narrow), deadline (before any blame, wide), or both."),
    ] = [Depth.POLL, Depth.DEADLINE]
    sweep: Annotated[
        bool | None,
        Field(description="Also without outstanding canaries; default: unless it asks by tokens."),
    ] = None
    view: Annotated[
        View, word(View), Field(description="strong: shows a ticket at once; eventual: after `lag`.")
    ] = View.STRONG
    lag: Annotated[Pause, Field(description="How far an eventual view may be behind.")] = 0.0
    per: Annotated[
        Literal["requesters", "tokens"] | None,
        Field(description="Repeat it for each sender (`requester`), or for chunks of `tokens`."),
    ] = None
    chunk: Annotated[Count, Field(description="Tokens at a time.")] = 20
    max_calls: Annotated[Count, Field(description="Repetitions beyond which the look is not complete.")] = 20
    page: Annotated[PageBlock, Field(description="How it gets further pages.")] = PageBlock()
    order: Annotated[
        Literal["any", "newest_first", "newest_page_first"],
        Field(description="Which rows come first; then older pages than needed are not read."),
    ] = "any"
    max_pages: Annotated[Count, Field(description="Pages beyond which the look is not complete.")] = 20
    rows: Annotated[PickSetting, Field(description="The list of tickets in the answer.")] = PickDocument(
        pick="@"
    )
    must: Annotated[
        Line | None, Field(description="JMESPath that each answer must hold, else we are blind.")
    ] = None
    empty_on: Annotated[list[int], Field(description="Statuses that mean: no tickets.")] = []
    ticket: Annotated[
        TicketMapDocument, Field(description="A ticket's fields, where they differ from `ticket` above.")
    ] = TicketMapDocument.model_construct()
    read: Annotated[
        list[ReadDocument], Field(description="Further requests for a row that may be ours, in order.")
    ] = []
    max_reads: Annotated[Count, Field(description="Rows that one look reads so.")] = 40


class JobDocument(HttpRequestDocument):
    """What is asked until a step's job is done. Its templates may say `answer.…`."""

    done: Annotated[Line, Field(description="JMESPath that holds when it is done.")]
    failed: Annotated[Line | None, Field(description="JMESPath that holds when it failed.")] = None
    every: Annotated[Duration, Field(description="How often it is asked.")] = 2.0
    limit: Annotated[Duration, Field(alias="for", description="How long; then it is only promised.")] = 20.0


class HttpStepDocument(HttpRequestDocument):
    """A request of a clean-up. Its templates may say `ticket.…`, `ids`, `items` and `answer.…` (the answer before)."""

    batch: Annotated[Count | None, Field(description="So many tickets at once, as `ids`.")] = None
    item: Annotated[
        dict[str, Any] | None,
        Field(description="What stands for each `ticket` of a batch; `items` is the list of them."),
    ] = None
    if_match: Annotated[
        PickSetting | None,
        Field(description="Sent as If-Match: of the answer before it, such as `{header: ETag}`."),
    ] = None
    must: Annotated[Line | None, Field(description="JMESPath that the answer must hold, else it failed.")] = (
        None
    )
    job: Annotated[JobDocument | None, Field(description="A job that it starts.")] = None


class DivertedDocument(LookDocument):
    """A look for requests that the system holds aside instead of making a ticket of them."""

    when: Annotated[
        list[Annotated[Depth, word(Depth)]], LISTED, Field(description="poll, deadline, or both.")
    ] = [Depth.DEADLINE]
    clean: Annotated[list[HttpStepDocument], Field(description="How what was found there is removed.")] = []


class SightDocument(HttpRequestDocument):
    """A request whose answer proves something."""

    must: Annotated[Line, Field(description="JMESPath that must hold.")]


class ProofDocument(HttpRequestDocument):
    """A request that proves that we see."""

    must: Annotated[
        Line | None, Field(description="JMESPath that must hold: who we are, what we may see.")
    ] = None
    tickets: Annotated[
        Line | None, Field(description="JMESPath of tickets of whatever age: none is shown means can't see.")
    ] = None


class VerifyDocument(Block):
    """How long a change may take to be seen."""

    limit: Annotated[Pause, Field(alias="for", description="How long.")] = 0.0
    every: Annotated[Duration, Field(description="How often it is read.")] = 1.0


class CleanDocument(Block):
    """How tickets are removed."""

    close: Annotated[list[HttpStepDocument], Field(description="Tags and closes; for `cleanup: close`.")] = []
    delete: Annotated[list[HttpStepDocument], Field(description="For `cleanup: delete`.")] = []
    read: Annotated[
        ReadDocument | None,
        Field(description="How one ticket is read before and after it; without it nothing is verified."),
    ] = None
    tags: Annotated[
        ReadDocument | None,
        Field(
            description="A further request that tells the tags, where `read` does not; made of a ticket that is closed."
        ),
    ] = None
    verify: Annotated[VerifyDocument, Field(description="How long a change may take.")] = (
        VerifyDocument.model_construct()
    )
    rights: Annotated[
        SightDocument | None,
        Field(
            description="For `check`: shows whether we may change `ticket` (the newest one); a GET or OPTIONS."
        ),
    ] = None
