"""What stands between an adapter and its system in the contract suite: counts the calls, and spoils what a test wants.

It sits below the adapter's HTTP client, so that a real system and a simulated one can be unreadable in the same ways.
"""

import json
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass, field
from http import HTTPStatus

import httpx

Answering = Callable[[httpx.Request], "httpx.Response | None"]
Changing = Callable[[httpx.Request, httpx.Response], httpx.Response]
_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_OF_THE_TRANSFER = frozenset({"content-length", "content-encoding", "transfer-encoding"})
MOST_BYTES = 17 * 1024 * 1024
"""More than an adapter reads of one answer."""


@dataclass
class Wire:
    """The way to one system.

    Attributes:
        reads: ends of paths at which a POST changes nothing, such as a search.
        spares: ends of paths that are neither counted nor spoilt: where credentials are exchanged for others.
        calls: the requests that the adapter made, also those that never reached the system.
        answers: asked first; what it gives is the answer, and the system hears nothing.
        changes: what it makes of the system's answer is what the adapter sees.
    """

    reads: Collection[str] = ()
    spares: Collection[str] = ()
    calls: list[httpx.Request] = field(default_factory=list)
    answers: Answering | None = None
    changes: Changing | None = None

    @property
    def writes(self) -> list[httpx.Request]:
        """The calls that may have changed something."""
        return [one for one in self.calls if self.is_write(one)]

    def is_write(self, request: httpx.Request) -> bool:
        """Whether a request may change something."""
        return request.method in _WRITES and not request.url.path.endswith(tuple(self.reads))

    def heal(self) -> None:
        """Spoil nothing more."""
        self.answers = None
        self.changes = None

    def around(self, inner: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
        """A transport that goes by this way."""
        return _Transport(self, inner)


class _Transport(httpx.AsyncBaseTransport):
    def __init__(self, wire: Wire, inner: httpx.AsyncBaseTransport) -> None:
        self._wire = wire
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        if request.url.path.endswith(tuple(self._wire.spares)):
            return await self._inner.handle_async_request(request)
        self._wire.calls.append(request)
        answer = self._wire.answers(request) if self._wire.answers is not None else None
        if answer is None:
            answer = await self._inner.handle_async_request(request)
            if self._wire.changes is not None:
                await answer.aread()
                await answer.aclose()
                changed = self._wire.changes(request, answer)
                answer = _rewritten(answer, answer.content, {}) if changed is answer else changed
        return answer

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Stream(httpx.AsyncByteStream):
    """A body that is read piece by piece: one that is given whole counts as read already."""

    def __init__(self, piece: bytes, times: int = 1) -> None:
        self._piece = piece
        self._times = times

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for _ in range(self._times):
            yield self._piece


def saying(status: int, body: str | bytes, kind: str = "application/json", **headers: str) -> Answering:
    """Answer everything in the same way."""
    given = {"Content-Type": kind, **{name.replace("_", "-"): value for name, value in headers.items()}}
    content = body.encode() if isinstance(body, str) else body
    return lambda _: httpx.Response(status, stream=_Stream(content), headers=given)


def breaking(error: Callable[[str], httpx.HTTPError]) -> Answering:
    """Break off instead of an answer."""

    def answer(_: httpx.Request) -> httpx.Response | None:
        raise error("broken by the test")

    return answer


def with_headers(**headers: str) -> Changing:
    """Add headers to what the system answers."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _, answer: _rewritten(answer, answer.content, given)


def renamed(_: httpx.Request, answer: httpx.Response) -> httpx.Response:
    """The system's next version: every field has another name."""
    return _rewritten(answer, json.dumps(_renamed(json.loads(answer.content or b"null"))).encode(), {})


def truncated(_: httpx.Request, answer: httpx.Response) -> httpx.Response:
    """Only the first half arrives, though the answer says that it is whole."""
    return _rewritten(answer, answer.content[: len(answer.content) // 2], {})


def only_at(ends: Collection[str], answering: Answering) -> Answering:
    """Answer so at paths with these ends, and let the others pass."""
    return lambda request: answering(request) if request.url.path.endswith(tuple(ends)) else None


def emptied(_: httpx.Request, answer: httpx.Response) -> httpx.Response:
    """The same answer where there is nothing to show: no rows, no total, no next page."""
    return _rewritten(answer, json.dumps(_emptied(json.loads(answer.content or b"null"))).encode(), {})


class Once:
    """Does something to the first requests that it is asked for, and lets the others pass."""

    def __init__(
        self,
        answering: Answering,
        *,
        of: Callable[[httpx.Request], bool] = lambda _: True,
        after: int = 0,
        times: int = 1,
    ) -> None:
        self._answering = answering
        self._of = of
        self._after = after
        self._times = times
        self.done = 0

    def __call__(self, request: httpx.Request) -> httpx.Response | None:
        if not self._of(request) or self.done >= self._times:
            return None
        if self._after > 0:
            self._after -= 1
            return None
        self.done += 1
        return self._answering(request)


def too_long() -> httpx.Response:
    """An answer that doesn't end before its reader's patience does."""

    stream = _Stream(b" " * 65536, times=MOST_BYTES // 65536)
    return httpx.Response(HTTPStatus.OK, stream=stream, headers={"Content-Type": "application/json"})


def _renamed(value: object) -> object:
    if isinstance(value, dict):
        return {f"renamed_{name}": _renamed(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_renamed(one) for one in value]
    return value


def _emptied(value: object) -> object:
    match value:
        case dict():
            return {name: None if name.startswith("next") else _emptied(one) for name, one in value.items()}
        case list():
            return []
        case bool() | int():
            return type(value)(0)
        case _:
            return value


def _rewritten(answer: httpx.Response, content: bytes, headers: dict[str, str]) -> httpx.Response:
    replaced = {name.lower() for name in headers} | _OF_THE_TRANSFER
    kept = [(name, value) for name, value in answer.headers.multi_items() if name.lower() not in replaced]
    return httpx.Response(answer.status_code, stream=_Stream(content), headers=[*kept, *headers.items()])
