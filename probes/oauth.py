"""OAuth 2.0 access tokens for mailboxes: fetched when needed, renewed before they end or when they are refused.

How a token is had is a `Grant`: a Google service account (RFC 7523), Microsoft client credentials (RFC 6749 section
4.4), a refresh token (RFC 6749 section 6) in `probes.oauth_grants`, or a command in `probes.oauth_command`.
"""

import asyncio
from dataclasses import dataclass
from typing import Final, Protocol

from probes.contracts import Clock
from probes.masking import Masker, Secret
from probes.passing_secrets import PassingSecrets
from probes.servers import SecretUnavailable

MARGIN_SECONDS: Final = 300.0
MARGIN_SHARE: Final = 0.2
"""A token is renewed this long, or this share of its life, before it ends: whichever is less."""
ASSUMED_LIFETIME_SECONDS: Final = 3600.0
"""Of a token whose end is not told (``expires_in`` is only recommended, RFC 6749 section 5.1)."""
FETCH_SECONDS: Final = 15.0


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token as it was given out; ``lifetime_seconds`` is None where that was not told."""

    secret: Secret
    lifetime_seconds: float | None


class Grant(Protocol):
    """One way to be given access tokens."""

    @property
    def source(self) -> str:
        """Where they come from, for people: an endpoint or a command, without any secret."""
        ...

    async def fetch(self) -> AccessToken:
        """Have a new token given out. Cancellable.

        Raises:
            SecretUnavailable: refused, or no answer; names the endpoint, the code and the remedy.
        """
        ...


class TokenSource:
    """Satisfies `probes.servers.SecretSource`: the token of the day, from a grant.

    One source may serve SMTP and IMAP of an account at the same time: only one renewal is under way at a time, and
    whoever waited for it takes what it brought.
    """

    def __init__(
        self, grant: Grant, *, clock: Clock, masker: Masker, fetch_seconds: float = FETCH_SECONDS
    ) -> None:
        self._grant = grant
        self._clock = clock
        self._passing = PassingSecrets(masker, clock)
        self._fetch_seconds = fetch_seconds
        self._lock = asyncio.Lock()
        self._kept: Secret | None = None
        self._renew_at = 0.0
        self._ends_at = 0.0

    def __repr__(self) -> str:
        return f"TokenSource({self._grant.source})"

    async def read(self, *, renew: bool = False) -> Secret:
        """A token that is good for a while; ``renew`` after a server refused it.

        A renewal ahead of time that fails is no harm: the old token is used until it ends.

        Raises:
            SecretUnavailable: none can be had.
        """
        refused = self._kept if renew else None
        async with self._lock:
            now = self._clock.monotonic()
            if self._kept is not None and self._kept is not refused and now < self._renew_at:
                return self._kept
            try:
                token = await self._fetch()
            except SecretUnavailable:
                if self._kept is None or self._kept is refused or self._clock.monotonic() >= self._ends_at:
                    raise
                return self._kept
            lifetime = token.lifetime_seconds or ASSUMED_LIFETIME_SECONDS
            # Counted from before the request: the answer may have been long under way.
            self._ends_at = now + lifetime
            self._renew_at = self._ends_at - min(MARGIN_SECONDS, MARGIN_SHARE * lifetime)
            self._passing.replace()
            self._kept = self._passing.lend(token.secret)
            return self._kept

    async def _fetch(self) -> AccessToken:
        try:
            async with self._clock.timeout(self._fetch_seconds):
                return await self._grant.fetch()
        except TimeoutError:
            raise SecretUnavailable(
                f"{self._grant.source}: no access token within {self._fetch_seconds:g} s."
                " Look whether it can be reached from here."
            ) from None
