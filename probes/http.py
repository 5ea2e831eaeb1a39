"""The one way to an HTTP API: bounded, verified, authorised, and blind rather than wrong when an answer is not of the contract."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from http import HTTPStatus
from types import MappingProxyType

import httpx

from probes.contracts import Blind, Clock
from probes.http_dates import retry_after_seconds
from probes.http_exchange import Witness
from probes.http_wire import Answer, HttpSettings, Request, Wire, open_wire
from probes.json_answer import Json
from probes.masking import Masker, Secret
from probes.rate_limits import RateLimits
from probes.request_outcome import Asked, meaning_of
from probes.servers import SecretSource
from probes.skew import Skew

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})

Authorise = Callable[[Secret], Mapping[str, str]]
"""Makes the headers that carry a credential."""


class Api:
    """One HTTP API with its credential. Calls may run side by side; each is bounded and can be cancelled."""

    def __init__(
        self,
        wire: Wire,
        settings: HttpSettings,
        *,
        clock: Clock,
        masker: Masker,
        secret: SecretSource,
        authorise: Authorise,
    ) -> None:
        self._wire = wire
        self._settings = settings
        self._clock = clock
        self._masker = masker
        self._secret = secret
        self._authorise = authorise

    @property
    def name(self) -> str:
        """The system's name in the configuration."""
        return self._settings.name

    @property
    def skew(self) -> Skew:
        """The server's clock less ours, by the ``Date`` of the answers so far."""
        return self._wire.skew

    @property
    def rate_limits(self) -> RateLimits:
        """The rate-limit windows by the answers so far."""
        return self._wire.rate_limits

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Json:
        """Read JSON.

        Raises:
            Blind: refused, throttled, down, silent, or no JSON.
            SecretUnavailable: our credential can't be had.
        """
        return (await self.call("GET", path, query=query)).json()

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        headers: Mapping[str, str] = _NO_HEADERS,
        accept: Collection[int] = (),
    ) -> Answer:
        """Make one call; a refused credential is renewed once, a lost connection tried once more if that is safe.

        Args:
            method: the HTTP method.
            path: below the base URL, or an absolute URL of the same origin.
            query: its parameters.
            body: sent as JSON, unless None.
            headers: besides the usual ones.
            accept: statuses outside 2xx that the caller understands.

        Raises:
            Blind: any other status, or no answer in time.
            SecretUnavailable: our credential can't be had.
        """
        pairs = list(query.items()) if query else None
        request = Request(method, path, pairs, json=body, headers=headers, accept=accept)
        try:
            async with self._clock.timeout(self._settings.total_seconds):
                answer = await self._authorised(request)
        except TimeoutError:
            raise Blind(
                f"{self.name}: {self._wire.what(request)} gave no whole answer within"
                f" {self._settings.total_seconds:g} s. Look at the load of the system."
            ) from None
        return self._judged(answer, accept)

    async def _authorised(self, request: Request) -> Answer:
        answer = await self._sent(request, await self._secret.read())
        if answer.status == HTTPStatus.UNAUTHORIZED:
            # refused before anything was done, so that also a write may be said again
            answer = await self._sent(request, await self._secret.read(renew=True))
        return answer

    async def _sent(self, request: Request, secret: Secret) -> Answer:
        self._masker.register(secret)
        headers = {**request.headers, **self._authorise(secret)}
        return await self._wire.exchange(replace(request, headers=headers))

    def _judged(self, answer: Answer, accept: Collection[int]) -> Answer:
        status = answer.status
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES or status in accept:
            return answer
        raise Blind(
            f"{self.name}: {answer.what} answered {status}: {meaning_of(status)}",
            status=status,
            retry_after_seconds=retry_after_seconds(answer.headers, now=self._clock.now()),
        )


@asynccontextmanager
async def open_api(
    settings: HttpSettings,
    *,
    clock: Clock,
    masker: Masker,
    secret: SecretSource,
    authorise: Authorise,
    transport: httpx.AsyncBaseTransport | None = None,
    asked: Asked = lambda _: None,
    witness: Witness | None = None,
) -> AsyncIterator[Api]:
    """An API with its connections, which are closed at the end of the scope. Connects with the first call only.

    Raises:
        OSError, ssl.SSLError: a CA file can't be read.
    """
    async with open_wire(
        settings, clock=clock, masker=masker, transport=transport, asked=asked, witness=witness
    ) as wire:
        yield Api(wire, settings, clock=clock, masker=masker, secret=secret, authorise=authorise)
