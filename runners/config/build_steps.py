"""Make the steps of a journey of their documents, each by itself; `journey` looks at them as a whole."""

import ast
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from probes.portal.steps import (
    Action,
    Click,
    Confirm,
    Fill,
    Frame,
    Go,
    Hidden,
    Locator,
    OneTimePassword,
    Press,
    Script,
    Select,
    Step,
    Submit,
    Template,
    Tick,
    Upload,
    Value,
    Wait,
)
from runners.config.build_locators import build_locator, has_locator, locator_keys
from runners.config.build_web import confirming
from runners.config.document_steps import (
    ACTIONS,
    ConfirmDocument,
    FillDocument,
    LocatorDocument,
    PressDocument,
    SelectDocument,
    StepDocument,
    SubmitDocument,
    WaitDocument,
)
from runners.config.errors import did_you_mean
from runners.config.fields import SecretKind, SecretRef
from runners.config.phrases import TotpRef
from runners.config.reading import Loc
from runners.config.sources import Surroundings

_SCRIPT = re.compile(r"(?P<file>.+\.py):(?P<function>[A-Za-z_][A-Za-z0-9_]*)")
_PASSWORD = re.compile(
    r"(?i)password|passphrase|passcode|passwd|(?<![a-z])pass(?![a-z])|kennwort|passwort|mot de passe|contrase|senha"
)


def build_steps(documents: Sequence[StepDocument], around: Surroundings, loc: Loc) -> tuple[Step, ...]:
    """The steps that could be made, numbered as they stand in the file."""
    steps = []
    for index, document in enumerate(documents):
        action = _action(document, around, (*loc, index))
        if action is not None:
            steps.append(Step(index + 1, action, document.timeout, document.optional))
    return tuple(steps)


def _action(document: StepDocument, around: Surroundings, loc: Loc) -> Action | None:
    given = [key for key in ACTIONS if key in document.model_fields_set]
    if len(given) != 1:
        if given:
            around.note(loc, f"a step is one action, not {' and '.join(given)}", "Make it several steps.")
        elif not around.has_mistake(loc):
            remedy = f"Write one of {', '.join(ACTIONS)}."
            around.note(loc, "the step has no action", remedy)
        return None
    return _ACTIONS[given[0]](getattr(document, given[0]), around, (*loc, given[0]))


def _go(url: str, around: Surroundings, loc: Loc) -> Go:
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in {"", "http", "https"} and (not parts.scheme or parts.hostname)
        is_good = is_good and parts.port != 0 and parts.username is None
    except ValueError:
        is_good = False
    if "{{" in url:
        around.note(loc, "an address takes no words of the canary", "Write it as it is.")
    elif not is_good or any(character.isspace() for character in url):
        remedy = "Write /path, taken from url, or https://host/path, without user."
        around.note(loc, "this is not an address", remedy)
    return Go(url)


def _value(typed: str | SecretRef | TotpRef, locator: Locator, around: Surroundings, loc: Loc) -> Value:
    match typed:
        case str():
            if "{{" not in typed and _is_for_password(locator):
                return Hidden(around.secret(SecretRef(SecretKind.LITERAL, (typed,)), loc))
            return Template(typed)
        case SecretRef():
            return Hidden(around.secret(typed, loc))
        case TotpRef():
            return OneTimePassword(around.totp_key(typed.key, (*loc, "totp")))


def _is_for_password(locator: Locator) -> bool:
    texts = [one for one in (locator.value, locator.name) if one is not None]
    return any(_PASSWORD.search(one if isinstance(one, str) else one.pattern) for one in texts)


def _select(document: SelectDocument, around: Surroundings, loc: Loc) -> Select:
    locator = build_locator(document, around, loc)
    if (document.option is None) == (document.value is None):
        finding = "neither option nor value" if document.option is None else "both option and value"
        around.note(loc, f"there is {finding}", "Write the option as it is shown, or its value.", at_key=True)
    if document.option is not None:
        return Select(locator, document.option)
    return Select(locator, document.value or "", is_value=True)


def _wait(document: WaitDocument, around: Surroundings, loc: Loc) -> Wait:
    others = [key for key in ("gone", "url") if getattr(document, key) is not None]
    if len(others) + has_locator(document) > 1:
        what = [*(["a locator"] if has_locator(document) else []), *others]
        around.note(
            loc,
            f"a wait is for one thing, not for {' and '.join(what)}",
            "Make it several steps.",
            at_key=True,
        )
    if document.url is not None:
        return Wait(url=document.url)
    if document.gone is not None:
        return Wait(gone=build_locator(document.gone, around, (*loc, "gone")))
    return Wait(shown=build_locator(document, around, loc))


