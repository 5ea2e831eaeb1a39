"""The e-mail probe against servers on sockets: what each fault of a mail server comes to, hop by hop."""

import asyncio
import gc
import socket
import ssl
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from canary.canary import Canary, Token, new_canary
from canary.hop import Hop
from canary.observation import Observation, Outcome
from canary.reason import Reason, Side
from canary.signature import find_tokens, mint_id, mint_token
from probes.contracts import Check, CheckState
from probes.dns import Resolver
from probes.email.probe import EmailProbe
from probes.email.settings import EmailSettings, Limits, MxTls, RetrySettings, SenderAccount, Via
from probes.masking import Masker, Secret
from probes.message.compose import MailSettings
from probes.servers import Bearer, Password, Server, TlsMode
from runners.clock import SystemClock
from tests.fakes.world import KEY, SENDER, email_path
from tests.real.scripted_smtp import CUT, DOT, SILENT, Script, scripted, scripted_elsewhere
from tests.real.servers.certificates import Certificates, Pair, make_certificates
from tests.real.servers.dns import DnsServer, Fault, running_dns

pytestmark = pytest.mark.real

TARGET = "support@acme.test"
LIMITS = Limits(
    dns_seconds=3,
    address_seconds=0.5,
    connect_seconds=3,
    banner_seconds=0.5,
    tls_seconds=2,
    auth_seconds=2,
    accept_seconds=1,
    quit_seconds=0.2,
)
RETRY = RetrySettings(first_seconds=0.05, factor=1, longest_seconds=0.05, connections=2)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(Path(tmp_path_factory.mktemp("tls")))


@pytest.fixture
def names() -> Iterator[DnsServer]:
    with running_dns() as server:
        server.set("acme.test", "MX", "10 mx1.acme.test.", "20 mx2.acme.test.")
        server.set("mx1.acme.test", "A", "127.0.0.1")
        server.set("mx2.acme.test", "A", "127.0.0.2")
        yield server


@dataclass
class Source:
    """A secret that may be renewed."""

    values: list[str]
    renewals: int = 0

    async def read(self, *, renew: bool = False) -> Secret:
        if renew:
            self.renewals += 1
            if len(self.values) > 1:
                self.values.pop(0)
        return Secret(self.values[0])


@dataclass
class Seen:
    observations: list[Observation] = field(default_factory=list)

    async def __call__(self, *observations: Observation) -> None:
        self.observations.extend(observations)

    def last(self, hop: Hop) -> Observation:
        return [one for one in self.observations if one.hop is hop][-1]

    def story(self) -> list[tuple[Hop, Outcome, Reason | None]]:
        return [(one.hop, one.outcome, one.reason) for one in self.observations]


def new(deadline_seconds: float = 20.0) -> Canary:
    path = email_path()
    now = SystemClock().now()
    canary_id = mint_id(now, b"abcd")
    made = new_canary(
        path,
        canary_id=canary_id,
        token=Token(mint_token(canary_id, path.name, KEY)),
        marker="intakecanary",
        sender=SENDER,
        prober="fra-1",
    )
    return replace(made, deadline_at=now + timedelta(seconds=deadline_seconds))


def probe(settings: EmailSettings, names: DnsServer | None = None) -> EmailProbe:
    clock = SystemClock()
    server = "system" if names is None else f"127.0.0.1:{names.port}"
    resolver = Resolver(server, clock=clock, random=Random(7), try_seconds=0.3, limit_seconds=0.8)  # noqa: S311 -- an order
    return EmailProbe(settings, clock=clock, resolver=resolver, masker=Masker())


def by_mx(
    port: int,
    *,
    mx_tls: MxTls = MxTls.OPPORTUNISTIC,
    ca_files: tuple[str, ...] = (),
    limits: Limits = LIMITS,
) -> EmailSettings:
    return EmailSettings(
        mail=MailSettings(TARGET),
        senders={SENDER: SenderAccount(SENDER, None)},
        via=Via.MX,
        mx_port=port,
        mx_tls=mx_tls,
        ca_files=ca_files,
        limits=limits,
        retry=RETRY,
    )


def by_smtp(server: Server, *, side: Side = Side.PROBER) -> EmailSettings:
    return EmailSettings(
        mail=MailSettings(TARGET),
        senders={SENDER: SenderAccount(SENDER, server, side)},
        limits=LIMITS,
        retry=RETRY,
    )


