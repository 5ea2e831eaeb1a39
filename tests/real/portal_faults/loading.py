"""Faults of name, connection and first page: nothing has left yet."""

from typing import Any

from canary.hop import Hop
from canary.reason import Reason
from probes.servers import Password
from tests.real.faulty_proxy import Greeting, Rule
from tests.real.forms import Source
from tests.real.portal_faults.fault import At, PortalFault, Shown, before, limits, ours
from tests.real.portal_faults.small import HOME, LINK, ONCE, page, sends_to
from tests.real.web_faults import (
    Fault,
    answers,
    cuts_body,
    latency,
    never_ends,
    redirect_loop,
    silence,
    trickle,
)
from tests.real.web_faults import html_error as error_page

_LOAD = Hop.PORTAL_LOAD
_SHORT = limits(load=3)
_MAINTENANCE = page("<h1>We'll be right back</h1><p>The portal is under maintenance.</p>", "Maintenance")
_LOGIN = page("<h1>Log in</h1><form><label>Password <input type=password></label></form>", "Log in")
_CHALLENGE = page("<h1>Just a moment...</h1>", "Just a moment...")
_CAPTCHA = page("<h1>Security check</h1><div class=g-recaptcha style='width:300px;height:80px'>box</div>")
_PASSWORD = Password("canary", Source(["right-password-1"]))


def _first(name: str, made: str, reason: Reason, fault: Fault, **more: Any) -> PortalFault:  # noqa: ANN401 -- the fields
    """A fault of the first page."""
    return before(name, made, _LOAD, reason, rules=lambda: (Rule(fault, "^/($|[?])"),), **more)


def _instead(name: str, made: str, reason: Reason, html: str, **more: Any) -> PortalFault:  # noqa: ANN401 -- the fields
    """Another first page."""
    return before(name, made, _LOAD, reason, pages={"GET /": html}, **more)


