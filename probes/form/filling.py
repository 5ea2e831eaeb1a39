"""An HTML form filled and made ready to be sent, as a browser would (HTML, "constructing the entry list")."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

import httpx
from lxml.html import HtmlElement

from canary.reason import Reason
from probes.form.html import Form, Page, SubmitButton, input_type, is_disabled
from probes.form.settings import Button, Encoding, FormChoice
from probes.message.compose import AttachedFile
from probes.reasons import Failure

_TICKED: Final = frozenset({"on", "true", "yes", "1"})
_UNTICKED: Final = frozenset({"off", "false", "no", "0", ""})
_NEVER_SENT: Final = frozenset({"file", "reset", "button", "submit", "image"})
_LINE_BREAKS = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request that makes a ticket, ready to be sent.

    Attributes:
        target: where to, as the page or the configuration says it.
        content: the body; None: it has none (a form sent by GET).
        headers: that belong to the body.
    """

    method: str
    target: str
    content: bytes | None
    headers: Mapping[str, str]


def chosen_form(page: Page, choice: FormChoice, names: Sequence[str]) -> Form:
    """The form that is meant.

    Copies of one form (for narrow and wide screens) count as one: they are sent to the same place.

    Raises:
        Failure: `form_changed`: there is none, or it can't be told which.
    """
    fitting = [form for form in page.forms if _fits(form, choice)]
    if not fitting:
        what = "the form that is meant is" if page.forms else "a form is"
        raise _changed(f"{what} not on the page {_titled(page)}")
    if choice.index is not None:
        try:
            return fitting[choice.index]
        except IndexError:
            raise _changed(
                f"only {len(fitting)} such forms are on the page, number {choice.index} is meant"
            ) from None
    whole = [form for form in fitting if form.names >= set(names)]
    if not whole:
        nearest = max(fitting, key=lambda form: len(form.names & set(names)))
        missing = ", ".join(name for name in names if name not in nearest.names)
        raise _changed(f"the form has no field {missing}; it has {_listed(nearest.names)}")
    if len({(form.action, form.method) for form in whole}) > 1:
        raise _changed(
            f"{len(whole)} forms of the page have these fields and differ in where they go: name one"
        )
    return whole[0]


def filled(
    form: Form,
    values: Mapping[str, str],
    *,
    button: Button | None = None,
    upload: str | None = None,
    attachment: AttachedFile | None = None,
    encoding: Encoding | None = None,
) -> Outgoing:
    """The request that the page's form would send with these values; what they don't name stays as the page has it.

    Args:
        form: the form.
        values: by field name; of a box, whether it is ticked (on, off) or its value; of a list, value or label.
        button: which button is pressed; None: the first.
        upload: the field for the attachment.
        attachment: what is attached.
        encoding: instead of what the form says.

    Raises:
        Failure: `form_changed`: a field, an option or the button is not there; `form_disabled`: it can't be used.
    """
    pressed = _pressed(form, button)
    pairs = list(_entries(form, values))
    files = list(_files(form, upload, attachment))
    if pressed is not None and pressed.name:
        pairs += (
            [(f"{pressed.name}.x", "0"), (f"{pressed.name}.y", "0")]
            if pressed.is_image
            else [(pressed.name, pressed.value)]
        )
    pairs = [(name, _LINE_BREAKS.sub("\r\n", value)) for name, value in pairs]
    target = form.absolute(pressed.action) if pressed is not None and pressed.action else form.action
    method = (pressed.method if pressed is not None else None) or form.method
    if method != "POST":
        return Outgoing(
            "GET",
            _with_query(target, urlencode(pairs, encoding=form.charset, errors="xmlcharrefreplace")),
            None,
            {},
        )
    enctype = (pressed.enctype if pressed is not None else None) or form.enctype
    is_multipart = encoding is Encoding.MULTIPART or (encoding is None and enctype == "multipart/form-data")
    if files and not is_multipart:
        raise _changed("the form no longer takes files: it is not sent as multipart/form-data")
    return (
        multipart(target, pairs, files) if is_multipart else urlencoded(target, pairs, charset=form.charset)
    )


def urlencoded(target: str, pairs: Sequence[tuple[str, str]], *, charset: str = "utf-8") -> Outgoing:
    """A post of fields; what the charset can't say is written as a browser does, as a character reference."""
    content = urlencode(pairs, encoding=charset, errors="xmlcharrefreplace").encode("ascii")
    return Outgoing("POST", target, content, {"Content-Type": "application/x-www-form-urlencoded"})


def multipart(
    target: str, pairs: Sequence[tuple[str, str]], files: Sequence[tuple[str, AttachedFile]]
) -> Outgoing:
    """A post of fields and files (RFC 7578), in UTF-8, in this order."""
    fields = [(name, (None, value.encode())) for name, value in pairs]
    attached = [(name, (file.name, file.content)) for name, file in files]
    request = httpx.Request("POST", "http://unsent.invalid/", files=[*fields, *attached])
    return Outgoing("POST", target, request.read(), {"Content-Type": request.headers["Content-Type"]})


