"""`ticketing try` as a process, against a real django-helpdesk, a real Roundup and a simulated Zendesk."""

import asyncio
import json
import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from canary.path import PathName
from canary.signature import mint_id, mint_token
from probes.contracts import RemovalState
from runners.answer_schemas import ANSWERS
from runners.clock import SystemClock
from runners.config.load import load
from runners.progress import Silent
from runners.wiring import wired
from tests.fakes.memory_store import MemoryStore
from tests.real.desks import HelpdeskBench
from tests.real.desks_more import RoundupBench
from tests.real.servers.roundup import running_roundup
from tests.real.servers.roundup_files import CANARY as ROUNDUP_CANARY
from tests.real.servers.roundup_files import MINIMAL_RIGHTS
from tests.sandbox import ROOT, start_sandbox
from tests.simulators.serving import served
from tests.simulators.zendesk import CLIENT_ID, CLIENT_SECRET, Zendesk

KEY = "signing-key-of-32-bytes-for-test"
JANE = "jane.miller@customer.test"
WORDS = "Where-are-my-forty-chairs"
AROUND = """\
prober: {{signing_keys: [{{env: INTAKE_SIGNING_KEY}}], marker: intakecanary}}
accounts:
  canary: {{address: {sender}, smtp: {{host: smtp.probe.test, password: {{env: INTAKE_SIGNING_KEY}}}}}}
paths:
  support-email: {{channel: email, from: [canary], to: support@acme.test, ticketing: desk, every: 10m, deadline: 10m}}
ticketing:
  desk: {desk}
"""


@dataclass(frozen=True)
class Ended:
    status: int
    out: str
    err: str

    @property
    def answer(self) -> Any:  # noqa: ANN401 -- JSON
        return TypeAdapter(ANSWERS["ticketing try"]).validate_python(json.loads(self.out), strict=True)


@dataclass(frozen=True)
class Stage:
    """A folder with a configuration, and the command in it."""

    folder: Path
    desk: str
    sender: str = "canary@probe.test"
    environ: Mapping[str, str] = field(default_factory=dict)

    def command(self, *words: str, **environ: str) -> "subprocess.Popen[str]":
        text = AROUND.format(desk=self.desk, sender=self.sender)
        (self.folder / "intake.yaml").write_text(text)
        return subprocess.Popen(
            [sys.executable, "-m", "runners", "ticketing", "try", "desk", *words],
            cwd=self.folder,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(ROOT),
                "INTAKE_SIGNING_KEY": KEY,
                **self.environ,
                **environ,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def tried(self, *words: str, **environ: str) -> Ended:
        with self.command(*words, **environ) as process:
            out, err = process.communicate(timeout=120)
        return Ended(process.returncode, out, err)

    def transcript(self, *words: str) -> str:
        ended = self.tried("--transcript", "t.json", "--force", *words)
        assert (ended.status, WORDS in ended.out + ended.err, JANE in ended.out + ended.err) == (
            0,
            False,
            False,
        )
        file = self.folder / "t.json"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        return file.read_text()


def canary_subject(path: str = "support-email") -> str:
    canary_id = mint_id(SystemClock().now(), b"abcd")
    return f"intakecanary {mint_token(canary_id, PathName(path), KEY.encode())} hello"


def fields(look: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    return {one["name"]: (one["read"], one["of"]) for one in look["fields"]}


@pytest.fixture(scope="module")
def helpdesk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[HelpdeskBench, Stage]]:
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        bench = HelpdeskBench(sandbox)
        url = sandbox.endpoints.desk_url
        stage = Stage(
            tmp_path_factory.mktemp("helpdesk"),
            f'{{type: helpdesk, url: "{url}", token: {{env: DESK_TOKEN}}}}',
            environ={"DESK_TOKEN": sandbox.endpoints.desk_token},
        )
        bench.open_ticket(WORDS, f"{WORDS} says Jane", JANE)
        yield bench, stage


@pytest.fixture(scope="module")
def roundup(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RoundupBench, Stage]]:
    with running_roundup(rights=MINIMAL_RIGHTS, wrong_logins=0) as started:
        bench = RoundupBench(started, tmp_path_factory.mktemp("configuration"))
        stage = Stage(
            tmp_path_factory.mktemp("roundup"),
            f'{{type: roundup, url: "{started.url}"}}',
            sender=ROUNDUP_CANARY,
            environ={"ROUNDUP_PASSWORD": bench.secret},
        )
        bench.open_ticket(WORDS, f"{WORDS} says Jane", JANE)
        yield bench, stage


