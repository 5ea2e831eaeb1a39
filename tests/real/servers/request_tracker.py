"""Request Tracker 5 as a child, with SQLite, and a fetcher that brings it the mail of an IMAP mailbox."""

import contextlib
import imaplib
import json
import ssl
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.real.servers.dovecot import Dovecot
from tests.real.servers.mail import CANARY, SUPPORT, Mail
from tests.real.servers.needed import REQUEST_TRACKER
from tests.real.servers.process import (
    HOST,
    Account,
    Child,
    free_port,
    hand_over,
    run_as,
    server_directory,
    unprivileged_account,
    wait_until,
)
from tests.real.servers.request_tracker_files import (
    CUSTOM_FIELD,
    MINIMAL_RIGHTS,
    QUEUE,
    Site,
    initial_data,
    mail_script,
    site_configuration,
)

_SERVER = "/usr/share/request-tracker5/libexec/rt-server"
_SERVER_OPTIONS = ("--server", "Starlet", "--max-workers", "3")


@dataclass(slots=True)
class RequestTracker:
    """A running server.

    Attributes:
        token: of the prober's user, for ``Authorization: token …``.
        queue: the queue that mail arrives in, and `custom_field` its field for the canary's id.
        support_address: where mail becomes a ticket.
    """

    site: Site
    account: Account
    token: str
    fetcher: "Fetcher"
    child: Child
    queue: str = QUEUE
    custom_field: str = CUSTOM_FIELD

    @property
    def url(self) -> str:
        """The root of its web pages."""
        return f"http://{HOST}:{self.site.port}"

    @property
    def support_address(self) -> str:
        """The queue's address."""
        return self.site.support_address

    def call(self, path: str, body: object = None, *, method: str = "GET") -> tuple[int, Any]:
        """Call REST2 with the prober's token; status and parsed answer, whatever the status is."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/REST/2.0/{path}", data, method=method)  # noqa: S310 - loopback
        request.add_header("Authorization", f"token {self.token}")
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - loopback
                text = answer.read().decode()
                return int(answer.status), json.loads(text) if text else None
        except urllib.error.HTTPError as refused:
            with refused:
                text = refused.read().decode(errors="replace")
            return refused.code, json.loads(text) if text.startswith(("{", "[")) else text

    def tickets(self, query: str) -> list[dict[str, Any]]:
        """Search in TicketSQL as the prober: id, subject, status and creation of each found."""
        words = {"query": query, "fields": "Subject,Status,Created,Requestor", "per_page": "100"}
        status, answer = self.call(f"tickets?{urllib.parse.urlencode(words)}")
        if status != 200:
            raise ValueError(f"the search {query!r} was answered {status}: {answer}")
        return list(answer["items"])

    def insert(self, data: str) -> None:
        """Load initial data by its own command line, as an administrator does; the server sees it at once."""
        path = self.site.directory / "inserted.pl"
        path.write_text(data)
        hand_over(path, self.account)
        _insert(self.site, self.account, path)

    def log(self) -> str:
        """What the server wrote."""
        return self.child.log_path.read_text(errors="replace")

    def stop(self) -> None:
        """Stop it: the port refuses, tickets stay. Repeatable."""
        self.child.stop()

    def start(self) -> None:
        """Start it again on the same port and data."""
        self.child = _start(self.site, self.account)


class Fetcher:
    """Reads unseen mail of a mailbox twice a second, gives it to the mail gateway, and marks it seen.

    Attributes:
        is_paused: set it to stop fetching, as a broken poller does; clear it to go on.
    """

    def __init__(self, dovecot: Dovecot, address: str, gateway_url: str, queue: str) -> None:
        self.is_paused = False
        self.fetched = 0
        self.last_error = ""
        self._dovecot = dovecot
        self._address = address
        self._gateway_url = gateway_url
        self._queue = queue
        self._is_ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fetcher")

    def start(self) -> None:
        """Begin to fetch."""
        self._thread.start()

    def stop(self) -> None:
        """End, after the mail in hand."""
        self._is_ending.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._is_ending.wait(0.5):
            if self.is_paused:
                continue
            try:
                self._fetch()
            except (OSError, imaplib.IMAP4.error) as failure:  # the server is down, or full, or new
                self.last_error = f"{type(failure).__name__}: {failure}"

    def _fetch(self) -> None:
        context = ssl.create_default_context(cafile=self._dovecot.ca_file)
        password = self._dovecot.mailboxes[self._address].password
        with imaplib.IMAP4_SSL(
            "localhost", self._dovecot.imaps_port, ssl_context=context, timeout=20
        ) as client:
            client.login(self._address, password)
            client.select("INBOX")
            for number in client.search(None, "UNSEEN")[1][0].split():
                if self.is_paused or self._is_ending.is_set():
                    return
                parts = client.fetch(number, "(BODY.PEEK[])")[1]
                if not parts or not isinstance(parts[0], tuple):
                    continue
                self._hand_over(parts[0][1])
                client.store(number, "+FLAGS", r"(\Seen)")
                self.fetched += 1

    def _hand_over(self, raw: bytes) -> None:
        fields = {"SessionType": "REST", "queue": self._queue, "action": "correspond", "message": raw}
        body = urllib.parse.urlencode(fields).encode()
        with urllib.request.urlopen(self._gateway_url, body, timeout=30) as answer:  # noqa: S310 - loopback
            text = answer.read().decode(errors="replace")
        if not text.startswith("ok"):
            raise OSError(f"the mail gateway said: {text[:200]}")


@contextlib.contextmanager
def running_request_tracker(
    mail: Mail, *, rights: tuple[str, ...] = MINIMAL_RIGHTS
) -> Iterator[RequestTracker]:
    """Start it with an empty database; it fetches support@'s mailbox and answers through Postfix."""
    REQUEST_TRACKER.require()
    account = unprivileged_account()
    with server_directory("rt", account) as directory:
        site = Site(directory, free_port(), mail.postfix.mx_port, SUPPORT, CANARY, rights)
        _prepare(site, account)
        child = _start(site, account)
        gateway_url = f"http://{HOST}:{site.port}/REST/1.0/NoAuth/mail-gateway"
        fetcher = Fetcher(mail.dovecot, SUPPORT, gateway_url, QUEUE)
        token = (directory / "token").read_text()
        server = RequestTracker(site, account, token, fetcher, child)
        fetcher.start()
        try:
            yield server
        finally:
            fetcher.stop()
            server.child.stop()