def _confirm(document: ConfirmDocument, around: Surroundings, loc: Loc) -> Confirm:
    if document.url is not None:
        if has_locator(document):
            around.note(
                loc,
                "a confirm is of one thing, not of a locator and url",
                "Make it several steps.",
                at_key=True,
            )
        return Confirm(url=confirming(document.url, around, (*loc, "url")))
    is_text_alone = document.model_fields_set & set(type(document).model_fields) == {"text"}
    if is_text_alone and document.text is not None:
        return Confirm(text=confirming(document.text, around, (*loc, "text")))
    locator = build_locator(document, around, loc)
    for key in (*locator_keys(document), "name"):
        text = getattr(document, key)
        if isinstance(text, re.Pattern):
            confirming(text, around, (*loc, key))
    return Confirm(shown=locator)


def _script(text: str, around: Surroundings, loc: Loc) -> Script | None:
    match = _SCRIPT.fullmatch(text)
    if match is None:
        around.note(loc, "this is not a script", "Write file and function: steps.py:choose_product.")
        return None
    file, function = match["file"], match["function"]
    if around.needs_secrets:
        before = len(around.noted())
        source = around.content(file, loc)
        if len(around.noted()) == before:
            _check_function(source, Path(file).name, function, around, loc)
    return Script(around.named(file), function)


def _check_function(source: bytes, file: str, name: str, around: Surroundings, loc: Loc) -> None:
    """Note where the file is no Python, or has no such async function of two arguments; nothing of it is run."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
    except SyntaxError as error:
        line = f" in line {error.lineno}" if error.lineno is not None else ""
        around.note(loc, f"{file} is not Python: {error.msg}{line}", "Correct the file.")
        return
    except (ValueError, RecursionError, MemoryError):
        around.note(loc, f"{file} is not Python", "Is it the right file?")
        return
    functions = {
        one.name: one for one in tree.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    found = functions.get(name)
    if found is None:
        around.note(loc, f"{file} has no function {name}", did_you_mean(name, functions))
    elif not isinstance(found, ast.AsyncFunctionDef) or not _takes_two(found.args):
        remedy = f"Write async def {name}(page, canary):"
        around.note(loc, f"{name} in {file} is no async function of (page, canary)", remedy)


def _takes_two(arguments: ast.arguments) -> bool:
    """Whether a call with two positional arguments fits."""
    given = len(arguments.posonlyargs) + len(arguments.args)
    needed = given - len(arguments.defaults)
    wants_names = any(default is None for default in arguments.kw_defaults)
    takes_more = arguments.vararg is not None
    return needed <= 2 and (given >= 2 or takes_more) and not wants_names  # noqa: PLR2004 -- page and canary


def _frame(document: LocatorDocument | None, around: Surroundings, loc: Loc) -> Frame:
    return Frame(build_locator(document, around, loc) if document is not None else None)


def _fill(document: FillDocument, around: Surroundings, loc: Loc) -> Fill:
    locator = build_locator(document, around, loc)
    return Fill(locator, _value(document.typed, locator, around, (*loc, "with")))


def _press(document: PressDocument, around: Surroundings, loc: Loc) -> Press:
    return Press(document.key, build_locator(document, around, loc) if has_locator(document) else None)


def _submit(document: SubmitDocument, around: Surroundings, loc: Loc) -> Submit:
    return Submit(build_locator(document, around, loc), document.key)


def _with_locator(make: Callable[[Locator], Action]) -> "_Builder":
    return lambda document, around, loc: make(build_locator(document, around, loc))


_Builder = Callable[[Any, Surroundings, Loc], Action | None]
_ACTIONS: Final[Mapping[str, _Builder]] = {
    "go": _go,
    "click": _with_locator(Click),
    "fill": _fill,
    "select": _select,
    "check": _with_locator(Tick),
    "uncheck": _with_locator(partial(Tick, is_on=False)),
    "upload": _with_locator(Upload),
    "press": _press,
    "wait": _wait,
    "frame": _frame,
    "script": _script,
    "submit": _submit,
    "confirm": _confirm,
}
"""What makes each action of the value of its key."""
