"""Every fault and oddity of a form: what its last hop reports, and the verdict that follows. No word may be false."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import dns.resolver
import pytest

from canary.canary import Canary
from canary.hop import Hop
from canary.observation import Depth, Evidence, LookFacts, Observation, Outcome
from canary.reason import Reason
from canary.ticket import Ticket, TicketId, TicketRef
from canary.verdict import Judgement, judge
from probes.form.settings import FormLimits
from probes.selfcheck import Selfcheck
from runners.clock import SystemClock
from tests.real.form_faults.fault import NOTHING, WHOLE, FormFault, Where
from tests.real.form_faults.table import FORM_FAULTS
from tests.real.forms import LIMITS, Seen, form_path, launched, new, settings
from tests.real.scripted_http import Site, accepting_only, closed_port, running, unanswered, without_tls
from tests.real.servers.certificates import Certificates, Pair, make_certificates
from tests.real.servers.dns import Fault, running_dns

pytestmark = pytest.mark.real
AT_ONCE = 6
WAITED_FOR = {Reason.PAGE_TIMEOUT, Reason.ANSWER_TIMEOUT, Reason.CONNECT_TIMEOUT, Reason.DNS_UNANSWERED}
PATIENT = FormLimits()


class Memory:
    """No control has ever been tried."""

    async def note(self, control: str, at: datetime, worked: bool) -> None: ...
    async def worked_at(self, control: str) -> datetime | None: ...
    async def note_excuse(self, control: str, at: datetime) -> None: ...
    async def excused_at(self) -> datetime | None: ...


class Outside:
    def __init__(self, at: datetime | None) -> None:
        self._at = at

    def answered_at(self, *, other_than: str, by_name: bool = False) -> datetime | None:  # noqa: ARG002
        return self._at


class Deaf:
    async def ask(self, name: str, kind: str) -> Sequence[str]:  # noqa: ARG002
        raise dns.resolver.NoNameservers


def selfcheck(*, others_answer: bool) -> Selfcheck:
    """No control is configured; the rules are the real ones."""
    clock = SystemClock()
    outside = Outside(clock.now() if others_answer else None)
    return Selfcheck([], history=Memory(), outside=outside, resolver=Deaf(), clock=clock)


@asynccontextmanager
async def standing(
    fault: FormFault, site: Site, certificates: Certificates
) -> AsyncIterator[tuple[str, int | None]]:
    """What stands at the form's address; yields the URL and the port of its name server."""
    match fault.where:
        case Where.SITE:
            async with running(site):
                yield f"{site.url}/form", None
        case Where.NO_NAME | Where.SILENT_NAMES:
            with running_dns() as names:
                if fault.where is Where.SILENT_NAMES:
                    names.fail("support.acme.test", Fault.SILENT)
                yield "https://support.acme.test/form", names.port
        case Where.CLOSED:
            yield f"https://127.0.0.1:{closed_port()}/form", None
        case Where.UNANSWERED:
            async with unanswered() as port:
                yield f"https://127.0.0.1:{port}/form", None
        case Where.ACCEPTING_ONLY:
            async with accepting_only() as port:
                yield f"https://127.0.0.1:{port}/form", None
        case Where.PLAIN_BEHIND_TLS:
            async with without_tls() as port:
                yield f"https://127.0.0.1:{port}/form", None
        case Where.EXPIRED | Where.WRONG_NAME | Where.UNKNOWN_AUTHORITY:
            pair = {Where.EXPIRED: certificates.expired, Where.WRONG_NAME: certificates.wrong_name}
            site.context = server_context(pair.get(fault.where, certificates.valid))
            async with running(site):
                yield f"{site.url}/form", None


def server_context(pair: Pair) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate_path, pair.key_path)
    return context


