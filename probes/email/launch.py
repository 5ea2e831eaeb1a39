"""One launch of one canary: its tries, hop by hop, and when they end."""

import contextlib
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Final

from canary.canary import Canary
from canary.hop import Hop
from canary.observation import Evidence
from canary.reason import Reason, Side
from probes.contracts import Clock, Report
from probes.dns import MailRoute, Resolver
from probes.email.session import Endpoint, Envelope, SmtpSession, open_first
from probes.email.settings import EmailSettings, MxTls, SenderAccount, Via
from probes.hops import HopFailed, Passage, hop
from probes.masking import Masker
from probes.message.addresses import ascii_domain
from probes.message.compose import Dkim, compose, envelope_sender
from probes.reasons import MAPPED, Fault, explain
from probes.selfcheck import ControlProtocol, Question, SideJudge
from probes.servers import Credential, Password, SecretSource, SecretUnavailable, Server, TlsMode
from probes.smtp_replies import SmtpReply, queue_id_of
from probes.tls import Contexts

_DEFERRALS: Final = frozenset({Reason.DEFERRED, Reason.MAILBOX_FULL})
_OF_ONE_HOST: Final = frozenset(
    {
        Reason.CERTIFICATE_INVALID,
        Reason.CERTIFICATE_EXPIRED,
        Reason.CERTIFICATE_WRONG_NAME,
        Reason.TLS_UNAVAILABLE,
        Reason.TLS_FAILED,
    }
)
"""Faults that another mail host of the domain need not have."""
_CERTIFICATE: Final = _OF_ONE_HOST - {Reason.TLS_UNAVAILABLE, Reason.TLS_FAILED}
_LAST_SECOND: Final = 1.0
_RESERVE_SECONDS: Final = 30.0
"""A launch is over so long before its deadline (a quarter of the time, if that is less): what leaves later would
hardly be a ticket in time, and whose fault a silence is must be found out before the deadline look."""

Stage = Callable[..., AbstractAsyncContextManager[Passage]]


