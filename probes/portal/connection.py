"""One connection of our own to a portal's server, beside the browser's: is it there, and is its certificate valid."""

import asyncio
import ssl
from collections.abc import Mapping

from canary.observation import Fact
from probes.tls import tls_facts


async def connect_once(host: str, port: int, *, context: ssl.SSLContext | None) -> Mapping[str, Fact]:
    """Connect, shake hands (with a context: None is plain HTTP) and close; the facts of TLS.

    The caller bounds it.

    Raises:
        OSError: refused, silent, or the certificate is not valid.
    """
    _, writer = await asyncio.open_connection(
        host, port, ssl=context, server_hostname=host if context is not None else None
    )
    try:
        connection: ssl.SSLObject | None = writer.get_extra_info("ssl_object")
        return tls_facts(connection) if connection is not None else {}
    finally:
        writer.transport.abort()  # a polite end of TLS would wait for the other side
