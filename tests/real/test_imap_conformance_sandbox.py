"""The sandbox's IMAP server held to the suite that Dovecot passes, too."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.contracts.imap_conformance import ImapConformance
from tests.sandbox import Sandbox, start_sandbox

QUOTA_BYTES = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class SandboxImap:
    sandbox: Sandbox
    host: str
    port: int
    imaps_port: int
    username: str
    password: str
    ca_file: str
    quota_bytes: int = QUOTA_BYTES

    def deliver(self, raw: bytes) -> None:
        self.sandbox.deliver(self.username, raw)


@pytest.fixture(scope="module")
def imap_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxImap]:
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        ends = sandbox.endpoints
        sandbox.quota(sandbox.canary.address, storage_bytes=QUOTA_BYTES)
        yield SandboxImap(
            sandbox,
            ends.host,
            ends.imap_port,
            ends.imaps_port,
            sandbox.canary.address,
            sandbox.canary.password,
            ends.ca_file,
        )


@pytest.mark.real
class TestSandbox(ImapConformance):
    pass
