"""An IMAP server of a few lines that says, cuts and keeps silent exactly where a test wants it, byte by byte."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

CAPABILITIES = "IMAP4rev1 IDLE UIDPLUS AUTH=PLAIN"


@dataclass
class Script:
    """What the server does; change it at any time.

    Attributes:
        mails: raw mails; the UID of the first is 1.
        uid_validity: of the only folder.
        on_idle: called with the connection once IDLE was asked for, instead of the plain continuation.
        on_command: called first with (verb, tag, connection); True: it has answered already.
        login: the answer to a login, without the tag; None closes the connection.
    """

    mails: list[bytes] = field(default_factory=list)
    uid_validity: int = 1
    capabilities: str = CAPABILITIES
    on_idle: Callable[[socket.socket], None] | None = None
    on_command: Callable[[str, str, socket.socket], bool] | None = None
    login: str | None = "OK logged in"
    greeting: bytes = b"* OK ready\r\n"
    connections: int = 0
    open_now: int = 0
    commands: list[str] = field(default_factory=list)
    idle_began: threading.Event = field(default_factory=threading.Event)

    def verbs(self) -> list[str]:
        """The commands so far, without tags and arguments."""
        return [one.split()[0] for one in self.commands]


class _Conversation:
    def __init__(self, script: Script, connection: socket.socket) -> None:
        self.script = script
        self.connection = connection
        self.reader = connection.makefile("rb")

    def run(self) -> None:
        self.connection.sendall(self.script.greeting)
        while line := self.reader.readline():
            tag, _, command = line.decode().strip().partition(" ")
            verb = command.split()[0].upper()
            if verb == "UID":
                verb = " ".join(command.split()[:2]).upper()
            self.script.commands.append(command if verb not in {"LOGIN", "AUTHENTICATE"} else verb)
            if self.script.on_command is not None and self.script.on_command(verb, tag, self.connection):
                continue
            if not self._answer(tag, verb, command):
                return

    def _answer(self, tag: str, verb: str, command: str) -> bool:
        script, lines = self.script, list[str]()
        final = f"{tag} OK done"
        match verb:
            case "CAPABILITY":
                lines = [f"* CAPABILITY {script.capabilities}"]
            case "LOGIN" | "AUTHENTICATE":
                return self._login(tag, verb)
            case "LIST":
                lines = ['* LIST (\\HasNoChildren) "/" INBOX']
            case "SELECT" | "EXAMINE":
                lines = [
                    f"* {len(script.mails)} EXISTS",
                    "* 0 RECENT",
                    "* FLAGS (\\Seen \\Deleted)",
                    f"* OK [UIDVALIDITY {script.uid_validity}] valid",
                    f"* OK [UIDNEXT {len(script.mails) + 1}] next",
                ]
                final = f"{tag} OK [READ-ONLY] done"
            case "UID SEARCH":
                lines = [f"* SEARCH {' '.join(str(one + 1) for one in range(len(script.mails)))}".rstrip()]
            case "UID FETCH":
                self._fetch(command.split()[2])
            case "IDLE":
                return self._idle(tag)
            case "LOGOUT":
                self.connection.sendall(f"* BYE\r\n{final}\r\n".encode())
                return False
            case _:
                pass
        self.connection.sendall("".join(f"{one}\r\n" for one in [*lines, final]).encode())
        return True

    def _login(self, tag: str, verb: str) -> bool:
        if verb == "AUTHENTICATE":
            self.connection.sendall(b"+ \r\n")
            self.reader.readline()
        if self.script.login is None:
            return False
        self.connection.sendall(f"{tag} {self.script.login}\r\n".encode())
        return True

    def _fetch(self, wanted: str) -> None:
        for uid in (int(one) for one in wanted.split(",")):
            raw = self.script.mails[uid - 1]
            head = f'* {uid} FETCH (UID {uid} INTERNALDATE "02-Mar-2026 12:00:00 +0000" BODY[HEADER] {{{len(raw)}}}\r\n'
            self.connection.sendall(head.encode() + raw + b")\r\n")

    def _idle(self, tag: str) -> bool:
        script = self.script
        if script.on_idle is not None:
            script.on_idle(self.connection)
        else:
            self.connection.sendall(b"+ idling\r\n")
        script.idle_began.set()
        if not self.reader.readline():
            return False
        self.connection.sendall(f"{tag} OK done\r\n".encode())
        return True


@contextlib.contextmanager
def scripted_imap(script: Script) -> Iterator[int]:
    """Serve the script on a free loopback port; yields the port."""
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []
    connections: list[socket.socket] = []

    def converse(connection: socket.socket) -> None:
        script.open_now += 1
        with contextlib.suppress(OSError, ValueError), connection:
            _Conversation(script, connection).run()
        script.open_now -= 1

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                script.connections += 1
                connections.append(connection)
                threads.append(threading.Thread(target=converse, args=(connection,), daemon=True))
                threads[-1].start()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield listener.getsockname()[1]
    finally:
        _end([listener, *connections])
        for thread in [acceptor, *threads]:
            thread.join(5)
        listener.close()


def _end(sockets: Sequence[socket.socket]) -> None:
    for one in sockets:
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
