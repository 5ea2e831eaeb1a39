"""Faults of a real portal, the sandbox's helpdesk, each made by a switch of its own."""

import re
from dataclasses import replace
from typing import Any

from canary.hop import Hop
from canary.reason import Reason
from probes.portal.steps import Click, Confirm, Fill, Hidden, OneTimePassword, Step, Submit, Template, Wait
from tests.real.faulty_proxy import Rule
from tests.real.forms import Source
from tests.real.portal_faults.fault import At, PortalFault, answered, before, harmless, lost, ours
from tests.real.portal_faults.small import label, role, steps
from tests.real.web_faults import loses_answer
from tests.sandbox import Endpoints

_LOAD, _LOGIN, _FORM = Hop.PORTAL_LOAD, Hop.PORTAL_LOGIN, Hop.PORTAL_FORM
_SUBMIT, _CONFIRM = Hop.PORTAL_SUBMIT, Hop.PORTAL_CONFIRMATION
_SUBMITTED = steps(
    Fill(label("Summary of the problem"), Template("{{ subject }}")),
    Fill(label("Description of your issue"), Template("{{ body }}")),
    Fill(label("Your E-Mail Address"), Template("{{ sender }}")),
    Submit(role("button", "Submit Ticket")),
    Confirm(text=re.compile(r"\[support-(?P<ticket>\d+)\]")),
)
# The key of another account: a code of it is never right.
_OTHER_KEY = "JBSWY3DPEHPK3PXP"


def log_in(kind: str, ends: Endpoints) -> tuple[Step, ...]:
    """The steps of a log-in: by `password`, by `totp` too, or by a `wrong totp`."""
    code = Source([ends.portal_totp_secret if kind == "totp" else _OTHER_KEY])
    coded = [Fill(label("Code"), OneTimePassword(code))] if "totp" in kind else []
    done = steps(
        Fill(label("Username"), Template(ends.portal_username)),
        Fill(label("Password"), Hidden(Source([ends.portal_password]))),
        *coded,
        Click(role("button", "Login")),
        Wait(shown=label("Summary of the problem")),
    )
    return (*done[:-1], replace(done[-1], timeout_seconds=6.0))


def _on(**switches: object) -> dict[str, Any]:
    return {
        "at": At.HELPDESK,
        "start": "/tickets/submit/",
        "steps": _SUBMITTED,
        "switches": switches,
        "tickets": 0,
        "short": -1,
    }


def _with(given: dict[str, Any], **more: object) -> dict[str, Any]:
    return {**given, **more}


_LOGS_IN = {"login": "password"}
HELPDESK: tuple[PortalFault, ...] = (
    harmless("helpdesk: as it is", "its own script fails on its last page", **_with(_on(), tickets=1, changes={})),
    before("helpdesk: sent to the contact form", "portal_redirect_to_form (2018)", _LOAD, Reason.REDIRECTED, **_on(portal_redirect_to_form=True), says=("localhost", "Contact us")),
    before("helpdesk: log-in wall", "portal_login_required, and no log-in configured", _LOAD, Reason.REDIRECTED, **_on(portal_login_required=True), says=("/login/",)),
    harmless("helpdesk: log-in", "portal_login_required", **_with(_on(portal_login_required=True), tickets=1, changes={"login": "password"})),
    harmless("helpdesk: log-in with a one-time password", "portal_totp", **_with(_on(portal_login_required=True, portal_totp=True), tickets=1, changes={"login": "totp"})),
    ours("helpdesk: one-time password wrong", "portal_totp, a key of another account", _LOGIN, Reason.CREDENTIALS_REJECTED, **_with(_on(portal_login_required=True, portal_totp=True), changes={"login": "wrong totp"})),
    ours("helpdesk: log-in refused", "portal_login_refused", _LOGIN, Reason.CREDENTIALS_REJECTED, **_with(_on(portal_login_required=True, portal_login_refused=True), changes=_LOGS_IN), says=("didn't match",)),
    answered("helpdesk: session expires", "portal_session_expires", _CONFIRM, Reason.SESSION_EXPIRED, **_with(_on(portal_login_required=True, portal_session_expires=True), changes=_LOGS_IN)),
    before("helpdesk: field renamed", "portal_form_changed", _FORM, Reason.FORM_CHANGED, **_with(_on(portal_form_changed=True), short=1), says=("step 1 (fill {label: Summary of the problem})",)),
    before("helpdesk: cookie banner", "portal_banner", _SUBMIT, Reason.ELEMENT_COVERED, **_with(_on(portal_banner=True), short=4)),
    harmless("helpdesk: cookie banner clicked away", "portal_banner, and `dismiss`", **_with(_on(portal_banner=True), tickets=1, changes={"dismiss": (role("button", "Accept all"),)})),
    answered("helpdesk: captcha", "portal_captcha", _CONFIRM, Reason.CHALLENGED, **_on(portal_captcha="turnstile"), verdict="inconclusive", side="prober"),
    answered("helpdesk: spinner, the request sent", "portal_spinner: sent", _CONFIRM, Reason.PAGE_STUCK, **_with(_on(portal_spinner="sent"), tickets=1)),
    answered("helpdesk: form again with messages", "portal_validation_error", _CONFIRM, Reason.FORM_REJECTED, **_on(portal_validation_error=True), says=("This field is required",)),
    harmless("helpdesk: sent twice by the page", "portal_double_submit", flaws=(f"{_SUBMIT} {Reason.SUBMITTED_TWICE}",), posts=2, **_with(_on(portal_double_submit=True), tickets=2)),
    lost("helpdesk: answer lost", "a ticket is made, then reset", _SUBMIT, Reason.CONNECTION_LOST, **_with(_on(), tickets=None), rules=lambda: (Rule(loses_answer(), "/submit/", method="POST"),), resends=True),
    answered("helpdesk: error after the submit", "portal_error_after_submit: a ticket is made", _SUBMIT, Reason.SERVER_ERROR, **_with(_on(portal_error_after_submit=True), tickets=1)),
    harmless("helpdesk: request dropped", "portal_drops_request: confirmed, and no ticket", **_on(portal_drops_request=True)),
    answered("helpdesk: confirmation missing", "portal_confirmation_missing: a ticket is made", _CONFIRM, Reason.CONFIRMATION_MISSING, **_with(_on(portal_confirmation_missing=True), tickets=1)),
)  # fmt: skip
