"""A JSON answer, read field by field, so that a missing or wrong one is named instead of guessed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from probes.contracts import Blind

_DIGITS = 30
"""No number that a system tells in words is longer."""


@dataclass(frozen=True, slots=True)
class Json:
    """A value within an answer.

    Attributes:
        value: as parsed.
        where: its place in the answer, such as ``results[3].id``.
        source: whose answer it is, for messages.
    """

    value: object
    where: str
    source: str

    def __getitem__(self, name: str) -> "Json":
        """The named field of an object.

        Raises:
            Blind: it is no object, or the field is missing.
        """
        if not isinstance(self.value, dict):
            raise self._wrong("an object")
        where = f"{self.where}.{name}" if self.where else name
        if name not in self.value:
            raise Blind(
                f"{self.source} has no field `{where}`: its version is not the adapter's, or something rewrote it."
            )
        return Json(self.value[name], where, self.source)

    def has(self, name: str) -> bool:
        """Whether it is an object with that field."""
        return isinstance(self.value, dict) and name in self.value

    @property
    def is_null(self) -> bool:
        """Whether the value is ``null``."""
        return self.value is None

    def items(self) -> Iterator["Json"]:
        """The members of an array.

        Raises:
            Blind: it is no array.
        """
        if not isinstance(self.value, list):
            raise self._wrong("an array")
        for index, member in enumerate(self.value):
            yield Json(member, f"{self.where}[{index}]", self.source)

    def text(self) -> str:
        """A string, ``null`` read as the empty one.

        Raises:
            Blind: it is something else.
        """
        if self.value is None:
            return ""
        if not isinstance(self.value, str):
            raise self._wrong("a string")
        return self.value

    def number(self) -> int:
        """A whole number, also one that is written as a string.

        Raises:
            Blind: it is something else.
        """
        if isinstance(self.value, int) and not isinstance(self.value, bool):
            return self.value
        text = self.value if isinstance(self.value, str) else ""
        if text.isascii() and text.isdigit() and len(text) <= _DIGITS:
            return int(text)
        raise self._wrong("a whole number")

    def moment(self) -> datetime:
        """An ISO 8601 date and time with its zone, as UTC.

        Raises:
            Blind: it is something else.
        """
        try:
            stamp = datetime.fromisoformat(self.text())
            if stamp.tzinfo is None:
                raise self._wrong("a date and time with its zone")
            return stamp.astimezone(UTC)
        except (ValueError, OverflowError):
            raise self._wrong("a date and time") from None

    def _wrong(self, wanted: str) -> Blind:
        where = self.where or "the whole"
        return Blind(f"{self.source} has at `{where}` {type(self.value).__name__}, not {wanted}.")
