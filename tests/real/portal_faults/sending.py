"""Faults once the submit was clicked: what becomes of the request is for the ticketing system to tell."""

from typing import Any

from canary.hop import Hop
from canary.reason import Reason
from probes.portal.steps import By, Click, Frame, Locator
from tests.real.faulty_proxy import Rule
from tests.real.portal_faults.fault import THANKED, PortalFault, answered, from_form, harmless, limits, lost
from tests.real.portal_faults.small import (
    BUTTON,
    DETAILS,
    NEW,
    SEND,
    SUBJECT,
    app,
    page,
    role,
    sends_to,
    steps,
)
from tests.real.web_faults import answers, cut, loses_answer, redirect_loop, redirects, silence

_SUBMIT, _CONFIRM = Hop.PORTAL_SUBMIT, Hop.PORTAL_CONFIRMATION
_LATER = limits(submit=6)
_INVALID = NEW.replace(
    "<label>Subject", "<ul class=errorlist><li>This field is required.</li></ul><label>Subject"
)
_ERROR = page("<h1>Internal Server Error</h1><p>Please try again later.</p>", "Error")
_LOGIN = page(
    "<h1>Log in</h1><p>Your session has expired.</p><form><label>Password <input type=password></label></form>",
    "Log in",
)
_CAPTCHA = NEW.replace(BUTTON, "<div class=h-captcha style='width:300px;height:65px'>box</div>" + BUTTON)
_SAVES = """<button type=button onclick="fetch('/draft', {method: 'POST', body: new URLSearchParams(new FormData(this.form))})">Save</button>"""
_FRAMED = steps(Frame(Locator(By.CSS, "iframe")), SUBJECT, DETAILS, SEND, THANKED)
_LOSES: dict[str, Any] = {"start": "/new", "steps": from_form(), "resends": True}


def _post(name: str, made: str, hop: Hop, reason: Reason, answer: Any, **more: Any) -> PortalFault:  # noqa: ANN401 -- the fields
    """Another answer to the form."""
    given = {"start": "/new", "steps": from_form(), "short": -1, **more}
    return answered(name, made, hop, reason, pages={"POST /new": answer, **given.pop("pages", {})}, **given)


def _app(name: str, made: str, hop: Hop, reason: Reason, answer: Any, **more: Any) -> PortalFault:  # noqa: ANN401 -- the fields
    """Another answer to a form that its script sends."""
    pages = {"GET /new": app(more.pop("then", "")), "POST /api": answer}
    return answered(
        name,
        made,
        hop,
        reason,
        pages=pages,
        **{"start": "/new", "steps": from_form(), "short": -1, **more},
    )


def _unsent(name: str, made: str, reason: Reason, html: str, **more: Any) -> PortalFault:  # noqa: ANN401 -- the fields
    """A form that the page itself does not send."""
    given = {"start": "/new", "steps": from_form(), "changes": limits(submit=6), "posts": 0, **more}
    return answered(name, made, _SUBMIT, reason, pages={"GET /new": html}, **given)


