"""The shape of the `--json` answer of `ticketing try`.

Times are RFC 3339 in UTC with microseconds, durations are seconds as numbers, what isn't there is null.
"""

from typing import Literal

from typing_extensions import TypedDict


class FieldReadAnswer(TypedDict):
    """In how many of the tickets, whoever's, a field could be read."""

    name: str
    read: int
    of: int
    fault: str | None


class LookReadAnswer(TypedDict):
    """One look. ``missing``: fields that are needed and were read in no ticket. ``ours``: tickets with a token of ours.

    ``fault``: why it could not be made to its end; ``unreadable``: since the system did not answer us. ``note``: why it
    was left out.
    """

    name: str
    state: Literal["ticket", "diverted"]
    view: Literal["strong", "eventual"]
    lag_seconds: float
    tickets: int
    ours: int
    older: int
    whole: bool
    fields: list[FieldReadAnswer]
    missing: list[str]
    fault: str | None
    unreadable: bool
    note: str | None


class OurTicketAnswer(TypedDict):
    """A ticket with a token of ours. ``address``: the requester's, if it is ours; ``findings``: what of it is damaged."""

    id: str
    looks: list[str]
    state: Literal["ticket", "diverted"]
    canary: str
    path: str
    created_at: str | None
    channel: str | None
    requester: Literal["ours", "listed", "rewritten", "stranger", "unreadable"]
    address: str | None
    open: bool
    tags: list[str]
    files: int | None
    files_read: int | None
    findings: list[str] | None
    cause: str | None


class BudgetAnswer(TypedDict):
    """A window of requests."""

    name: str
    left: int | None
    limit: int | None
    resets_at: str | None


class TrialStepAnswer(TypedDict):
    """A step of `--create`."""

    name: Literal["create", "find", "close"]
    state: Literal["ok", "warn", "fail", "blind"]
    finding: str
    remedy: str | None
    seconds: float
    ticket: str | None


class TicketingTryAnswer(TypedDict):
    """`ticketing try`. ``foreign``: tickets with a token's shape that no key of ours has signed."""

    system: str
    type: str
    since: str
    looks: list[LookReadAnswer]
    tickets: list[OurTicketAnswer]
    foreign: int
    budgets: list[BudgetAnswer]
    skew_seconds: float | None
    steps: list[TrialStepAnswer]
    transcript: str | None
    exit: int
