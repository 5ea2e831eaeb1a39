"""Take what was typed as a password out of everything else that a recording says."""

import re
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from probes.portal.steps import Action, Locator, Template
from runners.portal_import.acts import Act
from runners.portal_import.locators import escaped
from runners.portal_import.source import Guess, Note

REMOVED: Final = "…"
_LONGEST_CODE = 120


@dataclass(frozen=True, slots=True)
class Hush:
    """Knows the secrets, and tells none.

    Attributes:
        secrets: as they were typed.
    """

    secrets: frozenset[str]

    def __repr__(self) -> str:
        """Without the secrets."""
        return f"Hush({len(self.secrets)})"

    def text(self, text: str) -> str:
        """The text without them: as they are, within a regular expression, and as Python writes them."""
        found = {form for one in self.secrets for form in _forms(one)}
        for form in sorted(found, key=len, reverse=True):
            text = text.replace(form, REMOVED)
        return text

    def act(self, act: Act) -> Act:
        """The act without them."""
        frames = tuple(self._cleaned(one) for one in act.frames)
        file = None if act.file is None else self.text(act.file)
        return replace(act, action=self._action(act.action), frames=frames, file=file)

    def note(self, note: Note) -> Note:
        """The note without them, short enough for a line."""
        code = "".join(one if one.isprintable() else "�" for one in self.text(note.code))
        code = code if len(code) <= _LONGEST_CODE else f"{code[: _LONGEST_CODE - 1]}…"
        return replace(note, code=code, why=self.text(note.why), remedy=self.text(note.remedy))

    def guess(self, guess: Guess) -> Guess:
        """The guess without them."""
        return replace(guess, what=self.text(guess.what))

    def _action(self, action: Action) -> Action:
        changed = {one.name: self._cleaned(getattr(action, one.name)) for one in fields(action)}
        return replace(action, **changed)

    def _cleaned(self, value: Any) -> Any:  # noqa: ANN401 -- whatever an action has
        match value:
            case re.Pattern():
                return self._pattern(value)
            case Locator(name=name):
                return replace(value, value=self._cleaned(value.value), name=self._cleaned(name))
            case Template(text=text):
                return Template(self.text(text))
            case str():
                return self.text(value)
            case _:
                return value

    def _pattern(self, pattern: re.Pattern[str]) -> re.Pattern[str]:
        text = self.text(pattern.pattern)
        try:
            return re.compile(text)
        except re.error:
            return re.compile(".*")


def _forms(secret: str) -> set[str]:
    """The ways in which it may be written."""
    plain = {secret, secret.strip()}
    quoted = {
        form for one in plain for form in (repr(one)[1:-1], repr(f"{one}'")[1:-2], repr(f"{one}'\"")[1:-4])
    }
    return {one for one in (*plain, *(escaped(one) for one in plain), *quoted) if one}
