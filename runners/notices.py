"""Notices: what the prober has to say of itself, on its page and in its answers, until it no longer holds."""

from collections import OrderedDict
from collections.abc import Sequence

_MOST = 50


class Notices:
    """One sentence a subject, the newest last; of too many, the oldest are dropped.

    Lines after a text's first one are the points of a list below it.
    """

    def __init__(self) -> None:
        self._texts: OrderedDict[str, str] = OrderedDict()

    def say(self, subject: str, text: str) -> None:
        """Say something, instead of what was said of the same subject before; masked."""
        self._texts.pop(subject, None)
        self._texts[subject] = text
        while len(self._texts) > _MOST:
            self._texts.popitem(last=False)

    def withdraw(self, subject: str) -> None:
        """It no longer holds."""
        self._texts.pop(subject, None)

    def all(self) -> Sequence[str]:
        """What holds now."""
        return list(self._texts.values())
