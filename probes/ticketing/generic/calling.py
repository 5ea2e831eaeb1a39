"""Calls to the system: rendered, authorised, within the budgets, and judged by what their answers mean."""

import contextlib
import math
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from probes.contracts import Blind, Budget, Clock
from probes.http_dates import retry_after_seconds
from probes.http_wire import Answer, Request, Wire
from probes.masking import Masker
from probes.origins import SentElsewhere
from probes.servers import SecretUnavailable
from probes.skew import Skew
from probes.ticketing.generic.auth import AuthSettings, Presented, Session, Vault
from probes.ticketing.generic.budgets import Budgets, BudgetSettings
from probes.ticketing.generic.conversions import whole_of
from probes.ticketing.generic.failures import (
    LOGIN_REFUSED,
    REFUSED_AGAIN,
    Means,
    Rule,
    at_key,
    means_of,
    refused,
    said_by,
    short,
    told_by_body,
)
from probes.ticketing.generic.paging import Page, absolute
from probes.ticketing.generic.picking import Pick, Seen, seen_of
from probes.ticketing.generic.requests import Asking
from probes.ticketing.generic.shares import Counted, Shares
from probes.ticketing.generic.templates import Template, Words, compile_template, names_in
from probes.ticketing.generic.trusted import Trusted
from probes.ticketing.shared_calls import OwnCalls, SharedCalls

_NO_MEANS: Final[frozenset[Means]] = frozenset()
MOMENT_SECONDS: Final = 5.0
"""So long a call waits for its window to begin anew: vendors that allow some calls a second, or in ten, are looked at whole."""
_LEAST_WAIT_SECONDS: Final = 0.05
_TURN_WAITS_SECONDS: Final = 15.0
"""So long one look waits at most, in all its calls: a look has twice the time."""
_NOT_SERVED: Final = frozenset({Means.AUTH, Means.FORBIDDEN, Means.GONE})
_SAID: Final = frozenset({Means.AUTH, Means.FORBIDDEN, Means.BAD_REQUEST, Means.THROTTLED})
"""Of these the answer's own short words are quoted: they are about our request, but where that is of one ticket."""


@dataclass(frozen=True, slots=True)
class CallSettings:
    """What all calls have in common.

    Attributes:
        headers: on every call, also those of the log-in.
        failures: what answers mean, before the usual table.
        throttle_after: how long to stay away, where it is not in ``Retry-After``.
        throttle_seconds: how long to stay away where the answer does not say.
    """

    name: str
    url: str
    headers: Mapping[str, Template]
    auth: AuthSettings
    failures: tuple[Rule, ...] = ()
    budget: BudgetSettings = BudgetSettings()  # noqa: RUF009 -- frozen
    throttle_after: Pick | None = None
    throttle_seconds: float = 30.0


