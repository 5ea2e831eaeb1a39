"""What looks show to `check`: asked once, page by page, strictly; a blindness names the key that led to it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from probes.ticketing.generic.calling import Calls
from probes.ticketing.generic.matching import must, rows_of
from probes.ticketing.generic.misfits import Row, named_fields
from probes.ticketing.generic.paging import End, Page
from probes.ticketing.generic.settings import GenericSettings, LookSettings, Per
from probes.ticketing.generic.templates import Words
from probes.ticketing.generic.variables import Variables, requester_of

_MOST_PAGES: Final = 8


@dataclass(slots=True)
class Shown:
    """What a look has shown when it was asked for what came since a moment; ``page``: what would come next.

    Attributes:
        own: what its templates say besides: of a look that is repeated, for whom.
    """

    look: LookSettings
    words: Words
    own: Words = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    page: Page | End = End.LAST

    @property
    def is_whole(self) -> bool:
        """Whether it shows all that there is."""
        return isinstance(self.page, End)


class Showing:
    """Asks the looks of one system. Changes nothing.

    Attributes:
        words: what templates may say of what came since a moment.
    """

    def __init__(
        self,
        settings: GenericSettings,
        calls: Calls,
        variables: Variables,
        *,
        words: Callable[[datetime], Words],
    ) -> None:
        self._settings = settings
        self._calls = calls
        self._variables = variables
        self.words = words

    def own(self, look: LookSettings) -> Words:
        """What a look that is repeated says of whom it is made for: one sender of ours, or the marker as a token."""
        match look.per:
            case None:
                return {}
            case Per.REQUESTERS:
                return {"requester": one} if (one := min(self._settings.own_addresses, default=None)) else {}
            case Per.TOKENS:
                return {"tokens": [self._settings.marker], "token": self._settings.marker}

    async def asked(self, look: LookSettings, since: datetime) -> Shown | None:
        """The first page; None where a value that it needs is not there.

        Raises:
            Blind: it is refused, or not what the configuration says.
            SecretUnavailable: our credential can't be had.
        """
        own = self.own(look)
        if look.per is not None and not own:
            return None
        words = {**self.words(since), **own}
        values = await self._variables.words(look.asking, words, requester_of(words))
        if values is None:
            return None
        shown = Shown(look, {**words, "vars": values}, own)
        await self.page(shown, look.paging.first())
        return shown

    async def page(self, shown: Shown, page: Page) -> int:
        """Read one page; how many rows it has, also those that were shown before. Raises as `asked`."""
        look = shown.look
        answer, _ = await self._calls.named(look.asking, shown.words, page=page)
        shown.page = End.LAST
        if answer.status in look.empty_on:
            return 0
        seen = self._calls.seen(answer, look.asking)
        must(look.must, seen, self._settings.name)
        rows = [(one, look.ticket.read(one, shown.words)) for one in rows_of(look, seen, self._settings.name)]
        named_fields(rows, look.ticket, self._settings.name)
        known = {values["id"] for _, values in shown.rows}
        shown.rows += [one for one in rows if one[1]["id"] not in known]
        shown.page = look.paging.after(page, seen, len(rows)) if rows else End.LAST
        return len(rows)

    async def walked(self, shown: Shown, is_enough: Callable[[], bool]) -> None:
        """Read on where a look has ended, for some pages. Raises as `asked`."""
        for _ in range(min(_MOST_PAGES, shown.look.most_pages)):
            if isinstance(shown.page, End) or is_enough():
                return
            before = len(shown.rows)
            await self.page(shown, shown.page)
            if len(shown.rows) == before:
                return
