"""One launch of one canary by plain HTTP, hop by hop: one try, one post."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Final

import httpx
from anyio.lowlevel import checkpoint

from canary.canary import Canary
from canary.hop import Hop
from canary.observation import Evidence
from canary.reason import Reason, Side
from probes.contracts import Report
from probes.form import judging
from probes.form.confirmation import compare, page_of
from probes.form.exchange import REPOSTS, Answer, Exchange
from probes.form.filling import Outgoing
from probes.form.identity import Identity, fetch_ahead, identity_of, renew
from probes.form.origin import HTTPS, Origin, shown
from probes.form.parts import Parts, accepted
from probes.form.settings import HtmlForm
from probes.form.submission import Said, direct_post, form_post, is_signed, said
from probes.form.wire import Wire
from probes.hops import HopFailed, Passage, hop
from probes.reasons import MAPPED, Fault
from probes.selfcheck import ControlProtocol, Question, SideJudge

_REFUSALS: Final = frozenset(
    {
        Reason.REJECTED,
        Reason.FORM_REJECTED,
        Reason.CREDENTIALS_REJECTED,
        Reason.RATE_LIMITED,
        Reason.CHALLENGED,
    }
)
"""Answers to the post by which it was not taken. Whatever else goes wrong from then on, a ticket may come."""
_LAST_SECOND: Final = 1.0
_RESERVE_SECONDS: Final = 30.0
"""A launch is over so long before its deadline (a quarter of the time, if that is less), as an e-mail's is."""

Stage = Callable[..., AbstractAsyncContextManager[Passage]]


