"""What a launch and a check of one path are made of."""

from dataclasses import dataclass

from probes.contracts import Clock
from probes.dns import Resolver
from probes.form.contexts import FormContexts
from probes.form.dialler import Proxy
from probes.form.identity import revealed
from probes.form.settings import FormSettings
from probes.form.wire import Wire
from probes.masking import Masker


@dataclass(frozen=True, slots=True)
class Parts:
    """Shared by all launches of a path: holds no connection."""

    settings: FormSettings
    clock: Clock
    resolver: Resolver
    contexts: FormContexts
    masker: Masker

    async def wire(self) -> Wire:
        """A way to the servers, to be closed.

        Raises:
            Failure, SecretUnavailable: the proxy's address can't be had.
        """
        proxy = self.settings.proxy
        return Wire(
            resolver=self.resolver,
            clock=self.clock,
            contexts=self.contexts,
            proxy=Proxy.of(await revealed(proxy)) if proxy is not None else None,
            http2=self.settings.http2,
            connect_seconds=self.settings.limits.connect_seconds,
        )


def accepted(*, is_page: bool) -> dict[str, str]:
    """What a browser, or a program, says that it understands; for every request of a launch."""
    if is_page:
        return {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
    return {"Accept": "application/json, text/plain;q=0.9, */*;q=0.8"}
