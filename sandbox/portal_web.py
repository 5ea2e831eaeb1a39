"""Portal web: the helpdesk's pages for customers behind the portal's faults."""

import re
from collections.abc import Callable, Iterable
from itertools import count
from typing import Protocol
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from waitress.channel import ClientDisconnected

from sandbox import portal_pages as pages
from sandbox.faults import Faults
from sandbox.patience import wait
from sandbox.portal_login import LOGIN, SESSION_COOKIE, is_logged_in, spoil, with_code
from sandbox.wsgi import Reply, body_of, call, cookie, give_body, moved, page, send

FORMS = frozenset({"/", "/tickets/submit/"})
_OPEN_TO_ALL = frozenset({LOGIN, "/logout/"})
_EXPIRED = f"{SESSION_COOKIE}=; Path=/; Max-Age=0"
_FIRST_UNKEPT = 90001
_TITLE = re.compile(rb'name="title"\r\n\r\n(.*?)\r\n', re.DOTALL)


class Steered(Protocol):
    """Who knows the faults in force and counts what customers do."""

    portal_pages: int
    portal_submissions: int

    @property
    def faults(self) -> Faults:
        """The faults in force."""
        ...


def portal(site: WSGIApplication, steering: Steered, *, form_url: str, totp_secret: str) -> WSGIApplication:
    """Return the portal as WSGI application.

    Args:
        site: the helpdesk.
        steering: the faults in force.
        form_url: the contact form, to which the portal may redirect.
        totp_secret: base32; of the one customer who can log in.
    """
    numbers = count(_FIRST_UNKEPT)

    def serve(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        steering.portal_pages += 1
        wait(lambda: steering.faults.portal_slow_seconds)
        faults = steering.faults
        path, method = str(environ.get("PATH_INFO", "")), environ["REQUEST_METHOD"]
        reply = _no_portal(path, faults, form_url) or _instead(environ, path, faults)
        if reply is None and method == "POST" and path in FORMS:
            steering.portal_submissions += 1
            reply = _not_taken(site, environ, faults, numbers.__next__) or _taken(site, environ, faults)
        if reply is None:
            reply = _page(site, environ, path, faults, totp_secret)
        return send(reply, start)

    return serve


def _no_portal(path: str, faults: Faults, form_url: str) -> Reply | None:
    """What comes instead of any page of a portal that is not there."""
    if faults.portal_down is not None:
        return page(pages.down(faults.portal_down), faults.portal_down)
    if faults.portal_redirect_to_form:
        return moved(form_url)
    if faults.portal_redirect_loop:
        return moved(path)
    if faults.portal_maintenance:
        return page(pages.MAINTENANCE)
    return None


def _instead(environ: WSGIEnvironment, path: str, faults: Faults) -> Reply | None:
    """Pages that the site does not have, and the log-in before those that it has."""
    if path.startswith(pages.CAPTCHAS):
        return page(pages.CAPTCHA)
    if faults.portal_login_required and path not in _OPEN_TO_ALL and not is_logged_in(environ):
        return _to_login(path)
    return None


def _to_login(path: str) -> Reply:
    return moved(f"{LOGIN}?next={path}", {"Set-Cookie": _EXPIRED})


def _not_taken(
    site: WSGIApplication, environ: WSGIEnvironment, faults: Faults, number: Callable[[], int]
) -> Reply | None:
    """The answer to a form that makes no ticket; None: the site gets it."""
    body = body_of(environ)
    if faults.portal_form_changed:
        give_body(environ, body.replace(f'name="{pages.CHANGED_NAME}"'.encode(), b'name="title"'))
    if faults.portal_session_expires:
        return _to_login(str(environ["PATH_INFO"]))
    if faults.portal_captcha is not None:
        shown = _page(site, _as_get(environ), str(environ["PATH_INFO"]), faults, "")
        return shown.with_page(pages.unsolved(shown.body.decode()))
    if faults.portal_validation_error:
        # The helpdesk judges an empty form and shows its own errors; the token goes by the header for scripts.
        environ["HTTP_X_CSRFTOKEN"] = cookie(environ, "csrftoken") or ""
        environ["CONTENT_TYPE"] = "application/x-www-form-urlencoded"
        give_body(environ, b"")
        return None
    if faults.portal_drops_request:
        title = _TITLE.search(body)
        return page(pages.not_kept(title[1].decode() if title else "", number()))
    return None


def _taken(site: WSGIApplication, environ: WSGIEnvironment, faults: Faults) -> Reply | None:
    """The answer to a form that made a ticket; None: the site's own."""
    if faults.portal_loses_answer:
        call(site, environ)
        raise ClientDisconnected  # the server closes the connection without a word
    if faults.portal_error_after_submit:
        call(site, environ)
        return page(pages.ERROR, 500)
    if faults.portal_confirmation_missing:
        call(site, environ)
        return moved("/")
    return None


def _as_get(environ: WSGIEnvironment) -> WSGIEnvironment:
    asked = {**environ, "REQUEST_METHOD": "GET"}
    give_body(asked, b"")
    return asked


def _page(
    site: WSGIApplication, environ: WSGIEnvironment, path: str, faults: Faults, totp_secret: str
) -> Reply:
    """A page of the site, bent as the switches want."""
    if path == LOGIN and environ["REQUEST_METHOD"] == "POST":
        spoil(environ, faults, totp_secret)
    reply = call(site, environ)
    if not reply.is_html:
        return reply
    if path == LOGIN and faults.portal_totp:
        return reply.with_page(with_code(reply.body.decode()))
    if path in FORMS:
        is_consented = cookie(environ, "consent") is not None
        return reply.with_page(pages.changed(reply.body.decode(), faults, is_consented=is_consented))
    return reply
