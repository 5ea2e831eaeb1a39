"""A trial tells file and line of the key that is wrong, wherever it meets it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import pytest

from canary.signature import CanaryId
from canary.ticket import TicketState
from probes.contracts import Blind, FieldRead, Glance, View
from runners.config.config import Config
from runners.progress import Silent
from runners.site import Site, open_site
from runners.ticketing_rights import Step
from runners.trying import Tried, try_ticketing
from tests.fakes.clock import FakeClock, run_jumping
from tests.unit.runners.config.examples import changed, read
from tests.unit.runners.test_ticketing_trial import Told

IN_LINES = changed(
    '  desk: {type: helpdesk, url: "https://desk.acme.example/", token: {env: DESK_TOKEN}, tag: synthetic, cap: 12/h}',
    """\
  desk:
    type: helpdesk
    url: https://desk.acme.example/
    token: {env: DESK_TOKEN}
    tag: synthetic
""",
)
TOKEN = "desk: ticketing.desk.token: it is refused."
URL = "desk: ticketing.desk.url: it is wrong."


def tried(
    folder: Path, monkeypatch: pytest.MonkeyPatch, glance: Glance, *, refuses: bool = True
) -> tuple[Tried, list[Step], Path]:
    """A trial of a desk that shows this, and, where it ``refuses``, opens no ticket for its address."""
    config, clock = read(folder, IN_LINES), FakeClock()
    desk = Told([glance])
    steps: list[Step] = []
    if refuses:
        desk.errors["create"] = Blind(URL, status=403)

    @asynccontextmanager
    async def triable(*_: object, **__: object) -> AsyncIterator[tuple[Site, Told]]:
        yield await open_site(config, clock=clock, tell=Silent()), desk

    monkeypatch.setattr("runners.wiring.triable", triable)
    work = try_ticketing(
        config,
        config.ticketing["desk"],
        None,
        creates=True,
        clock=clock,
        randomness=lambda count: b"a" * count,
        progress=lambda _: None,
        read=lambda _: None,
        step=steps.append,
    )
    return run_jumping(clock, work), steps, folder / "intake.yaml"


def line_of(file: Path, word: str) -> int:
    return next(
        number for number, line in enumerate(file.read_text().splitlines(), 1) if f"    {word}:" in line
    )


def test_fault_of_a_look_and_of_a_field__and_a_failed_step_name_file_and_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    glance = Glance(
        "wide", TicketState.TICKET, View.STRONG, 0.0, 1, fields=(FieldRead("id", 0, 1, URL),), fault=TOKEN
    )

    found, steps, file = tried(tmp_path, monkeypatch, glance)

    token, url = (f"{file}:{line_of(file, word)}: ticketing.desk.{word}: it is" for word in ("token", "url"))
    assert found.understood is not None
    (told,) = found.understood.glances
    assert told.fault == f"desk: {token} refused."
    assert told.fields[0].fault == f"desk: {url} wrong."
    assert [one.finding for one in steps] == [f"desk: {url} wrong."]
    assert list(found.steps) == steps


def test_ticket_that_a_trial_opened__goes_to_the_audit_with_the_steps_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted: list[tuple[str, list[str]]] = []

    async def note(
        _: Config, system: str, canary_id: CanaryId, steps: Sequence[tuple[datetime, Step]], **__: object
    ) -> None:
        assert canary_id
        noted.append((system, [one.name for _, one in steps if one.ticket_id is not None]))

    monkeypatch.setattr("runners.trying.note_trial", note)

    tried(
        tmp_path,
        monkeypatch,
        Glance("wide", TicketState.TICKET, View.STRONG, 0.0, 1, fields=()),
        refuses=False,
    )

    ((system, steps),) = noted
    assert system == "desk"
    assert (steps[0], steps[-1]) == ("create", "close")