def _fits(form: Form, choice: FormChoice) -> bool:
    return (
        (choice.form_id is None or form.form_id == choice.form_id)
        and (choice.name is None or form.name == choice.name)
        and (choice.action is None or choice.action in form.written_action or choice.action in form.action)
    )


def _entries(form: Form, values: Mapping[str, str]) -> list[tuple[str, str]]:
    for name, value in values.items():
        _check(form, name, value)
    entries: list[tuple[str, str]] = []
    boxes = {one.get("name") for one in form.controls if input_type(one) == "checkbox"}
    for control in form.controls:
        name, kind = control.get("name") or "", input_type(control)
        if not name or kind in _NEVER_SENT or is_disabled(control):
            continue
        given = values.get(name)
        match kind:
            case "checkbox" | "radio":
                if _is_ticked(control, given):
                    entries.append((name, control.get("value", "on")))
            case "select":
                entries += [(name, one) for one in _chosen(control, given)]
            case "hidden" if name in boxes:
                # It stands for the box that is not ticked; what is given is about the box.
                entries.append((name, control.get("value") or ""))
            case "textarea":
                entries.append(
                    (name, given if given is not None else (control.text or "").removeprefix("\n"))
                )
            case _:
                entries.append((name, given if given is not None else control.get("value") or ""))
    return entries


def _check(form: Form, name: str, value: str) -> None:
    controls = form.named(name)
    if not controls:
        raise _changed(f"the form has no field {name}; it has {_listed(form.names)}")
    usable = [one for one in controls if not is_disabled(one)]
    if not usable:
        raise Failure(Reason.FORM_DISABLED, f"the field {name} is disabled", is_answer=True)
    kinds = {input_type(one) for one in usable}
    if kinds == {"select"} and not any(_chosen(one, value) for one in usable):
        raise _changed(f"the list {name} has no such option as is configured")
    if "radio" in kinds and not any(_is_ticked(one, value) for one in usable):
        raise _changed(f"no choice of {name} has the value that is configured")
    is_box_alone = kinds <= {"checkbox", "hidden"} and "checkbox" in kinds
    if (
        is_box_alone
        and value.lower() not in _UNTICKED
        and not any(_is_ticked(one, value) for one in usable if input_type(one) == "checkbox")
    ):
        raise _changed(f"no box of {name} has the value that is configured")


def _is_ticked(control: HtmlElement, given: str | None) -> bool:
    if given is None:
        return control.get("checked") is not None
    if given == control.get("value", "on"):
        return True
    return input_type(control) == "checkbox" and given.lower() in _TICKED


def _chosen(control: HtmlElement, given: str | None) -> list[str]:
    """The values that a list sends (HTML, "selectedness")."""
    options = [one for one in control.iter("option") if not _is_unusable(one)]
    if given is not None:
        found = [one for one in options if _value(one) == given] or [
            one for one in options if " ".join(one.text_content().split()) == given
        ]
        return [_value(found[0])] if found else []
    selected = [one for one in options if one.get("selected") is not None]
    if control.get("multiple") is not None:
        return [_value(one) for one in selected]
    return [_value((selected[-1:] or options[:1])[0])] if options else []


def _is_unusable(option: HtmlElement) -> bool:
    group = option.getparent()
    in_group = group is not None and group.tag == "optgroup" and group.get("disabled") is not None
    return in_group or option.get("disabled") is not None


def _value(option: HtmlElement) -> str:
    value = option.get("value")
    return value if value is not None else " ".join(option.text_content().split())


def _files(form: Form, upload: str | None, attachment: AttachedFile | None) -> list[tuple[str, AttachedFile]]:
    if upload is None or attachment is None:
        return []
    fields = [one for one in form.named(upload) if input_type(one) == "file"]
    if not fields:
        raise _changed(f"the form has no field {upload} for a file")
    if all(is_disabled(one) for one in fields):
        raise Failure(Reason.FORM_DISABLED, f"the field {upload} is disabled", is_answer=True)
    return [(upload, attachment)]


def _pressed(form: Form, wanted: Button | None) -> SubmitButton | None:
    buttons = form.buttons
    if wanted is not None:
        buttons = tuple(
            one for one in buttons if wanted.name in {None, one.name} and wanted.value in {None, one.value}
        )
        if not buttons:
            raise _changed(f"the form has no button {wanted.name or ''} {wanted.value or ''}".rstrip())
    usable = [one for one in buttons if not one.is_disabled]
    if buttons and not usable:
        raise Failure(Reason.FORM_DISABLED, "the form's submit button is disabled", is_answer=True)
    return usable[0] if usable else None


def _with_query(target: str, query: str) -> str:
    """A form sent by GET puts its fields in the place of the address's query."""
    return f"{target.partition('#')[0].partition('?')[0]}?{query}"


def _changed(detail: str) -> Failure:
    return Failure(Reason.FORM_CHANGED, detail, is_answer=True)


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _titled(page: Page) -> str:
    return f"“{page.title}”" if page.title else "without a title"
