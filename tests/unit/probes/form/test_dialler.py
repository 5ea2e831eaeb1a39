"""Connections: each silent address leaves time for those after it, and all of them are told."""

import asyncio
from types import MappingProxyType

import anyio
import httpcore
import pytest

from canary.reason import Reason
from probes.dns import MailHost, MailRoute, Resolver
from probes.form.contexts import FormContexts
from probes.form.dialler import Dialler
from probes.reasons import Failure
from runners.clock import SystemClock

ADDRESSES = ("192.0.2.1", "192.0.2.2", "192.0.2.3")


class Known(Resolver):
    """Knows every name."""

    def __init__(self) -> None:
        """Ask nobody."""

    async def host(self, name: str) -> MailRoute:
        return MailRoute((MailHost(name, 0, ADDRESSES),), MappingProxyType({}))


def test_silent_addresses__are_all_tried_and_told_within_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(*_: object, **__: object) -> None:
        await anyio.sleep_forever()

    monkeypatch.setattr(httpcore.AnyIOBackend, "connect_tcp", silent)

    async def scene() -> None:
        clock = SystemClock()
        contexts = FormContexts(ca_files=(), http2=False, client_certificate=None)
        dialler = Dialler(resolver=Known(), clock=clock, contexts=contexts, connect_seconds=1.0)
        async with clock.timeout(1.0):  # the hop's own
            await dialler.dial("support.acme.test", 443)

    with pytest.raises(Failure) as caught:
        asyncio.run(scene())

    assert caught.value.fault.reason is Reason.CONNECT_TIMEOUT
    assert all(f"[{one}]:443: connect_timeout" in caught.value.fault.detail for one in ADDRESSES)
