"""What `intake-prober check` tries of a portal path: browser, name, connection and the first page."""

from collections.abc import Sequence

from probes.contracts import Check, Clock
from probes.dns import Resolver
from probes.masking import Masker
from probes.portal.browser import Browsers
from probes.portal.settings import PortalSettings
from probes.tls import Contexts


async def check_path(
    settings: PortalSettings,
    *,
    browsers: Browsers,
    resolver: Resolver,
    contexts: Contexts,
    clock: Clock,
    masker: Masker,
) -> Sequence[Check]:
    """Placeholder."""
    return ()
