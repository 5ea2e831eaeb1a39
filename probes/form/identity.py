"""How a path is known to the servers: header fields, a log-in; and who is shown which of them."""

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import httpx

from probes.form.contexts import FormContexts
from probes.form.origin import Origin
from probes.form.settings import FieldValue, FormSettings, HtmlForm, InboundParse, JsonApi, WebToCase
from probes.masking import Secret
from probes.servers import SecretSource, SecretUnavailable

_FIELD_VALUE: Final = re.compile(r"[!-~](?:[\t -~]*[!-~])?")


async def revealed(value: FieldValue) -> str:
    """The text itself; raises `SecretUnavailable`."""
    return value if isinstance(value, str) else (await value.read()).reveal()


@dataclass(frozen=True, slots=True)
class Identity:
    """What is shown to whom, with the secrets as they are now.

    Attributes:
        home: the origin of the path's URL: the only place that sees a secret.
    """

    home: Origin
    open_headers: Mapping[str, str]
    secret_headers: Mapping[str, Secret] = field(repr=False)
    login: tuple[str, Secret] | None
    contexts: FormContexts

    def headers(self, origin: Origin) -> dict[str, str]:
        """The extra header fields for that place; secrets go nowhere but home."""
        secret = (
            {name: value.reveal() for name, value in self.secret_headers.items()}
            if origin == self.home
            else {}
        )
        return {**self.open_headers, **secret}

    def auth(self, origin: Origin) -> httpx.BasicAuth | None:
        """The log-in for that place. At once, not after a refusal: a request would be sent twice."""
        if self.login is None or origin != self.home:
            return None
        return httpx.BasicAuth(self.login[0], self.login[1].reveal())

    def shows_credentials(self, origin: Origin) -> bool:
        """Whether a refusal by that place is a refusal of a credential of ours."""
        at_home = origin == self.home and (bool(self.secret_headers) or self.login is not None)
        return at_home or self.contexts.shows_certificate(origin)


def sources_of(settings: FormSettings) -> tuple[SecretSource, ...]:
    """Every secret by which we are known to the servers."""
    found = [value for value in settings.headers.values() if not isinstance(value, str)]
    if settings.http_login is not None:
        found.append(settings.http_login.secret)
    if settings.client_certificate is not None:
        found.append(settings.client_certificate.key)
    return tuple(found)


def _in_fields(settings: FormSettings) -> tuple[SecretSource, ...]:
    """Every secret that the request itself is made with."""
    match settings.submission:
        case HtmlForm(fields=fields) | WebToCase(fields=fields):
            return tuple(value for value in fields.values() if not isinstance(value, str))
        case InboundParse(key=key):
            return (key,) if key is not None else ()
        case JsonApi():
            return ()


async def identity_of(settings: FormSettings, contexts: FormContexts) -> Identity:
    """Read the secrets.

    Raises:
        SecretUnavailable: one can't be had, or can't stand in a header field.
    """
    login = settings.http_login
    return Identity(
        home=Origin.of(settings.url),
        open_headers={name: value for name, value in settings.headers.items() if isinstance(value, str)},
        secret_headers={
            name: _header_value(name, await value.read())
            for name, value in settings.headers.items()
            if not isinstance(value, str)
        },
        login=(login.username, await login.secret.read()) if login is not None else None,
        contexts=contexts,
    )


async def renew(settings: FormSettings) -> None:
    """Have the next launch read anew what was refused in this one."""
    for source in sources_of(settings):
        with contextlib.suppress(SecretUnavailable):
            await source.read(renew=True)


async def fetch_ahead(settings: FormSettings) -> None:
    """Fetch the secrets before the hop that needs them: how long that takes is no word about the server.

    One that can't be had is told by the hop, which asks again.
    """
    for source in (*sources_of(settings), *_in_fields(settings)):
        with contextlib.suppress(SecretUnavailable):
            await source.read()


def _header_value(name: str, secret: Secret) -> Secret:
    """The secret of a header field.

    Whatever sends it would refuse a value that is none, and show it in the refusal.

    Raises:
        SecretUnavailable: it has a line break, another control character or a letter beyond ASCII, or begins or ends
            with a space (RFC 9110 section 5.5).
    """
    if not _FIELD_VALUE.fullmatch(secret.reveal()):
        raise SecretUnavailable(
            f"headers.{name} can't stand in a header field: it has a line break, a letter beyond ASCII, or a space at"
            " an end. Write the secret without it"
        )
    return secret
