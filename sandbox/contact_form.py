"""Contact form: a page of its own on another host name, behind which the same helpdesk makes the tickets."""

import secrets
from collections.abc import Callable, Iterable
from html import escape
from typing import Protocol
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from waitress.channel import ClientDisconnected

from sandbox import portal_pages as pages
from sandbox.faults import Faults
from sandbox.patience import wait
from sandbox.wsgi import Reply, cookie, moved, page, send

_THANKS = "/thanks"
_TOKEN = "form_token"  # noqa: S105 - the name of a cookie and a field
_NORMAL_PRIORITY = "3"
_FIRST_UNKEPT = 90001
_FORM = """<p>Tell us what is wrong; we answer by mail.</p>
{error}
<form method="post" action="/" enctype="multipart/form-data">
<input type="hidden" name="form_token" value="{token}">
<input type="hidden" name="form" value="contact">
<p><label for="name">Your name</label><br><input id="name" name="name" required></p>
<p><label for="email">Your e-mail address</label><br><input id="email" name="email" type="email" required></p>
<p><label for="subject">Subject</label><br><input id="subject" name="subject" maxlength="200" required></p>
<p><label for="message">Message</label><br><textarea id="message" name="message" rows="10" cols="60" required></textarea></p>
<p><label for="attachment">Attachment</label><br><input id="attachment" name="attachment" type="file"></p>
<p><button type="submit" name="send" value="1">Send</button></p>
</form>"""


class Steered(Protocol):
    """Who knows the faults in force and counts what customers send."""

    form_submissions: int

    @property
    def faults(self) -> Faults:
        """The faults in force."""
        ...


def contact_form(steering: Steered) -> WSGIApplication:
    """Return the contact form as WSGI application."""

    def serve(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        wait(lambda: steering.faults.form_slow_seconds)
        faults = steering.faults
        path, method = str(environ.get("PATH_INFO", "")), environ["REQUEST_METHOD"]
        if faults.form_down is not None:
            reply = page(pages.down(faults.form_down), faults.form_down)
        elif method == "POST" and path == "/":
            steering.form_submissions += 1
            reply = _submitted(environ, faults)
        elif path == _THANKS:
            reply = _thanks(environ)
        elif path == "/":
            reply = _form()
        else:
            reply = page(pages.whole("Not Found", "<p>There is no such page.</p>"), 404)
        return send(reply, start)

    return serve


def _form(error: str = "") -> Reply:
    token = secrets.token_urlsafe(16)
    shown = f'<p class="error" role="alert">{escape(error)}</p>' if error else ""
    text = pages.whole("Contact us", _FORM.format(token=token, error=shown))
    return page(text, headers={"Set-Cookie": f"{_TOKEN}={token}; Path=/; HttpOnly; SameSite=Lax"})


def _thanks(environ: WSGIEnvironment) -> Reply:
    number = str(environ.get("QUERY_STRING", "")).partition("request=")[2]
    shown = f"<p>Thank you. Your request has the number {escape(number)}.</p>"
    return page(pages.whole("We have your request", shown))


def _submitted(environ: WSGIEnvironment, faults: Faults) -> Reply:
    from django.core.handlers.wsgi import WSGIRequest
    from django.db import close_old_connections

    request = WSGIRequest(environ)
    fields, files = request.POST, request.FILES
    if not fields.get(_TOKEN) or fields.get(_TOKEN) != cookie(environ, _TOKEN):
        return page(pages.whole("Forbidden", "<p>The form is too old. Open it again.</p>"), 403)
    if faults.form_rejects:
        return _form("Please correct the marked fields.")
    if faults.form_drops_request:
        return moved(f"{_THANKS}?request=support-{_FIRST_UNKEPT}")
    try:
        made = _make_ticket(fields.get, files)
    finally:
        close_old_connections()
    if isinstance(made, Reply):
        return made
    if faults.form_loses_answer:
        raise ClientDisconnected  # the server closes the connection without a word
    if faults.form_error_after_submit:
        return page(pages.ERROR, 500)
    return moved(f"{_THANKS}?request={made}")


def _make_ticket(field: Callable[[str, str], str], files: object) -> str | Reply:
    """Make a ticket as the helpdesk's own form does; the form again if it refuses."""
    from helpdesk.forms import PublicTicketForm

    form = PublicTicketForm(
        data={
            "title": field("subject", ""),
            "body": field("message", ""),
            "submitter_email": field("email", ""),
            "priority": _NORMAL_PRIORITY,
        },
        files=files,
    )
    if not form.is_valid():
        return _form(" ".join(f"{name}: {' '.join(errors)}" for name, errors in form.errors.items()))
    return str(form.save(user=None).ticket_for_url)
