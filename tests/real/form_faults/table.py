"""All faults and oddities of a form, in the order of the hops."""

from tests.real.form_faults.after_post import AFTER
from tests.real.form_faults.before_post import BEFORE
from tests.real.form_faults.fault import FormFault
from tests.real.form_faults.oddities import ODDITIES

FORM_FAULTS: tuple[FormFault, ...] = (*BEFORE, *AFTER, *ODDITIES)
