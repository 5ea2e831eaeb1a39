"""All faults, in the order of the hops."""

from tests.real.faults.blind import BLIND
from tests.real.faults.fault import Fault
from tests.real.faults.mailbox import MAILBOX
from tests.real.faults.smtp import SMTP
from tests.real.faults.tickets import TICKETS

FAULTS: tuple[Fault, ...] = (*SMTP, *MAILBOX, *TICKETS, *BLIND)
