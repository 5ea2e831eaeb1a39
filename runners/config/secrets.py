"""Where secrets come from: environment variables, files, commands and (if allowed) the configuration itself."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from probes.command import CommandFailed, output_of
from probes.masking import Masker, Secret
from probes.servers import SecretSource, SecretUnavailable

if TYPE_CHECKING:
    from probes.contracts import Clock

EXEC_SECONDS = 10.0
"""How long a command may take to print a secret."""
MOST_BYTES = 64 * 1024
"""How long a secret may be: a key file is about 2 KiB."""


class EnvSecret:
    """A secret in an environment variable. A final line break is not part of it: orchestrators take files whole."""

    def __init__(self, name: str, *, environ: Mapping[str, str], masker: Masker) -> None:
        self._name = name
        self._environ = environ
        self._masker = masker

    def __repr__(self) -> str:
        return f"EnvSecret({self._name})"

    @property
    def name(self) -> str:
        """The variable's name."""
        return self._name

    def now(self) -> Secret:
        """The variable's value.

        Raises:
            SecretUnavailable: it is not set, empty, or not text.
        """
        value = self._environ.get(self._name, "").removesuffix("\n").removesuffix("\r")
        if not value:
            state = "is empty" if self._name in self._environ else "is not set"
            raise SecretUnavailable(f"the environment variable {self._name} {state}")
        if not _is_text(value):
            raise SecretUnavailable(f"the environment variable {self._name} is not UTF-8")
        return self._masker.register(Secret(value))

    async def read(self, *, renew: bool = False) -> Secret:  # noqa: ARG002 -- a process's environment doesn't change
        """The variable's value; raises `SecretUnavailable`."""
        return self.now()


class FileSecret:
    """A secret in a file, read anew each time, so that a rotated one is taken. A final line break is not part of it."""

    def __init__(self, path: Path, *, masker: Masker) -> None:
        self._path = path
        self._masker = masker

    def __repr__(self) -> str:
        return f"FileSecret({self._path})"

    @property
    def path(self) -> Path:
        """Where it is."""
        return self._path

    def now(self) -> Secret:
        """The file's content.

        Raises:
            SecretUnavailable: it is missing, unreadable, empty, not text, or too long to be a secret.
        """
        try:
            with self._path.open("rb") as file:
                data = file.read(MOST_BYTES + 1)
        except (OSError, ValueError) as error:
            cause = error.strerror if isinstance(error, OSError) and error.strerror else "it has no such name"
            raise SecretUnavailable(f"the file {self._path} can't be read: {cause}") from None
        return self._masker.register(_secret(data, f"the file {self._path}"))

    async def read(self, *, renew: bool = False) -> Secret:  # noqa: ARG002 -- a file is always read anew
        """The file's content; raises `SecretUnavailable`."""
        return self.now()


class ExecSecret:
    """A secret that a command prints (a vault's client). Kept until it is refused; no shell, no standard input.

    Cancellable: the command is killed. Its standard error is never shown: it may hold what it should not.
    """

    def __init__(
        self, command: tuple[str, ...], *, masker: Masker, clock: "Clock", limit_seconds: float = EXEC_SECONDS
    ) -> None:
        self._command = command
        self._masker = masker
        self._clock = clock
        self._limit_seconds = limit_seconds
        self._kept: Secret | None = None
        self._lock = asyncio.Lock()

    def __repr__(self) -> str:
        return f"ExecSecret({self._command[0]})"

    async def read(self, *, renew: bool = False) -> Secret:
        """What the command prints, or printed last; ``renew`` runs it again.

        Raises:
            SecretUnavailable: it can't be started, takes too long, fails, or prints nothing that is a secret.
        """
        refused = self._kept if renew else None
        async with self._lock:
            # Whoever waited while another renewed takes the new one.
            if self._kept is None or self._kept is refused:
                self._kept = self._masker.register(
                    _secret(await self._run(), f"the command {self._command[0]}")
                )
            return self._kept

    async def _run(self) -> bytes:
        name = self._command[0]
        try:
            async with self._clock.timeout(self._limit_seconds):
                return await output_of(self._command, most_bytes=MOST_BYTES)
        except TimeoutError:
            cause = f"took longer than {self._limit_seconds:g} s"
        except CommandFailed as error:
            cause = str(error)
        raise SecretUnavailable(f"the command {name} {cause}")


class LiteralSecret:
    """A secret that stands in the configuration itself: for the sandbox, or what is no secret."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret

    def __repr__(self) -> str:
        return "LiteralSecret(***)"

    def now(self) -> Secret:
        """The secret itself."""
        return self._secret

    async def read(self, *, renew: bool = False) -> Secret:  # noqa: ARG002 -- it is what it is
        """The secret itself."""
        return self._secret


async def read_signing_keys(sources: tuple[SecretSource, ...]) -> tuple[bytes, ...]:
    """The signing keys, the first of which signs.

    Raises:
        SecretUnavailable: one can't be had, or has fewer than 16 bytes.
    """
    keys = []
    for number, source in enumerate(sources):
        key = (await source.read()).reveal().encode()
        if len(key) < 16:  # noqa: PLR2004 -- 128 bits, as canary.signature demands
            raise SecretUnavailable(
                f"prober.signing_keys[{number}] has fewer than 16 bytes; make one of 32 random bytes"
            )
        keys.append(key)
    return tuple(keys)


def _is_text(value: str) -> bool:
    """Whether it is text: bytes of the environment that are not UTF-8 come as halves of characters."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _secret(data: bytes, source: str) -> Secret:
    if len(data) > MOST_BYTES:
        raise SecretUnavailable(f"{source} gives more than {MOST_BYTES // 1024} KiB, which is no secret")
    try:
        text = data.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise SecretUnavailable(f"{source} gives bytes that are not UTF-8 text") from None
    if not text:
        raise SecretUnavailable(f"{source} gives nothing")
    return Secret(text)
