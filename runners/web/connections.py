"""Connections that can't lock others out: a request's head has a limit of time, and what is answered one of number."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

MOST_CONNECTIONS: Final = 512
MOST_ANSWERS: Final = 128
_MOST_PROBES: Final = 16
_PROBES: Final = frozenset({"/healthz", "/readyz"})


class Limited:
    """Answers so many requests at once, and says so to more; an orchestrator's probes have room of their own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._answering = {True: 0, False: 0}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        is_probe = scope.get("path") in _PROBES
        if self._answering[is_probe] >= (_MOST_PROBES if is_probe else MOST_ANSWERS):
            said = "So many requests are being answered already. Ask again in a moment.\n"
            await PlainTextResponse(said, status_code=503, headers={"Retry-After": "2"})(scope, receive, send)
            return
        self._answering[is_probe] += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._answering[is_probe] -= 1


def impatient(head_seconds: float) -> Callable[..., asyncio.Protocol]:
    """The protocol of uvicorn, with that limit to how long a request's head may take.

    uvicorn has none, and counts connections that said nothing yet: a hundred half-sent requests lock out everybody.
    The time is the event loop's own, as that of uvicorn's limits is.
    """

    def made(*given: Any, **named: Any) -> asyncio.Protocol:  # noqa: ANN401 -- handed on to uvicorn's
        return _Impatient(head_seconds, *given, **named)

    return made


class _Impatient(H11Protocol):
    def __init__(self, head_seconds: float, *given: Any, **named: Any) -> None:  # noqa: ANN401
        super().__init__(*given, **named)
        self._head_seconds = head_seconds
        self._waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]  # as uvicorn declares it
        self._wait()
        if len(self.connections) > MOST_CONNECTIONS:
            waiting = [one for one in self.connections if isinstance(one, _Impatient) and one.waits_until]
            min(waiting, key=lambda one: one.waits_until).give_up()

    @property
    def waits_until(self) -> float:
        """Until when, by the loop's clock, it waits for a head; 0: it has one."""
        return self._waiting.when() if self._waiting is not None else 0.0

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        is_begun = self.cycle is not None  # None before the first head, whatever is declared
        if is_begun and not self.cycle.response_complete:
            self._cease()
        elif self._waiting is None:  # the beginning of another request
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cease()
        super().connection_lost(exc)

    def give_up(self) -> None:
        """Close it: its head does not come."""
        self._cease()
        self.connections.discard(self)
        self.transport.abort()

    def _wait(self) -> None:
        self._waiting = self.loop.call_later(self._head_seconds, self.give_up)

    def _cease(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
