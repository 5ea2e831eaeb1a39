"""Faults on the way to the form, and of the page that it is on: nothing has left."""

from canary.hop import Hop
from canary.reason import Reason
from probes.servers import Password
from tests.real.form_faults.fault import GET, FormFault, Where, before, ours
from tests.real.forms import FORM_ELEMENT, PAGE, Source
from tests.real.scripted_http import HTML, Break, Reply

_LOGIN = "<title>Sign in</title><form action=/login method=post><input name=user><input type=password name=pass></form>"
_MAINTENANCE = "<html><title>Scheduled maintenance</title><h1>We are back at 6</h1></html>"
_CHALLENGE = "<title>Just a moment...</title><script src=/cdn-cgi/challenge-platform/h/b/orchestrate/chl_page/v1></script>"
_CAPTCHA = "<title>Are you human?</title><div class=g-recaptcha data-sitekey=x></div>"


def _page(name: str, made: str, reason: Reason, reply: Reply, **more: object) -> FormFault:
    return before(name, made, Hop.FORM_SUBMIT, reason, answers={GET: reply, **_OTHERS}, **more)


_OTHERS = {
    "GET /login": Reply(body=_LOGIN),
    "GET /loop": Reply(302, headers={"Location": "/form"}),
    "GET /status": Reply(body=_MAINTENANCE),
}

