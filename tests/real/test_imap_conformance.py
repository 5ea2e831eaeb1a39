"""Dovecot held to the suite that the sandbox's IMAP server passes, too."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.contracts.imap_conformance import ImapConformance
from tests.real.servers.certificates import make_certificates
from tests.real.servers.dovecot import Dovecot, Mailbox, running_dovecot
from tests.real.servers.process import server_directory

QUOTA_BYTES = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class DovecotImap:
    server: Dovecot
    host: str
    port: int
    imaps_port: int
    username: str
    password: str
    ca_file: str
    quota_bytes: int = QUOTA_BYTES

    def deliver(self, raw: bytes) -> None:
        self.server.save(self.username, raw)


@pytest.fixture(scope="module")
def imap_server() -> Iterator[DovecotImap]:
    box = Mailbox("support@acme.test", storage_bytes=QUOTA_BYTES)
    with server_directory("tls") as tls, running_dovecot(make_certificates(tls), [box]) as server:
        yield DovecotImap(
            server,
            server.host,
            server.port,
            server.imaps_port,
            box.address,
            box.password,
            str(server.ca_file),
        )


@pytest.mark.real
class TestDovecot(ImapConformance):
    pass
