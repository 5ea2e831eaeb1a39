"""A transport of httpx that answers as told, with a body that is still to be read, as from a network."""

from collections.abc import AsyncIterator, Callable

import httpx


class _Body(httpx.AsyncByteStream):
    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._content


class Answering(httpx.AsyncBaseTransport):
    """Like `httpx.MockTransport`, whose answers were read when they are made, and can't be read raw (httpx 0.28)."""

    def __init__(self, handler: Callable[[httpx.Request], httpx.Response]) -> None:
        self._handler = handler

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        answer = self._handler(request)
        if not answer.is_stream_consumed:
            return answer
        return httpx.Response(answer.status_code, headers=answer.headers, stream=_Body(answer.content))