class Calls:
    """The way to one system. Calls may run side by side; each is bounded and can be cancelled."""

    def __init__(
        self,
        settings: CallSettings,
        wire: Wire,
        vault: Vault,
        *,
        clock: Clock,
        masker: Masker,
        shared: SharedCalls | None = None,
    ) -> None:
        self._settings = settings
        self._wire = wire
        self._main, self._main_url = wire, settings.url.rstrip("/")
        self._vault = vault
        self._clock = clock
        self._masker = masker
        self._trusted = Trusted(settings.name, settings.url, settings.auth.hosts)
        self._session = Session(settings.auth, vault, self._trusted, clock=clock, masker=masker)
        self._budgets = Budgets(settings.budget, clock)
        self._shares = Shares(settings.budget, self._budgets, shared or OwnCalls(), clock)
        self._turns, self._waits_until = 0, math.inf

    @property
    def skew(self) -> Skew:
        """The system's clock less ours."""
        return self._main.skew

    def budget(self) -> tuple[Budget, ...]:
        """The windows that the answers so far have told of, or that are counted here."""
        return self._shares.seen(self._budgets.windows())

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """One look, or one removal: calls are taken ahead for it, and given back at its end.

        It waits for windows in its first seconds alone: so it ends by itself with what it has read, before whoever is
        waiting for it ends it and has nothing.
        """
        self._turns += 1
        self._waits_until = self._clock.monotonic() + _TURN_WAITS_SECONDS
        try:
            async with self._shares.turn():
                yield
        finally:
            self._turns -= 1
            if not self._turns:
                self._waits_until = math.inf

    def shares(self) -> Sequence[str]:
        """What is kept of which window, in words."""
        return self._shares.states()

    def untold(self) -> Sequence[str]:
        """Keys of windows that no answer has told of."""
        return self._budgets.untold()

    async def call(
        self,
        asking: Asking,
        words: Words,
        *,
        page: Page = Page(),  # noqa: B008 -- frozen
        accept: frozenset[Means] = _NO_MEANS,
    ) -> tuple[Answer, Means]:
        """Make one call; a log-in that is refused is had anew once.

        Args:
            asking: the request.
            words: what its templates may say, besides secrets and the log-in's values.
            page: which page of it.
            accept: what an answer may mean besides `Means.OK`.

        Raises:
            Blind: it means anything else, or there is no answer.
            SecretUnavailable: our credential can't be had.
        """
        presented = await self._session.presented(self._bare)
        answer, means = await self._once(asking, words, page, presented)
        remedy = None
        if means is Means.AUTH and means not in accept:
            # refused before anything was done, so that also a write may be said again
            renewed = await self._session.presented(self._bare, refused=presented)
            answer, means = await self._once(asking, words, page, renewed)
            remedy = REFUSED_AGAIN if means is Means.AUTH and not renewed.is_same(presented) else None
        if means is not Means.OK and means not in accept:
            error = self._refused(answer, means, remedy=remedy, is_quoted=not asking.is_of_a_strangers)
            if means is Means.AUTH:
                await self._session.refuse(error, asking.key)
            raise error
        if means not in {Means.AUTH, Means.FORBIDDEN}:
            self._session.serve(asking.key)
        return answer, means

    async def named(
        self,
        asking: Asking,
        words: Words,
        *,
        page: Page = Page(),  # noqa: B008 -- frozen
        accept: frozenset[Means] = _NO_MEANS,
    ) -> tuple[Answer, Means]:
        """As `call`; a blindness names the key of the configuration that led to it."""
        try:
            return await self.call(asking, words, page=page, accept=accept)
        except Blind as error:
            raise at_key(error, asking.key, self._settings.name) from None

    def seen(self, answer: Answer, asking: Asking) -> Seen:
        """What picks look at; a blindness names the key of the request that was answered.

        Raises:
            Blind: the answer is no JSON.
        """
        try:
            return seen_of(answer)
        except Blind as error:
            raise at_key(error, asking.key, self._settings.name) from None

    async def fetched(self, url: str) -> Answer | None:
        """The answer that a file is the content of; None: it is not served, or at another origin, whither our credential does not go.

        A file that is refused may have expired, or not been scanned yet: that is no word about our credential. Raises
        as `call` otherwise.
        """
        asking = Asking("attachment", "GET", compile_template("/", "attachment", {}))
        try:
            answer, means = await self.call(asking, {}, page=Page(url=url), accept=_NOT_SERVED)
        except SentElsewhere:
            return None
        return answer if means not in _NOT_SERVED else None

    async def end(self) -> None:
        """Log out, if there is a session and a request that ends it; a refusal is no matter."""
        kept, asking = self._session.leave(), self._settings.auth.end
        if kept is not None and asking is not None:
            with contextlib.suppress(Blind, SecretUnavailable):
                await self._once(asking, {}, Page(), kept)
        await self._shares.rest()

    async def _once(
        self, asking: Asking, words: Words, page: Page, presented: Presented
    ) -> tuple[Answer, Means]:
        secrets = await self._vault.words(asking.names | names_in(self._settings.headers))
        known = {**words, **presented.words, "secret": secrets, "page": page.words}
        url = presented.url or self._settings.url
        if url.rstrip("/") != self._main_url:
            self._main, self._main_url = self._wire.at(url), url.rstrip("/")
        linked = page if page.url is None else replace(page, url=self._absolute(page.url, url))
        request = asking.request(known, linked)
        return await self._sent(self._main, asking, self._with(request, known, presented))

    def _absolute(self, link: str, base: str) -> str:
        try:
            return absolute(link, base)
        except ValueError:
            raise SentElsewhere(
                f"{self._settings.name}: the answer tells a link that is no address."
            ) from None

    def _with(self, request: Request, words: Words, presented: Presented | None) -> Request:
        """The request with what every call bears."""
        common = {name: one.text(words) for name, one in self._settings.headers.items()}
        headers = {**common, **request.headers}
        query = request.query
        if presented is not None:
            headers |= presented.headers
            query = [*(request.query or ()), *presented.query.items()] or None
        return replace(request, headers=headers, query=query)

    async def _bare(self, asking: Asking, words: Words) -> Answer:
        """A request of the log-in itself: its address may be another one than the system's."""
        secrets = await self._vault.words(names_in(self._settings.headers))
        known = {**words, "secret": {**secrets, **_mapping(words.get("secret"))}}
        request = self._with(asking.request(known), known, None)
        wire = self._wire
        if "://" in request.path:
            self._trusted.check(
                request.path, asking.key, is_told=any(name == "auth" for name, _ in asking.path.names)
            )
            wire = self._wire.at(request.path)
        try:
            answer, means = await self._sent(wire, asking, request)
        except SentElsewhere as error:
            blind = Blind(str(error))  # of a log-in it is no word about a file
            raise at_key(blind, asking.key, self._settings.name) from None
        except Blind as error:
            raise at_key(error, asking.key, self._settings.name) from None
        if means is not Means.OK:
            is_ours = means in {Means.BAD_REQUEST, Means.FORBIDDEN, Means.AUTH}
            remedy = LOGIN_REFUSED if is_ours else None
            blind = self._refused(answer, Means.AUTH if is_ours else means, remedy=remedy)
            raise at_key(blind, asking.key, self._settings.name)
        return answer

    async def _sent(self, wire: Wire, asking: Asking, request: Request) -> tuple[Answer, Means]:
        counted = await self._admitted()
        accept = [status for status, means in asking.ok.items() if means is not Means.BROKEN]
        answer = await wire.ask(replace(request, accept=accept))
        self._budgets.note(answer)
        await self._shares.heard(counted)
        if answer.status in asking.ok:
            # what the body says is nearer to the truth than what its status usually means here
            special = told_by_body(answer, self._settings.failures)
            return answer, special if special is not None else asking.ok[answer.status]
        return answer, means_of(answer, self._settings.failures)

    async def _admitted(self) -> Counted:
        """Have a call counted; a window that begins anew in a moment is waited for, instead of a look that is cut.

        Raises:
            Blind: nothing of a window is left to us for longer; says until when.
        """
        ends_at = min(self._clock.monotonic() + MOMENT_SECONDS, self._waits_until)
        while True:
            try:
                self._budgets.admit(self._settings.name)
                return await self._shares.admit(self._settings.name)
            except Blind as error:
                wait = error.retry_after_seconds
                is_spent = error.status == HTTPStatus.TOO_MANY_REQUESTS and wait is not None
                if not is_spent or self._clock.monotonic() + (wait or 0.0) > ends_at:
                    raise
                await self._clock.sleep(max(wait or 0.0, _LEAST_WAIT_SECONDS))

    def _refused(
        self, answer: Answer, means: Means, *, remedy: str | None = None, is_quoted: bool = True
    ) -> Blind:
        wait = retry_after_seconds(answer.headers, now=self._clock.now())
        if means is Means.THROTTLED:
            after = self._settings.throttle_after
            if after is not None:
                headers = {name.lower(): one for name, one in answer.headers.items()}
                try:
                    told = whole_of(after.found(Seen(None, None, headers, answer.status)), after.key)
                except Blind:
                    told = None
                wait = float(told) if told is not None else wait
            wait = wait if wait is not None else self._settings.throttle_seconds
        is_error = answer.status >= HTTPStatus.BAD_REQUEST or means is Means.AUTH
        is_said = is_quoted and is_error and means in _SAID
        said = short(self._masker.mask(said_by(answer))) if is_said else ""
        return refused(self._settings.name, answer, means, retry_after_seconds=wait, remedy=remedy, said=said)


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else MappingProxyType({})
