"""The page of the faults says what the tests make."""

from tests.architecture.tree import ROOT
from tests.real.faults.__main__ import page
from tests.real.faults.table import FAULTS


def test_page__is_what_the_table_of_the_tests_says() -> None:
    assert (ROOT / "docs/faults.md").read_text() == page()


def test_names__are_unique() -> None:
    assert len({one.name for one in FAULTS}) == len(FAULTS)
