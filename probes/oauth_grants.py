"""Ask token endpoints for access tokens: Google service accounts, Microsoft client credentials, refresh tokens."""

import json
import re
from collections import deque
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

import httpx
import jwt

from probes.contracts import Clock
from probes.masking import Masker, Secret
from probes.oauth import AccessToken
from probes.servers import SecretSource, SecretUnavailable

GOOGLE_TOKEN_URL: Final = "https://oauth2.googleapis.com/token"  # noqa: S105 -- an address
GOOGLE_SCOPE: Final = "https://mail.google.com/"
MICROSOFT_TOKEN_URL: Final = "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"  # noqa: S105 -- an address
MICROSOFT_SCOPE: Final = "https://outlook.office365.com/.default"
ASSERTION_LIFETIME: Final = timedelta(minutes=55)
"""Google takes assertions of at most an hour; the rest is for clocks that differ."""
ANSWER_BYTES: Final = 64 * 1024

ClientFactory = Callable[[], httpx.AsyncClient]
"""Makes the HTTP client of one request: with time limits, and with the CAs that are trusted."""
Tell = Callable[[str], None]
"""Hears what people should know, without any secret."""

_MASKED_ROTATIONS = 2
"""Of refresh tokens that replaced one another, so many are masked: each is used for about an hour."""
_JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_CODE = re.compile(r"^[a-z0-9_.-]{1,60}$", re.IGNORECASE)
_MICROSOFT_CODE = re.compile(r"\bAADSTS\d{3,9}\b")
_REMEDIES: Final[Mapping[str, str]] = {
    "invalid_client": "The client's id or secret is wrong or has ended: renew it.",
    "invalid_scope": "The scope is not known there: correct `scope`.",
    "unauthorized_client": "The client may not use this grant or scope: have an administrator allow it.",
    "access_denied": "An administrator has not consented: grant the client access to the mailbox.",
    "unsupported_grant_type": "The endpoint does not know this way: correct `token_url`.",
    "invalid_request": "The endpoint does not understand the request: correct `token_url` and the ids.",
}


def limited_client() -> httpx.AsyncClient:
    """An HTTP client with limits, which follows no redirect: a secret goes to the address configured or nowhere."""
    return httpx.AsyncClient(
        timeout=httpx.Timeout(10.0, connect=5.0),
        limits=httpx.Limits(max_connections=1),
        follow_redirects=False,
    )


class GoogleServiceAccount:
    """A service account with domain-wide delegation that acts as one mailbox (RFC 7523 section 2.1).

    Args:
        key: the key file's content (JSON).
        subject: the mailbox to act as.
        clock: the stamps of the assertion are its time; a clock that is minutes off gets an ``invalid_grant``.
        masker: the private key is masked from then on.
        client: makes the HTTP client.
        token_url: None: as the key file says.
        scope: what is asked for.
    """

    def __init__(
        self,
        key: SecretSource,
        subject: str,
        *,
        clock: Clock,
        masker: Masker,
        client: ClientFactory = limited_client,
        token_url: str | None = None,
        scope: str = GOOGLE_SCOPE,
    ) -> None:
        self._key = key
        self._subject = subject
        self._clock = clock
        self._masker = masker
        self._client = client
        self._token_url = token_url
        self._scope = scope

    @property
    def source(self) -> str:
        """The endpoint."""
        return _shown(self._token_url or GOOGLE_TOKEN_URL)

    async def fetch(self) -> AccessToken:
        """Sign an assertion and exchange it.

        Raises:
            SecretUnavailable: the key file is no such file, or the endpoint refuses.
        """
        account = _service_account((await self._key.read()).reveal(), self.source)
        private_key = self._masker.register(Secret(account["private_key"]))
        url = self._token_url or account.get("token_uri") or GOOGLE_TOKEN_URL
        issued_at = self._clock.now()
        claims = {
            "iss": account["client_email"],
            "sub": self._subject,
            "scope": self._scope,
            "aud": url,
            "iat": int(issued_at.timestamp()),
            "exp": int((issued_at + ASSERTION_LIFETIME).timestamp()),
        }
        headers = {"kid": account["private_key_id"]} if account.get("private_key_id") else None
        try:
            assertion = jwt.encode(claims, private_key.reveal(), algorithm="RS256", headers=headers)
        except (jwt.PyJWTError, ValueError, TypeError):
            raise SecretUnavailable(
                f"{_shown(url)}: the service account's private_key is no RSA key. Download its key file again."
            ) from None
        answer = await _exchange(
            self._client,
            url,
            {"grant_type": _JWT_BEARER, "assertion": assertion},
            {
                "invalid_grant": f"Let the service account act as {self._subject} (domain-wide delegation), and"
                " look at this machine's clock.",
                "unauthorized_client": f"Allow the service account's client id the scope {self._scope}"
                " (domain-wide delegation).",
            },
        )
        return answer.token