def launched(
    script: Script,
    names: DnsServer,
    *,
    deadline_seconds: float = 20.0,
    mx_tls: MxTls = MxTls.OPPORTUNISTIC,
    ca_files: tuple[str, ...] = (),
) -> Seen:
    """Launch one canary straight to the scripted mail host."""

    async def main() -> Seen:
        seen = Seen()
        async with scripted(script):
            await probe(by_mx(script.port, mx_tls=mx_tls, ca_files=ca_files), names).launch(
                new(deadline_seconds), seen
            )
        return seen

    return asyncio.run(main())


def names_only(names: DnsServer) -> Observation:
    """Launch one canary that can't get past the names; its last observation."""
    seen = Seen()
    asyncio.run(probe(by_mx(9), names).launch(new(), seen))
    return seen.observations[-1]


def submitted(script: Script, server: Server, *, side: Side = Side.PROBER) -> Seen:
    """Launch one canary by the scripted submission server."""

    async def main() -> Seen:
        seen = Seen()
        async with scripted(script):
            await probe(by_smtp(replace(server, port=script.port), side=side)).launch(new(), seen)
        return seen

    return asyncio.run(main())


def server_context(pair: Pair) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate_path, pair.key_path)
    return context


OWN = Server("localhost", 0, TlsMode.NONE)


@pytest.mark.parametrize(
    ("verb", "answer", "reason"),
    [
        ("RCPT", "550 5.1.1 unknown", Reason.RECIPIENT_UNKNOWN),
        ("RCPT", "552 5.2.2 full", Reason.MAILBOX_FULL),
        ("MAIL", "550 5.7.1 policy", Reason.SENDER_REFUSED),
        ("MAIL", "550 5.4.5 daily limit", Reason.SENDING_LIMIT),
        ("DATA", "554 5.5.1 no", Reason.REJECTED),
        (DOT, "554 5.6.0 no", Reason.REJECTED),
    ],
)
def test_final_refusal__at_any_command__ends_the_launch_with_its_code(
    names: DnsServer, verb: str, answer: str, reason: Reason
) -> None:
    script = Script({verb: [answer]})

    one = launched(script, names).last(Hop.SMTP_ACCEPT)

    assert (one.outcome, one.reason, one.rules_out_ticket) == (Outcome.FAILED, reason, True)
    assert one.facts["intake.smtp.code"] == int(answer[:3])
    assert one.facts["intake.smtp.enhanced_code"] == answer.split()[1]
    assert script.connections == 1


def test_greylisting__is_tried_again_and_accepted_once(names: DnsServer) -> None:
    script = Script({"RCPT": ["451 4.7.1 later", "451 4.7.1 later", "250 ok"]})

    seen = launched(script, names)

    accepts = [one for one in seen.observations if one.hop is Hop.SMTP_ACCEPT]
    assert [(one.attempt, one.reason) for one in accepts] == [
        (1, Reason.DEFERRED),
        (2, Reason.DEFERRED),
        (3, None),
    ]
    assert not any(one.rules_out_ticket for one in accepts)
    assert len(script.mails) == 1


def test_deferral_at_the_final_dot__is_tried_again_with_the_same_bytes(names: DnsServer) -> None:
    script = Script({DOT: ["452 4.2.2 full", "250 2.0.0 ok"]})

    seen = launched(script, names)

    assert script.mails[0] == script.mails[1]
    assert seen.last(Hop.SMTP_ACCEPT).outcome is Outcome.OK


def test_deferral__until_the_deadline__is_given_up_before_it(names: DnsServer) -> None:
    script = Script({"RCPT": ["452 4.2.2 Mailbox is full"]})

    one = launched(script, names, deadline_seconds=0.6).last(Hop.SMTP_ACCEPT)

    assert (one.reason, one.rules_out_ticket) == (Reason.MAILBOX_FULL, True)
    assert one.attempt > 2


@pytest.mark.parametrize(
    ("answer", "reason"), [(CUT, Reason.CONNECTION_LOST), (SILENT, Reason.ANSWER_TIMEOUT)]
)
def test_answer_lost_after_the_final_dot__is_unknown_and_never_sent_again(
    names: DnsServer, answer: str, reason: Reason
) -> None:
    script = Script({DOT: [answer]})

    one = launched(script, names).last(Hop.SMTP_ACCEPT)

    assert (one.outcome, one.reason, one.rules_out_ticket) == (Outcome.UNKNOWN, reason, False)
    assert (len(script.mails), script.connections) == (1, 1)


