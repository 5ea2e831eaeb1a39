"""Listener: one loopback port that can be closed and opened again."""

import asyncio
import ssl
from collections.abc import Callable

from sandbox.faults import Faults

_REOPEN_SECONDS = 0.05


class Listener:
    """A port that keeps its number for life.

    Closing happens at once, within `switch`; opening again is the work of `run`.
    """

    def __init__(
        self,
        protocol: Callable[[], asyncio.Protocol],
        refuses: Callable[[Faults], bool],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._protocol = protocol
        self._refuses = refuses
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._wanted_open = True
        self._changed = asyncio.Event()
        self.port = 0

    async def open(self) -> None:
        """Listen; the first time on a free port, later on the same one."""
        self._server = await asyncio.get_running_loop().create_server(
            self._protocol, "127.0.0.1", self.port, ssl=self._tls, backlog=256
        )
        self.port = int(self._server.sockets[0].getsockname()[1])

    def close(self) -> None:
        """Stop listening; connections that are open live on. Repeatable."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def switch(self, faults: Faults) -> None:
        """Close or open as the switches want."""
        self._wanted_open = not self._refuses(faults)
        if not self._wanted_open:
            self.close()
        self._changed.set()

    async def run(self) -> None:
        """Open again whenever that is wanted, until cancelled."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            while self._wanted_open and self._server is None:
                try:
                    await self.open()
                except OSError:
                    await asyncio.sleep(_REOPEN_SECONDS)
