"""Have a command print access tokens: a vault's or a provider's own client."""

import asyncio
import json
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Sequence
from typing import Final

from probes.masking import Secret
from probes.oauth import AccessToken
from probes.oauth_grants import seconds_of
from probes.servers import SecretUnavailable

OUTPUT_BYTES: Final = 64 * 1024


class TokenCommand:
    """A command that prints a token, or JSON with ``access_token`` and ``expires_in``. No shell, no standard input.

    Only its name is ever shown: its arguments and its standard error may hold what they should not.
    """

    def __init__(self, command: Sequence[str]) -> None:
        if not command:
            raise ValueError("a command needs at least its name")
        self._command = tuple(command)

    @property
    def source(self) -> str:
        """The command's name."""
        return f"the command {self._command[0]}"

    async def fetch(self) -> AccessToken:
        """Run it. Cancellable: the command is killed.

        Raises:
            SecretUnavailable: it can't be started, fails, or prints no token.
        """
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL
            )
        except (OSError, ValueError) as error:
            cause = error.strerror if isinstance(error, OSError) and error.strerror else "it has no such name"
            raise SecretUnavailable(f"{self.source} can't be started: {cause}. Correct `exec`.") from None
        try:
            output = b""
            if process.stdout is not None:
                while len(output) <= OUTPUT_BYTES and (chunk := await process.stdout.read(OUTPUT_BYTES)):
                    output += chunk
            if len(output) > OUTPUT_BYTES:
                raise SecretUnavailable(f"{self.source} prints more than any token is long. Correct `exec`.")
            status = await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if status != 0:
            raise SecretUnavailable(f"{self.source} ended with status {status}. Run it by hand to see why.")
        return _token(output, self.source)


def _token(output: bytes, source: str) -> AccessToken:
    text = output.decode("utf-8", "replace").strip()
    token: object = text
    lifetime: float | None = None
    if text.startswith("{"):
        try:
            answer = json.loads(text)
        except (ValueError, RecursionError):
            answer = {}
        token = answer.get("access_token") if isinstance(answer, dict) else None
        lifetime = seconds_of(answer.get("expires_in")) if isinstance(answer, dict) else None
    if not isinstance(token, str) or not token or not token.isprintable() or " " in token:
        raise SecretUnavailable(
            f"{source} prints no access token: one word, or JSON with access_token. Run it by hand to see."
        )
    return AccessToken(Secret(token), lifetime)
