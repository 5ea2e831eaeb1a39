"""What an answer means: which reason a status or a page stands for, before the post, at it and after it."""

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

import httpx

from canary.observation import Fact
from canary.reason import Reason
from probes.form.confirmation import Finding, is_html, page_of
from probes.form.exchange import Answer
from probes.form.html import Page
from probes.form.origin import shown
from probes.form.settings import Confirmation, FormSettings, HtmlForm, WebToCase
from probes.form.signs import (
    captcha_in,
    challenge_in,
    declared_challenge,
    error_of,
    refusals_of,
    shows_again,
)
from probes.reasons import Failure

_PROCESSED = "is-processed"
_MOST_NAMES: Final = 20
_IN_DOUBT: Final[Mapping[int, Reason]] = MappingProxyType(
    {HTTPStatus.REQUEST_TIMEOUT: Reason.ANSWER_TIMEOUT, HTTPStatus.CONFLICT: Reason.REJECTED}
)
"""Refusals after which a ticket may come all the same.

408 is also what a gateway says while the backend works on the request (Envoy, ``stream_idle_timeout``), and 409 what a
server says to the second of two equal requests, whoever repeated it on the way
(draft-ietf-httpapi-idempotency-key-header, section 2.7).
"""


def check_page(answer: Answer, *, shows_credentials: bool) -> None:
    """Refuse an answer that can't be the page with the form.

    Raises:
        Failure: by its status, or because a bot defence gave it.
    """
    is_good = answer.status < HTTPStatus.BAD_REQUEST
    # A page that was let through may bear a defence's marks: where the form is on it, it is no challenge.
    if mark := declared_challenge(answer) if is_good else challenge_in(answer):
        raise _failure(Reason.CHALLENGED, f"a bot defence answers ({mark})", answer.facts)
    if is_good:
        return
    if answer.status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        raise _failure(Reason.FORM_CHANGED, f"the page is gone: {_said(answer)}", answer.facts)
    raise _by_status(answer, shows_credentials=shows_credentials)


@contextmanager
def another_page(answer: Answer, page: Page) -> Iterator[None]:
    """Where the body finds no form because this is another page, the failure says so.

    Raises:
        Failure: as the body's, or as the page is one.
    """
    try:
        yield
    except Failure as failure:
        if failure.fault.reason is Reason.FORM_CHANGED and not page.request_forms:
            other = _other_page(answer, page)
            if other is not None:
                raise other from failure
        raise


def _other_page(answer: Answer, page: Page) -> Failure | None:
    """What stands in the place of the page with the form; None: nothing that is known."""
    place = shown(answer.url)
    reason, detail = Reason.PAGE_ERROR, ""
    if mark := challenge_in(answer):
        reason, detail = Reason.CHALLENGED, f"a bot defence answers ({mark})"
    elif captcha := captcha_in(answer):
        reason, detail = Reason.CHALLENGED, f"a captcha stands in the place of the page ({captcha})"
    elif page.asks_for_password:
        reason, detail = Reason.REDIRECTED, f"a log-in stands at {place}: {_titled(page)}"
    elif answer.redirects:
        reason, detail = Reason.REDIRECTED, f"sent on to {place}, where no form is: {_titled(page)}"
    elif page.is_empty:
        is_blank = is_html(answer) or not answer.content
        detail = "the page is empty" if is_blank else f"it is {answer.media_type}, no page"
    elif said := error_of(page):
        detail = f"the page says: {said}"
    return _failure(reason, detail, answer.facts) if detail else None


def is_taken(expected: Confirmation, status: int) -> bool:
    """Whether the answer to the post is none that refuses it."""
    return status < HTTPStatus.BAD_REQUEST or status in expected.statuses


def refused(answer: Answer, names: Collection[str], *, shows_credentials: bool) -> Failure:
    """Why the post was refused, by its answer."""
    if mark := challenge_in(answer):
        return _failure(Reason.CHALLENGED, f"a bot defence answers ({mark})", answer.facts)
    if (reason := _IN_DOUBT.get(answer.status)) is not None:
        return Failure(reason, f"{_said(answer)}; a ticket may come of it", facts=answer.facts)
    if answer.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        page = page_of(answer)
        if messages := refusals_of(page, names):
            return _failure(Reason.FORM_REJECTED, f"{_said(answer)}: {'; '.join(messages)}", answer.facts)
    return _by_status(answer, shows_credentials=shows_credentials)


def posted_elsewhere(response: httpx.Response) -> Failure:
    """The answer to the post has it sent a second time, to another address: that we don't."""
    place = response.headers.get("location", "")
    try:
        place = shown(response.url.join(place))
    except httpx.InvalidURL:
        place = "no address"
    return Failure(
        Reason.REDIRECTED,
        f"{response.status_code}: the request is to be sent again to {place}, and a canary is never sent twice",
        facts={"http.response.status_code": response.status_code},
        is_answer=True,
    )


