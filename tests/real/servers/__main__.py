"""`python -m tests.real.servers NAME` starts one of the servers of the real tier, says how to reach it, and waits."""

import argparse
import json
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

from tests.real.servers.alertmanager import running_alertmanager
from tests.real.servers.certificates import make_certificates
from tests.real.servers.dns import running_dns
from tests.real.servers.mail import CANARY, SUPPORT, Mail, running_mail
from tests.real.servers.postgresql import running_postgresql
from tests.real.servers.process import server_directory
from tests.real.servers.redmine import running_redmine
from tests.real.servers.request_tracker import running_request_tracker
from tests.real.servers.roundup import running_roundup

Said = Mapping[str, object]
"""How a server is reached: addresses, ports, names and passwords."""


@contextmanager
def _mail_servers() -> Iterator[Mail]:
    with server_directory("tls") as directory, running_mail(make_certificates(directory)) as servers:
        yield servers


def _said(servers: Mail) -> Said:
    return {
        "host": "localhost",
        "submission": servers.postfix.submission_port,
        "imap": servers.dovecot.port,
        "ca": str(servers.ca_file),
        "accounts": {one: servers.account(one).password for one in (SUPPORT, CANARY)},
    }


@contextmanager
def mail() -> Iterator[Said]:
    """Postfix and Dovecot."""
    with _mail_servers() as servers:
        yield _said(servers)


@contextmanager
def rt() -> Iterator[Said]:
    """Request Tracker 5, with the mail servers that it sends by."""
    with _mail_servers() as servers, running_request_tracker(servers) as tracker:
        yield {"url": tracker.url, "token": tracker.token, "mail": _said(servers)}


@contextmanager
def redmine() -> Iterator[Said]:
    """Redmine 5, with a project and a key of the prober's user."""
    with running_redmine() as server:
        yield {"url": server.url, "key": server.keys.prober, "administrator": server.keys.admin}


@contextmanager
def roundup() -> Iterator[Said]:
    """Roundup 2, with a user for the prober."""
    with running_roundup() as server:
        yield {
            "url": server.url,
            "origin": server.origin,
            "user": server.username,
            "password": server.password,
        }


@contextmanager
def postgresql() -> Iterator[Said]:
    """A throw-away cluster."""
    with running_postgresql() as server:
        yield {"url": server.new_database()}


@contextmanager
def dns() -> Iterator[Said]:
    """A name server without a record."""
    with running_dns() as server:
        yield {"host": server.host, "port": server.port}


@contextmanager
def alertmanager() -> Iterator[Said]:
    """Alertmanager, with nobody to notify."""
    with running_alertmanager() as server:
        yield {"url": server.url}


SERVERS: Mapping[str, Callable[[], AbstractContextManager[Said]]] = {
    "mail": mail,
    "rt": rt,
    "redmine": redmine,
    "roundup": roundup,
    "postgresql": postgresql,
    "dns": dns,
    "alertmanager": alertmanager,
}


def main() -> None:
    """Start what is asked for; end it, and remove what it wrote, on SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m tests.real.servers", description=__doc__)
    parser.add_argument("name", choices=SERVERS)
    start = SERVERS[parser.parse_args().name]
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    with start() as said:
        sys.stdout.write(f"{json.dumps(said, indent=2)}\nCtrl-C ends it.\n")
        sys.stdout.flush()
        over.wait()


if __name__ == "__main__":
    main()
