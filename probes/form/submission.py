"""The request that each kind of form makes of one canary."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import assert_never

from canary.canary import Canary
from probes.form.filling import Outgoing, chosen_form, filled, urlencoded
from probes.form.html import Page
from probes.form.identity import revealed
from probes.form.inbound import ParsedMail, parsed_post
from probes.form.settings import (
    FieldValue,
    FormSettings,
    HtmlForm,
    InboundParse,
    JsonApi,
    JsonTree,
    Submission,
    WebToCase,
)
from probes.message.request import filled as worded
from probes.message.request import words_of


@dataclass(frozen=True, slots=True)
class Said:
    """What the canary says by this path, words filled in and secrets read.

    Attributes:
        fields: by name; of a JSON interface or a parsed mail, none.
    """

    words: Mapping[str, str]
    fields: Mapping[str, str]


async def said(canary: Canary, settings: FormSettings) -> Said:
    """Fill the templates in.

    Raises:
        SecretUnavailable: a secret can't be had.
    """
    words = words_of(canary, settings.request)
    given: Mapping[str, FieldValue] = (
        settings.submission.fields if isinstance(settings.submission, HtmlForm | WebToCase) else {}
    )
    # A secret is no template: braces in it stay as they are.
    fields = {
        name: worded(value, words) if isinstance(value, str) else await revealed(value)
        for name, value in given.items()
    }
    return Said(words, fields)


def form_post(submission: HtmlForm, settings: FormSettings, what: Said, page: Page) -> Outgoing:
    """The post of the form on the page.

    Raises:
        Failure: the form, or a part of it, is not there or can't be used.
    """
    form = chosen_form(page, submission.form, tuple(what.fields))
    return filled(
        form,
        what.fields,
        button=submission.button,
        upload=submission.upload,
        attachment=settings.request.attachment,
        encoding=submission.encoding,
    )


async def direct_post(
    submission: JsonApi | WebToCase | InboundParse,
    settings: FormSettings,
    what: Said,
    *,
    canary: Canary,
    now: datetime,
) -> Outgoing:
    """The post of a kind that needs no page.

    Raises:
        SecretUnavailable: the key that signs it can't be had.
        Failure: it is no key that can sign it.
    """
    match submission:
        case JsonApi():
            content = json.dumps(_filled_tree(submission.tree, what.words), ensure_ascii=False).encode()
            headers = {"Content-Type": "application/json", "Accept": "application/json"}
            return Outgoing(submission.method, settings.url, content, headers)
        case WebToCase():
            # `orgid` and the names of the standard fields: Salesforce Help, "Generate Web-to-Case".
            return urlencoded(settings.url, [("orgid", submission.organization), *what.fields.items()])
        case InboundParse():
            mail = ParsedMail(
                sender=canary.sender,
                name=what.words["name"],
                recipient=submission.recipient,
                subject=what.words["subject"],
                body=what.words["body"],
                message_id=canary.message_id,
                at=now,
                # As unlike any other as the token is; whoever verifies may refuse to see it twice.
                nonce=sha256(canary.token.encode()).hexdigest(),
                attachment=settings.request.attachment,
            )
            key = await submission.key.read() if submission.key is not None else None
            return parsed_post(submission.shape, mail, url=settings.url, key=key)
        case _:
            assert_never(submission)


def is_signed(submission: Submission) -> bool:
    """Whether a refusal may be one of the key that signs the post."""
    return isinstance(submission, InboundParse) and submission.key is not None


def _filled_tree(tree: JsonTree, words: Mapping[str, str]) -> JsonTree:
    match tree:
        case str():
            return worded(tree, words)
        case Mapping():
            return {name: _filled_tree(value, words) for name, value in tree.items()}
        case list() | tuple():
            return [_filled_tree(value, words) for value in tree]
        case _:
            return tree
