"""Redmine 5 as a child: Debian's application, copied, with a database, attachments and mails of its own."""

import contextlib
import hashlib
import json
import os
import shutil
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any

from filelock import FileLock

from tests.real.servers.needed import REDMINE
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
from tests.real.servers.redmine_files import (
    MINIMAL_RIGHTS,
    PROJECT,
    TENANT,
    Site,
    database_configuration,
    environment,
    gemfile,
    grant,
    mail_configuration,
    seed,
)

_DEBIAN = Path("/usr/share/redmine")
_CACHE = Path(__file__).parents[3] / ".cache" / "redmine"
"""The database as it begins, made once: migrations and seed take ten seconds and more."""
_FOLDERS = ("mails", "redmine/instances/tests/config", "redmine/instances/tests/files")
_LOGS = ("redmine/instances/tests/log", "redmine/instances/tests/tmp")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call was answered, whatever the status is; `body` is parsed if it is JSON, else text."""

    status: int
    headers: Message
    body: Any


@dataclass(frozen=True, slots=True)
class Keys:
    """API keys by whose they are, and `mail`, the mail handler's."""

    prober: str
    customer: str
    stranger: str
    admin: str
    mail: str


@dataclass(slots=True)
class Redmine:
    """A running server.

    Attributes:
        keys: ``X-Redmine-API-Key`` of the prober (rights: `MINIMAL_RIGHTS` and what was asked for) and of others.
        project: the identifier of the project that mail arrives in.
    """

    site: Site
    account: Account
    keys: Keys
    child: Child
    project: str = PROJECT

    @property
    def url(self) -> str:
        """The root of its pages and its interface."""
        return f"http://{HOST}:{self.site.port}"

    def call(
        self,
        path: str,
        body: object = None,
        *,
        method: str = "GET",
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Call the REST interface as the prober, or with another key ('' is none)."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}{path}", data, method=method)  # noqa: S310 - loopback
        if key := self.keys.prober if key is None else key:
            request.add_header("X-Redmine-API-Key", key)
        request.add_header("Content-Type", "application/json")
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - loopback
                return Answer(int(answer.status), answer.headers, _parsed(answer.read()))
        except urllib.error.HTTPError as refused:
            with refused:
                return Answer(refused.code, refused.headers, _parsed(refused.read()))

    def open_issue(
        self, subject: str, description: str, *, requester: str | None = None, project: str = PROJECT
    ) -> int:
        """Make an issue as a customer would by the page: the administrator's key, with the customer as its author.

        Args:
            requester: a user's login, which here is an address; the canary's customer when left out.
        """
        issue = {"project_id": project, "subject": subject, "description": description}
        headers = {"X-Redmine-Switch-User": requester} if requester else {}
        key = self.keys.admin if requester else self.keys.customer
        answer = self.call("/issues.json", {"issue": issue}, method="POST", key=key, headers=headers)
        if answer.status != 201:
            raise ValueError(f"the issue was not made: {answer.status} {answer.body}")
        return int(answer.body["issue"]["id"])

    def deliver(self, raw: bytes, *options: str, key: str | None = None) -> tuple[int, str]:
        """Give a mail to ``rdm-mailhandler.rb``, as a mail server's pipe does; its exit code and what it said.

        Args:
            options: further ones of the script, for example ``--unknown-user=create``.
        """
        key = self.keys.mail if key is None else key
        return self.pipe(
            ["--verbose", "--url", self.url, "--key", key, "--project", self.project, *options], raw
        )

    def pipe(self, options: Sequence[str], raw: bytes) -> tuple[int, str]:
        """Give a mail to ``rdm-mailhandler.rb`` with these words and no others; its exit code and what it said."""
        script = str(self.site.application / "extra" / "mail_handler" / "rdm-mailhandler.rb")
        words = ["/usr/bin/ruby", script, *options]
        # the shell tells the code, which `run_as` would only have checked
        told = ["/bin/sh", "-c", '"$@" 2>&1; echo "exit $?"', "sh", *words]
        wrote = run_as(self.account, told, standard_input=raw, cwd=self.site.directory).decode()
        said, _, code = wrote.rpartition("exit ")
        return int(code), said

    def runner(self, ruby: str) -> str:
        """Run Ruby beside the server by ``rails runner``, as an administrator does; what it printed."""
        path = self.site.directory / "run.rb"
        path.write_text(ruby)
        hand_over(path, self.account)
        words = ["/usr/bin/bundle", "exec", "rails", "runner", str(path)]
        environment = _environment(self.site)
        said = run_as(
            self.account, words, cwd=self.site.application, env=environment, limit_seconds=300
        ).decode()
        return said.strip()

    def issues(self) -> list[dict[str, Any]]:
        """All issues as the database has them, oldest first: independent of interface, rights and filters."""
        query = """
            SELECT issues.id, subject, issues.description, issues.status_id, projects.identifier AS project, users.login AS author
            FROM issues JOIN projects ON projects.id = project_id JOIN users ON users.id = author_id
            ORDER BY issues.id"""
        with closing(self.database()) as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute(query)]

    def content_of(self, issue_id: int) -> tuple[object, ...]:
        """An issue, its journal and its custom values, every column."""
        queries = (
            "SELECT * FROM issues WHERE id = ?",
            "SELECT * FROM journals WHERE journalized_id = ? ORDER BY id",
            "SELECT * FROM custom_values WHERE customized_id = ? AND customized_type = 'Issue' ORDER BY id",
        )
        with closing(self.database()) as database:
            return tuple(tuple(database.execute(query, (issue_id,)).fetchall()) for query in queries)

    def database(self) -> sqlite3.Connection:
        """Open the database beside the server. Settings are cached by it: change them by `setting` only."""
        return sqlite3.connect(self.site.database, timeout=20)

    @contextlib.contextmanager
    def all_private(self) -> Iterator[None]:
        """Make the project one that only its members see."""
        query = "UPDATE projects SET is_public = ? WHERE identifier = ?"
        with closing(self.database()) as database, database:
            database.execute(query, (0, self.project))
        try:
            yield
        finally:
            with closing(self.database()) as database, database:
                database.execute(query, (1, self.project))

    @contextlib.contextmanager
    def without_workflow(self) -> Iterator[None]:
        """Take from the prober's role, as a new role has it, every way from one status to another."""
        mine = "(SELECT id FROM roles WHERE name = 'Prober')"
        with closing(self.database()) as database, database:
            database.execute(f"UPDATE workflows SET role_id = -1 WHERE role_id = {mine}")  # noqa: S608
        try:
            yield
        finally:
            with closing(self.database()) as database, database:
                database.execute(f"UPDATE workflows SET role_id = {mine} WHERE role_id = -1")  # noqa: S608

    def mails_sent(self) -> int:
        """How many mails it has sent, counted by recipient."""
        return sum(
            path.read_bytes().count(b"\nMessage-ID: ") for path in self.site.mails.iterdir() if path.is_file()
        )

    def told(self, address: str) -> int:
        """How many mails it has sent to an address."""
        path = self.site.mails / address
        return path.read_bytes().count(b"\nMessage-ID: ") if path.exists() else 0

    def log(self) -> str:
        """What the application wrote."""
        return (self.site.instance / "log" / "production.log").read_text(errors="replace")

    def stop(self) -> None:
        """Stop it: the port refuses, issues stay. Repeatable."""
        self.child.stop()

    def start(self) -> None:
        """Start it again on the same port and data."""
        self.child = _start(self.site, self.account)


