"""Log-ins that are kept for the next canary: cookies and local storage, in memory or in an encrypted file."""

import base64
import contextlib
import json
import os
from pathlib import Path
from typing import Any, Final

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from probes.portal.settings import Session

_PURPOSE: Final = b"intake-prober portal session"


class Sessions:
    """What was kept, by path. A state that can't be read is as none: the next canary logs in."""

    def __init__(self, directory: Path, *, key: bytes) -> None:
        """Keep where and with what key files are written; touches nothing.

        Args:
            directory: of the files, one a path.
            key: the prober's signing key; the files' own key is derived from it (HKDF, RFC 5869).
        """
        self._directory = directory
        self._key = key
        self._kept: dict[str, Any] = {}

    def kept(self, path: str, how: Session) -> Any | None:  # noqa: ANN401 -- Playwright's storage state
        """The storage state of an earlier log-in, or None."""
        match how:
            case Session.NONE:
                return None
            case Session.MEMORY:
                return self._kept.get(path)
            case Session.FILE:
                return self._read(path)

    def keep(self, path: str, how: Session, state: Any) -> str:  # noqa: ANN401 -- Playwright's storage state
        """Keep a state; returns why it could not be, or nothing."""
        if how is Session.MEMORY:
            self._kept[path] = state
        if how is Session.FILE:
            try:
                self._write(path, state)
            except OSError as error:
                return f"the session can't be kept in {self._directory}: {error.strerror}"
        return ""

    def forget(self, path: str) -> None:
        """Drop what was kept, since the portal no longer takes it."""
        self._kept.pop(path, None)
        with contextlib.suppress(OSError):
            self._file(path).unlink()

    def _read(self, path: str) -> Any | None:  # noqa: ANN401
        try:
            return json.loads(self._fernet().decrypt(self._file(path).read_bytes()))
        except (OSError, InvalidToken, ValueError):
            return None  # not there, or of another key

    def _write(self, path: str, state: Any) -> None:  # noqa: ANN401
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = self._directory / f".{path}.{os.getpid()}"
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(self._fernet().encrypt(json.dumps(state).encode()))
        part.replace(self._file(path))

    def _file(self, path: str) -> Path:
        return self._directory / f"{path}.session"

    def _fernet(self) -> Fernet:
        derived = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=_PURPOSE).derive(self._key)
        return Fernet(base64.urlsafe_b64encode(derived))
