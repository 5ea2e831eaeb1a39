"""Every fault and oddity of a portal in a real browser: what its last hop reports, and the verdicts that follow.

No word may be false. Where Chromium sends a request again by itself, as its connection was cut (see faulty_proxy), the
click is still one: the form's own word of a sending, made when it is sent, is the same in all of them.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from canary.canary import Canary
from canary.hop import Hop
from canary.observation import Depth, Evidence, LookFacts, Observation, Outcome
from canary.reason import Reason
from canary.ticket import Ticket, TicketId, TicketRef
from canary.verdict import Judgement, judge
from probes.portal.browser import Browsers
from probes.servers import ClientCertificate
from tests.real.faulty_proxy import Proxy, Rule, faulty_proxy, tls
from tests.real.forms import Seen, Source
from tests.real.portal_faults.fault import At, PortalFault, Shown, whole
from tests.real.portal_faults.helpdesk import log_in
from tests.real.portal_faults.small import PAGES, SmallPortal
from tests.real.portal_faults.table import PORTAL_FAULTS
from tests.real.portals import browsers, launched, new, portal_path, settings
from tests.real.scripted_http import closed_port, unanswered
from tests.real.servers.certificates import Certificates, Pair, make_certificates, make_client
from tests.real.servers.dns import Fault as NameFault
from tests.real.servers.dns import running_dns
from tests.real.servers.needed import CHROMIUM
from tests.real.test_form_faults import selfcheck
from tests.sandbox import Sandbox, start_sandbox

pytestmark = [pytest.mark.real, pytest.mark.browser]
AT_ONCE = 3
GIVES_UP_SECONDS = 3.0


@dataclass
class Told:
    """What became of one fault."""

    seen: Seen
    canary: Canary
    posts: int
    sendings: int
    proxy: Proxy | None
    tickets: int | None = None


@dataclass
class World:
    """What all faults share."""

    browser: Browsers
    sandbox: Sandbox
    certificates: Certificates
    client: Pair
    directory: Path
    names_port: int


async def told(fault: PortalFault, world: World) -> Told:
    canary = new(logs_in=fault.logs_in)
    async with AsyncExitStack() as stack:
        if fault.at is At.HELPDESK:
            await asyncio.to_thread(world.sandbox.faults, **fault.switches)
            stack.push_async_callback(asyncio.to_thread, world.sandbox.clear_faults)
        portal = SmallPortal({**PAGES, **fault.pages})
        url, proxy = await stack.enter_async_context(standing(fault, portal, world))
        of = settings(f"{url}{fault.start}", **given(fault, url, world))
        seen = await launched(
            of,
            canary,
            browser=world.browser,
            directory=world.directory,
            names_port=world.names_port,
            controls=selfcheck(others_answer=fault.others_answer),
        )
        posts = (
            [one for one in proxy.seen(method="POST") if canary.token.encode() in one.body] if proxy else []
        )
        own = [one for one in posts if not one.host.startswith(("recorder", "tracker"))]
        tickets = None
        if fault.tickets is not None:
            found = await asyncio.to_thread(world.sandbox.tickets)
            tickets = sum(canary.token in str(one["description"]) for one in found)
    once = {parse_qs(one.body.decode(errors="replace")).get("once", [""])[0] for one in own}
    return Told(seen, canary, len(own), len(once), proxy, tickets)


def given(fault: PortalFault, url: str, world: World) -> dict[str, Any]:
    """The settings that the fault's table can't know."""
    steps = list(fault.steps or whole())
    if fault.short is not None and fault.outcome is not Outcome.OK:
        place = fault.short - 1 if fault.short > 0 else fault.short
        steps[place] = replace(steps[place], timeout_seconds=GIVES_UP_SECONDS)
    changes: dict[str, Any] = {"steps": tuple(steps), **fault.changes}
    if fault.shown not in {None, Shown.UNKNOWN}:
        other = fault.shown is Shown.UNTRUSTED
        ca = world.certificates.other_ca_path if other else world.certificates.ca_path
        changes["ca_files"] = (str(ca),)
    if isinstance(changes.get("login"), str):
        changes["login"] = log_in(changes["login"], world.sandbox.endpoints)
    if "client_certificate" in changes:
        key = world.client.key_path.read_text()
        changes["client_certificate"] = ClientCertificate(
            url, str(world.client.certificate_path), Source([key])
        )
    return changes


@asynccontextmanager
async def standing(
    fault: PortalFault, portal: SmallPortal, world: World
) -> AsyncIterator[tuple[str, Proxy | None]]:
    """What stands at the portal's address; yields its origin, and the proxy before it."""
    match fault.at:
        case At.SMALL | At.HELPDESK:
            upstream = "http://127.0.0.1:1" if fault.at is At.SMALL else world.sandbox.endpoints.portal_url
            rules = [*fault.rules(), *([Rule(portal)] if fault.at is At.SMALL else [])]
            context = server_context(fault.shown, world) if fault.shown is not None else None
            async with faulty_proxy(upstream, *rules, context=context) as proxy:
                proxy.greeting = fault.greeting
                yield proxy.url, proxy
        case At.NO_NAME:
            yield "http://nobody.acme.test", None
        case At.SILENT_NAMES:
            yield "http://silent.acme.test", None
        case At.UNKNOWN_TO_BROWSER:
            yield "http://support.gone.test", None
        case At.CLOSED:
            yield f"http://127.0.0.1:{closed_port()}", None
        case At.UNANSWERED:
            async with unanswered() as port:
                yield f"http://127.0.0.1:{port}", None


