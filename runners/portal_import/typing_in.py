"""What was typed: a template's word, a secret that is only named, or the text itself."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Final

from probes.portal.steps import Click, Fill, Hidden, Locator, OneTimePassword, Press, Template, Value, shown
from runners.portal_import.acts import Act
from runners.portal_import.fields import Kind, is_secret, kind_of, logs_in
from runners.portal_import.imported import Named
from runners.portal_import.source import Guess, Note

PASSWORD_VARIABLE: Final = "PORTAL_PASSWORD"  # noqa: S105 -- a variable's name
TOTP_VARIABLE: Final = "PORTAL_TOTP"
_WORDS: Final = frozenset({Kind.SUBJECT, Kind.BODY, Kind.SENDER, Kind.NAME})
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SHORTEST = 4


@dataclass(slots=True)
class Typed:
    """What became of all that was typed.

    Attributes:
        acts: with their values; None: one whose value can't be told.
        secrets: what must not be shown.
        words: what was typed into the fields that now take the canary's own words.
    """

    acts: list[Act | None] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set, repr=False)
    words: set[str] = field(default_factory=set)
    guesses: list[Guess] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def kinds_of(acts: Sequence[Act]) -> Sequence[Kind | None]:
    """What the field of each act takes that types something; None for the others."""
    kinds: list[Kind | None] = [
        kind_of(one.action.locator) if isinstance(one.action, Fill) else None for one in acts
    ]
    filled = [index for index, kind in enumerate(kinds) if kind is not None]
    for before, index in pairwise(filled):
        if (
            kinds[index] is Kind.OTHER
            and kinds[before] in {Kind.USER, Kind.SENDER}
            and _ends_log_in(acts, index + 1)
        ):
            kinds[index] = Kind.PASSWORD
    return kinds


def _ends_log_in(acts: Sequence[Act], index: int) -> bool:
    action = acts[index].action if index < len(acts) else None
    match action:
        case Click():
            return logs_in(action.locator)
        case Press():
            return action.key == "Enter"
        case _:
            return False


def login_end(acts: Sequence[Act], kinds: Sequence[Kind | None]) -> int:
    """How many of the acts are the log-in: up to the click after the last secret, if the request has not begun."""
    begun = next((index for index, kind in enumerate(kinds) if kind in {Kind.SUBJECT, Kind.BODY}), len(kinds))
    secret = [index for index, kind in enumerate(kinds[:begun]) if kind is not None and is_secret(kind)]
    if not secret:
        return 0
    for index in range(secret[-1] + 1, begun):
        action = acts[index].action
        if isinstance(action, Click) or (isinstance(action, Press) and action.key == "Enter"):
            return index + 1
    return 0


def typed(acts: Sequence[Act], kinds: Sequence[Kind | None], in_login: int) -> Typed:
    """Give each act that types its value."""
    found = Typed()
    found.secrets = {
        act.typed
        for act, kind in zip(acts, kinds, strict=True)
        if act.typed and kind is not None and is_secret(kind)
    }
    passwords = {one: _numbered(index) for index, one in enumerate(sorted(found.secrets))}
    for index, (act, kind) in enumerate(zip(acts, kinds, strict=True)):
        if kind is None or not isinstance(act.action, Fill):
            found.acts.append(act)
            continue
        value = _value(act, act.action.locator, kind, passwords, is_login=index < in_login, found=found)
        found.acts.append(None if value is None else replace(act, action=replace(act.action, value=value)))
    return found


def _numbered(index: int) -> str:
    return PASSWORD_VARIABLE if index == 0 else f"{PASSWORD_VARIABLE}_{index + 1}"


def _value(
    act: Act, locator: Locator, kind: Kind, passwords: dict[str, str], *, is_login: bool, found: Typed
) -> Value | None:
    if kind is Kind.CODE:
        found.guesses.append(Guess(act.line, f"the code is made of the key in ${TOTP_VARIABLE}"))
        return OneTimePassword(Named(TOTP_VARIABLE))
    if act.variable is not None and _VARIABLE.fullmatch(act.variable):
        return Hidden(Named(act.variable))
    if is_secret(kind) or (act.typed and act.typed in passwords):
        name = passwords.get(act.typed or "", PASSWORD_VARIABLE)
        found.guesses.append(Guess(act.line, f"the secret is read from ${name}"))
        return Hidden(Named(name))
    if kind in _WORDS and not is_login:
        if act.typed:
            found.words.add(act.typed)
        found.guesses.append(Guess(act.line, f"the field takes {{{{ {kind} }}}}"))
        return Template(f"{{{{ {kind} }}}}")
    if act.typed is None:
        found.notes.append(
            Note(
                act.line,
                f"fill {locator}",
                "what is typed is only known when the file is run",
                "Write the step with the value itself.",
            )
        )
        return None
    if "{{" in act.typed:
        found.guesses.append(
            Guess(act.line, "the typed braces stand apart, since {{ }} holds words of the canary")
        )
    return Template(act.typed.replace("{{", "{ {"))


def tellable(secrets: frozenset[str], acts: Sequence[Act], kinds: Sequence[Kind | None]) -> frozenset[str]:
    """The secrets that are looked for in all that is shown: not those that a field is called by anyway."""
    names = " ".join(
        f"{shown(act.action.locator.value)} {shown(act.action.locator.name or '')}"
        for act, kind in zip(acts, kinds, strict=True)
        if isinstance(act.action, Fill) and kind is not None
    )
    return frozenset(one for one in secrets if len(one) >= _SHORTEST and one not in names)
