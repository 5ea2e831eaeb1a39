"""Make of its document how we are known to a ticketing system that is known by configuration alone."""

from collections.abc import Mapping
from typing import Final

from probes.servers import SecretSource
from probes.ticketing.generic.auth import AuthSettings, Exchange, JwtSettings
from probes.ticketing.generic.conversions import As
from probes.ticketing.generic.templates import Template, Vocabulary
from runners.config.build_ticketing_hosts import note_places
from runners.config.build_ticketing_parts import Parts
from runners.config.document_ticketing_http import (
    BasicDocument,
    ClientCredentialsDocument,
    ExchangeDocument,
    HttpAuthDocument,
    JwtDocument,
)
from runners.config.document_ticketing_picks import HttpRequestDocument, PickDocument
from runners.config.errors import did_you_mean
from runners.config.reading import Loc

_ALGORITHMS: Final = (
    *(f"{kind}{size}" for kind in ("RS", "ES", "PS", "HS") for size in (256, 384, 512)),
    "EdDSA",
)
_OWN: Final = "oauth_of_the_prober"
"""Begins the names of secrets that the shorthand `oauth` keeps beside the configured ones."""


def build_auth(
    document: HttpAuthDocument, parts: Parts, loc: Loc, secrets: dict[str, SecretSource], *, url: str
) -> AuthSettings:
    """How we are known; adds the secrets of its shorthands to ``secrets``."""
    given = [name for name in ("basic", "bearer", "oauth") if getattr(document, name) is not None]
    if len(given) > 1:
        parts.around.note(loc, f"there is {' and '.join(given)}", "Keep one of them.", at_key=True)
    if document.oauth is not None and document.exchange:
        parts.around.note(loc, "there is oauth and an exchange", "Keep one of them.", at_key=True)
    jwt = build_jwt(document.jwt, parts, (*loc, "jwt"), secrets) if document.jwt is not None else None
    taken = {"jwt"} if jwt is not None else set()
    exchanges: list[Exchange] = []
    for index, one in enumerate(document.exchange):
        exchanges.append(_exchange(one, parts, (*loc, "exchange", index), _words(secrets, taken)))
        taken |= set(one.take)
    note_places(document, [one.asking.path for one in exchanges], parts, loc, url=url)
    if document.oauth is not None:
        exchanges.append(_client_credentials(document.oauth, parts, (*loc, "oauth"), secrets))
        taken.add("token")
    words = _words(secrets, taken - {"lifetime", "url"})
    headers = parts.templates(document.headers, (*loc, "headers"), words, are_headers=True)
    headers |= _authorization(document, parts, loc, words)
    return AuthSettings(
        headers=headers,
        query=parts.templates(document.query, (*loc, "query"), words),
        exchanges=tuple(exchanges),
        jwt=jwt,
        lifetime_seconds=document.lifetime,
        end=parts.asking(document.end, (*loc, "end"), words) if document.end is not None else None,
        hosts=tuple(document.hosts),
    )


def names_of(document: HttpAuthDocument) -> frozenset[str]:
    """What requests may say as ``auth.…``."""
    taken = {name for one in document.exchange for name in one.take} - {"lifetime", "url"}
    taken |= {"jwt"} if document.jwt is not None else set()
    taken |= {"token"} if document.oauth is not None else set()
    return frozenset(taken)


def build_jwt(
    document: JwtDocument, parts: Parts, loc: Loc, secrets: Mapping[str, SecretSource]
) -> JwtSettings:
    """A signed assertion; notes an algorithm that is none, and a key that can't be its."""
    around = parts.around
    if document.alg not in _ALGORITHMS:
        around.note((*loc, "alg"), f"{document.alg} is no algorithm", did_you_mean(document.alg, _ALGORITHMS))
    is_shared = document.alg.startswith("HS")
    claims = parts.shape(document.claims, (*loc, "claims"), _words(secrets, set()))
    return JwtSettings(
        algorithm=document.alg,
        key=around.secret(document.key, (*loc, "key"))
        if is_shared
        else around.private_key(document.key, (*loc, "key")),
        claims=claims if isinstance(claims, dict) else {},
        headers=document.headers,
        lifetime_seconds=document.lifetime,
    )


def _words(secrets: Mapping[str, SecretSource], taken: set[str]) -> Vocabulary:
    return {"secret": frozenset(secrets), "auth": frozenset(taken)}


def _exchange(document: ExchangeDocument, parts: Parts, loc: Loc, words: Vocabulary) -> Exchange:
    take = {
        name: parts.pick(one, (*loc, "take", name), words, usual=() if name == "lifetime" else (As.TEXT,))
        for name, one in document.take.items()
    }
    return Exchange(parts.asking(document, loc, words), take)


def _authorization(
    document: HttpAuthDocument, parts: Parts, loc: Loc, words: Vocabulary
) -> dict[str, Template]:
    if document.basic is not None:
        return {"Authorization": _basic(document.basic, parts, (*loc, "basic"), words)}
    if document.bearer is not None:
        at = (*loc, "bearer")
        return {"Authorization": parts.template(f"Bearer {document.bearer}", at, words)}
    if document.oauth is not None:
        return {"Authorization": parts.template("Bearer {{ auth.token }}", (*loc, "oauth"), words)}
    return {}


def _basic(document: BasicDocument, parts: Parts, loc: Loc, words: Vocabulary) -> Template:
    """RFC 7617 section 2."""
    username = _inner(document.username, parts, (*loc, "username"))
    password = _inner(document.password, parts, (*loc, "password"))
    return parts.template(f"Basic {{{{ ({username} ~ ':' ~ {password}) | b64 }}}}", loc, words)


def _inner(source: str, parts: Parts, loc: Loc) -> str:
    """A template as a part of a greater one, with which it is checked."""
    if "{{" not in source:
        escaped = source.replace("\\", "\\\\").replace("'", "\\'")
        return f"'{escaped}'"
    inner = source.strip()
    if inner.startswith("{{") and inner.endswith("}}") and inner.count("{{") == 1:
        return f"({inner[2:-2]})"
    parts.around.note(
        loc, "this is text beside a template", "Write {{ secret.name ~ '/token' }}: ~ joins texts."
    )
    return "''"


def _client_credentials(
    document: ClientCredentialsDocument, parts: Parts, loc: Loc, secrets: dict[str, SecretSource]
) -> Exchange:
    around = parts.around
    client, key = f"{_OWN}_id", f"{_OWN}_secret"
    secrets[client] = around.secret(document.client_id, (*loc, "client_id"))
    secrets[key] = around.secret(document.client_secret, (*loc, "client_secret"))
    form: dict[str, str] = {"grant_type": "client_credentials", **document.more}
    headers: dict[str, str] = {}
    if document.style == "form":
        form |= {"client_id": f"{{{{ secret.{client} }}}}", "client_secret": f"{{{{ secret.{key} }}}}"}
    else:
        pair = f"(secret.{client} | url) ~ ':' ~ (secret.{key} | url)"
        headers["Authorization"] = f"Basic {{{{ ({pair}) | b64 }}}}"
    if document.scope is not None:
        form["scope"] = document.scope
    request = HttpRequestDocument(post=document.token_url, form=form, headers=headers)
    words = _words(secrets, set())
    return Exchange(
        parts.asking(request, loc, words),
        {
            "token": parts.pick(PickDocument(pick="access_token"), loc, words, usual=(As.TEXT,)),
            "lifetime": parts.pick(PickDocument(pick="expires_in"), loc, words),
        },
    )