def server_context(shown: Shown, world: World) -> ssl.SSLContext:
    pairs = {Shown.EXPIRED: world.certificates.expired, Shown.WRONG_NAME: world.certificates.wrong_name}
    context = tls(pairs.get(shown, world.certificates.valid))
    if shown is Shown.ASKS_FOR_OURS:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(world.client.certificate_path)
    return context


def judged(found: Told, *, logs_in: bool, ticket: bool) -> Judgement:
    """The verdict, with a ticket a second after the launch, or with a look in vain at the deadline."""
    canary = found.canary
    looked_at = found.seen.end.ended_at + timedelta(seconds=1) if ticket else canary.deadline_at
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
    observations = [*found.seen.observations, *looks]
    return judge(
        portal_path(logs_in=logs_in), canary, observations, canary.deadline_at + timedelta(seconds=5)
    )


async def all_told(sandbox: Sandbox, directory: Path, wanted: tuple[PortalFault, ...]) -> dict[str, Told]:
    """Every fault, several at a time: most of the time is spent waiting for limits."""
    found: dict[str, Told] = {}
    free = asyncio.Semaphore(AT_ONCE)
    certificates = make_certificates(directory / "tls")
    with running_dns() as names:
        names.set("support.gone.test", "A", "127.0.0.1")
        names.fail("silent.acme.test", NameFault.SILENT)
        async with browsers() as browser:
            client = make_client(directory / "tls")
            world = World(browser, sandbox, certificates, client, directory, names.port)

            async def one(fault: PortalFault) -> None:
                async with free:
                    found[fault.name] = await told(fault, world)

            async def one_by_one(faults: Sequence[PortalFault]) -> None:
                for fault in faults:  # the switches are the whole helpdesk's
                    await one(fault)

            async with asyncio.TaskGroup() as group:
                group.create_task(one_by_one([each for each in wanted if each.at is At.HELPDESK]))
                for fault in wanted:
                    if fault.at is not At.HELPDESK:
                        group.create_task(one(fault))
    return found


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Told]:
    CHROMIUM.require()
    directory = tmp_path_factory.mktemp("portal")
    with start_sandbox(directory / "sandbox") as sandbox:
        return asyncio.run(all_told(sandbox, directory, PORTAL_FAULTS))


@pytest.mark.parametrize("fault", PORTAL_FAULTS, ids=lambda one: one.name)
def test_fault__is_reported_by_its_hop__with_what_an_engineer_needs(
    fault: PortalFault, outcomes: Mapping[str, Told]
) -> None:
    end = outcomes[fault.name].seen.end

    assert (end.hop, end.outcome, end.reason) == (fault.hop, fault.outcome, fault.reason), end.detail
    assert end.rules_out_ticket is fault.rules_out
    assert [words for words in fault.says if words not in end.detail] == [], end.detail


