"""A page that an earlier look was left off at: what its refusal is taken for."""

from datetime import timedelta
from typing import cast

import pytest

from probes.contracts import Blind, Uncounted
from probes.ticketing.generic.calling import Calls
from probes.ticketing.generic.caught import Caught, Unresumed
from probes.ticketing.generic.matching import Wanted
from probes.ticketing.generic.page_rows import Pages
from probes.ticketing.generic.paging import Page
from probes.ticketing.generic.unread import UnreadRows
from probes.ticketing.generic.zones import Zones
from tests.fakes.clock import FakeClock, run_jumping
from tests.fakes.paged_desk import paged
from tests.unit.probes.ticketing.generic.walk_bench import config_of


class Refusing:
    """Calls that end in an error before anything is asked."""

    def __init__(self, error: Blind) -> None:
        self.error = error

    async def call(self, *_: object, **__: object) -> object:
        raise self.error


@pytest.mark.parametrize(
    ("error", "kind"), [(Uncounted("our store"), Uncounted), (Blind("no such cursor", status=400), Unresumed)]
)
def test_refusal_of_a_kept_page__is_the_pages__and_what_our_own_store_fails_at_is_not(
    error: Blind, kind: type[Blind]
) -> None:
    clock = FakeClock()
    calls = cast("Calls", Refusing(error))
    pages = Pages(calls, "desk", clock=clock, unread=UnreadRows(), zones=Zones(calls, clock=clock))
    look = config_of(paged("cursor", pages=2)).settings.looks[1]
    wanted = Wanted(frozenset(), "marker", "tag", clock.now() - timedelta(minutes=5), is_wide=True)

    async def main() -> None:
        async for _ in pages.turned(look, wanted, {}, Caught(), Page({"cursor": "c"}, is_kept=True)):
            raise AssertionError("no page was answered")

    with pytest.raises(Blind) as caught:
        run_jumping(clock, main())

    assert type(caught.value) is kind
