"""Postfix as a child: an MX and a submission service on loopback, from which no mail can leave the machine."""

import contextlib
import json
import os
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.real.servers.certificates import Pair
from tests.real.servers.dovecot import Dovecot
from tests.real.servers.needed import POSTFIX
from tests.real.servers.policy import PolicyService, Rules, Upstream
from tests.real.servers.process import (
    HOST,
    Child,
    free_port,
    run_as,
    server_directory,
    wait_for_greeting,
    wait_until,
)

SIZE_LIMIT_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Queued:
    """A mail that waits in the queue.

    Attributes:
        queue: Postfix's name: ``deferred``, ``hold``, ``active``, ``incoming``.
        reason: why the delivery was put off, in the next hop's words; empty if it was not tried.
    """

    queue_id: str
    queue: str
    sender: str
    recipients: tuple[str, ...]
    size_bytes: int
    reason: str


@dataclass(frozen=True, slots=True)
class Ports:
    """Loopback ports of one instance."""

    mx: int = field(default_factory=free_port)
    submission: int = field(default_factory=free_port)
    submissions: int = field(default_factory=free_port)


class Postfix:
    """A running server in front of a Dovecot. `rules` are what its policy says; change them at any time."""

    host = "localhost"

    def __init__(
        self, directory: Path, dovecot: Dovecot, *, domains: Sequence[str], unroutable: Sequence[str] = ()
    ) -> None:
        """`unroutable` addresses are accepted here, but no mailbox has them: mail to them bounces."""
        self.directory = directory
        self.dovecot = dovecot
        self.domains = tuple(domains)
        self.unroutable = tuple(unroutable)
        self.ports = Ports()
        self.rules = Rules(domain=self.domains[0])
        ports = dovecot.ports
        self.policy = PolicyService(self.rules, Upstream(ports.quota_status, ports.lmtp_bouncing))
        self.child: Child | None = None
        self._pair = dovecot.certificates.valid

    @property
    def mx_port(self) -> int:
        """Takes mail for the domains from anybody; STARTTLS is offered."""
        return self.ports.mx

    @property
    def submission_port(self) -> int:
        """Wants STARTTLS and a login."""
        return self.ports.submission

    @property
    def submissions_port(self) -> int:
        """Wants a login; TLS from the first byte."""
        return self.ports.submissions

    def start(self) -> Self:
        """Start it; ready when it greets."""
        self._write_configuration()
        run_as(None, ["postfix", "-c", str(self._configuration), "check"])
        # Not `postfix start-fg`: a shell script, and signalling it leaves the master running.
        self.child = Child(
            ["/usr/lib/postfix/sbin/master", "-c", str(self._configuration), "-s"],
            log_path=self.directory / "stdout.log",
        )
        for port in (self.ports.mx, self.ports.submission):
            wait_for_greeting(port, b"220 ", child=self.child)
        return self

    def stop(self) -> None:
        """Stop it: ports refuse, the queue stays; `start` brings it back. Repeatable."""
        if self.child is not None:
            self.child.stop()

    def present(self, pair: Pair) -> None:
        """Show another certificate (restarts the server)."""
        self.stop()
        self._pair = pair
        self.start()

    def freeze(self) -> None:
        """Stop every process without ending one: connections are accepted by the kernel, nobody answers."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let frozen processes go on."""
        self._signal_all(signal.SIGCONT)

    def queue(self) -> list[Queued]:
        """What waits, oldest first."""
        lines = run_as(None, ["postqueue", "-c", str(self._configuration), "-j"]).decode().splitlines()
        entries = sorted((json.loads(line) for line in lines), key=lambda entry: int(entry["arrival_time"]))
        return [
            Queued(
                queue_id=entry["queue_id"],
                queue=entry["queue_name"],
                sender=entry["sender"],
                recipients=tuple(each["address"] for each in entry["recipients"]),
                size_bytes=int(entry["message_size"]),
                reason=next(
                    (each["delay_reason"] for each in entry["recipients"] if "delay_reason" in each), ""
                ),
            )
            for entry in entries
        ]

    def flush(self) -> None:
        """Try everything that is deferred now."""
        run_as(None, ["postqueue", "-c", str(self._configuration), "-f"])

    def release(self) -> None:
        """End `rules.is_held`, and let the mails of the hold queue go."""
        self.rules.is_held = False
        run_as(None, ["postsuper", "-c", str(self._configuration), "-H", "ALL"])
        self.flush()

    def drop_queue(self) -> None:
        """Remove every mail that waits."""
        run_as(None, ["postsuper", "-c", str(self._configuration), "-d", "ALL"])

    def drain(self, limit_seconds: float = 20.0) -> None:
        """Flush, and return when nothing waits any more."""
        self.flush()
        wait_until(
            lambda: not self.queue(), what="empty queue", limit_seconds=limit_seconds, child=self.child
        )

    def log(self) -> str:
        """What the server logged."""
        path = self.directory / "mail.log"
        return path.read_text(errors="replace") if path.exists() else ""

    @property
    def _configuration(self) -> Path:
        return self.directory / "etc"

    def _signal_all(self, number: signal.Signals) -> None:
        for pid in self.child.members() if self.child is not None else ():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _write_configuration(self) -> None:
        for name in ("etc", "spool", "data"):
            (self.directory / name).mkdir(exist_ok=True)
        run_as(None, ["chown", "postfix", str(self.directory / "data")])
        addresses = [*self.dovecot.mailboxes, *self.unroutable]
        settings = {
            "compatibility_level": "3.6",
            "queue_directory": f"{self.directory}/spool",
            "data_directory": f"{self.directory}/data",
            "maillog_file": f"{self.directory}/mail.log",
            "maillog_file_prefixes": str(self.directory),
            "multi_instance_name": f"postfix-{self.directory.name}",
            "myhostname": f"mx.{self.domains[0]}",
            "mydestination": "",
            "mynetworks": "",
            "inet_interfaces": HOST,
            "inet_protocols": "ipv4",
            "default_transport": "error:5.1.2 no mail leaves this machine",
            "relay_transport": "error:5.1.2 no mail leaves this machine",
            "alias_maps": "",
            "alias_database": "",
            "local_recipient_maps": "",
            "recipient_delimiter": "+",
            "virtual_mailbox_domains": ", ".join(self.domains),
            "virtual_mailbox_maps": "inline:{ " + ", ".join(f"{{ {each} = x }}" for each in addresses) + " }",
            "virtual_transport": f"lmtp:inet:{HOST}:{self.dovecot.ports.lmtp}",
            "message_size_limit": str(SIZE_LIMIT_BYTES),
            "mailbox_size_limit": "0",
            "smtpd_relay_restrictions": "permit_sasl_authenticated, reject_unauth_destination",
            "smtpd_recipient_restrictions": f"check_policy_service inet:{HOST}:{self.policy.port}",
            "smtpd_policy_service_timeout": "15s",
            "smtpd_sasl_type": "dovecot",
            "smtpd_sasl_path": f"inet:{HOST}:{self.dovecot.ports.auth}",
            "smtpd_tls_cert_file": str(self._pair.certificate_path),
            "smtpd_tls_key_file": str(self._pair.key_path),
            "smtpd_tls_security_level": "may",
            "smtpd_client_connection_count_limit": "0",
            "smtpd_client_connection_rate_limit": "0",
            "smtpd_client_message_rate_limit": "0",
            "smtpd_peername_lookup": "no",
            "smtp_dns_support_level": "disabled",
            "biff": "no",
            # Seconds where an ordinary server waits minutes: a test sees a retry.
            "queue_run_delay": "2s",
            "minimal_backoff_time": "2s",
            "maximal_backoff_time": "4s",
            # After a failed delivery the next hop counts as dead for so long; more would hide that it works again.
            "lmtp_connection_cache_on_demand": "no",
        }
        text = "".join(f"{name} = {value}\n" for name, value in settings.items())
        (self._configuration / "main.cf").write_text(text)
        (self._configuration / "master.cf").write_text(self._services())

    def _services(self) -> str:
        login = (
            "  -o smtpd_sasl_auth_enable=yes\n"
            "  -o smtpd_client_restrictions=permit_sasl_authenticated,reject\n"
            "  -o smtpd_tls_auth_only=yes\n"
        )
        return (
            f"{HOST}:{self.ports.mx} inet n - n - - smtpd\n"
            f"{HOST}:{self.ports.submission} inet n - n - - smtpd\n"
            f"  -o smtpd_tls_security_level=encrypt\n{login}"
            f"{HOST}:{self.ports.submissions} inet n - n - - smtpd\n"
            f"  -o smtpd_tls_wrappermode=yes\n{login}"
            "pickup unix n - n 60 1 pickup\n"
            "cleanup unix n - n - 0 cleanup\n"
            "qmgr unix n - n 300 1 qmgr\n"
            "tlsmgr unix - - n 1000? 1 tlsmgr\n"
            "rewrite unix - - n - - trivial-rewrite\n"
            "bounce unix - - n - 0 bounce\n"
            "defer unix - - n - 0 bounce\n"
            "trace unix - - n - 0 bounce\n"
            "verify unix - - n - 1 verify\n"
            "flush unix n - n 1000? 0 flush\n"
            "proxymap unix - - n - - proxymap\n"
            "smtp unix - - n - - smtp\n"
            "relay unix - - n - - smtp\n"
            "showq unix n - n - - showq\n"
            "error unix - - n - - error\n"
            "retry unix - - n - - error\n"
            "discard unix - - n - - discard\n"
            "lmtp unix - - n - - lmtp\n"
            "anvil unix - - n - 1 anvil\n"
            "scache unix - - n - 1 scache\n"
            "postlog unix-dgram n - n - 1 postlogd\n"
        )


@contextlib.contextmanager
def running_postfix(
    dovecot: Dovecot, *, domains: Sequence[str], unroutable: Sequence[str] = ()
) -> Iterator[Postfix]:
    """Start a server for these domains in front of the Dovecot; it and its queue are gone at the end."""
    POSTFIX.require()
    with server_directory("mta") as directory:
        server = Postfix(directory, dovecot, domains=domains, unroutable=unroutable)
        server.policy.start()
        try:
            yield server.start()
        finally:
            server.thaw()
            server.stop()
            server.policy.stop()
