"""Faults of log-in and form, before the submit: nothing has left yet."""

from typing import Any

from canary.hop import Hop
from canary.reason import Reason
from probes.portal.steps import By, Click, Fill, Hidden, Locator, Select, Step, Upload, Wait
from tests.real.faulty_proxy import Rule
from tests.real.forms import Source
from tests.real.portal_faults.fault import PortalFault, before, from_form, limits, ours
from tests.real.portal_faults.small import BUTTON, NEW, label, page, role, sends_to, steps
from tests.real.web_faults import answers, cut, silence

_FORM, _SUBMIT, _LOGIN = Hop.PORTAL_FORM, Hop.PORTAL_SUBMIT, Hop.PORTAL_LOGIN
_STEP = limits(step=6)
_LOGIN_FORM = "<h1>Log in</h1><form method=post action=/login><label>Name <input name=n></label><label>Password <input type=password name=p></label><button>Log in</button></form>"
_REFUSED = page("<p role=alert>Incorrect name or password.</p>" + _LOGIN_FORM)
_NAMED = Fill(label("Name"), Hidden(Source(["canary-user"])))
_LOG_IN = steps(
    _NAMED, Fill(label("Password"), Hidden(Source(["right-password-1"]))), Click(role("button", "Log in"))
)
_ASKS = Step(4, Wait(shown=role("link", "Submit a request")))
_LOGIN_SCRIPT = """<script>document.forms[0].addEventListener("submit", async event => { event.preventDefault();
const answer = await fetch("/login", {method: "POST", body: new URLSearchParams(new FormData(event.target))});
if (!answer.ok) event.target.insertAdjacentHTML("beforebegin", "<p role=alert>Login failed.</p>"); });</script>"""
_WITH_LOGIN = {"login": _LOG_IN}
_OVERLAY = "<div style='position:fixed;inset:0;background:#eee'><h2>We value your privacy</h2><button>Accept all</button></div>"


def _form(name: str, made: str, reason: Reason, html: str, **more: Any) -> PortalFault:  # noqa: ANN401 -- the fields
    """Another form, where that is the first page; steps are short."""
    given: dict[str, Any] = {"start": "/new", "steps": from_form(), "short": 1, "hop": _FORM, **more}
    hop = given.pop("hop")
    return before(name, made, hop, reason, pages={"GET /new": html}, **given)


def _login(name: str, made: str, reason: Reason, answer: str, **more: Any) -> PortalFault:  # noqa: ANN401 -- the fields
    """What comes of a log-in."""
    pages = {"GET /": page(_LOGIN_FORM), "POST /login": answer, **more.pop("pages", {})}
    return before(
        name, made, more.pop("hop", _LOGIN), reason, pages=pages, **{"changes": _WITH_LOGIN, **more}
    )


def _login_ours(name: str, made: str, answer: str, **more: Any) -> PortalFault:  # noqa: ANN401 -- the fields
    given = {"verdict": "inconclusive", "side": "prober", **more}
    return _login(name, made, Reason.CREDENTIALS_REJECTED, answer, **given)


