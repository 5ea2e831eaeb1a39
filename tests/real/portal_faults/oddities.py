"""What is strange and harms nobody: the canary must go through, without a flaw."""

import asyncio
import re

from probes.portal.steps import By, Click, Confirm, Fill, Frame, Hidden, Locator, Step, Submit, Template, Wait
from probes.servers import Password
from tests.real.faulty_proxy import Rule
from tests.real.forms import Source
from tests.real.portal_faults.fault import THANKED, PortalFault, Shown, from_form, harmless, whole
from tests.real.portal_faults.small import (
    BUTTON,
    DETAILS,
    DONE,
    FIELDS,
    FORM,
    HOME,
    LINK,
    NEW,
    OPEN,
    SEND,
    SUBJECT,
    app,
    label,
    page,
    role,
    steps,
)
from tests.real.web_faults import Answer, Forward, Request, answer, answers, latency, never_ends, silence

late_end = never_ends()
_TURNED = """<label>Details <textarea name="details"></textarea></label><input type="hidden" name="once">
<label>Subject <input name="subject" required></label>"""
_OTHER = "<section><div><label for=s>Subject</label><input id=s name=subject><label for=d>Details</label><textarea id=d name=details></textarea></div><input type=hidden name=once></section>"
_BANNER = """<div id=b style='position:fixed;inset:0;background:#eee'><p>We use cookies.</p>
<button onclick="document.getElementById('b').remove()">Accept all</button></div>"""
_TRACKER = "<script>document.write('<script src=\"http://tracker.acme.test:' + location.port + '/t.js\"' + ' async></scr' + 'ipt>'); fetch('http://tracker.acme.test:' + location.port + '/beacon', {method: 'POST', body: 'x'})</script>"
_LATE = page(
    "<div id=root></div><script>setTimeout(() => { document.getElementById('root').innerHTML = '"
    + LINK
    + "' }, 1500)</script>"
)
_THANKS_AT_ONCE = """<script>document.forms[0].addEventListener("submit", event => { event.preventDefault();
fetch("/api", {method: "POST", body: new URLSearchParams(new FormData(event.target))});
document.body.innerHTML = "<h1>Thank you</h1><p>Your request #4711 was received.</p>"; });</script>"""
_SAYS_SENDING = """<script>document.forms[0].addEventListener("submit", event => { event.preventDefault();
event.target.insertAdjacentHTML("beforeend", "<p role=alert>Sending your request</p>");
setTimeout(() => event.target.submit(), 3000); });</script>"""
_SPINNING = page(
    "<div id=root><div role=progressbar style='width:40px;height:40px'></div></div><script>setTimeout(() => { document.getElementById('root').innerHTML = '"
    + LINK
    + "' }, 1500)</script>"
)
_RECORDER = "<script>document.addEventListener('input', event => fetch('http://recorder.acme.test:' + location.port + '/r', {method: 'POST', body: event.target.value})); addEventListener('submit', event => { for (const n of [1, 2]) fetch('http://recorder.acme.test:' + location.port + '/r', {method: 'POST', keepalive: true, body: document.forms[0].subject.value}) })</script>"


async def asks_for_login(request: Request, forward: Forward) -> Answer:
    """HTTP authentication with the right password alone."""
    if request.header("authorization") == "Basic Y2FuYXJ5OnJpZ2h0LXBhc3N3b3JkLTE=":
        return await forward(request)
    return answer(401, "", headers={"WWW-Authenticate": 'Basic realm="portal"'})


async def wants_header(request: Request, forward: Forward) -> Answer:
    """A defence that lets pass who has the field."""
    return await forward(request) if request.header("x-synthetic") == "header-secret-1" else answer(403)


async def wants_cookie(request: Request, forward: Forward) -> Answer:
    """A session that begins on the first page."""
    if request.path == "/":
        found = await forward(request)
        return Answer(found.status, (*found.headers, ("Set-Cookie", "seen=1; Path=/")), found.body)
    return await forward(request) if "seen=1" in (request.header("cookie") or "") else answer(403)


async def redirected_to_itself(request: Request, forward: Forward) -> Answer:
    """As a portal does that sets a cookie first."""
    await asyncio.sleep(0)
    return await forward(request) if "?" in request.path else answer(302, headers={"Location": "/?first=no"})


