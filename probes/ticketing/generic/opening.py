"""The adapter with its connections, opened and closed as one."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx

from probes.contracts import Clock
from probes.http_exchange import Witness
from probes.http_wire import HttpSettings, open_wire
from probes.masking import Masker
from probes.request_outcome import Asked
from probes.servers import SecretSource
from probes.ticketing.generic.adapter import Generic
from probes.ticketing.generic.auth import Vault
from probes.ticketing.generic.calling import Calls
from probes.ticketing.generic.settings import GenericSettings
from probes.ticketing.shared_calls import SharedCalls
from probes.ticketing.walks import OwnWalks, Walks


@asynccontextmanager
async def open_generic(
    settings: GenericSettings,
    http: HttpSettings,
    secrets: Mapping[str, SecretSource],
    *,
    clock: Clock,
    masker: Masker,
    transport: httpx.AsyncBaseTransport | None = None,
    asked: Asked = lambda _: None,
    walks: Walks | None = None,
    shared: SharedCalls | None = None,
    witness: Witness | None = None,
) -> AsyncIterator[Generic]:
    """A system by configuration; connects with the first call only, and logs out at the end of the scope.

    ``walks``: where looks that go on in a later one are kept, ``shared``: where calls are counted that all processes
    make together; None: in this process alone.

    Raises:
        OSError, ssl.SSLError: a CA file can't be read.
    """
    async with open_wire(
        http, clock=clock, masker=masker, transport=transport, asked=asked, witness=witness
    ) as wire:
        calls = Calls(settings.calls, wire, Vault(secrets, masker), clock=clock, masker=masker, shared=shared)
        system = Generic(settings, calls, clock=clock, masker=masker, walks=walks or OwnWalks())
        try:
            yield system
        finally:
            await system.end()
