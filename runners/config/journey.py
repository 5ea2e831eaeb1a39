"""What the steps of a journey must be as a whole: one submit, then a confirmation, and the token in the request."""

from collections.abc import Sequence

from probes.portal.steps import (
    Confirm,
    Fill,
    Frame,
    Script,
    Step,
    Submit,
    Template,
    Upload,
    Wait,
)
from runners.config.build_web import bears_token
from runners.config.document_portal import PortalPathDocument
from runners.config.document_steps import ACTIONS, StepDocument
from runners.config.fields import duration_text
from runners.config.reading import Loc
from runners.config.sources import Surroundings


def check_journey(
    document: PortalPathDocument,
    login: Sequence[Step],
    steps: Sequence[Step],
    around: Surroundings,
    loc: Loc,
) -> None:
    """Note what contradicts itself among steps of which each is right."""
    _check_login(document, login, around, loc)
    if len(steps) < len(document.steps):
        return  # a step that could not be read would be missed here, and its mistake is told
    submits = [step for step in steps if isinstance(step.action, Submit)]
    at = (*loc, "steps")
    if not submits:
        remedy = "Write the step that sends the request as submit: {role: button, name: Send}."
        around.note(at, "there is no submit", remedy, at_key=True)
        return
    for step in submits[1:]:
        remedy = "A canary is sent once; what only leads on is a click."
        around.note(_key(document.steps, step, at), "this is a second submit", remedy, at_key=True)
    _check_order(document, steps, submits[0], around, at)
    _check_request(document, steps, around, loc)
    _check_timeouts(document, steps, submits[0], around, loc)


def _key(documents: Sequence[StepDocument], step: Step, loc: Loc) -> Loc:
    """Where the step's action stands."""
    given = documents[step.number - 1].model_fields_set
    return (*loc, step.number - 1, next(key for key in ACTIONS if key in given))


def _check_login(document: PortalPathDocument, login: Sequence[Step], around: Surroundings, loc: Loc) -> None:
    for step in login:
        _check_timeout(step, "login", document.limits.login, around, (*loc, "login"))
        if isinstance(step.action, Submit | Confirm | Upload):
            at = _key(document.login, step, (*loc, "login"))
            remedy = "Write click, and wait for what shows that we are in."
            around.note(at, f"a log-in has no {at[-1]}", remedy, at_key=True)
    if not document.login:
        without = {
            (*loc, "session"): "session" in document.model_fields_set,
            (*loc, "limits", "login"): "login" in document.limits.model_fields_set,
        }
        for at in (place for place, is_given in without.items() if is_given):
            around.note(at, f"{at[-1]} has no effect without login", "Remove it, or add login.", at_key=True)


def _check_order(
    document: PortalPathDocument, steps: Sequence[Step], submit: Step, around: Surroundings, loc: Loc
) -> None:
    for step in steps:
        at = _key(document.steps, step, loc)
        is_after = step.number > submit.number
        if is_after and not isinstance(step.action, Wait | Confirm | Frame | Submit):
            remedy = "Only wait, frame and confirm may follow: whatever else might send the request again."
            around.note(at, f"{at[-1]} stands after the submit", remedy, at_key=True)
        if not is_after and isinstance(step.action, Confirm):
            around.note(at, "confirm stands before the submit", "Use wait here.", at_key=True)
        if step.is_optional and isinstance(step.action, Submit | Confirm):
            remedy = "Remove it: without this step nothing is known of the request."
            around.note((*at[:-1], "optional"), f"a {at[-1]} is never optional", remedy, at_key=True)
    if not any(isinstance(step.action, Confirm) and step.number > submit.number for step in steps):
        at = _key(document.steps, submit, loc)
        remedy = "Add confirm: {text: '/request #(?P<ticket>\\d+)/'}, or what else the portal shows."
        around.note(at, "no confirm follows the submit", remedy, at_key=True)


def _check_request(
    document: PortalPathDocument, steps: Sequence[Step], around: Surroundings, loc: Loc
) -> None:
    uploads = [step for step in steps if isinstance(step.action, Upload)]
    if document.request.attachment is None:
        for step in uploads:
            at = _key(document.steps, step, (*loc, "steps"))
            remedy = "Add request: {attachment: {name: …, text: …}}."
            around.note(at, "there is nothing to upload", remedy, at_key=True)
    elif not uploads and not any(isinstance(step.action, Script) for step in steps):
        remedy = "Add the step upload: {label: …}, or leave the attachment out."
        around.note((*loc, "request", "attachment"), "no step uploads the attachment", remedy, at_key=True)
    typed = [step.action.value for step in steps if isinstance(step.action, Fill)]
    has_token = any(bears_token(one.text) for one in typed if isinstance(one, Template))
    if not has_token and not any(isinstance(step.action, Script) for step in steps):
        remedy = "Fill a field with {{ subject }} or {{ body }}: by the token its ticket is found."
        around.note((*loc, "steps"), "no step types the canary's token", remedy, at_key=True)


def _check_timeouts(
    document: PortalPathDocument, steps: Sequence[Step], submit: Step, around: Surroundings, loc: Loc
) -> None:
    """Note a step's timeout that its hop's limit never lets come."""
    limits = document.limits
    for step in steps:
        if step.number < submit.number:
            hop, limit = "form", limits.form
        elif step.number == submit.number:
            hop, limit = "submit", limits.submit
        else:
            hop, limit = "confirmation", limits.confirmation
        _check_timeout(step, hop, limit, around, (*loc, "steps"))


def _check_timeout(step: Step, hop: str, limit_seconds: float, around: Surroundings, loc: Loc) -> None:
    if step.timeout_seconds is not None and step.timeout_seconds > limit_seconds:
        given, most = duration_text(step.timeout_seconds), duration_text(limit_seconds)
        around.note(
            (*loc, step.number - 1, "timeout"),
            f"the timeout {given} is longer than limits.{hop} {most}",
            f"Raise limits.{hop} or lower the timeout.",
        )