FILLING: tuple[PortalFault, ...] = (
    _login_ours("log-in refused", "the form again, with an alert", _REFUSED, says=("Incorrect name or password",)),
    _login_ours("log-in refused without a word", "the form again", page(_LOGIN_FORM), changes={**_WITH_LOGIN, **_STEP}, says=("without a word",)),
    _login_ours("account locked", "a page that says so, without a form", page("<h1>Sorry</h1><p>Your account has been locked.</p>"), changes={"login": (*_LOG_IN, _ASKS), **_STEP}, says=("account has been locked",)),
    _login_ours("log-in refused in another language", "the form again, in words that we don't know", page("<p>Nom ou mot de passe inconnu.</p>" + _LOGIN_FORM), changes={"login": (*_LOG_IN, _ASKS), **_STEP}),
    _login("log-in out of order", "the form again: something went wrong", Reason.PAGE_ERROR, page("<p role=alert>Something went wrong.</p>" + _LOGIN_FORM), changes={"login": (*_LOG_IN, _ASKS), **_STEP}),
    _login("log-in's script gets 500", "a script sends it; then an alert: log-in failed", Reason.SERVER_ERROR, "", pages={"GET /": page(_LOGIN_FORM + _LOGIN_SCRIPT), "POST /login": answers(500)}, changes={"login": (*_LOG_IN, _ASKS), **_STEP}),
    _login("log-in 500", "status 500", Reason.SERVER_ERROR, "", pages={"POST /login": answers(500)}, changes={"login": (*_LOG_IN, _ASKS), **_STEP}),
    _login("log-in unanswered", "the post is read, no answer", Reason.PAGE_TIMEOUT, "", pages={"POST /login": silence()}, changes={**_WITH_LOGIN, **limits(login=4, step=10)}),
    _login("log-in form changed", "Password is called Passphrase", Reason.FORM_CHANGED, "", pages={"GET /": page(_LOGIN_FORM.replace("Password", "Passphrase"))}, changes={**_WITH_LOGIN, **_STEP}, says=("step 2 (fill {label: Password})",)),
    _login("log-in asked for again", "the form asks for it once more", Reason.SESSION_EXPIRED, page("<h1>Welcome</h1><a href=/new>Submit a request</a>"), hop=_FORM, pages={"GET /new": page(_LOGIN_FORM)}, short=2),
    before("link gone", "the first page lacks the link", _FORM, Reason.FORM_CHANGED, pages={"GET /": page("<h1>How can we help?</h1><p>Read our answers.</p>")}, short=1, says=("step 1 (click {role: link, name: Submit a request})", "How can we help?")),
    before("form 500", "the link leads to status 500", _FORM, Reason.SERVER_ERROR, rules=lambda: (Rule(answers(500), "/new"),), short=2),
    before("form never comes", "the link's page is read, no answer", _FORM, Reason.PAGE_TIMEOUT, rules=lambda: (Rule(silence(), "/new"),), changes=limits(form=6)),
    before("form elsewhere", "the link leads to another host", _FORM, Reason.REDIRECTED, rules=lambda: (Rule(sends_to("forms.acme.test", "/"), "/new", host="127.0.0.1"),), short=2, says=("forms.acme.test",)),
    before("script busy on the form", "the page's script never ends", _FORM, Reason.PAGE_STUCK, pages={"GET /new": NEW.replace("</body>", "<script>const asked = new XMLHttpRequest(); asked.open('GET', '/never', false); asked.send()</script></body>").replace("Subject", "Topic")}, rules=lambda: (Rule(silence(), "/never"),), changes=limits(form=6)),
    before("spinner for ever", "the form's script waits for data that never come", _FORM, Reason.PAGE_STUCK, pages={"GET /new": page("<div role=progressbar style='width:40px;height:40px'>Loading</div><script>fetch('/never')</script>")}, rules=lambda: (Rule(silence(), "/never"),), short=2, says=("/never", "so far")),
    before("form's script broken", "the form is drawn by a script that fails", _FORM, Reason.SCRIPT_ERROR, pages={"GET /new": page("<h1>Submit a request</h1><script>missing.render()</script>")}, short=2, says=("missing is not defined",)),
    before("form's data lost", "the form's script asks for data, and the connection is reset", _FORM, Reason.CONNECTION_LOST, pages={"GET /new": page("<h1>Submit a request</h1><script>fetch('/data')</script>")}, rules=lambda: (Rule(cut(), "/data"),), short=2, says=("/data", "ERR_")),
    _form("field renamed", "Subject is called Topic", Reason.FORM_CHANGED, NEW.replace("Subject", "Topic"), says=("step 1 (fill {label: Subject})", "Submit a request")),
    _form("field of another kind", "Details is a box to tick", Reason.FORM_CHANGED, NEW.replace('<textarea name="details"></textarea>', "<input type=checkbox name=details>"), says=("step 2",), short=2),
    _form("field twice", "two fields are called Details", Reason.FORM_CHANGED, NEW.replace("</form>", "<label>Details <input></label></form>"), says=("2 elements match",), short=2),
    _form("option gone", "the list lacks Normal", Reason.FORM_CHANGED, NEW.replace("</form>", "<label>Priority <select><option>High</select></label></form>"), steps=from_form(None, Select(label("Priority"), "Normal")), says=("no such option",), short=3),
    _form("field disabled", "Details can't be filled", Reason.FORM_DISABLED, NEW.replace("<textarea", "<textarea disabled"), says=("step 2", "disabled"), short=2),
    _form("button renamed", "Send is called Next", Reason.FORM_CHANGED, NEW.replace(">Send<", ">Next<"), hop=_SUBMIT, says=("step 3 (submit {role: button, name: Send})",), short=3),
    _form("button disabled", "it can't be pressed", Reason.FORM_DISABLED, NEW.replace("<button", "<button disabled"), hop=_SUBMIT, short=3),
    _form("button covered", "a cookie banner lies over the form", Reason.ELEMENT_COVERED, NEW.replace("</body>", _OVERLAY + "</body>"), hop=_SUBMIT, short=3),
    _form("button waits for a captcha", "disabled, beside a captcha", Reason.CHALLENGED, NEW.replace(BUTTON, "<div class=cf-turnstile style='width:300px;height:65px'>box</div><button disabled>Send</button>"), hop=_SUBMIT, verdict="inconclusive", side="prober", short=3),
    ours("nothing to upload", "a step uploads, and the request has no attachment", _FORM, Reason.JOURNEY_INVALID, start="/new", steps=from_form(None, Upload(label("File")))),
    ours("selector that is none", "a `css` that can't be read", _FORM, Reason.JOURNEY_INVALID, start="/new", steps=from_form(None, Click(Locator(By.CSS, "##")))),
    ours("HTTP log-in for the form refused", "status 401 to our password", _FORM, Reason.CREDENTIALS_REJECTED, rules=lambda: (Rule(answers(401, "", headers={"WWW-Authenticate": "Basic realm=x"}), "/new"),), changes={"headers": {"X-Synthetic": "canary"}}, short=2),
)  # fmt: skip