@contextlib.contextmanager
def running_redmine(*, rights: tuple[str, ...] = MINIMAL_RIGHTS) -> Iterator[Redmine]:
    """Start it with an empty project; gone with its data at the end.

    Args:
        rights: the permissions of the prober's role in the project.
    """
    REDMINE.require()
    account = unprivileged_account()
    with server_directory("redmine", account) as directory:
        site = Site(directory, free_port())
        _lay_out(site, account)
        template = _template(site, account)
        shutil.copyfile(template, site.database)
        keys = Keys(**json.loads(template.with_suffix(".json").read_text()))
        with closing(sqlite3.connect(site.database)) as database, database:
            database.execute("UPDATE roles SET permissions = ? WHERE name = 'Prober'", (grant(rights),))
        hand_over(site.database, account)
        server = Redmine(site, account, keys, _start(site, account))
        try:
            yield server
        finally:
            server.child.stop()


def _parsed(raw: bytes) -> object:
    text = raw.decode(errors="replace")
    return json.loads(text) if text.startswith(("{", "[")) else text


def _environment(site: Site) -> dict[str, str]:
    return {
        "REDMINE_INSTANCE": TENANT,
        "RAILS_ENV": "production",
        "BUNDLE_GEMFILE": str(site.application / "Gemfile"),
        "HOME": str(site.directory),
        "TZ": "UTC",  # Debian's application keeps times in the zone of its process
    }