def _environment(site: Site) -> dict[str, str]:
    return {
        "RT_SITE_CONFIG": str(site.directory / "RT_SiteConfig.pm"),
        # Debian's own is under /etc and would be read after ours.
        "RT_SITE_CONFIG_DIR": str(site.directory / "empty"),
        "HOME": str(site.directory),
    }


def _prepare(site: Site, account: Account) -> None:
    folders = ("empty", "var", "var/mason", "var/sessions")
    for name in folders:
        (site.directory / name).mkdir()
    files = {
        "RT_SiteConfig.pm": site_configuration(site),
        "data.pl": initial_data(site),
        "send-mail": mail_script(site),
        "root-password": "not-used-by-tests",
    }
    for name, text in files.items():
        (site.directory / name).write_text(text)
    (site.directory / "send-mail").chmod(0o755)
    for name in (*folders, *files):
        hand_over(site.directory / name, account)
    password = ["--root-password-file", str(site.directory / "root-password")]
    _set_up(site, account, "--action", "init", *password)
    _insert(site, account, site.directory / "data.pl")


def _insert(site: Site, account: Account, path: Path) -> None:
    _set_up(site, account, "--action", "insert", "--skip-create", "--datafile", str(path))


def _set_up(site: Site, account: Account, *words: str) -> None:
    command = ["/usr/sbin/rt-setup-database-5", *words]
    run_as(account, command, cwd=site.directory, env=_environment(site), limit_seconds=240)


def _start(site: Site, account: Account) -> Child:
    child = Child(
        ["/usr/bin/perl", _SERVER, *_SERVER_OPTIONS, "--host", HOST, "--port", str(site.port)],
        log_path=site.directory / "rt.log",
        account=account,
        env=_environment(site),
        cwd=site.directory,
    )

    def serves() -> bool:
        try:
            with urllib.request.urlopen(f"http://{HOST}:{site.port}/", timeout=10) as answer:
                return int(answer.status) == 200
        except OSError:
            return False

    wait_until(serves, what="page of Request Tracker", limit_seconds=60, child=child)
    return child
