"""`python -m tests.real.faults` prints the page of the faults, docs/faults.md, from the table that the tests run."""

import sys
from collections.abc import Sequence

from tests.real.faults.blind import BLIND
from tests.real.faults.fault import Fault
from tests.real.faults.mailbox import MAILBOX
from tests.real.faults.smtp import SMTP
from tests.real.faults.tickets import TICKETS

INTRODUCTION = """\
# Faults that were tried

Each row was made on a running intake: real SMTP and IMAP exchanges, and django-helpdesk fetching the mailbox. A prober
ran against it as cron would start it (`intake-prober run --json`), and the row is what it answered. `side` says whose
fault it is taken for: `breached` always means the target's, `inconclusive` ours. Afterwards the fault was healed, the
prober ran again, and no open ticket and no mail of the canary was left, in every row.

The table is the test's own data: `python -m tests.real.faults > docs/faults.md` writes this page, and
`pytest -m real tests/real/test_faults.py` makes every fault again. What a full mailbox does on Postfix and Dovecot is
in `tests/real/test_email_postfix.py`; crashes, overlapping runs, signals and full disks are in `tests/chaos/`.

Unless the row says otherwise, the submission server is one of the chain that is probed (`side: target`), the deadline is
6 s and no control is configured.
"""

PARTS = (
    ("On the way to the mail platform", SMTP),
    ("Between the mail platform and the support mailbox", MAILBOX),
    ("Between the mailbox and the acknowledged ticket", TICKETS),
    ("When the prober can't see", BLIND),
)


def page() -> str:
    """The whole page."""
    return INTRODUCTION + "".join(f"\n## {title}\n{table(faults)}" for title, faults in PARTS)


def table(faults: Sequence[Fault]) -> str:
    head = "| fault | how it was made | verdict | blamed hop | reason | side |\n|---|---|---|---|---|---|\n"
    return head + "".join(row(one) for one in faults)


def row(fault: Fault) -> str:
    later = f", later `{fault.becomes}`" if fault.becomes else ""
    stop = [f"`{one}`" if one else "" for one in (fault.blame, fault.reason)]
    if fault.flaws:
        hop, reason = fault.flaws[0].split()
        stop = [f"flaw at `{hop}`", f"`{reason}`"]
    cells = [fault.name, fault.made, f"`{fault.verdict}`{later}", *stop, fault.side or ""]
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    sys.stdout.write(page())