class MicrosoftClientCredentials:
    """A Microsoft Entra application that may open the mailbox (IMAP.AccessAsApp, SMTP.SendAsApp)."""

    def __init__(
        self,
        tenant: str,
        *,
        client_id: SecretSource,
        client_secret: SecretSource,
        client: ClientFactory = limited_client,
        token_url: str | None = None,
        scope: str = MICROSOFT_SCOPE,
    ) -> None:
        self._url = token_url or MICROSOFT_TOKEN_URL.format(tenant=tenant)
        self._client_id = client_id
        self._client_secret = client_secret
        self._client = client
        self._scope = scope

    @property
    def source(self) -> str:
        """The endpoint."""
        return _shown(self._url)

    async def fetch(self) -> AccessToken:
        """Exchange the client's own credential.

        Raises:
            SecretUnavailable: the credential can't be read, or the endpoint refuses.
        """
        form = {
            "grant_type": "client_credentials",
            "client_id": (await self._client_id.read()).reveal(),
            "client_secret": (await self._client_secret.read()).reveal(),
            "scope": self._scope,
        }
        answer = await _exchange(self._client, self._url, form, {})
        return answer.token


class RefreshToken:
    """A refresh token of any provider. A new one that comes with an answer replaces it, in memory only, and is told."""

    def __init__(
        self,
        token_url: str,
        *,
        client_id: SecretSource,
        refresh_token: SecretSource,
        masker: Masker,
        client_secret: SecretSource | None = None,
        client: ClientFactory = limited_client,
        scope: str | None = None,
        tell: Tell = lambda _: None,
    ) -> None:
        self._url = token_url
        self._client_id = client_id
        self._client_secret = client_secret
        self._refresh_token = refresh_token
        self._masker = masker
        self._client = client
        self._scope = scope
        self._tell = tell
        self._rotated: Secret | None = None
        self._lent: deque[Secret] = deque()

    @property
    def source(self) -> str:
        """The endpoint."""
        return _shown(self._url)

    async def fetch(self) -> AccessToken:
        """Exchange the refresh token; one that was rotated and is refused gives way to the configured one.

        Raises:
            SecretUnavailable: it can't be read, or the endpoint refuses.
        """
        if self._rotated is not None:
            try:
                return await self._exchanged(self._rotated)
            except _Refused:
                self._rotated = None
        return await self._exchanged(await self._refresh_token.read(renew=True))

    async def _exchanged(self, refresh_token: Secret) -> AccessToken:
        form = {
            "grant_type": "refresh_token",
            "client_id": (await self._client_id.read()).reveal(),
            "refresh_token": refresh_token.reveal(),
        }
        if self._client_secret is not None:
            form["client_secret"] = (await self._client_secret.read()).reveal()
        if self._scope is not None:
            form["scope"] = self._scope
        remedy = {
            "invalid_grant": "The refresh token has ended or was withdrawn: authorise the prober again."
        }
        answer = await _exchange(self._client, self._url, form, remedy)
        if answer.refresh_token is not None and answer.refresh_token != refresh_token:
            self._mask(answer.refresh_token)
            self._rotated = answer.refresh_token
            self._tell(
                f"{self.source}: the provider gave out a new refresh token. The prober keeps it until it stops; the"
                " configured one may end. Use `exec` with a store that keeps it, or a client whose tokens stay."
            )
        return answer.token

    def _mask(self, refresh_token: Secret) -> None:
        """Mask a new one, and the one before it, which may still turn up in a text: no more of them."""
        self._lent.append(self._masker.lend(refresh_token))
        if len(self._lent) > _MASKED_ROTATIONS:
            self._masker.forget(self._lent.popleft())


