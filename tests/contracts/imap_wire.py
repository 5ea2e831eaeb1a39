"""A bare IMAP connection that shows each line as the server sent it."""

import socket
import ssl
from types import TracebackType
from typing import Protocol, Self

_TIMEOUT_SECONDS = 5.0


class Reachable(Protocol):
    host: str
    imaps_port: int
    username: str
    password: str
    ca_file: str


class Wire:
    def __init__(self, server: Reachable, *, log_in: bool = True) -> None:
        self._server = server
        self._log_in = log_in
        self._tags = 0

    def __enter__(self) -> Self:
        server = self._server
        context = ssl.create_default_context(cafile=server.ca_file)
        plain = socket.create_connection((server.host, server.imaps_port), _TIMEOUT_SECONDS)
        self._socket = context.wrap_socket(plain, server_hostname=server.host)
        self._file = self._socket.makefile("rb")
        self.greeting = self.line()
        if self._log_in:
            self.ask(f'LOGIN "{server.username}" "{server.password}"'.encode())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._socket.close()

    def line(self) -> bytes:
        return self._file.readline().rstrip(b"\r\n")

    def send(self, command: bytes) -> bytes:
        """Send a command; returns its tag."""
        self._tags += 1
        tag = b"w%d" % self._tags
        self._socket.sendall(tag + b" " + command + b"\r\n")
        return tag

    def ask(self, command: bytes) -> list[bytes]:
        """Send a command; returns the lines up to and with its tagged answer."""
        tag = self.send(command)
        lines = []
        while True:
            line = self.line()
            lines.append(line)
            if not line or line.startswith(tag + b" "):
                return lines
