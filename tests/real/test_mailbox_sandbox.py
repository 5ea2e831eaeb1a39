"""The mailbox watchers in the sandbox's whole intake: its faults, and a real helpdesk that fetches after we looked."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import pytest

from canary.canary import Canary
from canary.gauge import GaugeState
from canary.observation import Depth, Observation, Outcome
from canary.reason import Reason
from probes.mailbox.quota import MailboxCapacityReader
from probes.mailbox.settings import CapacitySettings, Limits, MailboxSettings, Polling
from probes.mailbox.watcher import SupportMailboxWatcher
from probes.masking import Masker, Secret
from probes.servers import Bearer, Password, Server, TlsMode
from runners.clock import SystemClock
from tests.sandbox import Sandbox, start_sandbox
from tests.unit.probes.mailbox.mails import canary_mail, make_canary, recognise

pytestmark = pytest.mark.real

LIMITS = Limits(
    connect_seconds=2,
    answer_seconds=1,
    work_seconds=5,
    idle_seconds=1,
    first_retry_seconds=0.05,
    longest_retry_seconds=0.2,
)


class Reports(list[Observation]):
    async def __call__(self, *observations: Observation) -> None:
        self.extend(observations)


class Source:
    """A secret, of which the next value is given once the first was refused."""

    def __init__(self, *values: str) -> None:
        self.values = list(values)

    async def read(self, *, renew: bool = False) -> Secret:
        if renew and len(self.values) > 1:
            self.values.pop(0)
        return Secret(self.values[0])


@pytest.fixture(scope="module")
def intake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(intake: Sandbox) -> Sandbox:
    intake.clear_faults()
    intake.poller(running=False)
    intake.empty(intake.support.address, everything=True)
    intake.quota(intake.support.address)
    return intake


@pytest.fixture
def canary() -> Canary:
    return make_canary(launched_at=datetime.now(UTC))


def settings(sandbox: Sandbox, *, tokens: Source | None = None) -> MailboxSettings:
    ends, account = sandbox.endpoints, sandbox.support
    credential = (
        Bearer(account.address, tokens) if tokens else Password(account.address, Source(account.password))
    )
    server = Server(ends.host, ends.imap_port, TlsMode.STARTTLS, credential, (ends.ca_file,))
    return MailboxSettings("support", server, limits=LIMITS, polling=Polling(fresh_seconds=0.2))


@contextlib.asynccontextmanager
async def watching(given: MailboxSettings) -> AsyncIterator[SupportMailboxWatcher]:
    watcher = SupportMailboxWatcher(given, clock=SystemClock(), recognise=recognise, masker=Masker())
    try:
        yield watcher
    finally:
        await watcher.aclose()


async def look(watcher: SupportMailboxWatcher, canary: Canary, depth: Depth = Depth.POLL) -> Observation:
    reports = Reports()
    await watcher.look([canary], depth, reports)
    (seen,) = reports
    return seen


async def until_seen(watcher: SupportMailboxWatcher, canary: Canary) -> Observation:
    async with asyncio.timeout(8):
        while (seen := await look(watcher, canary)).outcome is not Outcome.OK:
            await watcher.news()
    return seen


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"imap_refuse": True}, Reason.MAILBOX_UNREADABLE),
        ({"imap_silent": True}, Reason.MAILBOX_UNREADABLE),
        ({"imap_login_refused": True}, Reason.CREDENTIALS_REJECTED),
        ({"certificate_imap": "expired"}, Reason.MAILBOX_UNREADABLE),
        ({"certificate_imap": "wrong_name"}, Reason.MAILBOX_UNREADABLE),
    ],
)
def test_mailbox_that_can_not_be_read__is_a_blind_look_on_our_side(
    sandbox: Sandbox, canary: Canary, fault: dict[str, object], reason: Reason
) -> None:
    sandbox.faults(**fault)

    async def main() -> Observation:
        async with watching(settings(sandbox)) as watcher:
            return await look(watcher, canary)

    seen = asyncio.run(main())

    assert (seen.outcome, seen.reason) == (Outcome.UNKNOWN, reason)
    assert seen.look is not None
    assert seen.look.is_blind


@pytest.mark.parametrize(
    "fault",
    [
        {},
        {"imap_early_exists": True},
        {"imap_split_lines": True},
        {"imap_bye_in_idle": True},
        {"imap_close_in_idle": True},
        {"imap_silent_in_idle": True},
        {"imap_no_idle": True},
    ],
)
def test_mail_that_comes_while_idle__is_seen_whatever_the_server_does(
    sandbox: Sandbox, canary: Canary, fault: dict[str, object]
) -> None:
    async def main() -> Observation:
        async with watching(settings(sandbox)) as watcher, asyncio.TaskGroup() as group:
            assert (await look(watcher, canary)).reason is Reason.NOT_SEEN
            await asyncio.to_thread(sandbox.faults, **fault)
            watched = group.create_task(until_seen(watcher, canary))
            await asyncio.sleep(0.3)
            await asyncio.to_thread(sandbox.deliver, sandbox.support.address, canary_mail(canary))
            return await watched

    assert asyncio.run(main()).outcome is Outcome.OK


def test_helpdesk__still_takes_the_mail_after_we_looked(sandbox: Sandbox, canary: Canary) -> None:
    sandbox.deliver(sandbox.support.address, canary_mail(canary))
    before = sandbox.state()["mailboxes"][sandbox.support.address]

    async def main() -> None:
        async with watching(settings(sandbox)) as watcher:
            assert (await look(watcher, canary)).outcome is Outcome.OK
            assert (await look(watcher, canary, Depth.DEADLINE)).outcome is Outcome.OK

    asyncio.run(main())

    assert before["unseen"] == 1
    assert sandbox.state()["mailboxes"][sandbox.support.address] == before
    sandbox.poller(running=True)
    sandbox.until(lambda state: state["desk"]["tickets_total"] > 0)
    assert canary.token in sandbox.tickets()[-1]["title"]


def test_token_withdrawn_in_idle__goes_on_with_another(sandbox: Sandbox, canary: Canary) -> None:
    sandbox.faults(imap_oauth_only=True, imap_bearer_tokens=["first-token"])

    async def main() -> Observation:
        tokens = Source("first-token", "second-token")
        async with watching(settings(sandbox, tokens=tokens)) as watcher, asyncio.TaskGroup() as group:
            assert (await look(watcher, canary)).reason is Reason.NOT_SEEN
            waiting = group.create_task(watcher.news())
            await asyncio.sleep(0.2)
            await asyncio.to_thread(sandbox.faults, imap_bearer_tokens=["second-token"])
            await asyncio.to_thread(sandbox.deliver, sandbox.support.address, canary_mail(canary))
            async with asyncio.timeout(5):
                await waiting
            return await look(watcher, canary)

    assert asyncio.run(main()).outcome is Outcome.OK


@pytest.mark.parametrize("form", ["rfc9208", "rfc2087"])
def test_quota__is_read_in_the_new_form_and_the_old(sandbox: Sandbox, form: str) -> None:
    sandbox.faults(imap_quota=form)
    sandbox.quota(sandbox.support.address, storage_bytes=1024 * 1024, messages=100)
    reader = MailboxCapacityReader(
        settings(sandbox), CapacitySettings(), clock=SystemClock(), masker=Masker()
    )

    gauges = asyncio.run(reader.read())

    assert [(one.unit, one.limit) for one in gauges] == [("By", 1024 * 1024), ("{message}", 100)]


def test_no_quota__is_measured_by_size_and_the_declared_limit(sandbox: Sandbox, canary: Canary) -> None:
    sandbox.faults(imap_quota="none")
    sandbox.deliver(sandbox.support.address, canary_mail(canary))
    reader = MailboxCapacityReader(
        settings(sandbox), CapacitySettings(declared_bytes=5000), clock=SystemClock(), masker=Masker()
    )

    storage, messages = asyncio.run(reader.read())

    assert (storage.state, storage.limit, messages.value) == (GaugeState.OK, 5000, 1)
    assert storage.value is not None
    assert storage.value > 0
