"""A simulated vendor on a port of loopback, for what speaks to it from another process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from tests.simulators.gateway import Simulator

_START_SECONDS = 30


class _Ready(uvicorn.Server):
    """Tells when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listens = threading.Event()

    async def startup(self, sockets: "list[object] | None" = None) -> None:  # type: ignore[override]
        await super().startup(sockets)  # type: ignore[arg-type]
        self.listens.set()


@contextmanager
def served(simulator: Simulator) -> Iterator[str]:
    """Its base address, until the scope ends. Give it a real clock: sockets don't wait for a fake one."""
    server = _Ready(uvicorn.Config(simulator, port=0, log_level="error", lifespan="off", date_header=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        assert server.listens.wait(_START_SECONDS)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()