@pytest.mark.parametrize("answer", ["251 2.1.5 will forward", "200 taken"])
def test_any_positive_answer_to_the_final_dot__is_a_success(names: DnsServer, answer: str) -> None:
    script = Script({DOT: [answer]})

    assert launched(script, names).last(Hop.SMTP_ACCEPT).outcome is Outcome.OK
    assert len(script.mails) == 1


@pytest.mark.parametrize("answer", ["what?", "354 go on"])
def test_words_after_the_final_dot_that_are_no_answer__leave_it_unknown(
    names: DnsServer, answer: str
) -> None:
    script = Script({DOT: [answer]})

    one = launched(script, names).last(Hop.SMTP_ACCEPT)

    assert (one.outcome, one.rules_out_ticket) == (Outcome.UNKNOWN, False)
    assert (len(script.mails), script.connections) == (1, 1)


def test_connection_lost_before_the_mail__is_tried_again(names: DnsServer) -> None:
    script = Script({"RCPT": [CUT, "250 ok"]})

    seen = launched(script, names)

    assert [one.reason for one in seen.observations if one.hop is Hop.SMTP_ACCEPT] == [
        Reason.CONNECTION_LOST,
        None,
    ]
    assert len(script.mails) == 1


def test_connection_always_lost__is_given_up_after_the_allowed_tries(names: DnsServer) -> None:
    script = Script({"MAIL": [CUT]})

    one = launched(script, names).last(Hop.SMTP_ACCEPT)

    assert (one.attempt, one.reason, one.rules_out_ticket) == (2, Reason.CONNECTION_LOST, True)


def test_server_that_accepts_the_connection_and_stays_silent__is_no_connect_timeout(names: DnsServer) -> None:
    names.set("acme.test", "MX", "10 mx1.acme.test.")

    one = launched(Script({"banner": [SILENT]}), names).last(Hop.SMTP_CONNECT)

    assert one.reason is Reason.ANSWER_TIMEOUT
    assert "no greeting" in one.detail


def test_banner_that_refuses_us_for_good__ends_the_launch_at_connect(names: DnsServer) -> None:
    names.set("acme.test", "MX", "10 mx1.acme.test.")

    one = launched(Script({"banner": ["554 5.7.1 no service for you"]}), names).last(Hop.SMTP_CONNECT)

    assert (one.reason, one.rules_out_ticket) == (Reason.SENDER_REFUSED, True)


def test_closed_port__is_refused_after_every_address_and_try(names: DnsServer) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        settings = by_mx(unused.getsockname()[1])
        seen = Seen()
        asyncio.run(probe(settings, names).launch(new(), seen))

    one = seen.last(Hop.SMTP_CONNECT)
    assert (one.reason, one.attempt, one.rules_out_ticket) == (Reason.REFUSED, 2, True)
    assert "mx1.acme.test" in one.detail
    assert "mx2.acme.test" in one.detail


def test_first_mail_host_down__the_next_one_takes_the_mail(names: DnsServer) -> None:
    names.set("mx1.acme.test", "A", "127.0.0.9")

    async def main() -> Seen:
        seen, script = Seen(), Script()
        async with scripted(script, "127.0.0.2"):
            await probe(by_mx(script.port), names).launch(new(), seen)
        return seen

    seen = asyncio.run(main())

    assert seen.last(Hop.SMTP_CONNECT).place.startswith("mx2.acme.test:")
    assert "mx1.acme.test [127.0.0.9]" in seen.last(Hop.SMTP_CONNECT).detail
    assert seen.last(Hop.SMTP_ACCEPT).outcome is Outcome.OK


def test_launch_without_fault__costs_one_connection_and_asks_for_a_dsn(names: DnsServer) -> None:
    script = Script(extensions=["SIZE 1000000", "DSN"])

    seen = launched(script, names)

    assert script.connections == 1
    assert script.verbs() == ["EHLO", "MAIL", "RCPT", "DATA", "QUIT"]
    assert "RET=HDRS ENVID=" in script.commands[1]
    assert find_tokens(script.commands[1]) == find_tokens(script.mails[0].decode()) != ()
    assert f"NOTIFY=FAILURE,DELAY ORCPT=rfc822;{TARGET}" in script.commands[2]
    accept = seen.last(Hop.SMTP_ACCEPT)
    assert (accept.facts["intake.smtp.queue_id"], accept.evidence) == ("4XyZ12", "reported")
    assert [one.outcome for one in seen.observations] == [
        Outcome.OK,
        Outcome.OK,
        Outcome.SKIPPED,
        Outcome.OK,
    ]


