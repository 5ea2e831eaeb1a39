"""Access tokens from a token endpoint, presented to a Dovecot that takes nothing else."""

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from random import Random

import pytest

from canary.canary import Canary
from canary.hop import Hop
from canary.observation import Depth, Observation, Outcome
from canary.reason import Reason
from probes.dns import Resolver
from probes.email.probe import EmailProbe
from probes.email.settings import EmailSettings, RetrySettings, SenderAccount
from probes.mailbox.settings import MailboxSettings
from probes.mailbox.watcher import SupportMailboxWatcher
from probes.masking import Masker, Secret
from probes.message.compose import MailSettings
from probes.oauth import Grant, TokenSource
from probes.oauth_command import TokenCommand
from probes.oauth_grants import GoogleServiceAccount, MicrosoftClientCredentials, RefreshToken
from probes.servers import Bearer, Server, TlsMode
from runners.clock import SystemClock
from tests.real.scripted_smtp import Script, scripted
from tests.real.servers.certificates import make_certificates
from tests.real.servers.dovecot import Dovecot, Mailbox, running_dovecot
from tests.real.servers.dovecot_configuration import OAuth
from tests.real.servers.process import server_directory
from tests.real.servers.token_endpoint import (
    TENANT,
    TokenEndpoint,
    running_token_endpoint,
)
from tests.unit.probes.mailbox.mails import canary_mail, make_canary, recognise

pytestmark = pytest.mark.real

SUPPORT = "support@acme.test"


class Reports(list[Observation]):
    async def __call__(self, *observations: Observation) -> None:
        self.extend(observations)


class Literal:
    def __init__(self, value: str) -> None:
        self.value = value

    async def read(self, *, renew: bool = False) -> Secret:
        del renew
        return Secret(self.value)


@dataclass(frozen=True, slots=True)
class Bench:
    """A token endpoint, and a mail server that asks it about each token."""

    endpoint: TokenEndpoint
    mail: Dovecot


@pytest.fixture(scope="module")
def both() -> Iterator[Bench]:
    with (
        server_directory("tls") as directory,
        running_token_endpoint() as endpoint,
        running_dovecot(
            make_certificates(directory),
            [Mailbox(SUPPORT)],
            oauth=OAuth(endpoint.introspection_url, is_only=True),
        ) as mail,
    ):
        yield Bench(endpoint, mail)


@pytest.fixture
def bench(both: Bench) -> Bench:
    both.endpoint.reset()
    both.mail.empty(SUPPORT, is_all=True)
    return both


@pytest.fixture
def canary() -> Canary:
    return make_canary(launched_at=datetime.now(UTC))


@contextlib.asynccontextmanager
async def watching(bench: Bench, grant: Grant) -> AsyncIterator[SupportMailboxWatcher]:
    clock, masker = SystemClock(), Masker()
    tokens = TokenSource(grant, clock=clock, masker=masker)
    server = Server(
        "localhost",
        bench.mail.port,
        TlsMode.STARTTLS,
        Bearer(SUPPORT, tokens),
        ca_files=(str(bench.mail.ca_file),),
    )
    watcher = SupportMailboxWatcher(
        MailboxSettings("support", server), clock=clock, recognise=recognise, masker=masker
    )
    try:
        yield watcher
    finally:
        await watcher.aclose()


async def look(watcher: SupportMailboxWatcher, canary: Canary) -> Observation:
    reports = Reports()
    await watcher.look([canary], Depth.DEADLINE, reports)
    (seen,) = reports
    return seen


def microsoft(bench: Bench, *, secret: str | None = None) -> MicrosoftClientCredentials:
    client = bench.endpoint.register(SUPPORT)
    return MicrosoftClientCredentials(
        TENANT,
        client_id=Literal(client.client_id),
        client_secret=Literal(secret or client.client_secret),
        token_url=bench.endpoint.microsoft_url,
    )


def google(bench: Bench) -> GoogleServiceAccount:
    return GoogleServiceAccount(
        Literal(json.dumps(bench.endpoint.service_account())), SUPPORT, clock=SystemClock(), masker=Masker()
    )


def refreshing(bench: Bench) -> RefreshToken:
    client = bench.endpoint.register(SUPPORT)
    return RefreshToken(
        bench.endpoint.refresh_url,
        client_id=Literal(client.client_id),
        client_secret=Literal(client.client_secret),
        refresh_token=Literal(client.refresh_token),
        masker=Masker(),
    )


def command(bench: Bench) -> TokenCommand:
    token = bench.endpoint.issue(SUPPORT)
    return TokenCommand([sys.executable, "-c", f"print({token!r})"])


@pytest.mark.parametrize("grant", [google, microsoft, refreshing, command])
def test_token_of_each_kind__opens_the_mailbox(bench: Bench, canary: Canary, grant: object) -> None:
    assert callable(grant)
    bench.mail.save(SUPPORT, canary_mail(canary))

    async def main() -> Observation:
        async with watching(bench, grant(bench)) as watcher:
            return await look(watcher, canary)

    assert asyncio.run(main()).outcome is Outcome.OK


def test_client_secret_that_is_wrong__is_a_blind_look_that_names_code_and_remedy(
    bench: Bench, canary: Canary
) -> None:
    async def main() -> Observation:
        async with watching(bench, microsoft(bench, secret="wrong-secret")) as watcher:
            return await look(watcher, canary)

    seen = asyncio.run(main())

    assert seen.reason is Reason.CREDENTIALS_REJECTED
    assert "(invalid_client). The client's id or secret is wrong or has ended: renew it." in seen.detail
    assert "wrong-secret" not in seen.detail