async def told(fault: FormFault, certificates: Certificates) -> tuple[Seen, Canary, Site]:
    site = Site({**WHOLE, **fault.answers})
    trusted = certificates.other_ca_path if fault.where is Where.UNKNOWN_AUTHORITY else certificates.ca_path
    canary = new()
    async with standing(fault, site, certificates) as (url, names_port):
        hosts = frozenset({"127.0.0.1", "support.acme.test"})
        of = settings(
            url,
            expect_hosts=hosts,
            ca_files=(str(trusted),),
            limits=LIMITS if fault.reason in WAITED_FOR else PATIENT,
            **fault.changes,
        )
        seen = await launched(
            of, canary, names_port=names_port, controls=selfcheck(others_answer=fault.others_answer)
        )
    return seen, canary, site


def judged(seen: Seen, canary: Canary, *, ticket: bool) -> Judgement:
    """The verdict, with a ticket a second after the launch, or with a look in vain at the deadline."""
    last = seen.end.ended_at
    looked_at = last + timedelta(seconds=1) if ticket else canary.deadline_at
    look = Observation(
        canary.id,
        Hop.TICKET_CREATED,
        Outcome.OK if ticket else Outcome.UNKNOWN,
        Evidence.OBSERVED,
        looked_at,
        looked_at,
        reason=None if ticket else Reason.NOT_SEEN,
        place="desk",
        look=LookFacts(Depth.DEADLINE, is_complete=True),
        ticket=Ticket(TicketRef("desk", TicketId("1")), requester=canary.sender) if ticket else None,
    )
    looks = [look, replace(look, hop=Hop.TICKET_CONTENT)]
    path = form_path()
    return judge(path, canary, [*seen.observations, *looks], canary.deadline_at + timedelta(seconds=5))


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Seen, Canary, Site]]:
    """Every fault, several at a time: most of the time is spent waiting for limits."""
    certificates = make_certificates(tmp_path_factory.mktemp("tls"))
    found: dict[str, tuple[Seen, Canary, Site]] = {}
    free = asyncio.Semaphore(AT_ONCE)

    async def one(fault: FormFault) -> None:
        async with free:
            found[fault.name] = await told(fault, certificates)

    async def every() -> None:
        async with asyncio.TaskGroup() as group:
            for fault in FORM_FAULTS:
                group.create_task(one(fault))

    asyncio.run(every())
    return found


@pytest.mark.parametrize("fault", FORM_FAULTS, ids=lambda one: one.name)
def test_fault__is_reported_by_its_hop_and_judged(
    fault: FormFault, outcomes: dict[str, tuple[Seen, Canary, Site]]
) -> None:
    seen, canary, site = outcomes[fault.name]

    verdict = judged(seen, canary, ticket=fault.ticket)

    end = seen.end
    assert (end.hop, end.outcome, end.reason) == (fault.hop, fault.outcome, fault.reason), end.detail
    assert end.rules_out_ticket is fault.rules_out
    assert verdict.verdict == fault.verdict
    stop = verdict.stop
    expected = (fault.hop, fault.reason) if fault.side is not None else None
    assert ((stop.hop, stop.reason) if stop else None) == expected
    assert (stop.side if stop else None) == fault.side
    assert tuple(f"{one.hop} {one.reason}" for one in verdict.flaws) == fault.flaws
    assert len(site.posts) == fault.posts


@pytest.mark.parametrize("fault", FORM_FAULTS, ids=lambda one: one.name)
def test_fault__at_each_hop__is_told_once_and_in_order(
    fault: FormFault, outcomes: dict[str, tuple[Seen, Canary, Site]]
) -> None:
    seen, _, _ = outcomes[fault.name]

    hops = [one.hop for one in seen.observations]

    route = list(form_path().route)
    assert hops == route[: len(hops)]
    assert all(one.detail for one in seen.observations if one.outcome in {Outcome.FAILED, Outcome.UNKNOWN})


def test_table__has_faults_and_oddities__each_under_its_own_name() -> None:
    names = [fault.name for fault in FORM_FAULTS]

    assert len(set(names)) == len(names)
    assert len([fault for fault in FORM_FAULTS if fault.verdict != "confirmed"]) >= 40
    assert len([fault for fault in FORM_FAULTS if fault.verdict == "confirmed" and not fault.flaws]) >= 10
    assert all(fault.answers is not NOTHING or fault.where is not Where.SITE for fault in FORM_FAULTS)