@pytest.mark.parametrize(
    ("which", "reason"),
    [("expired", Reason.CERTIFICATE_EXPIRED), ("wrong_name", Reason.CERTIFICATE_WRONG_NAME)],
)
def test_certificate_that_is_not_valid__where_tls_is_required__fails_the_tls_hop(
    names: DnsServer, certificates: Certificates, which: str, reason: Reason
) -> None:
    script = Script(context=server_context(getattr(certificates, which)))
    names.set("acme.test", "MX", "10 mx1.acme.test.")

    one = launched(script, names, mx_tls=MxTls.REQUIRED, ca_files=(str(certificates.ca_path),)).last(
        Hop.SMTP_TLS
    )

    assert (one.reason, one.rules_out_ticket) == (reason, True)
    assert script.mails == []


def test_certificate_that_is_not_valid__where_tls_is_opportunistic__is_a_flaw_of_a_success(
    names: DnsServer, certificates: Certificates
) -> None:
    script = Script(context=server_context(certificates.valid))

    seen = launched(script, names)

    tls = seen.last(Hop.SMTP_TLS)
    assert (tls.outcome, tls.reason) == (Outcome.OK, Reason.CERTIFICATE_INVALID)
    assert len(script.mails) == 1


@pytest.mark.parametrize("answer", ["454 4.7.0 TLS not available", "501 5.5.4 no"])
def test_starttls_that_is_refused__where_tls_is_opportunistic__is_a_flaw_and_the_mail_leaves_without(
    names: DnsServer, certificates: Certificates, answer: str
) -> None:
    script = Script({"STARTTLS": [answer]}, context=server_context(certificates.valid))

    seen = launched(script, names)

    tls = seen.last(Hop.SMTP_TLS)
    assert tls.outcome is Outcome.OK
    assert tls.reason is not None
    assert "without TLS" in tls.detail
    assert seen.last(Hop.SMTP_ACCEPT).outcome is Outcome.OK
    assert len(script.mails) == 1


def test_missing_starttls__where_it_is_required__is_tls_unavailable(names: DnsServer) -> None:
    names.set("acme.test", "MX", "10 mx1.acme.test.")

    one = launched(Script(), names, mx_tls=MxTls.REQUIRED).last(Hop.SMTP_TLS)

    assert (one.reason, one.rules_out_ticket) == (Reason.TLS_UNAVAILABLE, True)


@pytest.mark.parametrize("tls", [TlsMode.STARTTLS, TlsMode.IMPLICIT])
def test_submission_with_tls_and_login__passes_every_hop(certificates: Certificates, tls: TlsMode) -> None:
    script = Script(
        context=server_context(certificates.valid), implicit=tls is TlsMode.IMPLICIT, passwords={"c": "pw"}
    )
    server = Server("localhost", 0, tls, Password("c", Source(["pw"])), (str(certificates.ca_path),))

    seen = submitted(script, server)

    assert [one.outcome for one in seen.observations] == [Outcome.OK] * 5
    assert seen.last(Hop.SMTP_TLS).facts["tls.server.subject"] == "localhost"
    assert script.connections == 1


def test_server_that_keeps_the_connection_after_quit__leaves_no_socket_with_us(
    certificates: Certificates,
) -> None:
    script = Script(context=server_context(certificates.valid), lingers=True)
    with scripted_elsewhere(script):
        server = Server("localhost", script.port, TlsMode.STARTTLS, None, (str(certificates.ca_path),))

        gc.collect()  # what another test left is not this one's
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            asyncio.run(probe(by_smtp(server)).launch(new(), Seen()))
            gc.collect()

    assert [str(one.message) for one in caught] == []


def test_password_that_was_changed__is_read_again_and_tried_once_more() -> None:
    script, source = Script(passwords={"c": "new"}), Source(["old", "new"])

    seen = submitted(script, replace(OWN, credential=Password("c", source)))

    assert seen.last(Hop.SMTP_ACCEPT).outcome is Outcome.OK
    assert source.renewals == 1


