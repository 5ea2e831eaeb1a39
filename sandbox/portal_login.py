"""Portal log-in: who is logged in, one-time passwords, and log-ins that fail as they are told."""

import base64
import hmac
import time
from hashlib import sha1
from urllib.parse import parse_qsl, urlencode
from wsgiref.types import WSGIEnvironment

from sandbox.faults import Faults
from sandbox.wsgi import body_of, cookie, give_body

LOGIN = "/login/"
SESSION_COOKIE = "sessionid"
_STEP_SECONDS = 30
_DIGITS = 6
_BUTTON = '<div class="d-grid gap-2 py-3">'
_CODE = """<div class="mb-3"><label class="form-label" for="code">Code</label>
<input type="text" id="code" name="code" class="form-control" inputmode="numeric" required="required" /></div>
"""


def code_at(secret: str, seconds: float) -> str:
    """The one-time password of a base32 secret at a time: RFC 6238 section 4, over RFC 4226 section 5.3."""
    count = int(seconds // _STEP_SECONDS).to_bytes(8, "big")
    digest = hmac.new(base64.b32decode(secret), count, sha1).digest()
    start = digest[-1] & 0xF
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**_DIGITS:0{_DIGITS}d}"


def is_logged_in(environ: WSGIEnvironment) -> bool:
    """Whether the browser's session is one of a user."""
    from django.contrib.sessions.backends.db import SessionStore

    key = cookie(environ, SESSION_COOKIE)
    return key is not None and "_auth_user_id" in SessionStore(key)


def spoil(environ: WSGIEnvironment, faults: Faults, secret: str) -> None:
    """Make a log-in fail where it must: the site gets a wrong password, and shows its own page of that."""
    fields = dict(parse_qsl(body_of(environ).decode(), keep_blank_values=True))
    now = time.time()
    codes = {code_at(secret, now + step * _STEP_SECONDS) for step in (-1, 0, 1)}
    if faults.portal_login_refused or (faults.portal_totp and fields.get("code", "") not in codes):
        fields["password"] = f"not {fields.get('password', '')}"
    give_body(environ, urlencode(fields).encode())


def with_code(text: str) -> str:
    """The log-in page with a field for the one-time password."""
    return text.replace(_BUTTON, _CODE + _BUTTON, 1)