def test_endpoint_that_is_down__is_a_blind_look(bench: Bench, canary: Canary) -> None:
    bench.endpoint.refusal = HTTPStatus.SERVICE_UNAVAILABLE

    async def main() -> Observation:
        async with watching(bench, microsoft(bench)) as watcher:
            return await look(watcher, canary)

    seen = asyncio.run(main())

    assert (seen.outcome, seen.look is not None and seen.look.is_blind) == (Outcome.UNKNOWN, True)


def test_token_that_was_withdrawn_before_its_end__is_renewed_once_on_refusal(
    bench: Bench, canary: Canary
) -> None:
    bench.mail.save(SUPPORT, canary_mail(canary))

    async def main() -> Observation:
        async with watching(bench, microsoft(bench)) as watcher:
            await look(watcher, canary)
            bench.mail.kick(SUPPORT)
            bench.endpoint.revoke()
            return await look(watcher, canary)

    assert asyncio.run(main()).outcome is Outcome.OK
    assert bench.endpoint.requests == ["client_credentials"] * 2


def test_session_that_is_ended_in_idle_as_its_token_ends__goes_on_with_a_fresh_one(
    bench: Bench, canary: Canary
) -> None:
    """What Google and Microsoft do: the server ends the connection when the token's hour is over."""
    bench.endpoint.lifetime_seconds = 2.0

    async def main() -> Observation:
        async with watching(bench, microsoft(bench)) as watcher, asyncio.TaskGroup() as group:
            assert (await look(watcher, canary)).reason is Reason.NOT_SEEN
            waiting = group.create_task(watcher.news())
            await asyncio.sleep(max(0.0, bench.endpoint.tokens[0].ends_at - time.time()))
            await asyncio.to_thread(bench.mail.save, SUPPORT, canary_mail(canary))
            await asyncio.to_thread(bench.mail.kick, SUPPORT)
            async with asyncio.timeout(5):
                await waiting
            return await look(watcher, canary)

    assert asyncio.run(main()).outcome is Outcome.OK
    assert bench.endpoint.requests == ["client_credentials"] * 2


def test_one_source_for_many_sessions__asks_once_for_a_token(bench: Bench, canary: Canary) -> None:
    async def main() -> list[Outcome]:
        clock, masker = SystemClock(), Masker()
        tokens = TokenSource(microsoft(bench), clock=clock, masker=masker)
        server = Server(
            "localhost",
            bench.mail.port,
            TlsMode.STARTTLS,
            Bearer(SUPPORT, tokens),
            ca_files=(str(bench.mail.ca_file),),
        )
        watchers = [
            SupportMailboxWatcher(
                MailboxSettings(f"support-{number}", server), clock=clock, recognise=recognise, masker=masker
            )
            for number in range(4)
        ]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(look(one, canary)) for one in watchers]
        for one in watchers:
            await one.aclose()
        return [task.result().outcome for task in tasks]

    asyncio.run(main())

    assert bench.endpoint.requests == ["client_credentials"]


class Accepted(set[str]):
    """The tokens that the endpoint says are good now."""

    def __init__(self, endpoint: TokenEndpoint) -> None:
        super().__init__({"offered"})
        self.endpoint = endpoint

    def __contains__(self, token: object) -> bool:
        return self.endpoint.introspect({"token": str(token)})["active"] is True


def submitted(
    bench: Bench, script: Script, *, canaries: Sequence[Canary], between: Callable[[], None]
) -> Reports:
    """Launch canaries one after the other through a submission server that takes bearer tokens alone."""
    reports = Reports()
    script.tokens = Accepted(bench.endpoint)

    async def main() -> None:
        clock, masker = SystemClock(), Masker()
        tokens = TokenSource(microsoft(bench), clock=clock, masker=masker)
        async with scripted(script):
            server = Server("127.0.0.1", script.port, TlsMode.NONE, Bearer(SUPPORT, tokens))
            sender = canaries[0].sender
            probe = EmailProbe(
                EmailSettings(
                    mail=MailSettings("support@acme.test"),
                    senders={sender: SenderAccount(sender, server)},
                    retry=RetrySettings(first_seconds=1.0, factor=1, longest_seconds=1.0),
                ),
                clock=clock,
                resolver=Resolver("system", clock=clock, random=Random(7)),  # noqa: S311 -- an order
                masker=masker,
            )
            for one in canaries:
                await probe.launch(one, reports)
                between()

    asyncio.run(main())
    return reports


def test_token_withdrawn_between_two_mails__is_renewed_and_each_mail_leaves_once(bench: Bench) -> None:
    script = Script()
    canaries = [make_canary(number, launched_at=datetime.now(UTC)) for number in range(2)]

    reports = submitted(bench, script, canaries=canaries, between=bench.endpoint.revoke)

    assert [one.outcome for one in reports if one.hop is Hop.SMTP_ACCEPT] == [Outcome.OK, Outcome.OK]
    assert len(script.mails) == 2
    assert bench.endpoint.requests == ["client_credentials"] * 2


def test_token_that_ends_in_the_middle_of_an_smtp_session__costs_a_second_try_and_no_second_mail(
    bench: Bench, canary: Canary
) -> None:
    bench.endpoint.lifetime_seconds = 1.0
    script = Script(answers={"MAIL": ["421 4.7.0 your session has expired", "250 2.1.0 Ok"]})

    reports = submitted(bench, script, canaries=[canary], between=lambda: None)

    assert reports[-1].hop is Hop.SMTP_ACCEPT
    assert reports[-1].outcome is Outcome.OK
    assert len(script.mails) == 1
    assert script.connections == 2
    assert bench.endpoint.requests == ["client_credentials"] * 2