def unconfirmed(
    settings: FormSettings, answer: Answer, page: Page, finding: Finding, names: Collection[str]
) -> Failure | None:
    """Why an answer is no confirmation; None: it is one."""
    if (denial := _denied_by_header(settings, answer)) is not None:
        return denial
    if not finding.missing and _says_more_than_status(settings.confirmation):
        return None
    if page.asks_for_password and answer.redirects:
        return _failure(Reason.REDIRECTED, f"sent on to a log-in at {shown(answer.url)}", answer.facts)
    if messages := refusals_of(page, names):
        captcha = captcha_in(answer)
        reason = Reason.CHALLENGED if captcha else Reason.FORM_REJECTED
        with_captcha = f" with its captcha ({captcha})" if captcha else ""
        return _failure(reason, f"the form is shown again{with_captcha}: {'; '.join(messages)}", answer.facts)
    if not finding.missing:
        is_blank = isinstance(settings.submission, HtmlForm) and not answer.content.strip()
        return _failure(Reason.PAGE_ERROR, "the answer is empty", answer.facts) if is_blank else None
    return _missing(answer, page, finding, names)


def _denied_by_header(settings: FormSettings, answer: Answer) -> Failure | None:
    """What a header field says against a status of success."""
    processed = answer.headers.get(_PROCESSED, "")
    if isinstance(settings.submission, WebToCase) and "exception" in processed.lower():
        # The servlet answers 200 whatever becomes of the case; this header alone tells.
        return _failure(Reason.FORM_REJECTED, f"Is-Processed: {processed}", answer.facts)
    if mark := declared_challenge(answer):
        # AWS WAF challenges with status 202, which would confirm.
        return _failure(Reason.CHALLENGED, f"a bot defence answers ({mark})", answer.facts)
    return None


def _missing(answer: Answer, page: Page, finding: Finding, names: Collection[str]) -> Failure:
    missing = "; ".join(finding.missing)
    # Many sites load a captcha's script on every page: it challenges only where the form is demanded again.
    if mark := challenge_in(answer) or (captcha_in(answer) if shows_again(page, names) else ""):
        return _failure(Reason.CHALLENGED, f"a bot defence answers ({mark})", answer.facts)
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _failure(Reason.SERVER_ERROR, f"{_said(answer)}; {missing}", answer.facts)
    if not answer.content.strip():
        return _failure(Reason.PAGE_ERROR, f"the answer is empty; {missing}", answer.facts)
    if said := error_of(page):
        return _failure(Reason.PAGE_ERROR, f"the page says: {said}; {missing}", answer.facts)
    cut = "; the answer goes on beyond most_answer" if answer.is_cut else ""
    return _failure(Reason.CONFIRMATION_MISSING, f"{missing}; {_looks(answer, page)}{cut}", answer.facts)


def _says_more_than_status(expected: Confirmation) -> bool:
    return bool(expected.text or expected.url or expected.json or expected.headers)


def _by_status(answer: Answer, *, shows_credentials: bool) -> Failure:
    status = answer.status
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        wait = answer.headers.get("retry-after", "")
        return _failure(
            Reason.RATE_LIMITED, _said(answer) + (f"; Retry-After: {wait}" if wait else ""), answer.facts
        )
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN} and shows_credentials:
        return _failure(
            Reason.CREDENTIALS_REJECTED, f"our credential is refused: {_said(answer)}", answer.facts
        )
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        return _failure(Reason.CREDENTIALS_REJECTED, "our proxy refuses our credential (407)", answer.facts)
    reason = Reason.SERVER_ERROR if status >= HTTPStatus.INTERNAL_SERVER_ERROR else Reason.REJECTED
    return _failure(reason, _said(answer), answer.facts)


def _said(answer: Answer) -> str:
    """The status, and what the page or the text says for itself."""
    phrase = httpx.codes.get_reason_phrase(answer.status)
    title = page_of(answer).title if is_html(answer) else " ".join(answer.text[:120].split())
    words = f": {title}" if title and title != phrase else ""
    return f"HTTP {answer.status} {phrase}".rstrip() + words


def _looks(answer: Answer, page: Page) -> str:
    """What came instead: a page's title, or what the fields of an answer in JSON are called."""
    if not answer.media_type.endswith("json"):
        return _titled(page)
    try:
        found = json.loads(answer.text)
    except (ValueError, RecursionError):
        return "the answer says that it is JSON and is none"
    names = ", ".join(list(found)[:_MOST_NAMES]) if isinstance(found, dict) else ""
    return f"the answer is JSON with {names}" if names else "the answer is JSON"


def _titled(page: Page) -> str:
    return f"the page is titled “{page.title}”" if page.title else "the page has no title"


def _failure(reason: Reason, detail: str, facts: Mapping[str, Fact]) -> Failure:
    """What an answer said itself: nothing of it was lost."""
    return Failure(reason, detail, facts=facts, is_answer=True)
