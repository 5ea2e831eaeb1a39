"""What `intake-prober check` tries of an e-mail path: everything up to, but without, MAIL."""

from collections.abc import Sequence
from types import MappingProxyType
from typing import Final

from canary.observation import Fact
from canary.reason import CAUSES, Reason
from probes.checklist import Checklist, Step, StepFailed
from probes.contracts import Check, CheckState, Clock
from probes.dns import MailHost, Resolver
from probes.email.session import Endpoint, SmtpSession, open_first
from probes.email.settings import EmailSettings, MxTls, Via
from probes.mail_dns import MailDnsExpectation, check_mail_dns
from probes.masking import Masker
from probes.message.addresses import ascii_domain
from probes.servers import Server, TlsMode
from probes.tls import Contexts


async def check_path(
    settings: EmailSettings, *, clock: Clock, resolver: Resolver, contexts: Contexts, masker: Masker
) -> Sequence[Check]:
    """Try each sender's server (or the target's mail hosts) up to the login, and the target's DNS records."""
    checks: list[Check] = []
    if settings.via is Via.SMTP:
        for account in settings.senders.values():
            if account.server is None:
                checks.append(
                    Check(
                        account.address, "smtp.server", CheckState.FAIL, "no smtp server", "Add `smtp` to it."
                    )
                )
                continue
            checks += await _check_server(
                account.address,
                account.server,
                settings=settings,
                clock=clock,
                resolver=resolver,
                contexts=contexts,
                masker=masker,
            )
    else:
        checks += await _check_mx(settings, clock=clock, resolver=resolver, contexts=contexts, masker=masker)
    expectation = MailDnsExpectation(
        must_have_mx=settings.via is Via.MX, dkim_selectors=settings.dkim_selectors
    )
    domain = ascii_domain(settings.mail.recipient).rpartition("@")[2]
    checks += await check_mail_dns(domain, expectation, resolver=resolver)
    return checks


_OF_OUR_ACCOUNT: Final = MappingProxyType(
    {
        Reason.DNS_NO_RECORD: "Correct the `host` of the account's `smtp`: no such name is known.",
        Reason.DNS_UNANSWERED: "Look at this machine's resolver: nobody answers for the `host` of the account's `smtp`.",
        Reason.REFUSED: "Correct `host` and `port` of the account's `smtp`, or look at its server.",
        Reason.CONNECT_TIMEOUT: "Correct `host` and `port` of the account's `smtp`, or look at the way there.",
        Reason.TLS_UNAVAILABLE: "Correct `tls` of the account's `smtp`: another port may want `implicit`.",
        Reason.TLS_FAILED: "Correct `port` and `tls` of the account's `smtp`: they belong together.",
        Reason.CERTIFICATE_INVALID: "Name the CA of the account's server under `ca`, or have its chain completed.",
        Reason.CERTIFICATE_WRONG_NAME: "Correct the `host` of the account's `smtp`: it must be a name in its certificate.",
    }
)
"""What helps where it is our own account's server, and not the target."""


async def _check_server(
    address: str,
    server: Server,
    *,
    settings: EmailSettings,
    clock: Clock,
    resolver: Resolver,
    contexts: Contexts,
    masker: Masker,
) -> Sequence[Check]:
    limits = settings.limits
    lines = Checklist(f"{address} via {server.address}", clock=clock, masker=masker, remedies=_OF_OUR_ACCOUNT)
    opened: list[SmtpSession] = []
    try:
        async with lines.step("smtp.connect", limits.dns_seconds + limits.connect_seconds) as step:
            hosts = (await resolver.host(server.host)).hosts
            endpoints = [Endpoint(server.host, one, server.port) for host in hosts for one in host.addresses]
            session, failed = await open_first(
                endpoints,
                tls=server.tls,
                clock=clock,
                limits=limits,
                helo_name=settings.helo_name or ascii_domain(address).rpartition("@")[2],
            )
            opened.append(session)
            _note_failed(step, failed, f"connected to {session.endpoint.address}")
        if server.tls is not TlsMode.NONE:
            async with lines.step("smtp.tls", limits.tls_seconds) as step:
                context = contexts.verified(tuple(server.ca_files))
                implicit = server.tls is TlsMode.IMPLICIT
                facts = dict(await (session.secure_at_once if implicit else session.starttls)(context))
                step.finding = _tls_finding(facts)
            lines.certificate(facts, clock.now())
        if server.credential is not None:
            async with lines.step("smtp.login", limits.auth_seconds) as step:
                await session.login(server.credential)
                step.finding = f"logged in as {server.credential.username}"
        await session.quit()
    except StepFailed:
        pass
    finally:
        for session in opened:
            session.close()
    return lines.checks


async def _check_mx(
    settings: EmailSettings, *, clock: Clock, resolver: Resolver, contexts: Contexts, masker: Masker
) -> Sequence[Check]:
    domain = ascii_domain(settings.mail.recipient).rpartition("@")[2]
    lines = Checklist(domain, clock=clock, masker=masker)
    hosts: tuple[MailHost, ...] = ()
    try:
        async with lines.step("dns.route", settings.limits.dns_seconds) as step:
            route = await resolver.mail_hosts(domain)
            hosts = route.hosts
            _note_failed(
                step, route.unresolved, ", ".join(f"{host.preference} {host.name}" for host in hosts)
            )
    except StepFailed:
        pass
    checks = lines.checks
    for host in hosts:
        checks += await _check_mail_host(
            host, settings=settings, clock=clock, contexts=contexts, masker=masker
        )
    return checks


async def _check_mail_host(
    host: MailHost, *, settings: EmailSettings, clock: Clock, contexts: Contexts, masker: Masker
) -> Sequence[Check]:
    limits = settings.limits
    lines = Checklist(f"{host.name}:{settings.mx_port}", clock=clock, masker=masker)
    sender = next(iter(settings.senders), "")
    opened: list[SmtpSession] = []
    try:
        async with lines.step("smtp.connect", limits.connect_seconds) as step:
            session, failed = await open_first(
                [Endpoint(host.name, address, settings.mx_port) for address in host.addresses],
                tls=TlsMode.STARTTLS,
                clock=clock,
                limits=limits,
                helo_name=settings.helo_name or ascii_domain(sender).rpartition("@")[2],
            )
            opened.append(session)
            _note_failed(step, failed, f"connected to {session.endpoint.address}")
        if settings.mx_tls is not MxTls.NONE:
            optional = settings.mx_tls is MxTls.OPPORTUNISTIC
            async with lines.step("smtp.tls", limits.tls_seconds) as step:
                step.is_optional = optional
                if optional and not session.offers_starttls:
                    step.state, step.finding = CheckState.WARN, "STARTTLS is not offered"
                    step.remedy = CAUSES[Reason.TLS_UNAVAILABLE].remedy
                    facts = {}
                else:
                    facts = dict(await session.starttls(contexts.verified(settings.ca_files)))
                    step.finding = _tls_finding(facts)
            lines.certificate(facts, clock.now())
        await session.quit()
    except StepFailed:
        pass
    finally:
        for session in opened:
            session.close()
    return lines.checks


def _note_failed(step: Step, failed: Sequence[str], finding: str) -> None:
    step.finding = "; ".join([finding, *failed])
    if failed:
        step.state, step.remedy = CheckState.WARN, "Not every address answers: look at those named."


def _tls_finding(facts: dict[str, Fact]) -> str:
    return f"TLS {facts.get('tls.protocol.version', '?')}, {facts.get('tls.cipher', '?')}"
