"""How we are known to the system: fixed header fields, or a log-in before the first call, renewed when it ends."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from probes.contracts import Blind, Clock
from probes.http_wire import Answer
from probes.masking import Masker, Secret
from probes.oauth import ASSUMED_LIFETIME_SECONDS, MARGIN_SECONDS, MARGIN_SHARE
from probes.oauth_grants import seconds_of
from probes.passing_secrets import PassingSecrets
from probes.servers import SecretSource, SecretUnavailable
from probes.ticketing.generic.backoff import Backoff
from probes.ticketing.generic.conversions import text_of
from probes.ticketing.generic.failures import at_key
from probes.ticketing.generic.picking import Pick, seen_of
from probes.ticketing.generic.requests import Asking
from probes.ticketing.generic.templates import Shape, Template, Words, filled, names_in
from probes.ticketing.generic.trusted import Trusted

_LIFETIME: Final = "lifetime"
_URL: Final = "url"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request of a log-in, and what is taken of its answer by a name of ours."""

    asking: Asking
    take: Mapping[str, Pick]


@dataclass(frozen=True, slots=True)
class JwtSettings:
    """A signed assertion (RFC 7519), made anew for each log-in.

    Attributes:
        claims: ``iat`` and ``exp`` are added.
        lifetime_seconds: from now to ``exp``.
    """

    algorithm: str
    key: SecretSource
    claims: Mapping[str, Shape]
    headers: Mapping[str, str]
    lifetime_seconds: float


@dataclass(frozen=True, slots=True)
class AuthSettings:
    """How we are known.

    Attributes:
        headers, query: what every call bears.
        exchanges: the requests of a log-in, in their order; none: there is nothing to log in to.
        lifetime_seconds: of a log-in whose answer doesn't tell it; None: it is used until it is refused.
        end: the request that ends a session, when the prober stops.
        hosts: ends of host names that a log-in may send us on to, besides the configured one.
    """

    headers: Mapping[str, Template] = field(default_factory=lambda: MappingProxyType({}))
    query: Mapping[str, Template] = field(default_factory=lambda: MappingProxyType({}))
    exchanges: tuple[Exchange, ...] = ()
    jwt: JwtSettings | None = None
    lifetime_seconds: float | None = None
    end: Asking | None = None
    hosts: tuple[str, ...] = ()

    @property
    def names(self) -> frozenset[tuple[str, str]]:
        """All that its templates need."""
        parts = (self.headers, self.query, self.jwt.claims if self.jwt is not None else None)
        asked = (one.asking.names for one in self.exchanges)
        return frozenset().union(*(names_in(one) for one in parts), *asked)


@dataclass(frozen=True, slots=True)
class Presented:
    """What a call bears.

    Attributes:
        generation: counts log-ins, so that a refusal can name the one that was refused.
        url: where the system is, if the log-in says so; None: as configured.
    """

    headers: Mapping[str, str]
    query: Mapping[str, str]
    words: Words
    generation: int
    url: str | None = None

    def is_same(self, other: "Presented") -> bool:
        """Whether a call bears the same: nothing was renewed."""
        return (self.headers, self.query, self.words, self.url) == (
            other.headers,
            other.query,
            other.words,
            other.url,
        )


Ask = Callable[[Asking, Words], Awaitable[Answer]]
"""Makes one request without any credential of ours, and raises `Blind` where it is refused."""


class Vault:
    """The configured secrets, read when they are needed."""

    def __init__(self, sources: Mapping[str, SecretSource], masker: Masker) -> None:
        self._sources = sources
        self._masker = masker

    async def words(self, names: frozenset[tuple[str, str]], *, renew: bool = False) -> Mapping[str, str]:
        """The secrets that templates name as ``secret.…``.

        Raises:
            SecretUnavailable: one can't be had.
        """
        wanted = sorted(part for name, part in names if name == "secret")
        found = {one: await self._sources[one].read(renew=renew) for one in wanted}
        return {name: self._masker.register(one).reveal() for name, one in found.items()}