LOADING: tuple[PortalFault, ...] = (
    before("no such name", "NXDOMAIN", Hop.DNS, Reason.DNS_NO_RECORD, at=At.NO_NAME),
    before("name server silent, others answer", "no DNS answer; another name is answered", Hop.DNS, Reason.DNS_UNANSWERED, at=At.SILENT_NAMES, others_answer=True),
    ours("name server silent, nobody else heard", "no DNS answer, and nothing else from outside", Hop.DNS, Reason.DNS_UNANSWERED, at=At.SILENT_NAMES, side="prober"),
    ours("name unknown to the browser", "our resolver knows it, the browser's does not", _LOAD, Reason.DNS_UNANSWERED, at=At.UNKNOWN_TO_BROWSER, says=("ERR_NAME_NOT_RESOLVED",), side="prober"),
    before("refused", "nothing listens on the port", _LOAD, Reason.REFUSED, at=At.CLOSED, says=("ERR_CONNECTION_REFUSED",)),
    before("connection unanswered, others answer", "SYNs are dropped; another place answers", _LOAD, Reason.CONNECT_TIMEOUT, at=At.UNANSWERED, changes=_SHORT, others_answer=True),
    ours("connection unanswered, nobody else heard", "SYNs are dropped, and nothing else from outside", _LOAD, Reason.CONNECT_TIMEOUT, at=At.UNANSWERED, changes=_SHORT),
    before("accepts silently", "accepted, and not a byte", _LOAD, Reason.PAGE_TIMEOUT, greeting=Greeting.SILENT, changes=_SHORT),
    before("reset at once", "RST instead of an answer", _LOAD, Reason.CONNECTION_LOST, greeting=Greeting.CUT),
    before("no HTTP", "an SSH banner", _LOAD, Reason.PROTOCOL_ERROR, greeting=Greeting.GARBLED),
    before("certificate expired", "ended yesterday; own authority trusted", _LOAD, Reason.CERTIFICATE_EXPIRED, shown=Shown.EXPIRED),
    before("certificate for another name", "for wrong.example; own authority trusted", _LOAD, Reason.CERTIFICATE_WRONG_NAME, shown=Shown.WRONG_NAME),
    before("certificate of another authority", "its authority is none of `ca`", _LOAD, Reason.CERTIFICATE_INVALID, shown=Shown.UNTRUSTED),
    before("certificate of an unknown authority", "no `ca`; the browser says it", _LOAD, Reason.CERTIFICATE_INVALID, shown=Shown.UNKNOWN, says=("ERR_CERT_AUTHORITY_INVALID",)),
    before("client certificate demanded, none sent", "the handshake is refused", _LOAD, Reason.CONNECTION_LOST, shown=Shown.ASKS_FOR_OURS),
    _first("page never comes", "the request is read, no answer", Reason.PAGE_TIMEOUT, silence(), changes=_SHORT, says=("no answer in time", "so far")),
    _first("page late", "30 s before the first byte", Reason.PAGE_TIMEOUT, latency(30), changes=_SHORT),
    _first("page trickles", "a byte each 0.2 s", Reason.PAGE_TIMEOUT, trickle(1, 0.2), changes=_SHORT),
    before("page never ends, without what is needed", "the body goes on for ever", _LOAD, Reason.PAGE_TIMEOUT, pages={"GET /": HOME.replace(LINK, "").replace("</body></html>", "")}, rules=lambda: (Rule(never_ends(), "^/$"),), changes=_SHORT),
    _first("page cut", "reset in the middle of the body", Reason.CONNECTION_LOST, cuts_body(0.3)),
    _first("page 500", "status 500", Reason.SERVER_ERROR, answers(500), says=("answers 500", "Internal Server Error")),
    _first("page 502", "status 502", Reason.SERVER_ERROR, answers(502)),
    _first("page 503, maintenance", "status 503 and a maintenance page", Reason.SERVER_ERROR, answers(503, _MAINTENANCE)),
    _first("page 503 without a page", "status 503 and not a byte", Reason.SERVER_ERROR, answers(503, ""), says=("answers 503",)),
    _first("page gone", "status 404", Reason.PAGE_ERROR, answers(404), says=("answers 404",)),
    _first("page behind HTTP log-in", "status 401, and we have none", Reason.PAGE_ERROR, answers(401, "", headers={"WWW-Authenticate": "Basic realm=x"})),
    _first("page is a file", "status 200, an octet stream", Reason.PAGE_ERROR, answers(200, "PK", kind="application/octet-stream"), says=("a file came",)),
    _first("page without content", "status 204", Reason.PAGE_ERROR, answers(204, "")),
    _first("error page with status 200", "a page that says so", Reason.PAGE_ERROR, error_page(), says=("Error",)),
    _first("empty page", "status 200, not a byte", Reason.PAGE_ERROR, answers(200, ""), says=("empty",), changes=limits(step=4)),
    _first("redirect loop", "302 to itself", Reason.REDIRECT_LOOP, redirect_loop()),
    _first("sent to the contact form", "302 to another host", Reason.REDIRECTED, sends_to("forms.acme.test", "/new"), says=("forms.acme.test",)),
    _first("field, redirected elsewhere", "a header field of ours, and 302 to another host", Reason.REDIRECTED, sends_to("forms.acme.test", "/new"), changes={"headers": {"X-Synthetic": "header-secret-1"}}),
    _instead("sent to a status page by script", "location = … on another host", Reason.REDIRECTED, page("<script>location = 'http://status.acme.test:' + location.port + '/status'</script>"), says=("status.acme.test",)),
    _instead("log-in wall", "status 200 with a log-in, where none is configured", Reason.REDIRECTED, _LOGIN, says=("a log-in stands before it",)),
    _instead("maintenance page, status 200", "a page that says so", Reason.REDIRECTED, _MAINTENANCE, says=("maintenance",)),
    ours("page 429", "status 429", _LOAD, Reason.RATE_LIMITED, rules=lambda: (Rule(answers(429), "^/$"),)),
    ours("bot defence", "status 403, cf-mitigated: challenge", _LOAD, Reason.CHALLENGED, rules=lambda: (Rule(answers(403, _CHALLENGE, headers={"cf-mitigated": "challenge"}), "^/$"),)),
    ours("bot defence by field alone", "status 403, cf-mitigated: challenge, no words", _LOAD, Reason.CHALLENGED, rules=lambda: (Rule(answers(403, page("<p>No.</p>"), headers={"cf-mitigated": "challenge"}), "^/$"),)),
    ours("captcha in the place of the page", "status 200 with a captcha and no form", _LOAD, Reason.CHALLENGED, pages={"GET /": _CAPTCHA}),
    ours("HTTP log-in refused", "our password is wrong", _LOAD, Reason.CREDENTIALS_REJECTED, rules=lambda: (Rule(answers(401, "", headers={"WWW-Authenticate": "Basic realm=x"})),), changes={"http_login": _PASSWORD}),
    before("broken script, blank page", "the page is drawn by a script that fails", _LOAD, Reason.SCRIPT_ERROR, pages={"GET /": page("<div id=root></div><script>missing.render()</script>")}, changes=limits(step=4), says=("missing is not defined",)),
    before("script does not come, blank page", "status 404 for the script that draws the page", _LOAD, Reason.SCRIPT_ERROR, pages={"GET /": page("<div id=root></div><script src=/app.js></script>")}, changes=limits(step=4), says=("404",)),
    before("script busy at load", "the page's script never ends", _LOAD, Reason.PAGE_STUCK, pages={"GET /": page(f"{ONCE}<script>const asked = new XMLHttpRequest(); asked.open('GET', '/never', false); asked.send()</script>{LINK}")}, rules=lambda: (Rule(silence(), "/never"),), changes=_SHORT),
)  # fmt: skip