class Launch:
    """Sends one canary, once.

    There is no second try: where a customer's browser would show an error, the canary has failed. What has begun to
    be posted is never posted again, whatever becomes of its answer.
    """

    def __init__(self, parts: Parts, canary: Canary, report: Report, *, controls: SideJudge | None) -> None:
        self._parts = parts
        self._settings = parts.settings
        self._limits = parts.settings.limits
        self._canary = canary
        self._clock = parts.clock
        self._origin = Origin.of(parts.settings.url)
        left_seconds = (canary.deadline_at - parts.clock.now()).total_seconds()
        self._over_at = parts.clock.monotonic() + left_seconds - min(_RESERVE_SECONDS, left_seconds / 4)
        self._has_left = False
        self._stage: Stage = partial(
            hop,
            canary=canary,
            clock=parts.clock,
            report=report,
            masker=parts.masker,
            controls=controls,
            gives_up=self._gives_up,
        )

    async def run(self) -> None:
        """Pass the hops until one fails; each is reported as it happens."""
        try:
            await self._try()
        except HopFailed as failed:
            if failed.fault.reason is Reason.CREDENTIALS_REJECTED:
                await renew(self._settings)

    async def _try(self) -> None:
        # The first in a process loads what connections need: 0.1 s that are no word about the server.
        await checkpoint()
        wire = await self._names()
        try:
            await self._connect(wire)
            await self._secure(wire)
            await fetch_ahead(self._settings)
            await self._exchange(wire)
        finally:
            await wire.aclose()

    def _limit(self, seconds: float) -> float:
        """A hop's limit, cut when the launch is over, but a second at least."""
        return max(min(seconds, self._over_at - self._clock.monotonic()), _LAST_SECOND)

    def _gives_up(self, fault: Fault) -> bool:
        """Whether no ticket can come of it: nothing has left, or the post was refused by its status."""
        return not self._has_left or (fault.is_answer and fault.reason in _REFUSALS)

    async def _names(self) -> Wire:
        # By a proxy, it is the proxy's name that we look up, and its failure is ours.
        side = Side.PROBER if self._settings.proxy is not None else None
        async with self._stage(
            Hop.DNS, limit=self._limit(self._limits.dns_seconds), place=self._origin.host, side=side
        ) as stage:
            wire = await self._parts.wire()
            stage.place = wire.first_place(self._origin).host
            again = partial(self._fails_again, partial(wire.look_up_again, self._origin))
            stage.question = Question(ControlProtocol.DNS, 53, stage.place, again)
            route = await wire.look_up(self._origin)
            stage.facts |= route.facts
            stage.detail = ", ".join(one for found in route.hosts for one in found.addresses)
        return wire

    async def _connect(self, wire: Wire) -> None:
        async with self._stage(
            Hop.FORM_CONNECT, limit=self._limit(self._limits.connect_seconds), place=self._origin.place
        ) as stage:
            again = partial(self._fails_again, partial(wire.connect_again, self._origin))
            stage.question = self._question(again)
            if self._settings.proxy is not None:
                stage.detail = f"by the proxy {wire.first_place(self._origin).place}"
            stage.facts |= await wire.connect(self._origin)

    async def _secure(self, wire: Wire) -> None:
        async with self._stage(
            Hop.FORM_TLS, limit=self._limit(self._limits.tls_seconds), place=self._origin.place
        ) as stage:
            if self._origin.scheme != HTTPS:
                stage.is_skipped = True
            else:
                stage.question = self._question()
                stage.facts |= await wire.secure(self._origin)

    def _question(self, try_again: Callable[[], Awaitable[bool]] | None = None) -> Question | None:
        if self._settings.proxy is not None:
            return None  # the controls are asked without the proxy: what it loses they can't judge
        return Question(ControlProtocol.HTTPS, self._origin.port, self._origin.place, try_again)

    async def _fails_again(self, action: Callable[[], Awaitable[object]]) -> bool:
        """The second try: whether it fails too."""
        try:
            async with self._clock.timeout(self._limit(self._limits.connect_seconds)):
                await action()
        except MAPPED:
            return True
        return False

    async def _exchange(self, wire: Wire) -> None:
        limits = self._limits
        is_page = isinstance(self._settings.submission, HtmlForm)
        seconds = limits.write_seconds + limits.read_seconds
        if is_page:
            seconds += limits.read_seconds + self._settings.pace_seconds
        async with self._stage(
            Hop.FORM_SUBMIT, limit=self._limit(seconds), place=self._origin.place
        ) as stage:
            stage.question = self._question()
            stage.evidence = Evidence.REPORTED
            identity = await identity_of(self._settings, self._parts.contexts)
            what = await said(self._canary, self._settings)
            exchange = Exchange(wire, self._settings, identity, headers=accepted(is_page=is_page))
            exchange.traceparent = self._traceparent(Hop.FORM_SUBMIT)
            response = await self._submit(stage, exchange, identity, what)
        async with self._stage(
            Hop.FORM_CONFIRMATION,
            limit=self._limit(limits.confirmation_seconds),
            place=self._origin.place,
            gives_up=_never,
        ) as stage:
            stage.question = self._question()
            stage.evidence = Evidence.REPORTED
            stage.perhaps_left = True
            stage.limit_reason = Reason.PAGE_TIMEOUT
            exchange.traceparent = self._traceparent(Hop.FORM_CONFIRMATION)
            await self._confirm(stage, exchange, response, what)

    async def _submit(
        self, stage: Passage, exchange: Exchange, identity: Identity, what: Said
    ) -> httpx.Response:
        """The page with the form, where there is one, and the post up to the header of its answer.

        The page belongs to this hop: a customer who sends a request by a form first gets the form, and the
        connection's hops tell of the connection alone. As long as no byte of the post has left, no ticket can come.
        """
        settings, headers = self._settings, self._marks()
        if isinstance(settings.submission, HtmlForm):
            answer = await self._page(stage, exchange, identity)
            base = answer.url
            page = page_of(answer)
            with judging.another_page(answer, page):
                post = form_post(settings.submission, settings, what, page)
            url = exchange.allowed(post.target, base=base)
            # A browser tells where a form stood; servers that guard against forged requests ask for it.
            headers |= {"Referer": _referer(base, url), "Origin": _web_origin(base)}
            await self._clock.sleep(settings.pace_seconds)
        else:
            post = await direct_post(
                settings.submission, settings, what, canary=self._canary, now=self._clock.now()
            )
            url = httpx.URL(post.target)
        stage.limit_reason = None
        response = await self._post(stage, exchange, post, url, headers)
        if response.status_code in REPOSTS and response.headers.get("location"):
            await response.aclose()
            raise judging.posted_elsewhere(response)
        if not judging.is_taken(settings.confirmation, response.status_code):
            answer = await exchange.read(response)
            shows = identity.shows_credentials(Origin.of(url)) or is_signed(settings.submission)
            raise judging.refused(answer, tuple(what.fields), shows_credentials=shows)
        return response

    async def _page(self, stage: Passage, exchange: Exchange, identity: Identity) -> Answer:
        stage.limit_reason = Reason.PAGE_TIMEOUT
        began = self._clock.monotonic()
        async with self._clock.timeout(self._limits.read_seconds):
            answer = await exchange.page(httpx.URL(self._settings.url))
        judging.check_page(answer, shows_credentials=identity.shows_credentials(Origin.of(answer.url)))
        stage.detail = f"page {answer.status} in {self._clock.monotonic() - began:.3f} s"
        return answer

    async def _post(
        self, stage: Passage, exchange: Exchange, post: Outgoing, url: httpx.URL, headers: dict[str, str]
    ) -> httpx.Response:
        def leaving() -> None:
            stage.perhaps_left = self._has_left = True

        began = self._clock.monotonic()
        stage.facts |= {"http.request.method": post.method, "url.full": shown(url)}
        # Limits of its own: what the page left of the hop's time is not lent to the post.
        async with self._clock.timeout(self._limits.write_seconds + self._limits.read_seconds):
            response = await exchange.post(
                post.method, url, content=post.content, headers={**headers, **post.headers}, leaving=leaving
            )
        seconds = self._clock.monotonic() - began
        stage.facts["http.response.status_code"] = response.status_code
        stage.facts["network.protocol.name"] = "http"
        stage.facts["network.protocol.version"] = response.http_version.removeprefix("HTTP/")
        told = f"{post.method} {response.status_code} in {seconds:.3f} s"
        stage.detail = "; ".join(filter(None, (stage.detail, told)))
        return response

    async def _confirm(
        self, stage: Passage, exchange: Exchange, response: httpx.Response, what: Said
    ) -> None:
        """The rest of the answer, the pages that it leads to, and whether they are the confirmation."""
        answer = await exchange.landing(response)
        page = page_of(answer)
        finding = compare(self._settings.confirmation, answer, page)
        failure = judging.unconfirmed(self._settings, answer, page, finding, tuple(what.fields))
        if failure is not None:
            raise failure
        stage.facts |= answer.facts
        stage.detail = f"ticket {finding.ticket}" if finding.ticket else ""
        if finding.ticket:
            stage.facts["intake.ticket.id"] = finding.ticket

    def _traceparent(self, hop: Hop) -> str:
        return self._canary.traceparent(hop) if self._settings.propagate else ""

    def _marks(self) -> dict[str, str]:
        """What the post bears for those who could otherwise take it twice."""
        marks: dict[str, str] = {}
        if self._settings.idempotency_header is not None:
            # The draft (draft-ietf-httpapi-idempotency-key-header) quotes the key; the services that know it don't.
            marks[self._settings.idempotency_header] = self._canary.token
        return marks


def _never(_fault: Fault) -> bool:
    """Whatever a page says once the post was taken, only the ticketing system knows."""
    return False


def _referer(page: httpx.URL, target: httpx.URL) -> str:
    """Where the form stood, as browsers tell it (Referrer Policy, ``strict-origin-when-cross-origin``).

    The whole address, whose query may hold what is nobody else's business, to the same origin only.
    """
    if Origin.of(page) == Origin.of(target):
        return str(page.copy_with(fragment=None, userinfo=b""))
    return f"{_web_origin(page)}/"


def _web_origin(url: httpx.URL) -> str:
    """The origin as the header field of that name has it (RFC 6454 section 7)."""
    return str(url.copy_with(path="/", query=None, fragment=None, userinfo=b"")).rstrip("/")
