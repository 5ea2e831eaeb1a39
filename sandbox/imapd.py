"""IMAP: one server connection: reads commands, writes answers in one segment, and idles."""

import asyncio
import contextlib
import logging
import ssl
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sandbox.faults import HEALTHY, FaultBoard, Faults, QuotaForm
from sandbox.imap_login import Login
from sandbox.imap_parse import BadCommand, Node, Text, literal_at_end, parse, text, word
from sandbox.imap_selected import SELECTED, Selected
from sandbox.imap_store import No, StoreCommands
from sandbox.mailstore import Account, MailStore

_LINE_LIMIT_BYTES = 256 * 1024
_LITERAL_LIMIT_BYTES = 64 * 1024 * 1024
_SPLIT_GAP_SECONDS = 0.3
_EARLY_EXISTS_LIMIT_SECONDS = 10.0
_RECHECK_SECONDS = 0.2
_FAREWELL_SECONDS = 0.1
_log = logging.getLogger("sandbox.imap")


@dataclass(slots=True)
class ImapParts:
    """What all connections share.

    Attributes:
        store: The accounts.
        board: The faults in force.
        counters: Connections, logins and commands by name.
        upgrade: The TLS context to show at STARTTLS.
        writers: Open connections, so that a change of the faults can end them.
    """

    store: MailStore
    board: FaultBoard
    counters: Counter[str]
    upgrade: Callable[[], ssl.SSLContext]
    writers: set[asyncio.StreamWriter] = field(default_factory=set)


class Closed(Exception):
    """The connection is over."""


