"""What is wrong with a configuration: every mistake with its place, its cause and its remedy."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_CLOSE_ENOUGH = 0.6


@dataclass(frozen=True, slots=True)
class ConfigError:
    """One mistake.

    Attributes:
        file: as the user named it.
        line, column: counted from 1; None where there is no place (the file can't be read).
        key: dotted, from the top; empty for the whole file.
        message: the cause, without secrets.
        remedy: what to do; may be empty.
    """

    file: str
    line: int | None
    column: int | None
    key: str
    message: str
    remedy: str = ""

    def __str__(self) -> str:
        """``file:line:column: key: message. remedy``, for people."""
        place = ":".join(str(one) for one in (self.file, self.line, self.column) if one is not None)
        text = f"{self.key}: {self.message}" if self.key else self.message
        return f"{place}: {text}." if not self.remedy else f"{place}: {text}. {self.remedy}"


class ConfigErrors(Exception):
    """The configuration can't be used; holds every mistake, in the order of the file."""

    def __init__(self, errors: Sequence[ConfigError]) -> None:
        self.errors = tuple(sorted(errors, key=lambda one: (one.line or 0, one.column or 0, one.key)))
        super().__init__("\n".join(str(one) for one in self.errors))


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that looks most like this one, or None if none does."""
    found = difflib.get_close_matches(word.lower(), sorted(known), n=1, cutoff=_CLOSE_ENOUGH)
    return found[0] if found else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A remedy for a word that is not among the known ones."""
    words = sorted(known)
    found = nearest(word, words)
    if found is not None:
        return f"Did you mean {found}?"
    return f"Known are: {', '.join(words)}." if words else "There are none."