@pytest.fixture
def zendesk(tmp_path: Path) -> Iterator[tuple[Zendesk, Stage]]:
    simulator = Zendesk(SystemClock())
    simulator.desk.plant(WORDS, f"{WORDS} says Jane", JANE)
    with served(simulator) as url:
        environ = {"ZENDESK_CLIENT_ID": CLIENT_ID, "ZENDESK_CLIENT_SECRET": CLIENT_SECRET}
        yield simulator, Stage(tmp_path, f'{{type: zendesk, url: "{url}"}}', environ=environ)


def test_wrong_token__is_told_with_its_remedy_and_its_transcript_is_written(
    helpdesk: tuple[HelpdeskBench, Stage],
) -> None:
    _, stage = helpdesk
    (stage.folder / "refused.json").unlink(missing_ok=True)

    ended = stage.tried("--json", "--transcript", "refused.json", DESK_TOKEN="0" * 40)

    (look,) = ended.answer["looks"]
    assert (ended.status, look["unreadable"], look["tickets"]) == (3, True, 0)
    assert "401" in look["fault"]
    assert "Renew it" in look["fault"]
    exchanges = json.loads((stage.folder / "refused.json").read_text())["exchanges"]
    assert {one["answer"]["status"] for one in exchanges} == {401}


def test_helpdesk__shows_ours_and_counts_strangers(helpdesk: tuple[HelpdeskBench, Stage]) -> None:
    bench, stage = helpdesk
    number = bench.open_ticket(canary_subject(), "hello", stage.sender)

    ended = stage.tried("--json")

    (look,) = ended.answer["looks"]
    (ours,) = [one for one in ended.answer["tickets"] if one["id"] == number]
    assert ended.status == 0
    assert (ours["path"], ours["requester"], ours["address"]) == ("support-email", "ours", stage.sender)
    assert fields(look)["requester"] == (look["tickets"], look["tickets"])
    assert look["tickets"] > look["ours"] >= 1
    assert WORDS not in ended.out
    assert JANE not in ended.out


def test_helpdesk__opens_finds_and_closes_one(helpdesk: tuple[HelpdeskBench, Stage]) -> None:
    bench, stage = helpdesk

    ended = stage.tried("--create", "--json")

    steps = ended.answer["steps"]
    assert [(one["name"], one["state"]) for one in steps] == [
        ("create", "ok"),
        ("find", "ok"),
        ("close", "ok"),
    ]
    ticket = json.loads(bench.raw(steps[0]["ticket"]))
    assert ticket["status"] == 4
    assert ticket["resolution"].startswith("synthetic:")


def test_helpdesk__transcript_shows_requests_and_no_stranger(helpdesk: tuple[HelpdeskBench, Stage]) -> None:
    bench, stage = helpdesk

    text = stage.transcript("--create")

    assert not [one for one in (WORDS, JANE, "Jane", bench.secret, stage.sender) if one in text]
    whole = json.loads(text)["exchanges"]
    assert whole[0]["request"]["url"] == "https://system.invalid/api/tickets/?page=last&page_size=100"
    assert "submitter_email" in whole[0]["answer"]["body"]["results"][0]
    assert {"POST", "PATCH"} <= {one["request"]["method"] for one in whole}


def test_roundup__is_understood_by_its_preset_and_opens_one(roundup: tuple[RoundupBench, Stage]) -> None:
    bench, stage = roundup

    ended = stage.tried("--create", "--json")

    steps = ended.answer["steps"]
    looks = {one["name"]: one for one in ended.answer["looks"]}
    assert [(one["name"], one["state"]) for one in steps if one["name"] != "find"] == [
        ("create", "ok"),
        ("close", "ok"),
    ]
    assert {"marked", "wide"} == set(looks)
    assert fields(looks["wide"])["created_at"][0] >= 1
    read, rows = fields(looks["wide"])[
        "body"
    ]  # those that bear a token are read on: ours, and what a test before left
    assert read == rows >= 1
    issue = bench.roundup.call(f"/data/issue/{steps[0]['ticket']}?@verbose=2").body
    assert "resolved" in json.dumps(issue)
    assert ended.status == 0


