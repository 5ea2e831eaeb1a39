"""Have a command print access tokens: a vault's or a provider's own client."""

import json
from collections.abc import Sequence
from typing import Final

from probes.command import CommandFailed, output_of
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
            output = await output_of(self._command, most_bytes=OUTPUT_BYTES)
        except CommandFailed as error:
            raise SecretUnavailable(f"{self.source} {error}. Run it by hand to see why.") from None
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
