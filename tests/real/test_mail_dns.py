"""The records of a domain that mail depends on, asked of a real server."""

import asyncio
from collections.abc import Iterator
from random import Random

import pytest

from canary.gauge import Resource
from probes.dns import Resolver
from probes.mail_dns import MailDnsExpectation, RecordFinding, look_at_mail_dns
from runners.clock import SystemClock
from tests.real.servers.dns import DnsServer, Fault, running_dns

pytestmark = pytest.mark.real

DOMAIN = "acme.test"
DEMANDED = MailDnsExpectation(
    mx=("mx1.acme.test", "mx2.acme.test"),
    spf="include:_spf.acme.test",
    dkim_selectors=("s1",),
    dmarc="reject",
)


@pytest.fixture
def names() -> Iterator[DnsServer]:
    with running_dns() as server:
        server.set(DOMAIN, "MX", "10 mx1.acme.test.", "20 mx2.acme.test.")
        server.set("mx1.acme.test", "A", "127.0.0.1")
        server.set("mx2.acme.test", "A", "127.0.0.2")
        server.set_text(DOMAIN, "v=spf1 include:_spf.acme.test -all")
        server.set_text("s1._domainkey.acme.test", "v=DKIM1; k=rsa; p=MIGf")
        server.set_text("_dmarc.acme.test", "v=DMARC1; p=reject; sp=none")
        yield server


def findings(
    names: DnsServer, domain: str = DOMAIN, expected: MailDnsExpectation = DEMANDED
) -> dict[Resource, RecordFinding]:
    async def look() -> tuple[RecordFinding, ...]:
        resolver = Resolver(
            f"{names.host}:{names.port}",
            clock=SystemClock(),
            random=Random(1),  # noqa: S311 -- the order of mail hosts
            limit_seconds=2.0,
        )
        return await look_at_mail_dns(domain, expected, resolver=resolver)

    return {one.record: one for one in asyncio.run(look())}


def test_records_as_they_should_be__are_good(names: DnsServer) -> None:
    assert {record: one.is_good for record, one in findings(names).items()} == dict.fromkeys(
        (Resource.MX, Resource.SPF, Resource.DKIM, Resource.DMARC), True
    )


def test_other_mx_than_expected__is_wrong_and_named(names: DnsServer) -> None:
    names.set(DOMAIN, "MX", "10 mx1.acme.test.")

    one = findings(names)[Resource.MX]

    assert one.is_good is False
    assert "expected mx1.acme.test, mx2.acme.test" in one.detail


def test_mail_host_that_does_not_exist__is_wrong(names: DnsServer) -> None:
    names.remove("mx2.acme.test")

    assert findings(names)[Resource.MX].is_good is False


def test_mail_host_of_which_nobody_answers__is_not_known_to_be_wrong(names: DnsServer) -> None:
    names.fail("mx2.acme.test", Fault.SERVFAIL)

    assert findings(names)[Resource.MX].is_good is None


@pytest.mark.parametrize("fault", [Fault.SERVFAIL, Fault.REFUSED])
def test_name_servers_that_do_not_answer__leave_everything_unknown(names: DnsServer, fault: Fault) -> None:
    for name in (DOMAIN, "s1._domainkey.acme.test", "_dmarc.acme.test"):
        names.fail(name, fault)

    assert {one.is_good for one in findings(names).values()} == {None}


@pytest.mark.parametrize("text", ["v=spf1 -all", "v=spf10 include:_spf.acme.test"])
def test_spf_without_what_is_demanded__is_wrong(names: DnsServer, text: str) -> None:
    names.set_text(DOMAIN, text)

    assert findings(names)[Resource.SPF].is_good is False


def test_selector_whose_key_was_revoked__is_wrong(names: DnsServer) -> None:
    names.set_text("s1._domainkey.acme.test", "v=DKIM1; p=")

    one = findings(names)[Resource.DKIM]

    assert (one.is_good, one.detail) == (False, "no key for s1")


def test_policy_of_a_subdomain__is_the_one_that_its_parent_states_for_subdomains(names: DnsServer) -> None:
    one = findings(names, "a.b.c.d.support.acme.test")[Resource.DMARC]

    assert (one.is_good, one.detail) == (False, "policy none; expected reject")


def test_domain_without_any_policy__is_wrong_if_one_is_demanded(names: DnsServer) -> None:
    names.remove("_dmarc.acme.test")

    one = findings(names)[Resource.DMARC]

    assert (one.is_good, one.is_expected, one.detail) == (False, True, "no DMARC record")
