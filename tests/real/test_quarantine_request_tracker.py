"""Request Tracker with the rendered scrips as its quarantine: by queue, by tag, and by both."""

import asyncio
import json
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from canary.canary import Canary
from canary.quarantine import Mark
from canary.ticket import Ticket, TicketId
from tests.contracts.ticketing_contract import new_canary
from tests.real.desks import TrackerBench
from tests.real.quarantine_scene import (
    TAG,
    first_seen,
    hello,
    intake,
    rendered,
    with_the_rule,
    without_the_rule,
)
from tests.real.servers.certificates import make_certificates
from tests.real.servers.mail import AGENT, CANARY, CANARY_2, Mail, running_mail
from tests.real.servers.process import server_directory, unprivileged_account
from tests.real.servers.request_tracker import running_request_tracker

GROUP = "Canaries"
BY_BOTH = "canary3@probe.test"
UNOWNED = "Owner = 'Nobody' AND Status = '__Active__'"
"""The home page's own list of tickets to take (etc/initialdata of 5.0.3: Search - Unowned Tickets)."""
# An agent who is mailed of each new ticket, and what the rendered page asks for in words.
DATA = """
our @Queues = ({ Name => '%(group)s' });
our @Users = ({ Name => 'agent', EmailAddress => '%(agent)s', Privileged => 1, Password => 'not-used-by-tests' });
our @ACL = (
    (map { { GroupDomain => 'UserDefined', GroupId => 'probers', Queue => '%(group)s', Right => $_ } }
        qw(SeeQueue ShowTicket ModifyTicket SeeCustomField ModifyCustomField)),
    (map { { UserId => 'agent', Queue => 'Support', Right => $_ } }
        qw(SeeQueue ShowTicket OwnTicket WatchAsAdminCc SeeCustomField)),
);
our @Final = (sub {
    my $agent = RT::User->new(RT->SystemUser);
    $agent->Load('agent');
    my $support = RT::Queue->new(RT->SystemUser);
    $support->Load('Support');
    my ($watches, $why) = $support->AddWatcher(Type => 'AdminCc', PrincipalId => $agent->PrincipalId);
    die $why unless $watches;
    my $canaries = RT::Queue->new(RT->SystemUser);
    $canaries->Load('%(group)s');
    my $field = RT::CustomField->new(RT->SystemUser);
    $field->LoadByName(Name => 'Canary', LookupType => 'RT::Queue-RT::Ticket');
    my ($applied, $reason) = $field->AddToObject($canaries);
    die $reason unless $applied;
    my $token = RT::AuthToken->new(RT->SystemUser);
    my ($ok, $message, $secret) = $token->Create(Owner => $agent->Id, Description => 'agent');
    die $message unless $ok;
    open my $file, '>', '%(file)s' or die $!;
    print $file $secret;
    close $file or die $!;
});
1;
"""


@dataclass(frozen=True, slots=True)
class Desk:
    """A Request Tracker with an agent, and the queue that the page asks for."""

    bench: TrackerBench
    mail: Mail
    agent_token: str

    def install(self, folder: Path, quarantine: str, more: str, *, sender: str) -> None:
        """Load what `render quarantine` writes, by Request Tracker's own command line."""
        system = f"{{type: rt, url: 'https://rt.acme.test', token: {{env: DESK_TOKEN}}, queue: Support, quarantine: {quarantine}{more}}}"
        files = rendered(folder, system, sender=sender)
        self.bench.tracker.insert(files["quarantine.initialdata"])

    def send(self, canary: Canary) -> None:
        self.mail.send(hello(canary).as_bytes(), sender=CANARY)

    def told(self, address: str) -> int:
        """How many mails have been sent to an address."""
        self.mail.postfix.drain()
        return self.mail.postfix.log().count(f"to=<{address}>")

    def agent_sees(self, query: str, ticket: Ticket) -> bool:
        """Whether a search of the agent's shows a ticket."""
        words = urllib.parse.urlencode({"query": query, "per_page": "100", "orderby": "id", "order": "DESC"})
        url = f"{self.bench.tracker.url}/REST/2.0/tickets?{words}"
        request = urllib.request.Request(url, headers={"Authorization": f"token {self.agent_token}"})  # noqa: S310 - loopback
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - loopback
            return ticket.ref.id in {str(one["id"]) for one in json.load(answer)["items"]}

    def canary(self, sender: str) -> Canary:
        return replace(new_canary(self.bench.now()), sender=sender)


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with (
        server_directory("certificates", unprivileged_account()) as directory,
        running_mail(make_certificates(directory)) as mail,
        running_request_tracker(mail) as tracker,
    ):
        file = tracker.site.directory / "agent-token"
        tracker.insert(DATA % {"group": GROUP, "agent": AGENT, "file": file})
        yield Desk(TrackerBench(tracker, mail), mail, file.read_text())