class Session:
    """The log-in of the day. Several calls may ask for it at once: one logs in, the others take what it brought."""

    def __init__(
        self, settings: AuthSettings, vault: Vault, trusted: Trusted, *, clock: Clock, masker: Masker
    ) -> None:
        self._settings = settings
        self._vault = vault
        self._trusted = trusted
        self._backoff = Backoff(clock)
        self._generation = 0
        self._passing = PassingSecrets(masker, clock)
        self._clock = clock
        self._masker = masker
        self._lock = asyncio.Lock()
        self._kept: Presented | None = None
        self._renew_at: float | None = None

    async def presented(self, ask: Ask, *, refused: Presented | None = None) -> Presented:
        """What a call bears now; ``refused``: what the system has refused, so that it is had anew.

        Raises:
            Blind: the log-in is refused, or answers without what is to be taken of it.
            SecretUnavailable: a secret of ours can't be had.
        """
        async with self._lock:
            if self._backoff.is_waiting:
                self._backoff.check(await self._credential())
                self._kept = None  # what it was made of has changed
            if self._kept is not None and not self._is_over(refused):
                return self._kept
            self._kept = None
            self._generation += 1
            renew = refused is not None or self._backoff.has_failed
            try:
                self._kept = await self._logged_in(ask, self._generation, renew=renew)
            except Blind as error:
                if error.status == HTTPStatus.UNAUTHORIZED:
                    self._backoff.refuse(await self._credential(), error)
                raise
            return self._kept

    async def refuse(self, error: Blind, key: str) -> None:
        """Note that a call of this kind was refused whatever we did."""
        self._backoff.refuse(await self._credential(), error, key=key)

    def serve(self, key: str) -> None:
        """Note that a call of this kind was served."""
        self._backoff.serve(key)

    def leave(self) -> Presented | None:
        """Forget the log-in; what it was, if there is one, so that it can be ended."""
        kept, self._kept = self._kept, None
        return kept

    async def _credential(self) -> Hashable:
        """Whether two are equal says whether the secrets have changed; it is kept in memory only."""
        words = dict(await self._vault.words(self._settings.names))
        if self._settings.jwt is not None:
            words["jwt key"] = (await self._settings.jwt.key.read()).reveal()
        return hash(tuple(sorted(words.items())))

    def _is_over(self, refused: Presented | None) -> bool:
        kept = self._kept
        if refused is not None and kept is not None and refused.generation == kept.generation:
            return True
        return self._renew_at is not None and self._clock.monotonic() >= self._renew_at

    async def _logged_in(self, ask: Ask, generation: int, *, renew: bool) -> Presented:
        settings = self._settings
        asked_at = self._clock.monotonic()
        self._passing.replace()
        auth: dict[str, object] = {}
        if settings.jwt is not None:
            auth["jwt"] = await self._assertion(settings.jwt, renew=renew)
        for exchange in settings.exchanges:
            secrets = await self._vault.words(exchange.asking.names, renew=renew)
            answer = await ask(exchange.asking, {"auth": dict(auth), "secret": secrets})
            auth |= self._taken(exchange, answer)
        url = text_of(auth.pop(_URL, None), "url")
        if url is not None:
            self._trusted.check(url, "auth")
        self._renew_at = self._renewal(asked_at, auth.pop(_LIFETIME, None))
        parts = {**settings.headers, **settings.query}
        secrets = await self._vault.words(names_in(parts), renew=renew)
        words: Words = {"auth": auth, "secret": secrets}
        headers = {name: self._shown(one, words) for name, one in settings.headers.items()}
        query = {name: self._shown(one, words) for name, one in settings.query.items()}
        return Presented(headers, query, {"auth": auth}, generation, url)

    def _taken(self, exchange: Exchange, answer: Answer) -> Mapping[str, object]:
        try:
            seen = seen_of(answer)
        except Blind as error:
            raise at_key(error, exchange.asking.key, answer.name) from None
        taken: dict[str, object] = {}
        for name, pick in exchange.take.items():
            value = pick.found(seen)
            if value in (None, "") and name != _LIFETIME:
                raise Blind(
                    f"{pick.key}: the log-in was answered {answer.status} without it: our credential is refused, or the"
                    " pick is wrong. Renew the credential, or compare with the system's documentation.",
                    status=401,
                )
            taken[name] = value
            if name not in {_LIFETIME, _URL} and isinstance(value, str | int):
                self._masked(str(value))
        return taken

    def _renewal(self, asked_at: float, told: object) -> float | None:
        lifetime = seconds_of(told) or self._settings.lifetime_seconds
        if lifetime is None and self._settings.jwt is not None:
            lifetime = (
                ASSUMED_LIFETIME_SECONDS if self._settings.exchanges else self._settings.jwt.lifetime_seconds
            )
        if lifetime is None:
            return None
        return asked_at + lifetime - min(MARGIN_SECONDS, MARGIN_SHARE * lifetime)

    async def _assertion(self, settings: JwtSettings, *, renew: bool) -> str:
        import jwt

        key = self._masker.register(await settings.key.read(renew=renew))
        secrets = await self._vault.words(names_in(settings.claims))
        claims = filled(settings.claims, {"secret": secrets})
        issued_at = self._clock.now()
        ends_at = issued_at + timedelta(seconds=settings.lifetime_seconds)
        stamps = {"iat": int(issued_at.timestamp()), "exp": int(ends_at.timestamp())}
        try:
            assertion = jwt.encode(
                {**stamps, **(claims if isinstance(claims, dict) else {})},
                key.reveal(),
                algorithm=settings.algorithm,
                headers=dict(settings.headers) or None,
            )
        except (jwt.PyJWTError, ValueError, TypeError):
            raise SecretUnavailable(
                f"auth.jwt: the key can't sign by {settings.algorithm}. Give the private key in PEM that belongs to it."
            ) from None
        return self._masked(assertion)

    def _shown(self, template: Template, words: Words) -> str:
        """What a call bears; masked by its secret parts, or as a whole where a filter may have changed them."""
        text = template.text(words)
        return self._masked(text) if template.names and "|" in template.source else text

    def _masked(self, value: str) -> str:
        """The value, masked from now on until an hour after it was replaced."""
        return self._passing.lend(Secret(value)).reveal()
