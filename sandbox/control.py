"""Control: the HTTP interface, JSON on loopback, by which the intake is asked and steered."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from urllib.parse import unquote

from sandbox.described import ROUTES, description
from sandbox.faults import UnknownFault
from sandbox.intake import Intake
from sandbox.mailstore import Account

_BODY_LIMIT_BYTES = 64 * 1024 * 1024
_READ_LIMIT_SECONDS = 10.0
Answer = tuple[HTTPStatus, Mapping[str, object]]


class BadRequest(Exception):
    """What was asked makes no sense; its text says what is wanted."""


class Control:
    """The server and its routes."""

    def __init__(self, intake: Intake, stop: Callable[[], None]) -> None:
        self._intake = intake
        self._stop = stop
        self._server: asyncio.Server | None = None
        self.url = ""

    async def open(self) -> None:
        """Listen on a free port of loopback."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_READ_LIMIT_SECONDS):
                method, path, body = await _request(reader)
            status, answer = await self._answer(method, path, body)
        except BadRequest as error:
            status, answer = HTTPStatus.BAD_REQUEST, {"error": str(error)}
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            writer.close()
            return
        payload = json.dumps(answer).encode()
        writer.write(
            f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(payload)}\r\nConnection: close\r\n\r\n".encode()
            + payload
        )
        writer.close()

    async def _answer(self, method: str, path: str, body: bytes) -> Answer:
        parts = [unquote(part) for part in path.strip("/").split("/")]
        if len(parts) == 3 and parts[0] == "mailboxes" and method == "POST":  # noqa: PLR2004 - /mailboxes/ADDRESS/verb
            return self._mailbox(parts[1], parts[2], body)
        routes: dict[tuple[str, str], Callable[[bytes], Awaitable[Mapping[str, object]]]] = {
            ("GET", ""): self._describe,
            ("GET", "endpoints"): self._endpoints,
            ("GET", "state"): self._state,
            ("POST", "faults"): self._set_faults,
            ("POST", "faults/clear"): self._clear_faults,
            ("POST", "queue/flush"): self._flush,
            ("POST", "desk/poller"): self._poller,
            ("POST", "stop"): self._end,
        }
        route = routes.get((method, "/".join(parts)))
        if route is None:
            return HTTPStatus.NOT_FOUND, {"error": f"no such route. Known: {list(ROUTES)}"}
        return HTTPStatus.OK, await route(body)

    async def _describe(self, _body: bytes) -> Mapping[str, object]:
        return description()

    async def _endpoints(self, _body: bytes) -> Mapping[str, object]:
        return self._intake.endpoints(self.url)

    async def _state(self, _body: bytes) -> Mapping[str, object]:
        return await self._intake.state()

    async def _set_faults(self, body: bytes) -> Mapping[str, object]:
        try:
            self._intake.board.set(_object(body))
        except UnknownFault as error:
            raise BadRequest(str(error)) from error
        return {"faults": self._intake.board.now.in_force()}

    async def _clear_faults(self, _body: bytes) -> Mapping[str, object]:
        self._intake.board.clear()
        return {"faults": {}}

    async def _flush(self, _body: bytes) -> Mapping[str, object]:
        return {"held": await self._intake.office.flush()}

    async def _poller(self, body: bytes) -> Mapping[str, object]:
        wanted = _object(body)
        running, interval = wanted.get("running"), wanted.get("interval_seconds")
        if not isinstance(running, bool | None):
            raise BadRequest("running is true or false")
        self._intake.desk.poller(running=running, interval_seconds=_number("interval_seconds", interval))
        return {}

    async def _end(self, _body: bytes) -> Mapping[str, object]:
        self._stop()
        return {}

    def _mailbox(self, address: str, verb: str, body: bytes) -> Answer:
        account = self._intake.account(address)
        if account is None:
            return HTTPStatus.NOT_FOUND, {"error": f"no account {address}"}
        match verb:
            case "quota":
                return HTTPStatus.OK, self._quota(account, _object(body))
            case "fill":
                return HTTPStatus.OK, self._fill(account, _object(body))
            case "empty":
                everything = _object(body).get("all") is True
                return HTTPStatus.OK, {"removed": self._intake.store.empty(account, everything=everything)}
            case "deliver":
                raw = body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
                message = self._intake.store.store(account, account.folders["INBOX"], raw, over_quota=True)
                return HTTPStatus.OK, {"uid": message.uid}
            case _:
                return HTTPStatus.NOT_FOUND, {"error": f"no verb {verb}. Known: quota, fill, empty, deliver"}

    def _quota(self, account: Account, wanted: Mapping[str, object]) -> Mapping[str, object]:
        unknown = set(wanted) - {"storage_bytes", "messages"}
        if unknown:
            raise BadRequest(f"unknown keys {sorted(unknown)}. Known: storage_bytes, messages")
        limit_bytes, limit_messages = account.limit_bytes, account.limit_messages
        if "storage_bytes" in wanted:
            limit_bytes = _whole("storage_bytes", wanted["storage_bytes"])
        if "messages" in wanted:
            limit_messages = _whole("messages", wanted["messages"])
        self._intake.store.set_quota(account, limit_bytes=limit_bytes, limit_messages=limit_messages)
        return {"limit_bytes": limit_bytes, "limit_messages": limit_messages}

    def _fill(self, account: Account, wanted: Mapping[str, object]) -> Mapping[str, object]:
        size = _whole("bytes", wanted.get("bytes"))
        if size is None:
            share = _number("share", wanted.get("share"))
            if share is None or account.limit_bytes is None:
                raise BadRequest("give bytes, or share where the mailbox has a storage quota")
            size = max(0, round(account.limit_bytes * share) - account.used_bytes)
        unread = wanted.get("unread") is True
        fillers = self._intake.store.fill(account, size_bytes=size, unread=unread)
        return {"fillers": fillers, "used_bytes": account.used_bytes}


async def _request(reader: asyncio.StreamReader) -> tuple[str, str, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    words = head[0].split(" ")
    if len(words) != 3:  # noqa: PLR2004 - method, path, version
        raise BadRequest("that is no HTTP request")
    fields = {
        name.strip().casefold(): value.strip()
        for name, _, value in (line.partition(":") for line in head[1:] if line)
    }
    length = fields.get("content-length", "0")
    if not length.isdigit() or int(length) > _BODY_LIMIT_BYTES:
        raise BadRequest(f"a body has at most {_BODY_LIMIT_BYTES} bytes and says its length")
    return words[0], words[1].partition("?")[0], await reader.readexactly(int(length))


def _object(body: bytes) -> dict[str, object]:
    try:
        found = json.loads(body or b"{}")
    except ValueError as error:
        raise BadRequest(f"the body is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise BadRequest("the body is a JSON object")
    return found


def _number(name: str, value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise BadRequest(f"{name} is a number of at least 0")
    return float(value)


def _whole(name: str, value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise BadRequest(f"{name} is a whole number of at least 0")
    return value
