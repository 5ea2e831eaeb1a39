"""IMAP login: by password, PLAIN and XOAUTH2."""

import base64
import binascii
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from sandbox.bearer import accepts_token, bearer
from sandbox.faults import Faults
from sandbox.imap_parse import BadCommand, Node, text, word
from sandbox.imap_store import No
from sandbox.mailstore import Account, MailStore

_PLAIN_FIELDS = 3  # authorisation identity, name, password (RFC 4616 section 2)


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """Who logged in, and by which token if that can be withdrawn."""

    account: Account
    token: str | None = field(default=None, repr=False)


class Login:
    """One attempt to log in."""

    def __init__(self, store: MailStore, faults: Faults, ask: Callable[[bytes], Awaitable[bytes]]) -> None:
        self._store = store
        self._faults = faults
        self._ask = ask

    async def by_password(self, nodes: list[Node]) -> LoggedIn | None:
        """Judge LOGIN; None is a refusal.

        Raises:
            BadCommand: There are not two arguments.
        """
        if len(nodes) != 2:  # noqa: PLR2004 - name and password
            raise BadCommand("LOGIN takes a name and a password")
        return self._checked(text(nodes[0]), text(nodes[1]))

    async def by_sasl(self, nodes: list[Node]) -> LoggedIn | None:
        """Judge AUTHENTICATE, with the response in the command (SASL-IR, RFC 4959) or asked for.

        Raises:
            BadCommand: The response is not base64, or the client gave up.
            No: The mechanism is unknown.
        """
        mechanism = word(nodes[0]) if nodes else ""
        if mechanism not in ("PLAIN", "XOAUTH2"):
            raise No("[CANNOT] Unsupported authentication mechanism.")
        if len(nodes) > 1 and not isinstance(nodes[1], list):
            answer = b"" if nodes[1] == b"=" else bytes(nodes[1])
        else:
            answer = await self._ask(b"")
        if answer == b"*":
            raise BadCommand("authentication aborted by the client")
        try:
            response = base64.b64decode(answer, validate=True)
        except binascii.Error as error:
            raise BadCommand("invalid base64") from error
        if mechanism == "XOAUTH2":
            return await self._by_bearer(response)
        fields = response.decode("utf-8", errors="replace").split("\x00")
        return self._checked(fields[1], fields[2]) if len(fields) == _PLAIN_FIELDS else None

    def _checked(self, user: str, password: str) -> LoggedIn | None:
        account = self._store.find(user)
        if self._faults.imap_oauth_only or account is None or not account.accepts_password(password):
            return None
        return None if self._refused(account) else LoggedIn(account)

    async def _by_bearer(self, response: bytes) -> LoggedIn | None:
        found = bearer(response)
        account = self._store.find(found[0]) if found else None
        tokens = self._faults.imap_bearer_tokens
        if found and account and accepts_token(account, found[1], tokens) and not self._refused(account):
            return LoggedIn(account, found[1] if tokens is not None else None)
        # The error comes as a challenge that the client answers with an empty line.
        why = {"status": "400", "schemes": "Bearer", "scope": "https://mail.acme.test/"}
        await self._ask(base64.b64encode(json.dumps(why).encode()))
        return None

    def _refused(self, account: Account) -> bool:
        only = self._faults.imap_account
        return self._faults.imap_login_refused and only in (None, account.address)