def _lay_out(site: Site, account: Account) -> None:
    """Copy the application: it looks for its configuration beside its own files, wherever a link leads."""
    shutil.copytree(
        _DEBIAN,
        site.application,
        ignore=lambda _, names: {"instances", "database.yml", "Gemfile.lock"} & set(names),
    )
    for name in (*_FOLDERS, *_LOGS):
        (site.directory / name).mkdir(parents=True)
    files = {
        site.application / "Gemfile": gemfile((_DEBIAN / "Gemfile").read_text()),
        site.application / "config" / "environments" / "production.rb": environment(),
        site.instance / "config" / "database.yml": database_configuration(site),
        site.instance / "config" / "configuration.yml": mail_configuration(site),
        site.instance / "config" / "secret_key.txt": "0" * 80,
        site.directory / "seed.rb": seed(),
    }
    for path, text in files.items():
        path.write_text(text)
    for name in (*_FOLDERS, *_LOGS, "redmine"):
        hand_over(site.directory / name, account)
    # once, without a network: Debian's packages are all that it may take
    run_as(account, ["/usr/bin/bundle", "lock", "--local"], cwd=site.application, env=_environment(site))


def _template(site: Site, account: Account) -> Path:
    """The file of the database as it begins; made by the first who asks, for each version and seed."""
    version = (_DEBIAN / "lib" / "redmine" / "version.rb").read_bytes()
    name = hashlib.sha256(version + seed().encode()).hexdigest()[:16]
    template = _CACHE / f"{name}.sqlite3"
    _CACHE.mkdir(parents=True, exist_ok=True)
    with FileLock(_CACHE / "lock"):
        if not template.exists():
            words = ["/usr/bin/bundle", "exec", "rails", "runner", str(site.directory / "seed.rb")]
            said = run_as(account, words, cwd=site.application, env=_environment(site), limit_seconds=300)
            template.with_suffix(".json").write_bytes(said.strip().splitlines()[-1])
            made = template.with_suffix(f".{os.getpid()}")
            shutil.copyfile(site.database, made)
            made.rename(template)
    return template


def _start(site: Site, account: Account) -> Child:
    child = Child(
        [
            "/usr/bin/bundle",
            "exec",
            "puma",
            "--bind",
            f"tcp://{HOST}:{site.port}",
            "--threads",
            "1:4",
            "--silent",
        ],
        log_path=site.directory / "puma.log",
        account=account,
        env=_environment(site),
        cwd=site.application,
    )

    def serves() -> bool:
        try:
            with urllib.request.urlopen(f"http://{HOST}:{site.port}/issues.json", timeout=30) as answer:
                return int(answer.status) == 200
        except OSError:
            return False

    wait_until(serves, what="answer of Redmine", limit_seconds=240, child=child)
    return child
