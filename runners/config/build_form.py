"""Make what is posted by plain HTTP of its document, and note what contradicts itself. Loaded with the first form."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, assert_never
from urllib.parse import urlsplit

from canary.hop import Channel, Hop
from probes.form.settings import (
    WEB_TO_CASE_URL,
    Button,
    Encoding,
    FieldValue,
    FormChoice,
    FormLimits,
    FormSettings,
    HtmlForm,
    InboundParse,
    JsonApi,
    JsonMethod,
    JsonTree,
    ParseShape,
    Submission,
    WebToCase,
)
from runners.config.build_confirmation import build_confirmation
from runners.config.build_web import (
    ascii_host,
    bears_token,
    build_headers,
    build_request,
    check_limits,
    client_certificate,
    expected_hosts,
    http_login,
    senders_of,
)
from runners.config.built import Built
from runners.config.config import AccountConfig
from runners.config.document_form import (
    OF_TYPE,
    FormLimitsDocument,
    FormPathDocument,
    FormType,
    InboundParseDocument,
    Shape,
)
from runners.config.fields import SecretKind, SecretRef
from runners.config.reading import Loc
from runners.config.sources import Surroundings

_PROXY = re.compile(r"https?://[^\s/?#@]+/?")
_FIND = "Write {{ subject }} or {{ body }} into one: by the token its ticket is found."


def build_form(
    document: FormPathDocument,
    accounts: Sequence[AccountConfig],
    around: Surroundings,
    loc: Loc,
    *,
    account_names: Collection[str],
    trusted: tuple[str, ...],
) -> Built:
    """What channel `form` makes of a path; ``accounts`` are those of its senders that could be read."""
    _check_type(document, around, loc)
    url = _url(document, around, loc)
    host = ascii_host(url, around, (*loc, "url"))
    given = {f"limits.{key}": getattr(document.limits, key) for key in document.limits.model_fields_set}
    if document.pace is not None:
        given["pace"] = document.pace
    check_limits(given, document, around, loc)
    settings = FormSettings(
        url=url,
        expect_hosts=expected_hosts(document, host),
        submission=_submission(document, around, loc),
        confirmation=build_confirmation(document, around, (*loc, "confirm")),
        request=build_request(document.request, accounts, around, (*loc, "request")),
        headers=build_headers(document.headers, around, (*loc, "headers")),
        http_login=http_login(document, around, loc),
        client_certificate=client_certificate(document, url, around, loc),
        ca_files=(*trusted, *around.authorities(document.ca, (*loc, "ca"))),
        proxy=_proxy(document.proxy, around, (*loc, "proxy")),
        http2=document.http2,
        propagate=document.propagate,
        idempotency_header=document.idempotency_key,
        pace_seconds=document.pace or 0.0,
        limits=_limits(document.limits),
        most_answer_bytes=document.most_answer,
        most_redirects=document.redirects,
    )
    if settings.request.attachment is not None and not settings.bears_attachment:
        remedy = "Name the file field in upload, or leave the attachment out."
        if document.type is not FormType.HTML:
            remedy = f"Leave it out: {document.type} takes none."
        around.note((*loc, "request", "attachment"), "the attachment is not sent", remedy, at_key=True)
    return Built(
        channel=Channel.FORM,
        sending=settings,
        senders=senders_of(document, account_names, around, loc),
        without=frozenset() if url.startswith("https://") else frozenset({Hop.FORM_TLS}),
        domain=host,
        target=document.inbound_parse.to if document.inbound_parse is not None else None,
    )


def _check_type(document: FormPathDocument, around: Surroundings, loc: Loc) -> None:
    """Note the keys of other types, and those that the type needs."""
    own = OF_TYPE[document.type]
    for types in OF_TYPE.values():
        for name in sorted((types - own) & document.model_fields_set):
            key = _key(name)
            others = " or ".join(kind for kind, keys in OF_TYPE.items() if name in keys)
            if not around.has_mistake((*loc, key)):
                remedy = f"Remove it, or write type: {others}."
                around.note(
                    (*loc, key), f"{key} has no effect with type {document.type}", remedy, at_key=True
                )
    for name in ("fields", "tree", "web_to_case", "inbound_parse"):
        if name in own and getattr(document, name) in (None, {}):
            finding = f"the key {_key(name)} is missing"
            remedy = f"A form of type {document.type} needs it; see docs/configuration.md."
            around.note((*loc, _key(name)), finding, remedy, at_key=True)


def _key(name: str) -> str:
    """A setting's name as the file writes it."""
    return FormPathDocument.model_fields[name].alias or name


