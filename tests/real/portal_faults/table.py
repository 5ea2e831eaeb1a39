"""All faults and oddities of a portal, in the order of the hops."""

from tests.real.portal_faults.fault import PortalFault
from tests.real.portal_faults.filling import FILLING
from tests.real.portal_faults.helpdesk import HELPDESK
from tests.real.portal_faults.loading import LOADING
from tests.real.portal_faults.oddities import ODDITIES
from tests.real.portal_faults.sending import SENDING

PORTAL_FAULTS: tuple[PortalFault, ...] = (*LOADING, *FILLING, *SENDING, *HELPDESK, *ODDITIES)
