"""What a trial understood: whose tickets, whose addresses are shown, and what is missing."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from canary.signature import mint_id, mint_token
from canary.ticket import Attachment, Ticket, TicketId, TicketRef, TicketState
from probes.contracts import Budget, FieldRead, Glance, View
from runners.progress import Silent
from runners.site import open_site
from runners.ticketing_rights import Step, StepState
from runners.ticketing_trial import OurTicket, Understood, missing_of, understand
from runners.trial_answers import trial_answer, trial_exit
from runners.trying import try_ticketing
from tests.fakes.clock import START, FakeClock, run_jumping
from tests.unit.runners.config.examples import ENVIRON, FULL, changed, read
from tests.unit.runners.test_ticketing_rights import Desk

KEY = ENVIRON["INTAKE_SIGNING_KEY"].encode()
TOKEN = mint_token(mint_id(START, b"abcd"), "support-email", KEY)
FOREIGN = mint_token(mint_id(START, b"abcd"), "support-email", b"another-key-of-32-bytes-for-test")
OURS = "canary@probe.example"
JANE = "jane@customer.test"

DESK = (
    '{type: helpdesk, url: "https://desk.acme.example/", token: {env: DESK_TOKEN}, tag: synthetic, cap: 12/h}'
)
PRESET = (
    '{type: redmine, url: "https://redmine.acme.example/", secrets: {key: {env: DESK_TOKEN}}, cleanup: none,'
    " given: {project: helpdesk}}"
)


def ticket(token: str = TOKEN, *, number: str = "7", requester: str | None = OURS) -> Ticket:
    return Ticket(
        TicketRef("desk", TicketId(number)),
        subject=f"intakecanary {token} Test request",
        requester=requester,
        remote_created_at=START,
        channel="email",
        tags=frozenset({"synthetic"}),
    )


def glance(*tickets: Ticket, name: str = "wide", shown: int = 5) -> Glance:
    read_in_all = tuple(
        FieldRead(one, shown, shown) for one in ("id", "subject", "requester", "created_at", "open")
    )
    return Glance(
        name, TicketState.TICKET, View.STRONG, 0.0, shown=shown, tickets=tickets, fields=read_in_all
    )


class Told(Desk):
    """A desk that shows what it is given."""

    def __init__(self, glances: Sequence[Glance]) -> None:
        super().__init__(FakeClock())
        self.glances = glances

    async def glance(self, since: datetime) -> Sequence[Glance]:
        del since
        return self.glances

    def budget(self) -> Sequence[Budget]:
        return [Budget("lists", 99, 100, START)]


def understood(folder: Path, *glances: Glance, text: str = FULL) -> Understood:
    async def main() -> Understood:
        site = await open_site(read(folder, text), clock=FakeClock(), tell=Silent())
        return await understand(site, Told(glances), START - timedelta(hours=24), {OURS})

    return asyncio.run(main())


def only(folder: Path, one: Ticket, text: str = FULL) -> OurTicket:
    (found,) = understood(folder, glance(one), text=text).ours
    return found


def test_token_that_no_key_of_ours_signed__is_counted_and_not_shown(tmp_path: Path) -> None:
    found = understood(tmp_path, glance(ticket(FOREIGN, requester=JANE)))

    assert (found.ours, found.foreign) == ((), 1)
    assert FOREIGN not in repr(found)
    assert JANE not in repr(found)


def test_stranger_with_our_token__is_shown_without_the_address(tmp_path: Path) -> None:
    found = only(tmp_path, ticket(requester=JANE))

    assert (found.requester, found.address) == ("stranger", None)
    assert JANE not in repr(found)


@pytest.mark.parametrize(
    ("requester", "expected"),
    [
        (OURS, ("ours", OURS)),
        ("canary+tag@probe.example", ("ours", "canary+tag@probe.example")),
        (None, ("unreadable", None)),
        ("support@acme.example", ("rewritten", None)),
    ],
)
def test_requester__is_told_by_how_it_stands_to_us(
    tmp_path: Path, requester: str | None, expected: tuple[str, str | None]
) -> None:
    found = only(tmp_path, ticket(requester=requester))

    assert (found.requester, found.address) == expected


def test_listed_forwarder__is_shown(tmp_path: Path) -> None:
    text = changed("    reply: true\n", "    reply: true\n    requesters: [list@acme.example]\n")

    found = only(tmp_path, ticket(requester="list@acme.example"), text)

    assert (found.requester, found.address) == ("listed", "list@acme.example")


def test_ticket_that_two_looks_show__is_one_with_both_names(tmp_path: Path) -> None:
    found = understood(tmp_path, glance(ticket(), name="narrow"), glance(ticket(), name="wide"))

    assert [(one.id, one.looks) for one in found.ours] == [("7", ("narrow", "wide"))]


def test_damage__is_told_by_its_reason(tmp_path: Path) -> None:
    found = only(tmp_path, replace(ticket(), subject=None, message_id=f"<{TOKEN}@x.test>", channel="portal"))

    assert found.findings == ("wrong_channel",)


def test_ticket_that_tried_our_rights__is_not_called_damaged(tmp_path: Path) -> None:
    one = replace(ticket(), subject=f"intakecanary {TOKEN} trial of our rights", body="other words")

    assert only(tmp_path, one).findings is None


def test_files__are_counted_with_those_that_could_be_read(tmp_path: Path) -> None:
    files = (Attachment("a.pdf", "00" * 32), Attachment("b.pdf"))

    found = only(tmp_path, replace(ticket(), attachments=files))

    assert (found.files, found.files_read) == (2, 1)


def test_nothing_of_tickets__is_left_in_what_looks_showed(tmp_path: Path) -> None:
    found = understood(tmp_path, glance(ticket(FOREIGN, requester=JANE), ticket()))

    assert [one.tickets for one in found.glances] == [()]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ([], ()),
        ([FieldRead("requester", 0, 4)], ("requester",)),
        ([FieldRead("requester", 1, 4)], ()),
        ([FieldRead("channel", 0, 4)], ()),
        ([FieldRead("subject", 0, 4), FieldRead("body", 0, 4)], ("subject",)),
        ([FieldRead("subject", 0, 4), FieldRead("body", 1, 4)], ()),
    ],
)
def test_needed_field_that_is_read_nowhere__is_missing(
    fields: list[FieldRead], expected: tuple[str, ...]
) -> None:
    assert missing_of(replace(glance(), fields=tuple(fields))) == expected


def step(state: StepState) -> Step:
    return Step("close", state, "what came of it", "", 0.1, "7")


@pytest.mark.parametrize(
    ("glances", "steps", "expected"),
    [
        ([glance()], [], 0),
        ([glance(shown=0)], [], 0),
        ([glance()], [step(StepState.WARN)], 0),
        ([replace(glance(), fault="401", is_unreadable=True)], [], 3),
        ([replace(glance(), fault="no rows")], [], 2),
        ([replace(glance(), fault="401", is_unreadable=True), replace(glance(), fault="no rows")], [], 2),
        ([replace(glance(), fields=(FieldRead("id", 0, 3),))], [], 2),
        ([replace(glance(), fields=(FieldRead("channel", 2, 3, "no text"),))], [], 2),
        ([glance()], [step(StepState.FAIL)], 2),
        ([glance()], [step(StepState.BLIND)], 3),
        ([replace(glance(), note="left out")], [], 0),
    ],
)
def test_exit_status__says_whether_it_is_to_be_mended_here(
    tmp_path: Path, glances: list[Glance], steps: list[Step], expected: int
) -> None:
    assert trial_exit(understood(tmp_path, *glances), steps) == expected


def test_answer__is_of_the_published_shape(tmp_path: Path) -> None:
    from pydantic import TypeAdapter

    from runners.answer_schemas import ANSWERS

    found = understood(tmp_path, glance(ticket(), ticket(FOREIGN, number="8")))
    system = read(tmp_path, FULL).ticketing["desk"]

    answer = trial_answer(system, found, [step(StepState.OK)], transcript="t.json", status=0)

    TypeAdapter(ANSWERS["ticketing try"]).validate_python(answer, strict=True)
    assert answer["tickets"][0]["created_at"] == "2026-03-02T12:00:00.000000Z"
    assert (answer["looks"][0]["tickets"], answer["looks"][0]["ours"], answer["foreign"]) == (5, 1, 1)


def test_system_that_comes_as_a_file__is_told_by_its_own_name(tmp_path: Path) -> None:
    text = changed(DESK, PRESET)
    clock, config = FakeClock(), read(tmp_path, text)
    system = config.ticketing["desk"]

    def unheard(_: object) -> None: ...

    tried = run_jumping(
        clock,
        try_ticketing(
            config,
            system,
            None,
            creates=True,  # which `cleanup: none` refuses before anything is asked
            clock=clock,
            randomness=lambda count: b"r" * count,
            progress=unheard,
            read=unheard,
            step=unheard,
        ),
    )

    assert "cleanup: none" in tried.error
    assert tried.kind == "redmine"
    answer = trial_answer(system, understood(tmp_path, text=text), [], transcript=None, status=2)
    assert answer["type"] == "redmine"
