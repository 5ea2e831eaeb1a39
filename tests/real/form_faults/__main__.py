"""`python -m tests.real.form_faults` prints docs/faults-form.md, from the table that the tests run."""

import sys
from collections.abc import Sequence

from tests.real.form_faults.after_post import AFTER
from tests.real.form_faults.before_post import BEFORE
from tests.real.form_faults.fault import FormFault
from tests.real.form_faults.oddities import ODDITIES

_HEAD = (
    "| fault | made by | verdict | blame | reason | the hop says | told |\n|---|---|---|---|---|---|---|\n"
)


HEAD = """# Faults of a form that were tried

Each row was made on a real connection: a server of the tests that misbehaves as the row says, an HTTP client that is ours. The
verdict is the one without a ticket, after the look at the deadline, unless the row says that it came. `told` says when it
is known.

The tables are the test's own data: `python -m tests.real.form_faults > docs/faults-form.md` writes this page, and
`pytest -m real tests/real/test_form_faults.py` makes every fault again.

"""


def page() -> str:
    """docs/faults-form.md as text."""
    return (
        f"{HEAD}## Before the post: nothing can have left\n{_HEAD}{_rows(BEFORE)}\n"
        f"## After the post: the ticketing system decides, unless it was refused\n{_HEAD}{_rows(AFTER)}\n"
        f"## Strange and harmless: confirmed, without a flaw\n| oddity | made by |\n|---|---|\n"
        + "".join(f"| {one.name} | {one.made} |\n" for one in ODDITIES)
    )


def _rows(faults: Sequence[FormFault]) -> str:
    return "".join(_row(one) for one in faults)


def _row(fault: FormFault) -> str:
    is_confirmed = fault.verdict == "confirmed"
    flaw = f"flaw {', '.join(fault.flaws)}" if fault.flaws else "no flaw"
    cells = (
        fault.name,
        fault.made,
        fault.verdict if not is_confirmed else f"confirmed, {flaw}",
        "" if is_confirmed else f"`{fault.hop}`",
        "" if is_confirmed else f"`{fault.reason}`",
        str(fault.outcome),
        "at once" if fault.rules_out else "by the look" if not is_confirmed else "by the ticket",
    )
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    sys.stdout.write(page())
