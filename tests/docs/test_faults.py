"""The pages of the faults say what the tests make."""

from collections.abc import Callable, Sequence
from typing import Protocol

import pytest

from tests.architecture.tree import ROOT
from tests.real.faults.__main__ import page
from tests.real.faults.table import FAULTS
from tests.real.form_faults.__main__ import page as form_page
from tests.real.form_faults.table import FORM_FAULTS
from tests.real.portal_faults.__main__ import page as portal_page
from tests.real.portal_faults.table import PORTAL_FAULTS


class Named(Protocol):
    @property
    def name(self) -> str: ...


@pytest.mark.parametrize(
    ("file", "made"), [("faults", page), ("faults-form", form_page), ("faults-portal", portal_page)]
)
def test_page__is_what_the_table_of_the_tests_says(file: str, made: Callable[[], str]) -> None:
    assert (ROOT / f"docs/{file}.md").read_text() == made()


@pytest.mark.parametrize("faults", [FAULTS, FORM_FAULTS, PORTAL_FAULTS], ids=["email", "form", "portal"])
def test_names__are_unique(faults: Sequence[Named]) -> None:
    assert len({one.name for one in faults}) == len(faults)
