"""Roundup 2 as a child: a tracker of the classic template on SQLite, its web server, and its mail gateway."""

import base64
import contextlib
import importlib.metadata
import json
import shutil
import sqlite3
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any

from tests.real.servers.needed import ROUNDUP
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
from tests.real.servers.roundup_files import (
    CANARY,
    MINIMAL_RIGHTS,
    PROBER,
    PROBER_PASSWORD,
    SUPPORT_ADDRESS,
    TRACKER,
    Site,
    configuration,
    first_data,
    schema,
)

_PYTHON = "/usr/bin/python3"
"""The machine's own, which every account may run: ours can lie in a home that only its owner enters."""
_ADMIN_PASSWORD = "admin-of-the-tests-1"
_SAME_ORIGIN: Mapping[str, str] = {"X-Requested-With": "rest"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call was answered, whatever the status is; `body` is parsed if it is JSON, else text."""

    status: int
    headers: Message
    body: Any


@dataclass(slots=True)
class Roundup:
    """A running server.

    Attributes:
        username: the prober's log-in for HTTP's basic authentication, with `password`.
        support_address: the tracker's own address.
    """

    site: Site
    account: Account
    child: Child
    username: str = PROBER
    password: str = PROBER_PASSWORD
    support_address: str = SUPPORT_ADDRESS

    @property
    def url(self) -> str:
        """The tracker's root, without a slash at the end; the interface is below ``/rest``."""
        return self.site.url.removesuffix("/")

    @property
    def origin(self) -> str:
        """What writes must name in the header ``Origin``."""
        return f"http://{HOST}:{self.site.port}"

    def call(
        self,
        path: str,
        body: object = None,
        *,
        method: str = "GET",
        login: tuple[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Call the REST interface as the prober, or as another (('', '') is nobody).

        Args:
            path: below ``/rest``, or a link that an answer had.
            headers: instead of those that a write needs besides its ETag (`write_headers`).
        """
        data = None if body is None else json.dumps(body).encode()
        address = path if path.startswith("http") else f"{self.url}/rest{path}"
        request = urllib.request.Request(address, data, method=method)  # noqa: S310 - loopback
        name, password = (self.username, self.password) if login is None else login
        if name:
            word = base64.b64encode(f"{name}:{password}".encode()).decode()
            request.add_header("Authorization", f"Basic {word}")
        if data is not None:
            request.add_header("Content-Type", "application/json")
        for header, value in (self.write_headers() if headers is None else headers).items():
            request.add_header(header, value)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - loopback
                return Answer(int(answer.status), answer.headers, _parsed(answer.read()))
        except urllib.error.HTTPError as refused:
            with refused:
                return Answer(refused.code, refused.headers, _parsed(refused.read()))

    def write_headers(self, etag: str = "") -> dict[str, str]:
        """What a write is asked for: where it comes from, that a program sends it, and what it has read."""
        headers = {"Origin": self.origin, "Referer": f"{self.url}/", **_SAME_ORIGIN}
        return headers | ({"If-Match": etag} if etag else {})

    def etag(self, item: str) -> str:
        """The present ETag of an item such as ``issue/4``."""
        answer = self.call(f"/data/{item}")
        if answer.status != 200:
            raise ValueError(f"{item} was answered {answer.status}: {answer.body}")
        return str(answer.headers["ETag"])

    def change(self, item: str, values: Mapping[str, object], *, method: str = "PUT") -> Answer:
        """Read an item's ETag and write to it with it."""
        return self.call(f"/data/{item}", values, method=method, headers=self.write_headers(self.etag(item)))

    def open_issue(self, title: str, text: str, *, requester: str | None = None) -> str:
        """Make an issue with one message, as a user of the tracker does by its page; its id.

        Args:
            requester: whose it is: a user's name, which here is an address; the canary's customer when left out.
        """
        name = requester or CANARY
        login = (name, PROBER_PASSWORD)
        # without an author the issue after it is refused: its nosy list would hold nobody
        words = {"content": text, "author": name, "date": "."}
        message = self.call("/data/msg", words, method="POST", login=login)
        if message.status != 201:
            raise ValueError(f"the message was not made: {message.status} {message.body}")
        fields = {"title": title, "messages": [message.body["data"]["id"]]}
        answer = self.call("/data/issue", fields, method="POST", login=login)
        if answer.status != 201:
            raise ValueError(f"the issue was not made: {answer.status} {answer.body}")
        return str(answer.body["data"]["id"])

    def deliver(self, raw: bytes) -> int:
        """Give a mail to ``roundup-mailgw``, as a mail server's pipe does; its exit code."""
        words = [_PYTHON, "-m", "roundup.scripts.roundup_mailgw", str(self.site.home)]
        # the shell tells the code, which `run_as` would only have checked
        told = ["/bin/sh", "-c", '"$@" >&2; echo "exit $?"', "sh", *words]
        env = _environment(self.site)
        wrote = run_as(self.account, told, standard_input=raw, cwd=self.site.directory, env=env).decode()
        return int(wrote.rpartition("exit ")[2])

    def issues(self) -> list[dict[str, Any]]:
        """All issues as the database has them, retired ones too: independent of interface, rights and filters."""
        query = """
            SELECT CAST(_issue.id AS TEXT) AS id, _title AS title, _status.name AS status, _user._address AS requester,
                _issue.__retired__ != 0 AS is_retired
            FROM _issue JOIN (SELECT id, _name AS name FROM _status) AS _status ON _status.id = _issue._status
            JOIN _user ON _user.id = _issue._creator ORDER BY _issue.id"""
        with closing(self.database()) as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute(query)]

    def content_of(self, issue: str) -> tuple[object, ...]:
        """An issue, its links and its journal, every column."""
        queries = (
            "SELECT * FROM _issue WHERE id = ?",
            "SELECT * FROM issue_keyword WHERE nodeid = ? ORDER BY linkid",
            "SELECT * FROM issue_messages WHERE nodeid = ? ORDER BY linkid",
            "SELECT * FROM issue__journal WHERE nodeid = ? ORDER BY date",
        )
        with closing(self.database()) as database:
            return tuple(tuple(database.execute(query, (issue,)).fetchall()) for query in queries)

    def database(self) -> sqlite3.Connection:
        """Open the database beside the server."""
        return sqlite3.connect(self.site.database, timeout=20)

    def mails(self) -> str:
        """All mails that it has sent, one after the other."""
        return self.site.mails.read_text(errors="replace") if self.site.mails.exists() else ""

    def mails_sent(self) -> int:
        """How many mails it has sent."""
        return self.mails().count("\nX-Roundup-Loop: ")

    def log(self) -> str:
        """What the server wrote."""
        return self.child.log_path.read_text(errors="replace")

    def stop(self) -> None:
        """Stop it: the port refuses, issues stay. Repeatable."""
        self.child.stop()

    def start(self) -> None:
        """Start it again on the same port and data."""
        self.child = _start(self.site, self.account)


@contextlib.contextmanager
def running_roundup(
    *, rights: tuple[str, ...] = MINIMAL_RIGHTS, calls_per_hour: int = 0, wrong_logins: int = 4
) -> Iterator[Roundup]:
    """Start it with an empty tracker; gone with its data at the end.

    Args:
        rights: what the prober may beyond the template's role User.
        calls_per_hour: the budget of a user; 0 is none, which is the default of Roundup.
        wrong_logins: in ten minutes, before a user is shut out; 0 is never, 4 is the default of Roundup.
    """
    ROUNDUP.require()
    account = unprivileged_account()
    with server_directory("roundup", account) as directory:
        site = Site(directory, free_port())
        _lay_out(site, account, rights=rights, limits=(calls_per_hour, wrong_logins))
        words = [_PYTHON, "-m", "roundup.scripts.roundup_admin", "-i", str(site.home)]
        run_as(account, [*words, "initialise", _ADMIN_PASSWORD], cwd=directory, env=_environment(site))
        server = Roundup(site, account, _start(site, account))
        try:
            yield server
        finally:
            server.child.stop()


def _parsed(raw: bytes) -> object:
    text = raw.decode(errors="replace")
    return json.loads(text) if text.startswith(("{", "[")) else text


def _environment(site: Site) -> dict[str, str]:
    return {"PYTHONPATH": str(site.library), "HOME": str(site.directory)}


def _lay_out(site: Site, account: Account, *, rights: tuple[str, ...], limits: tuple[int, int]) -> None:
    """Copy program and template: the account need not be able to enter the folder of our environment."""
    package, template = _installed("roundup/__init__.py"), _installed("templates/classic/schema.py")
    ignored = shutil.ignore_patterns("test", "locale")  # what is compiled comes along: half the start
    shutil.copytree(package, site.library / "roundup", ignore=ignored)
    shutil.copytree(template, site.home, ignore=ignored)
    (site.home / "db").mkdir()
    files = {
        "config.ini": configuration(site, calls_per_hour=limits[0], wrong_logins=limits[1]),
        "schema.py": schema((template / "schema.py").read_text(), rights),
        "initial_data.py": first_data((template / "initial_data.py").read_text()),
    }
    for name, text in files.items():
        (site.home / name).write_text(text)
    for path in (site.home, *site.home.rglob("*")):
        hand_over(path, account)


def _installed(ending: str) -> Path:
    """The folder of a file that the distribution brought."""
    for path in importlib.metadata.files("roundup") or ():
        if str(path).endswith(ending):
            return Path(str(path.locate())).resolve().parent
    raise FileNotFoundError(f"roundup is installed without {ending}")


def _start(site: Site, account: Account) -> Child:
    words = [_PYTHON, "-m", "roundup.scripts.roundup_server"]
    words += ["-n", HOST, "-p", str(site.port), "-t", "thread", f"{TRACKER}={site.home}"]
    child = Child(
        words,
        log_path=site.directory / "roundup.log",
        account=account,
        env=_environment(site),
        cwd=site.directory,
    )

    def serves() -> bool:
        try:
            with urllib.request.urlopen(site.url, timeout=10) as answer:  # noqa: S310 - loopback
                return int(answer.status) == 200
        except OSError:
            return False

    wait_until(serves, what="page of Roundup", limit_seconds=60, child=child)
    return child
