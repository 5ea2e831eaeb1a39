"""Roundup's files, as text: configuration, what is added to the classic template's schema, and its first data."""

from dataclasses import dataclass
from pathlib import Path

from tests.real.servers.process import HOST

TRACKER = "support"
TAG = "synthetic"
SUPPORT_ADDRESS = "support@acme.test"
CANARY, STRANGER = "canary@probe.test", "jane@customer.test"
PROBER, PROBER_PASSWORD = "prober", "prober-of-the-tests-1"
# All that finding, reading, tagging and closing need beyond the template's role User; of it, a requester's address
# is the one thing that is not seen by everybody. Deleting (which retires) needs Retire as well.
MINIMAL_RIGHTS = ("View user address",)
RETIRE = "Retire issue"


@dataclass(frozen=True, slots=True)
class Site:
    """Where a tracker lives.

    Attributes:
        directory: its own; the program's copy is in `library`, the tracker in `home`.
    """

    directory: Path
    port: int

    @property
    def library(self) -> Path:
        """Where the program is imported from."""
        return self.directory / "library"

    @property
    def home(self) -> Path:
        """The tracker's folder."""
        return self.directory / "tracker"

    @property
    def database(self) -> Path:
        """SQLite's file."""
        return self.home / "db" / "db"

    @property
    def mails(self) -> Path:
        """The file that mails go to instead of a server."""
        return self.directory / "mails"

    @property
    def url(self) -> str:
        """The tracker's root, with a slash at the end."""
        return f"http://{HOST}:{self.port}/{TRACKER}/"


def configuration(site: Site, *, calls_per_hour: int, wrong_logins: int) -> str:
    """``config.ini``: what has no default, and what makes a log-in cheap; the rest is the program's own."""
    return f"""
[main]
database = db
template_engine = zopetal
templates = html
admin_email = admin@acme.test
dispatcher_email = admin@acme.test
password_pbkdf2_default_rounds = 1000
[tracker]
name = Support
web = {site.url}
email = {SUPPORT_ADDRESS}
[web]
api_calls_per_interval = {calls_per_hour}
api_failed_login_limit = {wrong_logins}
secret_key = a-key-of-the-tests-that-is-long-enough-for-an-etag
[rdbms]
backend = sqlite
[mail]
domain = acme.test
host = {HOST}
debug = {site.mails}
"""


def schema(template: str, rights: tuple[str, ...]) -> str:
    """The classic template's schema with a role for the prober."""
    more = [
        "db.security.addRole(name='Prober')",
        "db.security.addPermissionToRole('Anonymous', 'Email Access')",
    ]
    if "View user address" in rights:
        more += [
            "p = db.security.addPermission(name='View', klass='user', properties=('address',))",
            "db.security.addPermissionToRole('Prober', p)",
        ]
    if RETIRE in rights:
        more += ["db.security.addPermissionToRole('Prober', 'Retire', 'issue')"]
    return template + "\n" + "\n".join(more) + "\n"


def first_data(template: str) -> str:
    """The classic template's data with the prober, a customer, a stranger and the tag."""
    return f"""{template}
from roundup.password import Password
for name, address, roles in (
    ('{PROBER}', 'prober@acme.test', 'User,Prober'),
    ('{CANARY}', '{CANARY}', 'User'),
    ('{STRANGER}', '{STRANGER}', 'User'),
):
    user.create(username=name, address=address, roles=roles, timezone='UTC',
        password=Password('{PROBER_PASSWORD}', config=db.config))
db.getclass('keyword').create(name='{TAG}')
"""
