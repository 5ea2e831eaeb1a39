"""Faults once the form was posted: what becomes of it is for the ticketing system to tell, unless it was refused."""

import json
import re

from canary.hop import Hop
from canary.observation import Outcome
from canary.reason import Reason
from probes.form.settings import Confirmation, JsonApi, WebToCase
from tests.real.form_faults.fault import LANDING, POST, THANKED, FormFault, after, before, came, ours
from tests.real.forms import PAGE
from tests.real.scripted_http import HTML, Break, Reply

_INVALID = PAGE.replace(
    '<input type="hidden"', '<ul class="errorlist"><li>This field is required.</li></ul><input type="hidden"'
)
_ERROR = "<html><title>Error</title><h1>Something went wrong</h1></html>"
_OTHER = "<html><title>Our products</title><h1>Welcome</h1></html>"
_CAPTCHA = _INVALID.replace("<button", "<div class=h-captcha></div><button")
_JSON = {"Content-Type": "application/json"}
_LATER, _LOST = Outcome.FAILED, Outcome.UNKNOWN
_SUBMIT, _CONFIRM = Hop.FORM_SUBMIT, Hop.FORM_CONFIRMATION
_AGAIN = {"Location": "/contact2"}

_CLOSED = after(
    "closed after the post",
    "closed without an answer",
    _SUBMIT,
    _LOST,
    Reason.CONNECTION_LOST,
    answers={POST: Reply(broken=Break.CLOSED)},
)
_500 = after(
    "post 500", "status 500", _SUBMIT, _LATER, Reason.SERVER_ERROR, answers={POST: Reply(500, _ERROR)}
)
_PAGE = after(
    "error page with status 200",
    "a page that says so",
    _CONFIRM,
    _LATER,
    Reason.PAGE_ERROR,
    answers={POST: Reply(body=_ERROR)},
    changes={"confirmation": THANKED},
)