@pytest.mark.parametrize("fault", PORTAL_FAULTS, ids=lambda one: one.name)
def test_fault__without_a_ticket__is_judged(fault: PortalFault, outcomes: Mapping[str, Told]) -> None:
    verdict = judged(outcomes[fault.name], logs_in=fault.logs_in, ticket=False)

    assert verdict.verdict.value == fault.verdict
    assert verdict.stop is not None
    assert (verdict.stop.hop, verdict.stop.reason, verdict.stop.side.value) == (*fault.blamed, fault.side)


@pytest.mark.parametrize("fault", PORTAL_FAULTS, ids=lambda one: one.name)
def test_fault__with_a_ticket_in_time__is_confirmed_unless_it_was_ruled_out(
    fault: PortalFault, outcomes: Mapping[str, Told]
) -> None:
    verdict = judged(outcomes[fault.name], logs_in=fault.logs_in, ticket=True)

    if fault.rules_out:  # a ticket of what never left can't come; if one does, it is late
        assert verdict.verdict.value in {"late", "inconclusive"}
    else:
        assert verdict.verdict.value == "confirmed"
        assert tuple(f"{one.hop} {one.reason}" for one in verdict.flaws) == fault.flaws


@pytest.mark.parametrize("fault", PORTAL_FAULTS, ids=lambda one: one.name)
def test_fault__makes_our_click_send_once_at_most(fault: PortalFault, outcomes: Mapping[str, Told]) -> None:
    found = outcomes[fault.name]

    assert found.sendings <= 1
    if fault.resends:
        assert found.posts >= 1
    else:
        assert found.posts == fault.posts
    assert found.tickets == fault.tickets


@pytest.mark.parametrize("fault", PORTAL_FAULTS, ids=lambda one: one.name)
def test_fault__at_each_hop__is_told_once_and_in_order(
    fault: PortalFault, outcomes: Mapping[str, Told]
) -> None:
    observations = outcomes[fault.name].seen.observations

    route = list(portal_path(logs_in=fault.logs_in).route)
    assert [one.hop for one in observations] == route[: len(observations)]
    assert all(one.detail for one in observations if one.outcome in {Outcome.FAILED, Outcome.UNKNOWN})
    assert all(one.seconds is not None and one.seconds < 60 for one in observations)


@pytest.mark.parametrize("fault", PORTAL_FAULTS, ids=lambda one: one.name)
def test_fault__is_told_without_secrets(fault: PortalFault, outcomes: Mapping[str, Told]) -> None:
    observations = outcomes[fault.name].seen.observations

    told_ = " ".join(f"{one.detail} {dict(one.facts)}" for one in observations)
    assert not any(secret in told_ for secret in ("right-password-1", "header-secret-1"))


def test_request_that_the_page_sent_twice__leaves_its_picture_although_all_went_well(
    outcomes: Mapping[str, Told],
) -> None:
    end = outcomes["sent twice by the page"].seen.end

    assert end.outcome is Outcome.OK
    assert {"intake.artifact.screenshot", "intake.artifact.trace"} <= set(end.facts)


def test_own_field_and_http_login__go_to_the_portals_hosts_alone(outcomes: Mapping[str, Told]) -> None:
    for name in ("field that lets us through", "field, redirected elsewhere"):
        proxy = outcomes[name].proxy
        assert proxy is not None
        own = [one for one in proxy.requests if one.host.startswith("127.0.0.1")]
        others = [one for one in proxy.requests if not one.host.startswith("127.0.0.1")]

        assert own
        assert others
        assert all(one.header("x-synthetic") for one in own if "favicon" not in one.path)
        assert not any(one.header("x-synthetic") or one.header("authorization") for one in others)


def test_table__has_faults_and_oddities__each_under_its_own_name() -> None:
    names = [fault.name for fault in PORTAL_FAULTS]

    assert len(set(names)) == len(names)
    assert len([one for one in PORTAL_FAULTS if one.outcome is not Outcome.OK]) >= 60
    assert len([one for one in PORTAL_FAULTS if one.outcome is Outcome.OK and not one.flaws]) >= 25
