"""An OAuth 2.0 token endpoint in this process: Google's service accounts, Microsoft's client credentials, refresh tokens.

It checks what the vendors check, as their published contracts say, and tells Dovecot which tokens are good.
"""

import contextlib
import http.server
import json
import secrets
import threading
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.real.servers.process import HOST

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
GOOGLE_SCOPE = "https://mail.google.com/"
MICROSOFT_SCOPE = "https://outlook.office365.com/.default"
SERVICE_ACCOUNT = "prober@project.iam.test"
TENANT = "tenant.test"


@dataclass(slots=True)
class Token:
    """A token that was given out."""

    value: str
    username: str
    ends_at: float
    is_revoked: bool = False

    def is_good(self) -> bool:
        """Whether a server would take it now."""
        return not self.is_revoked and time.time() < self.ends_at


@dataclass(frozen=True, slots=True)
class Client:
    """A registered client: its secret, the refresh token it may use, and the mailbox its tokens open."""

    username: str
    client_id: str = field(default_factory=lambda: f"client-{secrets.token_hex(4)}")
    client_secret: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    refresh_token: str = field(default_factory=lambda: secrets.token_urlsafe(16))


class RefusedError(Exception):
    """The endpoint says no: an ``error`` code of RFC 6749 §5.2."""


class TokenEndpoint:
    """The endpoint. Set the attributes at any time.

    Attributes:
        lifetime_seconds: of tokens given out from now on (``expires_in``).
        refusal: an HTTP status to answer every token request with; None is off.
        requests: the grant type of every token request since the start or `reset`.
        tokens: all that were given out.
    """

    def __init__(self) -> None:
        self.lifetime_seconds = 3600.0
        self.refusal: HTTPStatus | None = None
        self.requests: list[str] = []
        self.introspections = 0
        self.tokens: list[Token] = []
        self._clients: dict[str, Client] = {}
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._server = _Server((HOST, 0), _Handler)
        self._server.endpoint = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    @property
    def url(self) -> str:
        """Its root."""
        return f"http://{HOST}:{self._server.server_address[1]}"

    @property
    def google_url(self) -> str:
        """Where a service account's assertion is exchanged (RFC 7523)."""
        return f"{self.url}/google/token"

    @property
    def microsoft_url(self) -> str:
        """Where client credentials are exchanged (RFC 6749 §4.4)."""
        return f"{self.url}/{TENANT}/oauth2/v2.0/token"

    @property
    def refresh_url(self) -> str:
        """Where a refresh token is exchanged (RFC 6749 §6)."""
        return f"{self.url}/token"

    @property
    def introspection_url(self) -> str:
        """Where a mail server asks whether a token is good (RFC 7662)."""
        return f"{self.url}/introspect"

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Close the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def reset(self) -> None:
        """Back to the beginning: no tokens, no requests, an hour's lifetime. Clients stay."""
        self.lifetime_seconds = 3600.0
        self.refusal = None
        self.requests.clear()
        self.introspections = 0
        self.tokens.clear()

    def register(self, username: str) -> Client:
        """Register a client whose tokens open this mailbox."""
        client = Client(username)
        self._clients[client.client_id] = client
        return client

    def service_account(self) -> dict[str, str]:
        """The content of a service account's key file."""
        pem = self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return {
            "type": "service_account",
            "client_email": SERVICE_ACCOUNT,
            "private_key_id": "key-1",
            "private_key": pem.decode(),
            "token_uri": self.google_url,
        }

    def issue(self, username: str, *, lifetime_seconds: float | None = None) -> str:
        """Give out a token without a request, as an `exec` helper would get one."""
        seconds = self.lifetime_seconds if lifetime_seconds is None else lifetime_seconds
        token = Token(secrets.token_urlsafe(32), username, time.time() + seconds)
        self.tokens.append(token)
        return token.value

    def revoke(self, value: str | None = None) -> None:
        """Withdraw a token, or all of them."""
        for token in self.tokens:
            if value in (None, token.value):
                token.is_revoked = True

    def exchange(self, path: str, form: dict[str, str]) -> dict[str, object]:
        """Answer a token request.

        Raises:
            RefusedError: with the code that the answer carries.
        """
        grant = form.get("grant_type", "")
        self.requests.append(grant)
        if path == "/google/token" and grant == JWT_BEARER:
            username = self._bearer_of(form.get("assertion", ""))
        elif path == f"/{TENANT}/oauth2/v2.0/token" and grant == "client_credentials":
            username = self._client(form).username
            if form.get("scope") != MICROSOFT_SCOPE:
                raise RefusedError("invalid_scope")
        elif path == "/token" and grant == "refresh_token":
            client = self._client(form)
            username = client.username
            if form.get("refresh_token") != client.refresh_token:
                raise RefusedError("invalid_grant")
        else:
            raise RefusedError("unsupported_grant_type")
        token = self.issue(username)
        return {"access_token": token, "token_type": "Bearer", "expires_in": int(self.lifetime_seconds)}

    def introspect(self, form: dict[str, str]) -> dict[str, object]:
        """Answer a mail server's question."""
        self.introspections += 1
        for token in self.tokens:
            if token.value == form.get("token") and token.is_good():
                return {"active": True, "username": token.username, "exp": int(token.ends_at)}
        return {"active": False}

    def _client(self, form: dict[str, str]) -> Client:
        client = self._clients.get(form.get("client_id", ""))
        if client is None or client.client_secret != form.get("client_secret"):
            raise RefusedError("invalid_client")
        return client

    def _bearer_of(self, assertion: str) -> str:
        """The mailbox of an assertion that is signed by the service account and says what Google wants said."""
        try:
            claims = jwt.decode(
                assertion,
                self._key.public_key(),
                algorithms=["RS256"],
                audience=self.google_url,
                issuer=SERVICE_ACCOUNT,
                options={"require": ["iss", "aud", "iat", "exp"]},
            )
        except jwt.InvalidTokenError as failure:
            raise RefusedError("invalid_grant") from failure
        if claims.get("scope") != GOOGLE_SCOPE:
            raise RefusedError("invalid_scope")
        # An hour is the most that Google takes.
        if claims["exp"] - claims["iat"] > 3600:
            raise RefusedError("invalid_grant")
        return str(claims.get("sub", SERVICE_ACCOUNT))


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    endpoint: TokenEndpoint


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        """Answer a form."""
        endpoint = self.server.endpoint
        text = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        form = dict(urllib.parse.parse_qsl(text))
        if self.path == "/introspect":
            self._send(HTTPStatus.OK, endpoint.introspect(form))
        elif endpoint.refusal is not None:
            endpoint.requests.append(form.get("grant_type", ""))
            self._send(endpoint.refusal, {"error": "temporarily_unavailable"})
        else:
            try:
                self._send(HTTPStatus.OK, endpoint.exchange(self.path, form))
            except RefusedError as refused:
                is_client = str(refused) == "invalid_client"
                status = HTTPStatus.UNAUTHORIZED if is_client else HTTPStatus.BAD_REQUEST
                self._send(status, {"error": str(refused)})

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing: requests hold secrets."""

    def _send(self, status: HTTPStatus, answer: dict[str, object]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)


@contextlib.contextmanager
def running_token_endpoint() -> Iterator[TokenEndpoint]:
    """Start an endpoint on a free port."""
    endpoint = TokenEndpoint()
    endpoint.start()
    try:
        yield endpoint
    finally:
        endpoint.stop()
