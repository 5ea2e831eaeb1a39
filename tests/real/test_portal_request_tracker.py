"""The portal guide's example for Request Tracker's self-service, word for word, against a real one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.real.intake import Intake, write_intake
from tests.real.portal_scene import SEALED
from tests.real.servers.certificates import make_certificates
from tests.real.servers.mail import CANARY, Mail, running_mail
from tests.real.servers.needed import CHROMIUM
from tests.real.servers.process import server_directory
from tests.real.servers.request_tracker import RequestTracker, running_request_tracker
from tests.real.servers.request_tracker_files import CUSTOMER_PASSWORD
from tests.sandbox import ROOT

pytestmark = [pytest.mark.real, pytest.mark.browser]
GUIDE = ROOT / "docs" / "guides" / "portal.md"


def example(url: str, password: str) -> dict[str, Any]:
    """The guide's path, with the address of the server that is tested, and the password in the place of its variable."""
    blocks = GUIDE.read_text().split("```yaml\n")[1:]
    text = next(block.partition("```")[0] for block in blocks if "rt-portal:" in block)
    text = text.replace("https://rt.acme.example", url).replace("{env: PORTAL_PASSWORD}", password)
    path: dict[str, Any] = yaml.safe_load(text)["paths"]["rt-portal"]
    del path["every"]
    return {**path, "deadline": "90s", "horizon": "3m"}


@pytest.fixture(scope="module")
def started() -> Iterator[tuple[Mail, RequestTracker]]:
    CHROMIUM.require()
    with (
        server_directory("tls") as directory,
        running_mail(make_certificates(directory)) as mail,
        running_request_tracker(mail) as tracker,
    ):
        yield mail, tracker


def intake_of(mail: Mail, tracker: RequestTracker, tmp_path: Path, password: str) -> Intake:
    secret = mail.account(CANARY).password
    smtp = {"host": "localhost", "port": mail.postfix.submission_port, "tls": "starttls"}
    tree: dict[str, Any] = {
        "prober": {
            "name": "tests",
            "store": f"sqlite:///{tmp_path / 'intake.db'}",
            "signing_keys": ["a key of the tests, 32 bytes long at least"],
            "browser": {"arguments": list(SEALED)},
            "artifacts": {"directory": str(tmp_path / "evidence")},
        },
        "accounts": {
            "canary": {"address": CANARY, "smtp": {**smtp, "username": CANARY, "password": secret}},
        },
        "ticketing": {
            "rt": {
                "type": "rt",
                "url": tracker.url,
                "token": tracker.token,
                "queue": tracker.queue,
                "custom_field": tracker.custom_field,
            }
        },
        "paths": {"rt-portal": example(tracker.url, password)},
    }
    return write_intake(tmp_path, tree)


def test_example_of_the_guide__is_tried_without_a_ticket_and_confirmed_with_one(
    started: tuple[Mail, RequestTracker], tmp_path: Path
) -> None:
    mail, tracker = started
    intake = intake_of(mail, tracker, tmp_path, CUSTOMER_PASSWORD)

    tried = intake.tell("portal", "try", "rt-portal", "--screenshot", str(tmp_path / "end.png"))
    before = tracker.tickets("id > 0")
    assert (tmp_path / "end.png").read_bytes().startswith(b"\x89PNG")
    answer = intake.tell("run", "rt-portal")

    assert (tried.exit, before) == (0, [])
    canary = answer.canary
    assert (answer.exit, canary["verdict"], canary["flaws"]) == (0, "confirmed", []), answer
    hops = {one["name"]: one["outcome"] for one in canary["hops"]}
    assert hops["portal.login"] == hops["portal.confirmation"] == hops["ticket.content"] == "ok"
    [ticket] = tracker.tickets("id > 0")
    assert ticket["Status"] in {"resolved", "rejected"}


def test_wrong_password__is_ours__and_opens_no_ticket(
    started: tuple[Mail, RequestTracker], tmp_path: Path
) -> None:
    mail, tracker = started
    known = len(tracker.tickets("id > 0"))

    answer = intake_of(mail, tracker, tmp_path, "not-this-one-1234").tell("run", "rt-portal")

    canary = answer.canary
    said = (answer.exit, canary["verdict"], canary["blame"], canary["reason"], canary["side"])
    assert said == (3, "inconclusive", "portal.login", "credentials_rejected", "prober")
    assert len(tracker.tickets("id > 0")) == known