def _url(document: FormPathDocument, around: Surroundings, loc: Loc) -> str:
    if document.url is not None:
        return document.url
    if document.type is not FormType.WEB_TO_CASE:
        around.note((*loc, "url"), "the key url is missing", "Write where the form is.", at_key=True)
    return WEB_TO_CASE_URL


def _submission(document: FormPathDocument, around: Surroundings, loc: Loc) -> Submission:
    fields = _fields(document, around, (*loc, "fields"))
    match document.type:
        case FormType.HTML:
            choice, button = document.form, document.button
            if document.upload is not None and document.request.attachment is None:
                remedy = "Add request: {attachment: {name: …, text: …}}."
                around.note((*loc, "upload"), "there is nothing to upload", remedy, at_key=True)
            return HtmlForm(
                fields=fields,
                form=FormChoice(choice.id, choice.name, choice.action, choice.nth)
                if choice is not None
                else FormChoice(),
                button=Button(button.name, button.value) if button is not None else None,
                upload=document.upload,
                encoding=Encoding(document.encoding.value) if document.encoding is not None else None,
            )
        case FormType.JSON:
            if document.tree is not None and not any(map(bears_token, _texts(document.tree))):
                around.note((*loc, "json"), "no text of it holds the canary's token", _FIND, at_key=True)
            return JsonApi(_frozen(document.tree), JsonMethod(document.method.value))
        case FormType.WEB_TO_CASE:
            organization = document.web_to_case.organization if document.web_to_case is not None else ""
            return WebToCase(organization, fields)
        case FormType.INBOUND_PARSE:
            return _inbound_parse(document.inbound_parse, around, (*loc, "inbound_parse"))
        case _:
            assert_never(document.type)


def _fields(document: FormPathDocument, around: Surroundings, loc: Loc) -> Mapping[str, FieldValue]:
    texts = [one for one in document.fields.values() if isinstance(one, str)]
    if document.fields and "fields" in OF_TYPE[document.type] and not any(map(bears_token, texts)):
        around.note(loc, "no field holds the canary's token", _FIND, at_key=True)
    return MappingProxyType(
        {
            name: value if isinstance(value, str) else around.secret(value, (*loc, name))
            for name, value in document.fields.items()
        }
    )


def _texts(tree: Any) -> Iterator[str]:  # noqa: ANN401 -- any JSON
    match tree:
        case str():
            yield tree
        case list():
            for one in tree:
                yield from _texts(one)
        case dict():
            for one in tree.values():
                yield from _texts(one)
        case _:
            return


def _frozen(tree: Any) -> JsonTree:  # noqa: ANN401 -- any JSON
    match tree:
        case list():
            return tuple(_frozen(one) for one in tree)
        case dict():
            return MappingProxyType({key: _frozen(one) for key, one in tree.items()})
        case None | str() | bool() | int() | float():
            return tree
        case _:
            raise TypeError(f"YAML has no {type(tree).__name__}")


def _inbound_parse(document: InboundParseDocument | None, around: Surroundings, loc: Loc) -> InboundParse:
    if document is None:
        return InboundParse(ParseShape.MAILGUN, "")
    at = (*loc, "key")
    key = None
    if document.key is not None:
        match document.shape:
            case Shape.MAILGUN:
                key = around.secret(document.key, at)
            case Shape.SENDGRID:
                key = around.private_key(document.key, at)
            case Shape.POSTMARK:
                remedy = "Remove it; its receivers know it by http_login."
                around.note(at, "postmark signs nothing", remedy, at_key=True)
            case _:
                assert_never(document.shape)
    return InboundParse(ParseShape(document.shape.value), document.to, key)


def _proxy(given: str | SecretRef | None, around: Surroundings, loc: Loc) -> FieldValue | None:
    """The proxy; with a user and password in it, it is a secret."""
    match given:
        case None:
            return None
        case SecretRef():
            return around.secret(given, loc)
        case str() if "@" in given:
            return around.secret(SecretRef(SecretKind.LITERAL, (given,)), loc)
        case str():
            if not _PROXY.fullmatch(given) or not _has_host(given):
                around.note(loc, "this is no proxy", "Write http://host:port; with a password, as a secret.")
            return given


def _has_host(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _limits(document: FormLimitsDocument) -> FormLimits:
    return FormLimits(
        dns_seconds=document.dns,
        connect_seconds=document.connect,
        tls_seconds=document.tls,
        write_seconds=document.write,
        read_seconds=document.read,
        confirmation_seconds=document.confirmation,
    )
