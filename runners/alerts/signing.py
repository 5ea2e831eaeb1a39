"""The signature of Standard Webhooks (specification 1.0.0; read 2026-11-30). Pure."""

import base64
import binascii
import hmac
from hashlib import sha256
from typing import Final

PREFIX: Final = "whsec_"
SHORTEST_KEY_BYTES: Final = 24
"""A key has 24 to 64 bytes; a longer one does no harm."""


def key_of(secret: str) -> bytes | None:
    """The key of ``whsec_<base64>``; None where it is none, or a short one."""
    if not secret.startswith(PREFIX):
        return None
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) >= SHORTEST_KEY_BYTES else None


def signature(key: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    """``v1,`` and the base64 of HMAC-SHA-256 over id, timestamp and body, joined by dots."""
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    return f"v1,{base64.b64encode(hmac.digest(key, signed, sha256)).decode()}"
