"""`python -m tests.real.portal_faults` prints docs/faults-portal.md, from the table that the tests run."""

import sys
from collections.abc import Iterable

from tests.real.portal_faults.fault import PortalFault
from tests.real.portal_faults.filling import FILLING
from tests.real.portal_faults.helpdesk import HELPDESK
from tests.real.portal_faults.loading import LOADING
from tests.real.portal_faults.oddities import ODDITIES
from tests.real.portal_faults.sending import SENDING

HEAD = """# Faults of a portal that were tried

Each row was made in a real browser (Chromium): a portal of the tests' own, or django-helpdesk's, behind a proxy that makes the
fault. The verdict is the one without a ticket, after the look at the deadline; the last column is what is said if the
intact ticket comes in time all the same. `side` says whose fault it is taken for.

The tables are the test's own data: `python -m tests.real.portal_faults > docs/faults-portal.md` writes this page, and
`pytest -m real tests/real/test_portal_faults.py` makes every fault again.
"""
_COLUMNS = (
    "| fault | how it was made | verdict | blamed hop | reason | side | with the ticket in time |\n"
    "|---|---|---|---|---|---|---|\n"
)


def page() -> str:
    """docs/faults-portal.md as text."""
    parts = (
        ("The way to the first page", LOADING),
        ("Log-in and form", FILLING),
        ("The submit, and what the page says to it", SENDING),
        ("On django-helpdesk's own portal", HELPDESK),
        ("Strange and harmless", ODDITIES),
    )
    return HEAD + "".join(f"\n## {title}\n{_COLUMNS}{_rows(faults)}" for title, faults in parts)


def _rows(faults: Iterable[PortalFault]) -> str:
    return "".join(_row(one) for one in faults)


def _row(fault: PortalFault) -> str:
    blame, reason = fault.blamed
    cells = (
        fault.name,
        fault.made,
        f"`{fault.verdict}`",
        f"`{blame}`",
        f"`{reason}`",
        fault.side,
        _with_ticket(fault),
    )
    return f"| {' | '.join(cells)} |\n"


def _with_ticket(fault: PortalFault) -> str:
    if fault.rules_out:
        return "it was ruled out"
    flaws = ", ".join(fault.flaws)
    return f"`confirmed`, flaw {flaws}" if flaws else "`confirmed`"


if __name__ == "__main__":
    sys.stdout.write(page())