BEFORE: tuple[FormFault, ...] = (
    before("no such name", "NXDOMAIN", Hop.DNS, Reason.DNS_NO_RECORD, where=Where.NO_NAME),
    before(
        "name server silent, others answer", "no DNS answer; another name is answered", Hop.DNS,
        Reason.DNS_UNANSWERED, where=Where.SILENT_NAMES, others_answer=True,
    ),
    ours(
        "name server silent, nobody else heard", "no DNS answer, and nothing else from outside", Hop.DNS,
        Reason.DNS_UNANSWERED, where=Where.SILENT_NAMES,
    ),
    before("refused", "nothing listens on the port", Hop.FORM_CONNECT, Reason.REFUSED, where=Where.CLOSED),
    before(
        "connection unanswered, others answer", "SYNs are dropped; another place answers", Hop.FORM_CONNECT,
        Reason.CONNECT_TIMEOUT, where=Where.UNANSWERED, others_answer=True,
    ),
    ours(
        "connection unanswered, nobody else heard", "SYNs are dropped, and nothing else from outside",
        Hop.FORM_CONNECT, Reason.CONNECT_TIMEOUT, where=Where.UNANSWERED,
    ),
    before("accepts silently", "accepted, no TLS answer", Hop.FORM_TLS, Reason.ANSWER_TIMEOUT, where=Where.ACCEPTING_ONLY),
    before("plain text behind https", "an HTTP server without TLS", Hop.FORM_TLS, Reason.TLS_FAILED, where=Where.PLAIN_BEHIND_TLS),
    before("certificate expired", "ended yesterday", Hop.FORM_TLS, Reason.CERTIFICATE_EXPIRED, where=Where.EXPIRED),
    before("certificate for another name", "for wrong.example", Hop.FORM_TLS, Reason.CERTIFICATE_WRONG_NAME, where=Where.WRONG_NAME),
    before("certificate of an unknown authority", "its CA is not trusted", Hop.FORM_TLS, Reason.CERTIFICATE_INVALID, where=Where.UNKNOWN_AUTHORITY),
    _page("page never comes", "the request is read, no answer", Reason.PAGE_TIMEOUT, Reply(broken=Break.SILENT)),
    _page("page trickles", "a byte each 20 ms", Reason.PAGE_TIMEOUT, Reply(body=PAGE, broken=Break.TRICKLE)),
    _page("page never ends", "the body goes on for ever", Reason.PAGE_TIMEOUT, Reply(body="<p>", broken=Break.ENDLESS)),
    _page("page late", "3 s before the first byte", Reason.PAGE_TIMEOUT, Reply(body=PAGE, late_seconds=3)),
    _page("closed before the page", "closed without an answer", Reason.CONNECTION_LOST, Reply(broken=Break.CLOSED)),
    _page("reset before the page", "RST instead of an answer", Reason.CONNECTION_LOST, Reply(broken=Break.RESET)),
    _page("page cut", "closed in the middle of the body", Reason.CONNECTION_LOST, Reply(body=PAGE, broken=Break.CUT)),
    _page("no HTTP", "an SMTP banner", Reason.PROTOCOL_ERROR, Reply(broken=Break.GARBAGE)),
    _page("page 500", "status 500", Reason.SERVER_ERROR, Reply(500, "<h1>Internal Server Error</h1>")),
    _page("page 502", "status 502", Reason.SERVER_ERROR, Reply(502, "<h1>Bad Gateway</h1>")),
    _page("page 503", "status 503, a maintenance page", Reason.SERVER_ERROR, Reply(503, _MAINTENANCE)),
    _page("page gone", "status 404", Reason.FORM_CHANGED, Reply(404, "<h1>Not Found</h1>")),
    _page("page forbidden", "status 403 to everybody", Reason.REJECTED, Reply(403, "<h1>Forbidden</h1>")),
    ours("page 429", "status 429", Hop.FORM_SUBMIT, Reason.RATE_LIMITED, answers={GET: Reply(429, headers={"Retry-After": "60"})}),
    ours(
        "our log-in refused", "status 401 to our HTTP log-in", Hop.FORM_SUBMIT, Reason.CREDENTIALS_REJECTED,
        answers={GET: Reply(401)}, changes={"http_login": Password("canary", Source(["old-password"]))},
    ),
    ours(
        "bot defence", "status 403 with a challenge", Hop.FORM_SUBMIT, Reason.CHALLENGED,
        answers={GET: Reply(403, _CHALLENGE, {**HTML, "cf-mitigated": "challenge"})},
    ),
    ours(
        "captcha in the place of the page", "status 200 with a captcha and no form", Hop.FORM_SUBMIT,
        Reason.CHALLENGED, answers={GET: Reply(body=_CAPTCHA)},
    ),
    _page("sent elsewhere", "302 to another host", Reason.REDIRECTED, Reply(302, headers={"Location": "https://status.example.com/"})),
    _page("sent to a status page", "302 to a page without a form", Reason.REDIRECTED, Reply(302, headers={"Location": "/status"})),
    _page("log-in wall by redirect", "302 to a log-in", Reason.REDIRECTED, Reply(302, headers={"Location": "/login"})),
    _page("log-in wall in place", "status 200 with a log-in", Reason.REDIRECTED, Reply(body=_LOGIN)),
    _page("redirect loop", "302 to a page that leads back", Reason.REDIRECT_LOOP, Reply(302, headers={"Location": "/loop"})),
    _page("maintenance page, status 200", "a page that says so, no form", Reason.PAGE_ERROR, Reply(body=_MAINTENANCE)),
    _page("empty page", "status 200, no byte", Reason.PAGE_ERROR, Reply(body="")),
    _page("page without content", "status 200, an empty document", Reason.PAGE_ERROR, Reply(body="<html><body></body></html>")),
    _page("form gone", "the page has another form only", Reason.FORM_CHANGED, Reply(body="<title>Contact</title><p>Call us</p>")),
    _page("field renamed", "title is called subject now", Reason.FORM_CHANGED, Reply(body=PAGE.replace('"title"', '"subject"'))),
    _page("button disabled", "the submit button is disabled", Reason.FORM_DISABLED, Reply(body=PAGE.replace("<button", "<button disabled"))),
    _page("field disabled", "a field is disabled", Reason.FORM_DISABLED, Reply(body=PAGE.replace("<textarea", "<textarea disabled"))),
    _page(
        "group disabled", "the whole form is in a disabled fieldset", Reason.FORM_DISABLED,
        Reply(body=PAGE.replace('<input type="hidden"', '<fieldset disabled><input type="hidden"').replace("</form>", "</fieldset></form>")),
    ),
    _page(
        "form posts elsewhere", "action is at another host", Reason.REDIRECTED,
        Reply(body=PAGE.replace("/contact", "https://collect.example.net/contact")),
    ),
    _page(
        "two different forms", "both have the fields, and post to different places", Reason.FORM_CHANGED,
        Reply(body=PAGE.replace("</body>", FORM_ELEMENT.replace("/contact", "/sales"))),
    ),
)  # fmt: skip