class Session:
    """One client's connection."""

    def __init__(
        self,
        parts: ImapParts,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        encrypted: bool,
        spared: bool,
    ) -> None:
        self._parts = parts
        self._reader = reader
        self._writer = writer
        self._encrypted = encrypted
        self._spared = spared
        self._account: Account | None = None
        self._token: str | None = None
        self._selected: Selected | None = None
        self._out: list[bytes] = []

    @property
    def faults(self) -> Faults:
        """The switches as this connection feels them now."""
        faults = self._parts.board.now
        if self._spared and not faults.desk_behind_faults:
            return replace(
                HEALTHY, imap_quota=faults.imap_quota, imap_uidvalidity_bump=faults.imap_uidvalidity_bump
            )
        if faults.imap_account is not None and self._account and self._account.address != faults.imap_account:
            return replace(HEALTHY, imap_quota=faults.imap_quota)
        return faults

    async def serve(self) -> None:
        """Serve the connection to its end."""
        if self.faults.imap_silent:
            await self._reader.read()
            return
        self._say(b"* OK [CAPABILITY " + self._capabilities() + b"] Sandbox ready.")
        await self._flush()
        try:
            while True:
                await self._one_command()
        except (Closed, ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            if self._selected is not None:
                self._selected.close()

    async def _one_command(self) -> None:
        try:
            pieces = await self._read_command()
        except asyncio.LimitOverrunError as error:
            raise Closed from error
        self._end_withdrawn_session()
        tag, _, rest = bytes(pieces[0]).partition(b" ")
        try:
            nodes = parse([rest, *pieces[1:]])
            if not tag or not nodes:
                raise BadCommand("a tag and a command are wanted")  # noqa: TRY301 - answered like the parser's own
            name = word(nodes.pop(0))
            self._parts.counters[name if name.isalpha() and name in _KNOWN else "OTHER"] += 1
            await self._dispatch(tag, name, nodes)
        except BadCommand as error:
            self._out.clear()
            self._say((tag or b"*") + b" BAD " + str(error).encode("utf-8", "replace"))
        except No as refusal:
            self._say(tag + b" NO " + str(refusal).encode())
        await self._flush()

    def _end_withdrawn_session(self) -> None:
        tokens = self.faults.imap_bearer_tokens
        if self._token is not None and tokens is not None and self._token not in tokens:
            self._writer.write(b"* BYE [UNAVAILABLE] Access token expired.\r\n")
            raise Closed

    async def _read_command(self) -> list[bytes | Text]:
        pieces: list[bytes | Text] = []
        while True:
            line = (await self._reader.readuntil(b"\n")).rstrip(b"\r\n")
            pieces.append(line)
            announced = literal_at_end(line)
            if announced is None:
                return pieces
            size, at_once = announced
            if size > _LITERAL_LIMIT_BYTES:
                raise Closed
            if not at_once:
                self._writer.write(b"+ OK\r\n")
                await self._writer.drain()
            pieces.append(Text(await self._reader.readexactly(size)))

    def _say(self, line: bytes) -> None:
        self._out.append(line + b"\r\n")

    async def _flush(self) -> None:
        """Write all that was said in one segment, or split when that fault is on."""
        lines, self._out = self._out, []
        if self.faults.imap_split_lines and any(line.startswith(b"* ") for line in lines):
            for line in lines:
                middle = len(line) // 2
                self._writer.write(line[:middle])
                await self._writer.drain()
                await asyncio.sleep(_SPLIT_GAP_SECONDS)
                self._writer.write(line[middle:])
                await self._writer.drain()
            return
        self._writer.write(b"".join(lines))
        await self._writer.drain()

    def _capabilities(self) -> bytes:
        words = ["IMAP4rev1", "LITERAL+", "SASL-IR", "ID", "ENABLE"]
        if not self.faults.imap_no_idle:
            words.append("IDLE")
        if self._account is not None:
            words += ["NAMESPACE", "SPECIAL-USE", "UIDPLUS", "MOVE", "UNSELECT", "CHILDREN", "STATUS=SIZE"]
            match self.faults.imap_quota:
                case QuotaForm.RFC9208:
                    words += ["QUOTA", "QUOTA=RES-STORAGE", "QUOTA=RES-MESSAGE"]
                case QuotaForm.RFC2087:
                    words.append("QUOTA")
                case QuotaForm.NONE:
                    pass
            return " ".join(words).encode()
        if not self._encrypted:
            words.append("STARTTLS")
        if not self._encrypted and not self._spared:
            words.append("LOGINDISABLED")
        elif self.faults.imap_oauth_only:
            words += ["LOGINDISABLED", "AUTH=XOAUTH2"]
        else:
            words += ["AUTH=PLAIN", "AUTH=XOAUTH2"]
        return " ".join(words).encode()

    async def _dispatch(self, tag: bytes, name: str, nodes: list[Node]) -> None:
        match name:
            case "CAPABILITY":
                self._say(b"* CAPABILITY " + self._capabilities())
            case "NOOP" | "CHECK":
                self._sync()
            case "ID":
                self._say(b'* ID ("name" "Sandbox")')
            case "LOGOUT":
                self._say(b"* BYE Logging out")
                self._say(tag + b" OK Logout completed.")
                await self._flush()
                raise Closed
            case "STARTTLS":
                await self._starttls(tag)
                return
            case "LOGIN" | "AUTHENTICATE":
                await self._log_in(tag, name, nodes)
                return
            case _:
                if self._account is None:
                    raise BadCommand(f"{name}: not authenticated, or unknown command")
                await self._authenticated(tag, name, nodes, self._account)
                return
        self._say(tag + f" OK {name.title()} completed.".encode())

    async def _starttls(self, tag: bytes) -> None:
        if self._encrypted:
            raise BadCommand("TLS is active already")
        self._say(tag + b" OK Begin TLS negotiation now.")
        await self._flush()
        await self._writer.start_tls(self._parts.upgrade())
        self._encrypted = True

    async def _log_in(self, tag: bytes, name: str, nodes: list[Node]) -> None:
        if self._account is not None:
            raise BadCommand("logged in already")
        if not self._encrypted and not self._spared:
            raise No("[PRIVACYREQUIRED] Login is disabled before STARTTLS.")
        login = Login(self._parts.store, self.faults, self._ask)
        found = await (login.by_password(nodes) if name == "LOGIN" else login.by_sasl(nodes))
        if found is None:
            raise No("[AUTHENTICATIONFAILED] Authentication failed.")
        self._account, self._token = found.account, found.token
        self._parts.counters["logins"] += 1
        self._say(tag + b" OK [CAPABILITY " + self._capabilities() + b"] Logged in")

    async def _ask(self, challenge: bytes) -> bytes:
        self._writer.write(b"+ " + challenge + b"\r\n")
        await self._writer.drain()
        return (await self._reader.readuntil(b"\n")).strip()

    async def _authenticated(self, tag: bytes, name: str, nodes: list[Node], account: Account) -> None:
        if name == "ENABLE":
            self._say(b"* ENABLED")
            self._say(tag + b" OK Enabled.")
            return
        if name == "IDLE" and not self.faults.imap_no_idle:
            await self._idle(tag)
            return
        if name in ("SELECT", "EXAMINE"):
            self._select(tag, name, nodes, account)
            return
        if name in SELECTED:
            await self._on_selected(tag, name, nodes, account)
            return
        commands = StoreCommands(self._parts.store, account, self.faults, self._say)
        done = commands.run(name, nodes)
        self._sync()
        self._say(tag + f" OK {done}".encode())

    def _select(self, tag: bytes, name: str, nodes: list[Node], account: Account) -> None:
        if not nodes:
            raise BadCommand(f"{name} takes a folder")
        if self._selected is not None:
            self._selected.close()
            self._selected = None
        folder = StoreCommands(self._parts.store, account, self.faults, self._say).folder(text(nodes[0]))
        self._selected = Selected(folder, self._parts.store, self._say, read_only=name == "EXAMINE")
        self._selected.announce(self.faults.imap_uidvalidity_bump)
        mode = b"READ-ONLY" if name == "EXAMINE" else b"READ-WRITE"
        self._say(tag + b" OK [" + mode + b"] " + name.title().encode() + b" completed.")

    async def _on_selected(self, tag: bytes, name: str, nodes: list[Node], account: Account) -> None:
        if self._selected is None:
            raise BadCommand("no folder is selected")
        done = self._selected.run(name, nodes, account, uidvalidity_bump=self.faults.imap_uidvalidity_bump)
        if name in ("CLOSE", "UNSELECT"):
            self._selected.close()
            self._selected = None
        elif name in ("SEARCH", "FETCH", "STORE"):
            # Numbers may not shift under a command that speaks in numbers (RFC 9051 section 7.5.1).
            self._selected.sync(expunges=False)
        else:
            self._selected.sync(expunges=True)
        self._say(tag + f" OK {done}".encode())

    def _sync(self) -> None:
        if self._selected is not None:
            self._selected.sync(expunges=True)

    async def _idle(self, tag: bytes) -> None:
        faults = self.faults
        if faults.imap_early_exists and self._selected is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_EARLY_EXISTS_LIMIT_SECONDS):
                    await self._selected.changed.wait()
        self._say(b"+ idling")
        # What happened before IDLE is told in the segment of the continuation, as Dovecot does.
        self._sync()
        await self._flush()
        if faults.imap_silent_in_idle:
            await self._reader.read()
            raise Closed
        line = await self._idle_until_line()
        if line.upper() != b"DONE":
            raise BadCommand("DONE is wanted")
        self._sync()
        self._say(tag + b" OK Idle completed.")

    async def _idle_until_line(self) -> bytes:
        reading = asyncio.ensure_future(self._reader.readuntil(b"\n"))
        try:
            while not reading.done():
                await asyncio.wait({reading}, timeout=0)
                waits = {reading}
                change = None
                if self._selected is not None:
                    change = asyncio.ensure_future(self._selected.changed.wait())
                    waits.add(change)  # type: ignore[arg-type] # one set of futures of two types
                await asyncio.wait(waits, timeout=_RECHECK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                if change is not None:
                    change.cancel()
                if reading.done():
                    break
                self._fail_in_idle()
                self._end_withdrawn_session()
                self._sync()
                if self._out:
                    await self._flush()
            return reading.result().strip()
        finally:
            reading.cancel()

    def _fail_in_idle(self) -> None:
        if self.faults.imap_bye_in_idle:
            self._writer.write(b"* BYE Server shutting down.\r\n")
            raise Closed
        if self.faults.imap_close_in_idle:
            raise Closed


_KNOWN = frozenset(
    {*SELECTED, *StoreCommands.NAMES}
    | {"CAPABILITY", "NOOP", "CHECK", "ID", "LOGOUT", "STARTTLS", "LOGIN", "AUTHENTICATE", "ENABLE", "IDLE"}
    | {"SELECT", "EXAMINE"}
)


def connected(
    parts: ImapParts, *, encrypted: bool, spared: bool
) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], object]:
    """Return what serves each new connection of a listener."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        parts.counters["connections"] += 1
        parts.writers.add(writer)
        try:
            await Session(parts, reader, writer, encrypted=encrypted, spared=spared).serve()
        finally:
            parts.writers.discard(writer)
            writer.close()
            # TLS would wait for the client's farewell, half a minute; a real server closes right after its own.
            asyncio.get_running_loop().call_later(_FAREWELL_SECONDS, writer.transport.abort)

    return serve