def test_queue__without_the_rule_agents_meet_canaries_and_launches_stop__with_it_neither(
    desk: Desk, tmp_path: Path
) -> None:
    async def main() -> None:
        async with (
            desk.bench.connected(
                desk.bench.tracker.token, custom_field=None, quarantine_queue=GROUP
            ) as system,
            intake(system, Mark(group=GROUP), desk.send, tmp_path) as prober,
        ):
            await without_the_rule(prober)
            bare = desk.canary(CANARY)
            desk.send(bare)
            ticket = await first_seen(system, bare)
            assert ticket.group == "Support"
            assert desk.agent_sees(UNOWNED, ticket)
            assert desk.told(AGENT) == 3

            desk.install(tmp_path / "rendered", f"{{group: {GROUP}}}", "", sender=CANARY)
            await with_the_rule(prober)
            replies = desk.told(CANARY)
            kept = desk.canary(CANARY)
            desk.send(kept)
            ticket = await first_seen(system, kept)
            assert ticket.group == GROUP
            assert not desk.agent_sees(UNOWNED, ticket)
            assert not desk.agent_sees(f"id = {ticket.ref.id}", ticket)
            assert desk.told(AGENT) == 3
            assert desk.told(CANARY) == replies + 1

    asyncio.run(main())


def test_tag__is_there_at_first_sight__and_the_rendered_condition_keeps_the_ticket_out_of_a_view(
    desk: Desk, tmp_path: Path
) -> None:
    desk.install(tmp_path, f"{{tag: {TAG}}}", ", custom_field: Canary", sender=CANARY_2)
    told = desk.told(AGENT)
    customers = desk.bench.open_ticket("a customer's question", "where is it?", "jane@customer.test")

    async def main() -> None:
        async with desk.bench.connected(desk.bench.tracker.token) as system:
            canary = desk.canary(CANARY_2)
            desk.send(canary)
            ticket = await first_seen(system, canary)

            assert (ticket.group, ticket.tags) == ("Support", frozenset({TAG}))
            assert desk.agent_sees(UNOWNED, ticket)
            view = f"{UNOWNED} AND 'CF.{{Canary}}' != '{TAG}'"
            assert not desk.agent_sees(view, ticket)
            assert desk.agent_sees(view, replace(ticket, ref=replace(ticket.ref, id=TicketId(customers))))

    asyncio.run(main())
    assert desk.told(AGENT) == told + 1, "of the customer's ticket alone"


def test_tag_and_queue__are_both_set(desk: Desk, tmp_path: Path) -> None:
    desk.install(tmp_path, f"{{tag: {TAG}, group: {GROUP}}}", ", custom_field: Canary", sender=BY_BOTH)

    async def main() -> None:
        async with desk.bench.connected(desk.bench.tracker.token, quarantine_queue=GROUP) as system:
            canary = desk.canary(BY_BOTH)
            desk.send(canary)
            ticket = await first_seen(system, canary)

            assert (ticket.group, ticket.tags) == (GROUP, frozenset({TAG}))
            assert not desk.agent_sees(UNOWNED, ticket)

    asyncio.run(main())
