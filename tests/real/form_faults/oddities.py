"""What is strange and harms nobody: the canary must be confirmed, without a flaw."""

import gzip
import re

from probes.form.settings import Confirmation
from tests.real.form_faults.fault import GET, LANDING, POST, THANKED, FormFault, harmless
from tests.real.forms import FORM_ELEMENT, PAGE, THANKS
from tests.real.scripted_http import HTML, Break, Reply, Request

_FIELDS = '<input name="title" required><textarea name="body"></textarea><input type="email" name="email">'
_TURNED = '<input type="email" name="email"><textarea name="body"></textarea><input name="title" required>'


def _page(name: str, made: str, body: str | bytes, **headers: str) -> FormFault:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return harmless(name, made, {GET: Reply(body=body, headers={**HTML, **named})}, confirmation=THANKED)


def _with_cookie(request: Request) -> Reply:
    if "seen=1" in request.headers.get("cookie", ""):
        return Reply(body=PAGE)
    return Reply(302, headers={"Location": "/form", "Set-Cookie": "seen=1; Path=/"})


def _only_with_cookie(request: Request) -> Reply:
    fits = "seen=1" in request.headers.get("cookie", "") and b"csrf=c5rf-t0ken" in request.body
    return Reply(303, headers={"Location": "thanks"}) if fits else Reply(403)


ODDITIES: tuple[FormFault, ...] = (
    _page("fields in another order", "email first", PAGE.replace(_FIELDS, _TURNED)),
    _page("more fields", "a telephone number, and a list", PAGE.replace(_FIELDS, f"{_FIELDS}<input name=phone><select name=topic><option>Other<option>Sales</select>")),
    _page("the form twice", "for narrow and wide screens", PAGE.replace("</body>", FORM_ELEMENT)),
    _page("a search form beside it", "another form on the page", PAGE.replace("<h1>", "<form action=/search><input name=q><button>Find</button></form><h1>")),
    _page("a banner and a broken script", "around the form", PAGE.replace("<h1>", "<div role=alert>Closed on Friday</div><script>throw new Error('maintenance')</script><h1>")),
    _page("upper case and no end tags", "as of 1999", PAGE.replace("<form", "<FORM").replace("</form>", "").replace("</body></html>", "")),
    _page("compressed", "gzip", gzip.compress(PAGE.encode()), Content_Encoding="gzip"),
    _page("fields outside the form", "tied to it by the attribute form", PAGE.replace("<form ", '<form id="f" ').replace(_FIELDS, "").replace("</form>", f"</form>{_FIELDS.replace('name=', 'form=f name=')}")),
    _page("a long page", "3 MB after the form", PAGE + "<p>words</p>" * 250_000),
    _page("closed after the page", "Connection: close", PAGE, Connection="close"),
    harmless("cookie asked for first", "a redirect to itself that sets one, and a post that wants it", {GET: _with_cookie, POST: _only_with_cookie}, confirmation=THANKED),
    harmless("slow, but in time", "0.3 s before each answer", {GET: Reply(body=PAGE, late_seconds=0.3), POST: Reply(302, headers={"Location": "/thanks"}, late_seconds=0.3), LANDING: Reply(body=THANKS, late_seconds=0.3)}, confirmation=THANKED),
    harmless("confirmed in pieces", "the last page trickles, whole in time", {LANDING: Reply(body="Thank you", broken=Break.TRICKLE)}, confirmation=THANKED),
    harmless("confirmed at once", "status 200 instead of a redirect", {POST: Reply(body=THANKS)}, confirmation=Confirmation(text=re.compile(r"request #(?P<ticket>\d+)"))),
    harmless("redirected by 301", "instead of 303", {POST: Reply(301, headers={"Location": "/thanks"})}, confirmation=THANKED),
    harmless("confirmation with the word error", "thanks for an error report", {LANDING: Reply(body=THANKS.replace("Thanks<", "Error report received<"))}, confirmation=THANKED),
    harmless("confirmation with an alert", "role=alert says thanks, and the form is there again", {POST: Reply(body=PAGE.replace("<h1>", "<p role=alert>Thank you</p><h1>"))}, confirmation=THANKED),
    harmless("confirmation in the first part of a long answer", "3 MB", {LANDING: Reply(body=THANKS + "<p>words</p>" * 250_000)}, confirmation=THANKED),
)  # fmt: skip