def test_password_that_stays_wrong__is_tried_once_and_is_our_own_fault() -> None:
    script, source = Script(passwords={"c": "right"}), Source(["wrong"])

    one = submitted(script, replace(OWN, credential=Password("c", source)), side=Side.TARGET).last(
        Hop.SMTP_AUTH
    )

    assert (one.reason, one.cause_side, one.rules_out_ticket) == (
        Reason.CREDENTIALS_REJECTED,
        Side.PROBER,
        True,
    )
    assert script.verbs().count("AUTH") == 1


def test_token_that_ended__is_renewed() -> None:
    script, source = Script(tokens={"fresh"}), Source(["stale", "fresh"])

    seen = submitted(script, replace(OWN, credential=Bearer("c", source)))

    assert seen.last(Hop.SMTP_AUTH).outcome is Outcome.OK
    assert source.renewals == 1


def test_failure_of_our_own_relay__is_ours_unless_it_is_the_targets() -> None:
    ours = submitted(Script({"RCPT": ["550 5.1.1 unknown"]}), OWN).last(Hop.SMTP_ACCEPT)
    theirs = submitted(Script({"RCPT": ["550 5.1.1 unknown"]}), OWN, side=Side.TARGET).last(Hop.SMTP_ACCEPT)

    assert (ours.cause_side, theirs.cause_side) == (Side.PROBER, Side.TARGET)


@pytest.mark.parametrize(
    ("fault", "reason"), [(Fault.SERVFAIL, Reason.DNS_UNANSWERED), (Fault.SILENT, Reason.DNS_UNANSWERED)]
)
def test_name_servers_that_fail__are_no_answer(names: DnsServer, fault: Fault, reason: Reason) -> None:
    names.fail("acme.test", fault)

    one = names_only(names)

    assert (one.hop, one.reason, one.rules_out_ticket) == (Hop.DNS, reason, True)


@pytest.mark.parametrize(
    ("exchange", "reason"), [("0 .", Reason.DNS_NULL_MX), ("10 nowhere.test.", Reason.DNS_NO_RECORD)]
)
def test_mx_that_leads_nowhere__fails_at_dns(names: DnsServer, exchange: str, reason: Reason) -> None:
    names.set("acme.test", "MX", exchange)

    one = names_only(names)

    assert (one.hop, one.reason, one.rules_out_ticket) == (Hop.DNS, reason, True)


def test_domain_that_does_not_exist__fails_at_dns(names: DnsServer) -> None:
    names.remove("acme.test")

    one = names_only(names)

    assert (one.hop, one.reason, one.facts["intake.dns.rcode"]) == (
        Hop.DNS,
        Reason.DNS_NO_RECORD,
        "NXDOMAIN",
    )


def test_domain_without_mx__is_its_own_mail_host(names: DnsServer) -> None:
    names.remove("acme.test")
    names.set("acme.test", "A", "127.0.0.1")
    script = Script()

    seen = launched(script, names)

    assert seen.last(Hop.SMTP_CONNECT).place == f"acme.test:{script.port}"
    assert "no MX" in seen.last(Hop.DNS).detail


def test_cancelled_launch__leaves_no_connection(names: DnsServer) -> None:
    async def main() -> tuple[Seen, int]:
        seen, script = Seen(), Script({DOT: [SILENT]})
        async with scripted(script), asyncio.TaskGroup() as group:
            work = probe(by_mx(script.port, limits=replace(LIMITS, accept_seconds=30)), names)
            task = group.create_task(work.launch(new(), seen))
            await script.mail_came.wait()
            task.cancel()
        return seen, script.connections

    seen, connections = asyncio.run(main())

    assert Hop.SMTP_ACCEPT not in [one.hop for one in seen.observations]
    assert connections == 1


def test_check__of_a_refused_login__fails_with_the_remedy_and_sends_nothing(
    certificates: Certificates,
) -> None:
    script = Script(context=server_context(certificates.valid), passwords={"c": "right"})
    login = Password("c", Source(["wrong"]))

    async def main() -> Sequence[Check]:
        async with scripted(script):
            server = Server("localhost", script.port, TlsMode.STARTTLS, login, (str(certificates.ca_path),))
            return await probe(by_smtp(server)).check()

    checks = {one.name: one for one in asyncio.run(main())}

    assert checks["smtp.login"].state is CheckState.FAIL
    assert "renew it" in checks["smtp.login"].remedy
    assert checks["tls.certificate"].state is CheckState.OK
    assert "MAIL" not in script.verbs()
