"""An SMTP server of a few lines that says, cuts and keeps silent exactly where a test wants it."""

import asyncio
import base64
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

CUT = "cut"
SILENT = "silent"
DOT = "."


@dataclass
class Script:
    """Answers by verb (``banner``, ``EHLO``, ``MAIL``, ``RCPT``, ``DATA``, ``.``, ``AUTH``, ``STARTTLS``, ``QUIT``).

    A list is used up one answer a time, its last one for ever. `CUT` closes, `SILENT` says nothing. ``pauses`` are
    seconds before an answer, by verb. A script that lingers keeps the connection after QUIT.
    """

    answers: dict[str, list[str]] = field(default_factory=dict)
    extensions: list[str] = field(default_factory=lambda: ["SIZE 1000000", "8BITMIME"])
    context: ssl.SSLContext | None = None
    implicit: bool = False
    passwords: dict[str, str] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    lingers: bool = False
    pauses: dict[str, float] = field(default_factory=dict)
    connections: int = 0
    commands: list[str] = field(default_factory=list)
    mails: list[bytes] = field(default_factory=list)
    port: int = 0
    mail_came: asyncio.Event = field(default_factory=asyncio.Event)

    def answer(self, verb: str, default: str) -> str:
        left = self.answers.get(verb)
        if not left:
            return default
        return left.pop(0) if len(left) > 1 else left[0]

    def verbs(self) -> list[str]:
        return [command.split(" ")[0].upper() for command in self.commands]


class _Conversation:
    def __init__(self, script: Script, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.script, self.reader, self.writer = script, reader, writer
        self.secure = script.implicit

    async def say(self, verb: str, default: str) -> str:
        text = self.script.answer(verb, default)
        if text == CUT:
            raise ConnectionAbortedError
        if text == SILENT:
            await asyncio.Event().wait()
        await asyncio.sleep(self.script.pauses.get(verb, 0.0))
        self.writer.write(text.encode() + b"\r\n")
        await self.writer.drain()
        return text

    async def run(self) -> None:
        self.script.connections += 1
        await self.say("banner", "220 scripted ESMTP")
        while line := await self.reader.readline():
            command = line.decode().rstrip("\r\n")
            self.script.commands.append(command)
            if not await self.obey(command):
                return

    async def obey(self, command: str) -> bool:
        verb = command.split(" ", maxsplit=1)[0].upper()
        match verb:
            case "EHLO":
                await self.say("EHLO", self.greeting())
            case "STARTTLS":
                if (await self.say("STARTTLS", "220 go ahead")).startswith("220"):
                    assert self.script.context is not None
                    await self.writer.start_tls(self.script.context)
                    self.secure = True
            case "AUTH":
                await self.say("AUTH", self.login(command))
            case "DATA":
                if (await self.say("DATA", "354 go on")).startswith("354"):
                    await self.data()
            case "QUIT":
                await self.say("QUIT", "221 bye")
                if self.script.lingers:
                    await asyncio.Event().wait()
                return False
            case _:
                await self.say(verb, "250 2.1.0 Ok")
        return True

    async def data(self) -> None:
        if self.script.answers.get("body") == [CUT]:
            await self.reader.readline()
            raise ConnectionAbortedError
        mail = await self.reader.readuntil(b"\r\n.\r\n")
        self.script.mails.append(mail[:-3])
        self.script.mail_came.set()
        await self.say(DOT, "250 2.0.0 Ok: queued as 4XyZ12")

    def greeting(self) -> str:
        names = list(self.script.extensions)
        if self.script.context is not None and not self.secure:
            names.append("STARTTLS")
        if self.script.passwords:
            names.append("AUTH PLAIN LOGIN")
        if self.script.tokens:
            names.append("AUTH XOAUTH2")
        lines = ["scripted", *names]
        return "\r\n".join(f"250{'-' if line is not lines[-1] else ' '}{line}" for line in lines)

    def login(self, command: str) -> str:
        _, mechanism, encoded = command.split(" ")
        said = base64.b64decode(encoded).decode()
        if mechanism == "XOAUTH2":
            good = said.split("\x01")[1].removeprefix("auth=Bearer ") in self.script.tokens
        else:
            _, user, password = said.split("\0")
            good = self.script.passwords.get(user) == password
        return "235 2.7.0 Ok" if good else "535 5.7.8 no"


@asynccontextmanager
async def scripted(script: Script, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[Script]:
    """Serve the script within the scope."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await _Conversation(script, reader, writer).run()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            tasks.discard(task)
            writer.transport.abort() if script.answers.get("reset") else writer.close()

    context = script.context if script.implicit else None
    server = await asyncio.start_server(serve, host, port, ssl=context)
    script.port = server.sockets[0].getsockname()[1]
    try:
        yield script
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.sleep(0)
        await server.wait_closed()


@contextmanager
def scripted_elsewhere(script: Script) -> Iterator[Script]:
    """Serve the script by a thread of its own, so that it outlives the loop of the client."""
    began, loop, over = threading.Event(), asyncio.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        async with scripted(script):
            began.set()
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert began.wait(10)
        yield script
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()