class _Refused(SecretUnavailable):
    """The endpoint said no, so the same request would be refused again."""


class _Granted:
    def __init__(self, token: AccessToken, refresh_token: Secret | None) -> None:
        self.token = token
        self.refresh_token = refresh_token


async def _exchange(
    make_client: ClientFactory, url: str, form: Mapping[str, str], remedies: Mapping[str, str]
) -> _Granted:
    """One token request (RFC 6749 section 5)."""
    place = _shown(url)
    try:
        async with make_client() as client, client.stream("POST", url, data=dict(form)) as response:
            body = b""
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > ANSWER_BYTES:
                    break
            status = response.status_code
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        # The exception's own text may quote the request.
        raise SecretUnavailable(
            f"{place}: no access token: {type(error).__name__}. Look whether it can be reached from here."
        ) from None
    answer = _object(body)
    token = answer.get("access_token")
    if status == httpx.codes.OK and isinstance(token, str) and token:
        refresh_token = answer.get("refresh_token")
        return _Granted(
            AccessToken(Secret(token), seconds_of(answer.get("expires_in"))),
            Secret(refresh_token) if isinstance(refresh_token, str) and refresh_token else None,
        )
    raise _refusal(place, status, answer, remedies)


def _refusal(
    place: str, status: int, answer: Mapping[str, object], remedies: Mapping[str, str]
) -> SecretUnavailable:
    code = answer.get("error")
    if not isinstance(code, str) or not _CODE.match(code):
        return SecretUnavailable(
            f"{place}: no access token: status {status}, which is no OAuth answer. Correct `token_url`, or wait."
        )
    vendor = _MICROSOFT_CODE.search(str(answer.get("error_description", "")))
    shown = f"{code}, {vendor.group()}" if vendor is not None else code
    remedy = {**_REMEDIES, **remedies}.get(code, "Read the provider's page on this code.")
    if status >= httpx.codes.INTERNAL_SERVER_ERROR or code == "temporarily_unavailable":
        return SecretUnavailable(f"{place}: no access token now ({shown}). It is tried again.")
    return _Refused(f"{place}: no access token ({shown}). {remedy}")


def _service_account(text: str, place: str) -> dict[str, str]:
    account = _object(text.encode())
    if not all(isinstance(account.get(key), str) for key in ("client_email", "private_key")):
        raise SecretUnavailable(
            f"{place}: `service_account` is no key file: it needs client_email and private_key. Download it again."
        )
    return {key: value for key, value in account.items() if isinstance(value, str)}


def seconds_of(value: object) -> float | None:
    """``expires_in`` as seconds, also where it comes as a text; None where it is missing or senseless."""
    try:
        seconds = float(value) if isinstance(value, int | float | str) else 0.0
    except (ValueError, OverflowError):
        return None
    return seconds if 0 < seconds < 10 * 365 * 86400 else None


def _object(body: bytes) -> dict[str, object]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _shown(url: str) -> str:
    """The address without query and user information."""
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        return "the token endpoint"
    port = f":{parsed.port}" if parsed.port is not None else ""
    return f"{parsed.scheme}://{parsed.host}{port}{parsed.path}"