AFTER: tuple[FormFault, ...] = (
    _CLOSED,
    came(_CLOSED, flawed=False),
    after("reset after the post", "RST instead of an answer", _SUBMIT, _LOST, Reason.CONNECTION_LOST, answers={POST: Reply(broken=Break.RESET)}),
    after("post unanswered", "the post is read, no answer", _SUBMIT, _LOST, Reason.ANSWER_TIMEOUT, answers={POST: Reply(broken=Break.SILENT)}),
    _500,
    came(_500, flawed=True),
    after("post 502", "status 502", _SUBMIT, _LATER, Reason.SERVER_ERROR, answers={POST: Reply(502, "")}),
    after("post 503", "status 503", _SUBMIT, _LATER, Reason.SERVER_ERROR, answers={POST: Reply(503, _ERROR)}),
    after("post 408", "status 408, as gateways say of a slow backend", _SUBMIT, _LOST, Reason.ANSWER_TIMEOUT, answers={POST: Reply(408, "")}),
    after("post 409", "status 409: such a request is there already", _SUBMIT, _LOST, Reason.REJECTED, answers={POST: Reply(409, "")}),
    before("post 400", "status 400", _SUBMIT, Reason.REJECTED, answers={POST: Reply(400, "<h1>Bad Request</h1>")}, posts=1),
    before("post forbidden", "status 403: a forged request, it says", _SUBMIT, Reason.REJECTED, answers={POST: Reply(403, "<h1>CSRF verification failed</h1>")}, posts=1),
    before("post too large", "status 413", _SUBMIT, Reason.REJECTED, answers={POST: Reply(413, "")}, posts=1),
    before("validation error, status 422", "the form again, with messages", _SUBMIT, Reason.FORM_REJECTED, answers={POST: Reply(422, _INVALID)}, posts=1),
    ours("post 429", "status 429", _SUBMIT, Reason.RATE_LIMITED, answers={POST: Reply(429, "")}, posts=1),
    ours("post challenged", "status 403 with a challenge", _SUBMIT, Reason.CHALLENGED, answers={POST: Reply(403, "", {**HTML, "x-amzn-waf-action": "captcha"})}, posts=1),
    after("post to be sent again", "307 to another address of the same host", _SUBMIT, _LATER, Reason.REDIRECTED, answers={POST: Reply(307, headers=_AGAIN), "POST /contact2": Reply(body="took it twice")}),
    after("post to be sent again, for good", "308", _SUBMIT, _LATER, Reason.REDIRECTED, answers={POST: Reply(308, headers=_AGAIN)}),
    after("validation error, status 200", "the form again, with messages", _CONFIRM, _LATER, Reason.FORM_REJECTED, answers={POST: Reply(body=_INVALID)}, changes={"confirmation": THANKED}),
    after("validation error, confirmed by status alone", "the form again, with messages", _CONFIRM, _LATER, Reason.FORM_REJECTED, answers={POST: Reply(body=_INVALID)}),
    after("field marked as invalid", "aria-invalid=true, no message", _CONFIRM, _LATER, Reason.FORM_REJECTED, answers={POST: Reply(body=PAGE.replace("<textarea", '<textarea aria-invalid="true"'))}),
    after("captcha demanded", "the form again, with a captcha; the side is ours", _CONFIRM, _LATER, Reason.CHALLENGED, answers={POST: Reply(body=_CAPTCHA)}, changes={"confirmation": THANKED}, verdict="inconclusive", side="prober"),
    _PAGE,
    came(_PAGE, flawed=True),
    after("another page", "a page that confirms nothing", _CONFIRM, _LATER, Reason.CONFIRMATION_MISSING, answers={POST: Reply(body=_OTHER)}, changes={"confirmation": THANKED}),
    after("answer empty", "status 200, no byte", _CONFIRM, _LATER, Reason.PAGE_ERROR, answers={POST: Reply(body="")}),
    after("thanked elsewhere", "302 to another host", _CONFIRM, _LATER, Reason.REDIRECTED, answers={POST: Reply(302, headers={"Location": "https://thanks.example.com/"})}),
    after("log-in after the post", "302 to a log-in", _CONFIRM, _LATER, Reason.REDIRECTED, answers={LANDING: Reply(302, headers={"Location": "/login"}), "GET /login": Reply(body="<form><input type=password name=p></form>")}),
    after("confirmation in a circle", "302 to itself", _CONFIRM, _LATER, Reason.REDIRECT_LOOP, answers={LANDING: Reply(302, headers={"Location": "/thanks"})}),
    after("confirmation 500", "the page after the post fails", _CONFIRM, _LATER, Reason.SERVER_ERROR, answers={LANDING: Reply(500, _ERROR)}),
    after("confirmation never ends", "the body goes on for ever", _CONFIRM, _LOST, Reason.PAGE_TIMEOUT, answers={LANDING: Reply(body="<p>", broken=Break.ENDLESS)}),
    after("confirmation cut", "closed in the middle of the body", _CONFIRM, _LOST, Reason.CONNECTION_LOST, answers={LANDING: Reply(body=_OTHER, broken=Break.CUT)}),
    after("confirmation reset", "reset in the middle of the body", _CONFIRM, _LOST, Reason.CONNECTION_LOST, answers={LANDING: Reply(body=_OTHER, broken=Break.RESET_IN_BODY)}),
    after("JSON says no", "status 200, ok is false", _CONFIRM, _LATER, Reason.CONFIRMATION_MISSING, answers={"POST /form": Reply(200, json.dumps({"ok": False}), _JSON)}, changes={"submission": JsonApi({"subject": "{{ subject }}"}), "confirmation": Confirmation(json={"ok": True})}),
    after("HTML instead of JSON", "status 200, a page", _CONFIRM, _LATER, Reason.PAGE_ERROR, answers={"POST /form": Reply(body=_ERROR)}, changes={"submission": JsonApi({"subject": "{{ subject }}"}), "confirmation": Confirmation(json={"ticket.id": re.compile(r"\d+")})}),
    after("Web-to-Case refuses in silence", "status 200, Is-Processed tells of an exception", _CONFIRM, _LATER, Reason.FORM_REJECTED, answers={"POST /form": Reply(200, "", {**HTML, "Is-Processed": "true Exception:common.exception.SalesforceGenericException"})}, changes={"submission": WebToCase("00D000000000001", {"subject": "{{ subject }}"})}),
)  # fmt: skip