def test_roundup__transcript_shows_etags_and_no_stranger(roundup: tuple[RoundupBench, Stage]) -> None:
    bench, stage = roundup

    text = stage.transcript("--create")

    assert not [one for one in (WORDS, JANE, "Jane", bench.secret, stage.sender) if one in text]
    assert "if-match" in text
    assert "/rest/data/issue" in text


def test_zendesk__transcript_shows_the_log_in_and_no_stranger(zendesk: tuple[Zendesk, Stage]) -> None:
    _, stage = zendesk

    text = stage.transcript("--create")

    assert not [one for one in (WORDS, JANE, "Jane", CLIENT_ID, CLIENT_SECRET, "token-0") if one in text]
    assert "/oauth/tokens" in text
    assert "/api/v2/tickets/update_many.json" in text


def test_pick_that_is_wrong__is_named_with_the_number_of_tickets_that_lack_it(
    zendesk: tuple[Zendesk, Stage],
) -> None:
    _, stage = zendesk
    wrong = Stage(
        stage.folder, stage.desk.replace("}", ", ticket: {created_at: born_at}}"), environ=stage.environ
    )

    ended = wrong.tried()

    assert ended.status == 2
    assert "time        0 of 1" in ended.out
    assert "in no ticket could be read: time" in ended.out


def test_rate_limit__is_unreadable_and_not_a_mistake(zendesk: tuple[Zendesk, Stage]) -> None:
    simulator, stage = zendesk
    simulator.faults.status = 429

    ended = stage.tried()

    assert ended.status == 3
    assert "can't be read" in ended.out


def test_kill_between_opening_and_closing__leaves_a_ticket_that_the_sweep_closes(
    roundup: tuple[RoundupBench, Stage],
) -> None:
    """Roundup makes the user of the API the requester, whose tickets are else not ours to touch."""
    bench, stage = roundup
    blind = '{type: roundup, find: {marked: {rows: "data.collection[?id==`0`]"}}, '  # it looks on
    looking = Stage(
        stage.folder, stage.desk.replace("{type: roundup, ", blind), stage.sender, environ=stage.environ
    )

    with looking.command("--create", "--json") as process:
        assert process.stderr is not None
        opened = next(line for line in process.stderr if "was opened" in line)
        process.kill()
        process.communicate(timeout=60)
    number = re.findall(r"ticket (\d+) was opened", opened)[0]

    def shown() -> str:
        return json.dumps(bench.roundup.call(f"/data/issue/{number}?@verbose=2").body)

    assert "resolved" not in shown()
    (stage.folder / "intake.yaml").write_text(AROUND.format(desk=stage.desk, sender=stage.sender))
    swept = asyncio.run(_swept(stage, number))
    assert swept == [RemovalState.DONE]
    assert "resolved" in shown()


async def _swept(stage: Stage, number: str) -> list[RemovalState]:
    """What a sweep does with this ticket once it is old enough."""
    clock = SystemClock()
    environ = {"INTAKE_SIGNING_KEY": KEY, **stage.environ}
    config = load(stage.folder / "intake.yaml", environ=environ)
    async with wired(config, clock=clock, store=MemoryStore(), progress=Silent()) as prober:
        watcher = prober.places["desk"].tickets
        assert watcher is not None
        found, _ = await watcher.orphans()
        assert {one.is_trial for one in found if one.ticket.ref.id == number} == {True}
        disposed = await watcher.remove_orphans([one for one in found if one.ticket.ref.id == number])
        return [one.state for one in disposed]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interruption__closes_the_ticket_before_it_ends(
    zendesk: tuple[Zendesk, Stage], number: signal.Signals, status: int
) -> None:
    simulator, stage = zendesk
    blind = (
        '{type: zendesk, find: {mine: {rows: "tickets[?id==`0`]"}}, '  # the ticket is not shown: it looks on
    )
    looking = Stage(stage.folder, stage.desk.replace("{type: zendesk, ", blind), environ=stage.environ)

    with looking.command("--create", "--json") as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "was opened" in line:
                break
        process.send_signal(number)
        process.communicate(timeout=60)

    assert process.returncode == status
    assert [
        one for one in simulator.desk.rows.values() if one.is_open and one.requester == stage.sender
    ] == []