ODDITIES: tuple[PortalFault, ...] = (
    harmless("thanks before the request is there", "the page thanks at the click, and its request takes 3 s", start="/new", steps=from_form(), pages={"GET /new": page(f"{FORM}{_THANKS_AT_ONCE}"), "POST /api": "{}"}, rules=lambda: (Rule(latency(3), "/api"),)),
    harmless("says that it is sending", "an alert says so, and the request leaves 3 s later", start="/new", steps=from_form(), pages={"GET /new": page(f"{FORM}{_SAYS_SENDING}")}),
    harmless("words of the confirmation on the form", "as an example", start="/new", steps=from_form(), pages={"GET /new": NEW.replace(BUTTON, "<p>Is it about your request #12?</p>" + BUTTON)}),
    harmless("field marked before anything was sent", "aria-invalid, and the request takes 3 s", start="/new", steps=from_form(), pages={"GET /new": NEW.replace('name="details"', 'name="details" aria-invalid=true')}, rules=lambda: (Rule(latency(3), method="POST"),)),
    harmless("nothing strange", "the portal as it is"),
    harmless("third party never answers", "a tracker's script and beacon hang", pages={"GET /": HOME.replace(LINK, LINK + _TRACKER), "GET /new": NEW.replace("</body>", _TRACKER + "</body>")}, rules=lambda: (Rule(silence(), host="tracker.acme.test"),)),
    harmless("page never ends, after the form", "the body goes on for ever after the form", rules=lambda: (Rule(late_end, "^/new$", method="GET"),), start="/new", steps=from_form()),
    harmless("extra banner", "a notice of maintenance, marked as an alert", pages={"GET /new": NEW.replace("<h1>", "<div role=alert>Maintenance on Sunday: errors may occur.</div><h1>")}),
    harmless("cookie banner clicked away", "it lies over link and form; `dismiss` names its button", pages={"GET /": HOME.replace("</body>", _BANNER + "</body>"), "GET /new": NEW.replace("</body>", _BANNER + "</body>")}, changes={"dismiss": (role("button", "Accept all"),)}),
    harmless("fields in another order", "Details first", pages={"GET /new": NEW.replace(FIELDS, _TURNED)}),
    harmless("A/B variant", "the same form by another template", pages={"GET /new": NEW.replace(FIELDS, _OTHER)}),
    harmless("console error", "console.error, and a script that fails", pages={"GET /new": NEW.replace("</body>", "<script>console.error('no'); missing.thing()</script></body>")}),
    harmless("icon missing", "status 404 for /favicon.ico and a picture", pages={"GET /new": NEW.replace("<h1>", "<img src=/logo.png><h1>")}),
    harmless("stylesheet broken", "status 500 for the stylesheet", pages={"GET /new": NEW.replace("<title>", "<link rel=stylesheet href=/style.css><title>")}, rules=lambda: (Rule(answers(500), "/style.css"),)),
    harmless("slow, but in time", "1 s before each answer", rules=lambda: (Rule(latency(1)),)),
    harmless("drawn late by a script", "the first page is blank for 1.5 s after it has loaded", pages={"GET /": _LATE}),
    harmless("drawn late, with a spinner", "a wheel turns for 1.5 s after the page has loaded", pages={"GET /": _SPINNING}),
    harmless("redirect by script", "the first page leads on", pages={"GET /": page("<script>location.replace('/start')</script>"), "GET /start": HOME}),
    harmless("link opens a tab", "target=_blank", pages={"GET /": HOME.replace("<a ", "<a target=_blank ")}),
    harmless("tab closes itself", "a chooser in a window, closed before the form is sent", pages={"GET /": page("<a href=/chooser target=chooser>Choose</a>" + LINK), "GET /chooser": page("<button onclick='window.close()'>Other</button>")}, steps=steps(Click(role("link", "Choose")), Click(role("button", "Other")), OPEN, SUBJECT, DETAILS, SEND, THANKED)),
    harmless("window of an advertisement", "window.open when the page loads", pages={"GET /": HOME.replace("</body>", "<script>window.open('/ad')</script></body>")}),
    harmless("form in a frame", "the steps go into it", pages={"GET /": page("<h1>Contact</h1><iframe title=form src=/new width=600 height=400></iframe>")}, steps=steps(Frame(Locator(By.CSS, "iframe")), SUBJECT, DETAILS, SEND, THANKED)),
    harmless("confirmation in a frame", "the page after the post holds it in a frame", pages={"GET /done": page("<iframe src=/inner></iframe>"), "GET /inner": DONE}, steps=steps(OPEN, SUBJECT, DETAILS, SEND, Frame(Locator(By.CSS, "iframe")), THANKED)),
    harmless("sent by fetch, slowly", "1.5 s until the answer, a wheel turns", pages={"GET /new": app(), "POST /api": "{}"}, start="/new", steps=from_form(), rules=lambda: (Rule(latency(1.5), "/api"),)),
    harmless("sent by fetch, after a while", "2.5 s until the script sends it, beside a notice marked as an alert", pages={"GET /new": app().replace("const answer", "await new Promise(done => setTimeout(done, 2500)); const answer").replace("<h1>Submit", "<p role=alert>Closed on Friday</p><h1>Submit"), "POST /api": "{}"}, start="/new", steps=from_form()),
    harmless("statistics fail beside the request", "the page's own beacon is answered 500, the request takes 1 s", pages={"GET /new": app().replace("const answer", "fetch('/count', {method: 'POST', body: '1'}); const answer"), "POST /api": "{}"}, rules=lambda: (Rule(answers(500), "/count"), Rule(latency(1), "/api")), start="/new", steps=from_form()),
    harmless("sent by key", "Enter in the subject", steps=steps(OPEN, DETAILS, SUBJECT, Submit(label("Subject"), key="Enter"), THANKED)),
    harmless("confirmed by address", "the URL says it", steps=whole(Confirm(url=re.compile(r"/done$")))),
    harmless("confirmed by an element", "a heading says it", steps=whole(Confirm(shown=role("heading", "Thank you")))),
    harmless("confirmation hidden elsewhere, too", "a template of it comes first, unseen", pages={"GET /done": DONE.replace("<h1>", "<p style='display:none'>Your request #0 was received.</p><h1>")}),
    harmless("words of error in the confirmation", "thanks for an error report", pages={"GET /done": DONE.replace("was received", "on the error 500 was received")}),
    harmless("typed text is recorded elsewhere", "a third party is sent what is typed, and again at the submit", pages={"GET /new": NEW.replace("</body>", _RECORDER + "</body>"), "POST /r": ""}),
    harmless("captcha that lets us through", "a vendor's test key", pages={"GET /new": NEW.replace(BUTTON, "<div class=g-recaptcha style='width:300px;height:80px'>test key</div>" + BUTTON)}),
    harmless("optional step left out", "a tour that is not shown today", steps=tuple(Step(n, s.action, s.timeout_seconds, is_optional=n == 1) for n, s in enumerate(steps(Click(role("button", "Skip the tour")), *(one.action for one in whole())), 1))),
    harmless("log-in by form", "name and password, then the link", pages={"GET /": page("<form method=post action=/login><label>Name <input name=n></label><label>Password <input type=password name=p></label><button>Log in</button></form>"), "POST /login": answer(303, headers={"Location": "/home"}), "GET /home": HOME}, changes={"login": steps(Fill(label("Name"), Template("canary")), Fill(label("Password"), Hidden(Source(["right-password-1"]))), Click(role("button", "Log in")), Wait(shown=role("link", "Submit a request")))}, posts=1),
    harmless("log-in, answered late", "1.5 s until the portal says yes", pages={"GET /": page("<form method=post action=/login><label>Password <input type=password name=p></label><button>Log in</button><p>Log-in failed? Call us.</p></form>"), "POST /login": answer(303, headers={"Location": "/home"}), "GET /home": HOME}, rules=lambda: (Rule(latency(1.5), "/login"),), changes={"login": steps(Fill(label("Password"), Hidden(Source(["right-password-1"]))), Click(role("button", "Log in")))}),
    harmless("HTTP log-in", "Basic, the right password", rules=lambda: (Rule(asks_for_login),), changes={"http_login": Password("canary", Source(["right-password-1"]))}),
    harmless("field that lets us through", "a header field, and a cookie beside it", pages={"GET /": HOME.replace(LINK, LINK + _TRACKER)}, rules=lambda: (Rule(answers(200, "1"), host="tracker.acme.test"), Rule(wants_header), Rule(wants_cookie)), changes={"headers": {"X-Synthetic": Source(["header-secret-1"])}}),
    harmless("field and HTTP log-in", "both at once", rules=lambda: (Rule(wants_header), Rule(asks_for_login)), changes={"headers": {"X-Synthetic": Source(["header-secret-1"])}, "http_login": Password("canary", Source(["right-password-1"]))}),
    harmless("own authority", "its certificate is of `ca`", shown=Shown.VALID),
    harmless("client certificate", "the portal asks for one, and gets ours", shown=Shown.ASKS_FOR_OURS, changes={"client_certificate": None}),
)  # fmt: skip