class Launch:
    """Sends one canary. The mail is the same in every try; once its final dot may have left there is none."""

    def __init__(
        self,
        settings: EmailSettings,
        canary: Canary,
        report: Report,
        *,
        account: SenderAccount,
        clock: Clock,
        resolver: Resolver,
        contexts: Contexts,
        masker: Masker,
        controls: SideJudge | None,
    ) -> None:
        self._settings = settings
        self._canary = canary
        self._clock = clock
        self._resolver = resolver
        self._contexts = contexts
        self._server = account.server if settings.via is Via.SMTP else None
        self._is_own_relay = self._server is not None and account.side is Side.PROBER
        left_seconds = (canary.deadline_at - clock.now()).total_seconds()
        self._deadline_at = clock.monotonic() + left_seconds
        self._over_at = self._deadline_at - min(_RESERVE_SECONDS, left_seconds / 4)
        self._route: MailRoute | None = None
        self._shunned: set[str] = set()
        self._attempt = 1
        self._unanswered = 0
        self._is_over = False
        self._raw: bytes | None = None
        self._stage: Stage = partial(
            hop,
            canary=canary,
            clock=clock,
            report=report,
            masker=masker,
            side=Side.PROBER if self._is_own_relay else None,
            controls=controls,
            gives_up=self._gives_up,
        )

    async def run(self) -> None:
        """Try until the mail is accepted, perhaps left, or is given up; every try's hops are reported."""
        while True:
            try:
                await self._try()
            except HopFailed:
                if self._is_over:
                    return
                await self._clock.sleep(self._settings.retry.pause_seconds(self._attempt))
                self._attempt += 1
            else:
                return

    async def _try(self) -> None:
        route = await self._names()
        session = await self._connect(route)
        try:
            session = await self._secure(session)
            await self._log_in(session)
            await self._hand_over(session)
            await session.quit()
        except HopFailed as failed:
            if failed.fault.reason in _OF_ONE_HOST or not failed.fault.is_answer:
                self._shunned.add(session.endpoint.host)
            raise
        finally:
            session.close()

    def _limit(self, seconds: float) -> float:
        """A hop's limit, cut when the launch is over, but a second at least."""
        return max(min(seconds, self._over_at - self._clock.monotonic()), _LAST_SECOND)

    def _gives_up(self, fault: Fault) -> bool:
        """Whether the launch ends with this fault, for which nothing has left."""
        retry = self._settings.retry
        if fault.reason not in _DEFERRALS or not fault.is_answer:
            self._unanswered += 1
        others = (
            {host.name for host in self._route.hosts} - self._shunned if self._route is not None else set()
        )
        has_other_host = fault.reason in _OF_ONE_HOST and len(others) > 1
        is_late = self._clock.monotonic() + retry.pause_seconds(self._attempt) >= self._over_at
        self._is_over = (
            (not fault.is_transient and not has_other_host)
            or self._unanswered >= retry.connections
            or is_late
        )
        return self._is_over

    async def _names(self) -> MailRoute:
        if self._route is not None:
            return self._route
        look_up, place = self._look_up()
        async with self._stage(
            Hop.DNS, limit=self._limit(self._settings.limits.dns_seconds), place=place, attempt=self._attempt
        ) as stage:
            stage.question = Question(ControlProtocol.DNS, 53, place, partial(self._fails_again, look_up))
            route = await look_up()
            stage.facts |= route.facts
            names = ", ".join(host.name for host in route.hosts)
            implicit = "no MX, so itself: " if route.is_implicit else ""
            stage.detail = "; ".join([f"{implicit}{names}", *route.unresolved])
        self._route = route
        return route

    def _look_up(self) -> tuple[Callable[[], Awaitable[MailRoute]], str]:
        if self._server is not None:
            return partial(self._resolver.host, self._server.host), self._server.host
        domain = ascii_domain(self._settings.mail.recipient).rpartition("@")[2]
        return partial(self._resolver.mail_hosts, domain), domain

    @property
    def _port(self) -> int:
        return self._server.port if self._server is not None else self._settings.mx_port

    def _endpoints(self, route: MailRoute) -> list[Endpoint]:
        """Every address of every host, best first; hosts that failed in an earlier try come last."""
        hosts = sorted(route.hosts, key=lambda host: host.name in self._shunned)
        name = self._server.host if self._server is not None else None
        return [
            Endpoint(name or host.name, address, self._port) for host in hosts for address in host.addresses
        ]

    async def _connect(self, route: MailRoute) -> SmtpSession:
        endpoints = self._endpoints(route)
        opened: list[SmtpSession] = []
        try:
            async with self._stage(
                Hop.SMTP_CONNECT,
                limit=self._limit(self._settings.limits.connect_seconds),
                place=endpoints[0].place,
                attempt=self._attempt,
            ) as stage:
                again = partial(self._fails_again, partial(self._open_and_close, endpoints))
                stage.question = Question(ControlProtocol.SMTP, self._port, endpoints[0].place, again)

                def waiting_for(reason: Reason) -> None:
                    stage.limit_reason = reason

                session, failed = await self._open(endpoints, waiting_for)
                opened.append(session)
                stage.place = session.endpoint.place
                stage.facts |= session.endpoint.facts
                stage.detail = "; ".join(failed)
        except BaseException:
            for session in opened:
                session.close()
            raise
        return opened[0]

    async def _open(
        self, endpoints: list[Endpoint], waiting_for: Callable[[Reason], None] = lambda _: None
    ) -> tuple[SmtpSession, tuple[str, ...]]:
        helo_name = self._settings.helo_name or ascii_domain(self._canary.sender).rpartition("@")[2]
        return await open_first(
            endpoints,
            tls=self._server.tls if self._server is not None else TlsMode.STARTTLS,
            clock=self._clock,
            limits=self._settings.limits,
            helo_name=helo_name,
            waiting_for=waiting_for,
        )

    async def _open_and_close(self, endpoints: list[Endpoint]) -> None:
        session, _ = await self._open(endpoints)
        session.close()

    async def _fails_again(self, action: Callable[[], Awaitable[object]]) -> bool:
        """The second try from a fresh connection, at most until the deadline: whether it fails too."""
        left_seconds = max(self._deadline_at - self._clock.monotonic(), _LAST_SECOND)
        try:
            async with self._clock.timeout(min(left_seconds, self._settings.limits.connect_seconds)):
                await action()
        except MAPPED:
            return True
        return False

    def _question(self, session: SmtpSession) -> Question:
        return Question(ControlProtocol.SMTP, self._port, session.endpoint.place)

    async def _secure(self, session: SmtpSession) -> SmtpSession:
        """TLS as the server or the way to the MX demands it; returns the session to go on with."""
        current = [session]
        try:
            async with self._stage(
                Hop.SMTP_TLS,
                limit=self._limit(self._settings.limits.tls_seconds),
                place=session.endpoint.place,
                attempt=self._attempt,
            ) as stage:
                stage.question = self._question(session)
                if self._server is not None:
                    await self._secure_own(session, self._server, stage)
                else:
                    await self._secure_mx(current, stage)
        except BaseException:
            current[0].close()
            raise
        return current[0]

    async def _secure_own(self, session: SmtpSession, server: Server, stage: Passage) -> None:
        ca_files = tuple(server.ca_files)
        match server.tls:
            case TlsMode.IMPLICIT:
                stage.facts |= await session.secure_at_once(self._contexts.verified(ca_files))
            case TlsMode.STARTTLS:
                stage.facts |= await session.starttls(self._contexts.verified(ca_files))
            case TlsMode.NONE:
                stage.is_skipped = True

    async def _secure_mx(self, current: list[SmtpSession], stage: Passage) -> None:
        session, policy = current[0], self._settings.mx_tls
        if policy is MxTls.NONE or (policy is MxTls.OPPORTUNISTIC and not session.offers_starttls):
            stage.is_skipped = True
            stage.detail = "" if policy is MxTls.NONE else "the server does not offer STARTTLS"
            return
        is_opportunistic = policy is MxTls.OPPORTUNISTIC
        try:
            stage.facts |= await session.starttls(self._contexts.verified(self._settings.ca_files))
        except MAPPED as error:
            fault = explain(error)
            if not is_opportunistic or fault is None:
                raise
            # Most customers' providers deliver all the same (RFC 7435), so it is a flaw: again, unverified or plain.
            session.close()
            current[0], _ = await self._open([session.endpoint])
            stage.flaw, stage.detail = fault.reason, fault.detail
            if fault.reason in _CERTIFICATE:
                stage.facts |= await current[0].starttls(self._contexts.unverified())
            else:
                stage.detail = f"went on without TLS: {fault.detail}"

    async def _log_in(self, session: SmtpSession) -> None:
        credential: Credential | None = self._server.credential if self._server is not None else None
        if credential is None and self._server is None:
            return
        if credential is not None:
            await _have(credential.secret if isinstance(credential, Password) else credential.tokens)
        async with self._stage(
            Hop.SMTP_AUTH,
            limit=self._limit(self._settings.limits.auth_seconds),
            place=session.endpoint.place,
            attempt=self._attempt,
        ) as stage:
            stage.question = self._question(session)
            if credential is None:
                stage.is_skipped = True
            else:
                await session.login(credential)

    async def _hand_over(self, session: SmtpSession) -> None:
        if self._settings.dkim is not None:
            await _have(self._settings.dkim.key)
        async with self._stage(
            Hop.SMTP_ACCEPT,
            limit=self._limit(self._settings.limits.accept_seconds),
            place=session.endpoint.place,
            attempt=self._attempt,
        ) as stage:
            stage.question = self._question(session)
            stage.evidence = Evidence.REPORTED
            envelope = Envelope(
                ascii_domain(envelope_sender(self._canary, self._settings.mail)),
                ascii_domain(self._settings.mail.recipient),
                self._canary.token,  # a bounce that returns nothing else is known by it
                await self._mail(),
            )

            def leaving() -> None:
                stage.perhaps_left = True
                self._is_over = True  # unless a refusal says that it was not taken: see `_gives_up`

            answer = await session.submit(envelope, leaving=leaving)
            reply = SmtpReply(answer.code, answer.message)
            stage.facts["intake.smtp.code"] = answer.code
            if reply.enhanced_code:
                stage.facts["intake.smtp.enhanced_code"] = reply.enhanced_code
            if queue_id := queue_id_of(answer.message):
                stage.facts["intake.smtp.queue_id"] = queue_id
            stage.detail = f"{answer.code} {reply.text}"

    async def _mail(self) -> bytes:
        if self._raw is None:
            signing = self._settings.dkim
            dkim = (
                Dkim(signing.domain, signing.selector, await signing.key.read())
                if signing is not None
                else None
            )
            self._raw = compose(self._canary, self._settings.mail, dkim=dkim)
        return self._raw


async def _have(secret: SecretSource) -> None:
    """Fetch a secret before the hop that needs it: how long that takes is no word about the server.

    Most sources keep what they fetched. One that can't be had is told by the hop, which asks again.
    """
    with contextlib.suppress(SecretUnavailable):
        await secret.read()