SENDING: tuple[PortalFault, ...] = (
    _unsent("refused by the browser", "a required field that no step fills", Reason.FORM_REJECTED, NEW.replace(BUTTON, "<label>Phone <input required name=phone></label>" + BUTTON), says=("Phone", "fill out this field")),
    _unsent("refused by the page's script", "an alert, and nothing is sent", Reason.FORM_REJECTED, NEW.replace("</body>", "<script>document.forms[0].onsubmit = event => { event.preventDefault(); event.target.insertAdjacentHTML('beforeend', '<p role=alert>Too short.</p>') }</script></body>"), says=("Too short.",)),
    _unsent("button dead", "the page's script sends nothing", Reason.NOT_SUBMITTED, NEW.replace("</body>", "<script>document.forms[0].onsubmit = event => event.preventDefault()</script></body>")),
    _unsent("button's script broken", "its handler fails", Reason.SCRIPT_ERROR, NEW.replace(BUTTON, "<button type=button onclick='sendRequest()'>Send</button>"), says=("sendRequest is not defined",)),
    _unsent("spinner instead of a request", "a wheel turns, and nothing is sent", Reason.NOT_SUBMITTED, NEW.replace("</body>", "<script>document.forms[0].onsubmit = event => { event.preventDefault(); document.body.innerHTML = '<div role=progressbar style=\"width:40px;height:40px\">Sending</div>' }</script></body>")),
    _unsent("script busy after the click", "its handler never ends", Reason.PAGE_STUCK, NEW.replace("</body>", "<script>document.forms[0].onsubmit = event => { event.preventDefault(); const asked = new XMLHttpRequest(); asked.open('GET', '/never', false); asked.send() }</script></body>"), rules=lambda: (Rule(silence(), "/never"),)),
    _post("post 500", "status 500", _SUBMIT, Reason.SERVER_ERROR, answers(500, _ERROR), says=("answers 500", "step 3")),
    _post("post 500 without a page", "status 500, not a byte", _SUBMIT, Reason.SERVER_ERROR, answers(500, "")),
    _post("post 403", "status 403, a token against forgery refused", _SUBMIT, Reason.SESSION_EXPIRED, answers(403, page("<h1>Forbidden</h1><p>CSRF verification failed.</p>"))),
    _post("post 419", "status 419", _SUBMIT, Reason.SESSION_EXPIRED, answers(419, page("<h1>Page Expired</h1>"))),
    _post("post 429", "status 429", _SUBMIT, Reason.RATE_LIMITED, answers(429), verdict="inconclusive", side="prober"),
    _post("post challenged", "status 403, cf-mitigated: challenge", _SUBMIT, Reason.CHALLENGED, answers(403, page("<h1>Just a moment...</h1>"), headers={"cf-mitigated": "challenge"}), verdict="inconclusive", side="prober"),
    _post("post 422", "status 422, the form again with messages", _SUBMIT, Reason.FORM_REJECTED, answers(422, _INVALID)),
    lost("answer lost", "the portal takes it, then reset", _SUBMIT, Reason.CONNECTION_LOST, rules=lambda: (Rule(loses_answer(), method="POST"),), **_LOSES),
    lost("post cut", "reset before the portal takes it", _SUBMIT, Reason.CONNECTION_LOST, rules=lambda: (Rule(cut(), method="POST"),), **_LOSES),
    lost("post never answered", "the portal takes it, no answer", _SUBMIT, Reason.PAGE_TIMEOUT, rules=lambda: (Rule(silence(forwarded=True), method="POST"),), start="/new", steps=from_form(), changes=_LATER, says=("no answer in time", "so far")),
    _post("form again with messages", "status 200, the server refuses", _CONFIRM, Reason.FORM_REJECTED, _INVALID, says=("This field is required.",)),
    _post("form again with a captcha", "status 200, unsolved", _CONFIRM, Reason.CHALLENGED, _CAPTCHA, verdict="inconclusive", side="prober"),
    _post("session expired on the way", "a log-in instead of a confirmation", _CONFIRM, Reason.SESSION_EXPIRED, _LOGIN),
    _post("confirmation missing", "another page", _CONFIRM, Reason.CONFIRMATION_MISSING, page("<h1>Our products</h1>"), says=("step 4 (confirm {text: /request #", "Our products")),
    _post("error page after the post, status 200", "a page that says so", _CONFIRM, Reason.PAGE_ERROR, page("<h1>Something went wrong</h1>")),
    _post("answer empty", "status 200, not a byte", _CONFIRM, Reason.PAGE_ERROR, ""),
    _post("confirmed elsewhere", "303 to another host", _CONFIRM, Reason.REDIRECTED, sends_to("shop.acme.test", "/", 303), says=("shop.acme.test",)),
    _post("confirmation 500", "the page after the post fails", _CONFIRM, Reason.SERVER_ERROR, redirects("/done", 303), pages={"GET /done": answers(500)}),
    _post("confirmation in a circle", "303 to a page that leads to itself", _CONFIRM, Reason.REDIRECT_LOOP, redirects("/circle", 303), pages={"GET /circle": redirect_loop()}, short=None),
    _post("spinner after the request", "the page says that it is busy, for ever", _CONFIRM, Reason.PAGE_STUCK, page("<h1>One moment</h1><div role=progressbar style='width:40px;height:40px'></div>")),
    lost("confirmation never comes", "303 to a page that is never answered", _CONFIRM, Reason.PAGE_TIMEOUT, start="/new", steps=from_form(), pages={"GET /done": silence()}, changes=limits(confirmation=6)),
    _app("fetch 500", "a script sends it, status 500", _SUBMIT, Reason.SERVER_ERROR, answers(500, "{}", kind="application/json")),
    lost("fetch unanswered", "a script sends it, no answer", _SUBMIT, Reason.PAGE_TIMEOUT, pages={"GET /new": app(), "POST /api": silence()}, start="/new", steps=from_form(), changes=_LATER),
    _app("fetch taken, script fails", "status 200, then the page's script fails", _CONFIRM, Reason.CONFIRMATION_MISSING, "{}", then="missing.thank();"),
    _app("fetch taken, spinner for ever", "status 200, then a wheel turns", _CONFIRM, Reason.PAGE_STUCK, "{}", then="document.body.innerHTML = '<div role=progressbar style=\"width:40px;height:40px\">Sending</div>'; return;"),
    answered("form in a frame refused", "the frame shows the form again with messages", _CONFIRM, Reason.FORM_REJECTED, start="/", pages={"GET /": page("<h1>Contact</h1><iframe title=form src=/new width=600 height=400></iframe>"), "POST /new": _INVALID}, steps=_FRAMED, short=-1),
    answered("sent by a step before", "a step saves a draft with the subject; then the button is gone", _SUBMIT, Reason.FORM_CHANGED, start="/new", steps=from_form(None, Click(role("button", "Save"))), pages={"GET /new": app().replace(BUTTON, _SAVES), "POST /draft": "{}"}, short=4),
    harmless("sent twice by the page", "its script sends the form once more", flaws=(f"{_SUBMIT} {Reason.SUBMITTED_TWICE}",), start="/new", steps=from_form(), posts=2, pages={"GET /new": NEW.replace("</body>", "<script>document.forms[0].onsubmit = event => { fetch('/new', {method: 'POST', body: new URLSearchParams(new FormData(event.target)), keepalive: true, redirect: 'manual'}) }</script></body>")}),
)  # fmt: skip
