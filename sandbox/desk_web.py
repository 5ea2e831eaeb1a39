"""Desk web: the helpdesk's WSGI application: API and portal behind their faults, and static files."""

import mimetypes
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from pathlib import Path
from typing import Protocol
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.wsgi import get_wsgi_application

from sandbox.faults import Faults
from sandbox.portal_web import portal
from sandbox.wsgi import Reply, send

_HANG_LIMIT_SECONDS = 600.0
_HANG_LOOK_SECONDS = 0.1
_PAGE = b"<!doctype html><title>Sign in</title><h1>Please sign in</h1>"


class Counted(Protocol):
    """Who knows the faults in force and counts requests."""

    api_requests: int
    requests: int
    portal_pages: int
    portal_submissions: int

    @property
    def faults(self) -> Faults:
        """The faults in force."""
        ...


def application(steering: Counted, *, form_url: str, totp_secret: str) -> WSGIApplication:
    """Return the site as WSGI application; `portal` says what the other arguments are."""
    site: WSGIApplication = get_wsgi_application()
    pages = portal(site, steering, form_url=form_url, totp_secret=totp_secret)
    forever = threading.Event()

    def hang() -> None:
        waited = 0.0
        while steering.faults.desk_api_hang and waited < _HANG_LIMIT_SECONDS:
            forever.wait(_HANG_LOOK_SECONDS)
            waited += _HANG_LOOK_SECONDS

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start = _dated(start_response, steering)
        path = str(environ.get("PATH_INFO", ""))
        steering.requests += 1
        if path.startswith("/static/"):
            return send(_static(path.removeprefix("/static/")), start)
        if path.startswith("/media/"):
            return send(_media(path.removeprefix("/media/")), start)
        if not path.startswith("/api/"):
            return pages(environ, start)
        steering.api_requests += 1
        faults = steering.faults
        if faults.desk_api_hang:
            hang()
        if faults.desk_api_delay_seconds > 0:
            forever.wait(faults.desk_api_delay_seconds)
        answer = _bent(faults)
        if answer is None:
            return site(environ, start)
        status, headers, body = answer
        start(status, [*headers, ("Content-Length", str(len(body)))], None)
        return [body]

    return serve


def _bent(faults: Faults) -> tuple[str, list[tuple[str, str]], bytes] | None:
    json_type = [("Content-Type", "application/json")]
    if faults.desk_api_status is not None:
        status = HTTPStatus(faults.desk_api_status)
        headers = list(json_type)
        if faults.desk_api_retry_after_seconds is not None:
            headers.append(("Retry-After", str(faults.desk_api_retry_after_seconds)))
        if status is HTTPStatus.UNAUTHORIZED:
            headers.append(("WWW-Authenticate", "Token"))
        return f"{status.value} {status.phrase}", headers, b'{"detail": "The desk refuses this call."}'
    if faults.desk_api_html:
        return "200 OK", [("Content-Type", "text/html; charset=utf-8")], _PAGE
    if faults.desk_api_garbled:
        return "200 OK", json_type, b'{"tickets": [{"number": 1}], "more": false}'
    return None


def _dated(start_response: StartResponse, steering: Counted) -> StartResponse:
    """Give each answer the Date of the desk's own clock."""

    def start(
        status: str, headers: list[tuple[str, str]], exc_info: object = None, /
    ) -> Callable[[bytes], object]:
        at = datetime.now(UTC) + timedelta(seconds=steering.faults.desk_clock_skew_seconds)
        stamped = [*headers, ("Date", format_datetime(at, usegmt=True))]
        return start_response(status, stamped, exc_info)  # type: ignore[arg-type] # passed on as it came

    return start


def _static(name: str) -> Reply:
    """Serve a file of the pages; browsers may keep it, as they may those of any portal."""
    found = finders.find(name)
    reply = _file(Path(found) if isinstance(found, str) else None)
    return replace(reply, headers=(*reply.headers, ("Cache-Control", "public, max-age=3600")))


def _media(name: str) -> Reply:
    """Serve an attachment, as the web server before a helpdesk does."""
    root = Path(settings.MEDIA_ROOT).resolve()
    wanted = (root / name).resolve()
    return _file(wanted if wanted.is_relative_to(root) else None)


def _file(file: Path | None) -> Reply:
    if file is None or not file.is_file():
        return Reply("404 Not Found", (), b"")
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return Reply("200 OK", (("Content-Type", kind),), file.read_bytes())
