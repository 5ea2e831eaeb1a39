"""Paging: all rows are seen, whatever the system's own limit of a page; and a page that repeats is no end."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.ticketing.generic.expressions import compile_expression
from probes.ticketing.generic.paging import Counted, Cursor, End, Ends, Into, Next, Page, Paging, Range
from probes.ticketing.generic.picking import Pick, Seen
from probes.ticketing.generic.templates import compile_template

Served = Callable[[Page], tuple[object, list[int]]]


def pick(source: str) -> Pick:
    return Pick(key="page", expression=compile_expression(source, "page"))


def walked(paging: Paging, serve: Served, *, most: int = 50) -> tuple[list[int], End | None]:
    """The rows of all pages, and how they ended; None: not within so many pages."""
    rows: list[int] = []
    page: Page | End = paging.first()
    for _ in range(most):
        if isinstance(page, End):
            return rows, page
        answer, found = serve(page)
        assert not page.overlaps or found[:1] == rows[-1:]
        rows += found[1:] if page.overlaps else found
        page = paging.after(page, Seen(answer, answer), len(found))
    return rows, page if isinstance(page, End) else None


@given(count=st.integers(0, 40), asked=st.integers(1, 10), cap=st.integers(1, 10), counts=st.booleans())
def test_counted_pages__see_all_rows_though_the_system_gives_fewer_than_asked(
    *, count: int, asked: int, cap: int, counts: bool
) -> None:
    paging = Counted("p", counts_rows=counts, size_param="n", size=asked)
    size = min(asked, cap)

    def serve(page: Page) -> tuple[object, list[int]]:
        number = int(page.query["p"])
        begin = number if counts else (number - 1) * size
        return {}, list(range(count))[begin : begin + size]

    assert walked(paging, serve) == (list(range(count)), End.LAST)


@given(count=st.integers(0, 40), first=st.integers(0, 2), tells_total=st.booleans())
def test_offset__begins_at_the_first_rows_number(*, count: int, first: int, tells_total: bool) -> None:
    paging = Counted("p", counts_rows=True, first_number=first, total=pick("total") if tells_total else None)

    def serve(page: Page) -> tuple[object, list[int]]:
        begin = int(page.query["p"]) - first
        assert begin >= 0
        return {"total": count}, list(range(count))[begin : begin + 7]

    assert walked(paging, serve) == (list(range(count)), End.LAST)


@given(count=st.integers(0, 40), size=st.integers(1, 10), kind=st.sampled_from(["total", "more", "short"]))
def test_pages_that_tell_their_end__cost_no_further_call(*, count: int, size: int, kind: str) -> None:
    paging = Counted(
        "p",
        size=size,
        size_param="n",
        total=pick("total") if kind == "total" else None,
        more=pick("more") if kind == "more" else None,
        ends=Ends.SHORT if kind == "short" else Ends.EMPTY,
    )
    calls = []

    def serve(page: Page) -> tuple[object, list[int]]:
        calls.append(page)
        begin = (int(page.query["p"]) - 1) * size
        return {"total": count, "more": begin + size < count}, list(range(count))[begin : begin + size]

    assert walked(paging, serve) == (list(range(count)), End.LAST)
    assert len(calls) <= count // size + 1


@given(count=st.integers(0, 30), size=st.integers(1, 7))
def test_cursor_in_the_body__sees_all_rows(*, count: int, size: int) -> None:
    paging = Cursor(pick("next"), "paging.after", Into.JSON)

    def serve(page: Page) -> tuple[object, list[int]]:
        begin = int(str(page.json.get("paging.after", 0)))
        after = begin + size
        return {"next": str(after) if after < count else None}, list(range(count))[begin:after]

    assert walked(paging, serve) == (list(range(count)), End.LAST)


def test_cursor_that_repeats__is_lost() -> None:
    assert walked(Cursor(pick("next"), "c"), lambda _: ({"next": "same"}, [1]))[1] is End.LOST


def test_cursor_that_is_missing_though_there_is_more__is_lost() -> None:
    paging = Cursor(pick("next"), "c", more=pick("more"))

    assert walked(paging, lambda _: ({"more": True}, [1])) == ([1], End.LOST)


def test_link_in_the_header__leads_on_until_there_is_none() -> None:
    paging = Next()
    seen = Seen(
        None, None, {"link": '<https://x.test/t?page=2>; rel="next", <https://x.test/t?page=9>; rel="last"'}
    )

    following = paging.after(Page(), seen, 1)

    assert following == Page(url="https://x.test/t?page=2")
    assert paging.after(Page(), Seen(None, None, {}), 1) is End.LAST


def test_cursor_whose_field_is_gone__is_lost_unless_nothing_is_its_default() -> None:
    told = Seen({"meta": {}}, {"meta": {}})
    plain, defaulted = pick("meta.next"), replace(pick("meta.next"), default=None)

    assert Cursor(plain, "c").after(Page(), told, 1) is End.LOST
    assert Cursor(defaulted, "c").after(Page(), told, 1) is End.LAST
    assert Cursor(plain, "c").after(Page(), Seen({"meta": {"next": None}}), 1) is End.LAST


@pytest.mark.parametrize(
    "paging", [Counted("p", more=pick("more")), Cursor(pick("next"), "c", more=pick("more"))]
)
def test_field_that_tells_of_more__is_gone__is_lost(paging: Counted | Cursor) -> None:
    assert paging.after(paging.first(), Seen({"next": "abc", "hasMore": True}), 3) is End.LOST
    assert paging.after(paging.first(), Seen({"next": "abc", "more": False}), 3) is End.LAST


def test_link_whose_field_is_gone__is_lost_unless_another_field_says_that_there_is_no_more() -> None:
    last, lost = {"done": True}, {"done": False}
    with_more = Next(pick("next"), more=pick("!done"))

    assert Next(pick("next")).after(Page(), Seen({"links": {}}), 1) is End.LOST
    assert Next(pick("next")).after(Page(), Seen({"next": None}), 1) is End.LAST
    assert with_more.after(Page(), Seen(last), 1) is End.LAST
    assert with_more.after(Page(), Seen(lost), 1) is End.LOST
    assert with_more.after(Page(), Seen({"next": "/t?p=2", "done": False}), 1) == Page(url="/t?p=2")


def test_link_with_two_relations__is_followed() -> None:
    seen = Seen(None, None, {"link": '</t?page=2>; rel="last next"'})

    assert Next().after(Page(), seen, 1) == Page(url="/t?page=2")


def test_full_page_without_any_link__is_lost() -> None:
    paging = Next(size=2)

    assert paging.after(Page(), Seen(None), 2) is End.LOST
    assert paging.after(Page(), Seen(None), 1) is End.LAST
    assert paging.after(Page(), Seen(None, None, {"link": '</t?page=1>; rel="first"'}), 2) is End.LAST


def test_link_to_itself__is_lost() -> None:
    assert Next(pick("next")).after(Page(url="/t?p=2"), Seen({"next": "/t?p=2"}), 1) is End.LOST


def test_link_of_a_system_that_does_not_know_its_address__is_taken_without_it() -> None:
    following = Next(pick("next"), path_only=True).after(
        Page(), Seen({"next": "http://localhost:8000/t?p=2"}), 1
    )

    assert following == Page(url="/t?p=2")


@pytest.mark.parametrize("is_header", [True, False])
def test_range__asks_from_row_to_row(*, is_header: bool) -> None:
    template = compile_template("{{ page.from }}-{{ page.to }}", "range", {"page": None})
    paging = Range(template, "range", 10, is_header=is_header, total=pick("total"))
    asked = []

    def serve(page: Page) -> tuple[object, list[int]]:
        asked.append(page.headers["range"].text({"page": page.words}) if is_header else page.query["range"])
        begin = int(str(asked[-1]).split("-", maxsplit=1)[0])
        return {"total": 25}, list(range(25))[begin : begin + 10]

    assert walked(paging, serve) == (list(range(25)), End.LAST)
    assert asked == ["0-9", "9-18", "18-27"]
