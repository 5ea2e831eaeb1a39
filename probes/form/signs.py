"""What a page that is not the expected one is: a bot defence, a log-in, an error, a form that was refused."""

import re
from collections.abc import Collection
from typing import Final

from lxml.html import HtmlElement

from probes.form.exchange import Answer
from probes.form.html import Page, texts_of

_HEADER_MARKS: Final = (("cf-mitigated", ("challenge",)), ("x-amzn-waf-action", ("challenge", "captcha")))
"""Cloudflare's and AWS WAF's own words for a challenge (developers.cloudflare.com and docs.aws.amazon.com, 2026)."""
_CHALLENGES: Final = (
    "_cf_chl_opt",
    "/orchestrate/chl_page",
    "incapsula incident id",
    "geo.captcha-delivery.com",
    "px-captcha",
    "awswafcaptcha",
)
"""What stands in the pages that bot defences put in the place of another.

Not what they write into every page that they let through: Cloudflare's ``/cdn-cgi/challenge-platform/scripts/jsd/``
(developers.cloudflare.com, "JavaScript detections"), Imperva's ``/_Incapsula_Resource``.
"""
_CAPTCHAS: Final = ("g-recaptcha", "h-captcha", "cf-turnstile", "google.com/recaptcha", "frc-captcha")
"""Class names and addresses of captcha widgets, as their makers' pages have one write them into a form."""
_ERROR = re.compile(
    r"(?i)\b(?:error|errors|exception|not available|unavailable|maintenance|went wrong|failed|failure|"
    r"there (?:is|was) a problem|problem (?:has )?occurred|"
    r"bad gateway|not found|forbidden|denied|try again|outage|fehler|wartung|erreur|mantenimiento)\b"
)
_ALERTS: Final = frozenset(
    {
        "errorlist",
        "invalid-feedback",
        "field-error",
        "form-error",
        "help-block-error",
        "error-message",
        "alert-danger",
        "alert-error",
        "errornote",
        "validation-error",
        "field-validation-error",
        "validation-summary-errors",
        "ui-state-error-text",
        "has-error",
    }
)
"""Classes in which frameworks show what is wrong with a form: Django, Bootstrap, Rails, ASP.NET, jQuery UI, …"""
_PLEASED = re.compile(r"success|info|confirm|thank")
"""In the classes of a message that complains of nothing: alert-success, notification--info, …"""
_MOST_MESSAGES: Final = 3
_MESSAGE_CHARACTERS: Final = 80
_MARKS_WITHIN_BYTES: Final = 200_000


def declared_challenge(answer: Answer) -> str:
    """The header field by which a bot defence says that the answer is its own; empty: none."""
    for name, values in _HEADER_MARKS:
        if answer.headers.get(name, "").lower() in values:
            return f"{name}: {answer.headers[name]}"
    return ""


def challenge_in(answer: Answer) -> str:
    """By what an answer that is not the expected one is known for a bot defence's; empty: it is none."""
    if declared := declared_challenge(answer):
        return declared
    start = answer.content[:_MARKS_WITHIN_BYTES].lower()
    return next((mark for mark in _CHALLENGES if mark.encode() in start), "")


def captcha_in(answer: Answer) -> str:
    """The captcha that is in the page; empty: none."""
    content = answer.content.lower()
    return next((mark for mark in _CAPTCHAS if mark.encode() in content), "")


def error_of(page: Page) -> str:
    """What the page's title or headings say of an error; empty: nothing."""
    if page.root is None:
        return ""
    heads = [page.title, *texts_of(list(page.root.iter("h1", "h2")))]
    return next((head for head in heads if _ERROR.search(head)), "")


def refusals_of(page: Page, names: Collection[str]) -> tuple[str, ...]:
    """What the page says is wrong with the form that it shows again; empty: it isn't shown, or nothing is said.

    Args:
        page: the answer to the post.
        names: the fields that we filled; half of them must be there again.
    """
    if page.root is None or not shows_again(page, names):
        return ()
    said = texts_of([one for one in page.root.iter() if isinstance(one.tag, str) and _complains(one)])
    wrong = [
        f"{one.get('name')} is marked as invalid"
        for one in page.root.iter("input", "select", "textarea")
        if (one.get("aria-invalid") or "").lower() == "true"
    ]
    return tuple(message[:_MESSAGE_CHARACTERS] for message in (*said, *wrong))[:_MOST_MESSAGES]


def shows_again(page: Page, names: Collection[str]) -> bool:
    """Whether the form is there (again): half of the fields that we filled are on the page."""
    return any(len(form.names & set(names)) * 2 >= len(names) > 0 for form in page.forms)


def _complains(element: HtmlElement) -> bool:
    if element.tag in {"input", "select", "textarea", "form", "body", "html"}:
        return False
    classes = set((element.get("class") or "").lower().split())
    if classes & _ALERTS:
        return True
    # Frameworks give this role to whatever message they show, "Thank you" too.
    return (element.get("role") or "").lower() == "alert" and not any(map(_PLEASED.search, classes))
