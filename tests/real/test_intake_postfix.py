"""The whole chain of real servers: Postfix, Dovecot with quota, a poller, Request Tracker; the prober as cron runs it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.real.intake import Intake, merged, tell_until_clean, write_intake
from tests.real.servers.certificates import make_certificates
from tests.real.servers.mail import CANARY, GHOST, SUPPORT, Mail, running_mail
from tests.real.servers.policy import FullMailbox
from tests.real.servers.process import server_directory
from tests.real.servers.request_tracker import RequestTracker, running_request_tracker
from tests.real.servers.request_tracker_files import MINIMAL_RIGHTS

ROOT_PASSWORD = "not-used-by-tests"
"""As tests/real/servers/request_tracker.py sets it."""
SMALL_BYTES = 100 * 1024


@dataclass(frozen=True, slots=True)
class Chain:
    mail: Mail
    tracker: RequestTracker


@pytest.fixture(scope="module")
def started() -> Iterator[Chain]:
    with (
        server_directory("tls") as directory,
        running_mail(make_certificates(directory)) as mail,
        running_request_tracker(mail, rights=(*MINIMAL_RIGHTS, "DeleteTicket")) as tracker,
    ):
        yield Chain(mail, tracker)


@pytest.fixture
def chain(started: Chain) -> Iterator[Chain]:
    started.mail.reset()
    yield started
    started.tracker.fetcher.is_paused = False
    started.mail.reset()


def intake_of(chain: Chain, directory: Path, **path: Any) -> Intake:  # noqa: ANN401 -- keys of a path
    mail = chain.mail

    def server(port: int, address: str) -> dict[str, Any]:
        secret = mail.account(address).password
        return {"host": "localhost", "port": port, "tls": "starttls", "username": address, "password": secret}

    tree: dict[str, Any] = {
        "prober": {
            "name": "tests",
            "store": f"sqlite:///{directory / 'intake.db'}",
            "signing_keys": ["a key of the tests, 32 bytes long at least"],
            "ca": str(mail.ca_file),
        },
        "accounts": {
            "canary": {
                "address": CANARY,
                "smtp": server(mail.postfix.submission_port, CANARY),
                "imap": server(mail.dovecot.port, CANARY),
                "side": "target",
            }
        },
        "mailboxes": {"support": {"imap": server(mail.dovecot.port, SUPPORT)}},
        "ticketing": {
            "rt": {
                "type": "rt",
                "url": chain.tracker.url,
                "token": chain.tracker.token,
                "queue": chain.tracker.queue,
                "custom_field": chain.tracker.custom_field,
            }
        },
        "paths": {
            "support-email": {
                "channel": "email",
                "from": ["canary"],
                "to": SUPPORT,
                "mailbox": "support",
                "ticketing": "rt",
                "reply": True,
                "deadline": "20s",
                "horizon": "60s",
            }
        },
    }
    return write_intake(directory, merged(tree, {"paths": {"support-email": path}}))


def fill(chain: Chain) -> None:
    """Leave no room in the support mailbox, as mails do that nobody fetches: the poller has read them."""
    chain.mail.dovecot.set_quota(SUPPORT, storage_bytes=SMALL_BYTES)
    chain.mail.dovecot.fill(SUPPORT)


def said(canary: dict[str, Any]) -> tuple[str, str | None, str | None]:
    return canary["verdict"], canary["blame"], canary["reason"]


def verdict_at_last(intake: Intake) -> str:
    [canary] = intake.tell("canaries").said["canaries"]
    return str(canary["verdict"])


def test_healthy_chain__is_confirmed_acknowledged_and_cleaned(chain: Chain, tmp_path: Path) -> None:
    intake = intake_of(chain, tmp_path)

    answer = intake.tell("run")

    assert (answer.exit, said(answer.canary), answer.canary["flaws"]) == (0, ("confirmed", None, None), [])
    hops = {one["name"]: one["outcome"] for one in answer.canary["hops"]}
    assert set(hops.values()) == {"ok"}
    status, ticket = chain.tracker.call(f"ticket/{answer.canary['ticket']['id']}")
    assert (status, ticket["Status"]) == (200, "rejected")
    fields = {one["name"]: one["values"] for one in ticket["CustomFields"]}
    assert fields[chain.tracker.custom_field] == ["synthetic"]
    tell_until_clean(intake)
    assert chain.mail.dovecot.messages(SUPPORT) == chain.mail.dovecot.messages(CANARY) == []


def test_check__finds_every_place_in_order_and_sends_nothing(chain: Chain, tmp_path: Path) -> None:
    answer = intake_of(chain, tmp_path).tell("check")

    failed = [one for one in answer.said["checks"] if one["state"] == "fail"]
    assert (answer.exit, failed) == (0, [])
    assert chain.mail.dovecot.messages(SUPPORT) == []


def test_full_mailbox__is_breached_with_the_gauge_as_the_reason__and_late_once_it_drained(
    chain: Chain, tmp_path: Path
) -> None:
    intake = intake_of(chain, tmp_path, deadline="6s")
    fill(chain)

    first = intake.tell("run")
    chain.mail.dovecot.empty(SUPPORT)
    chain.mail.dovecot.set_quota(SUPPORT, storage_bytes=8 * 1024 * 1024)
    chain.mail.postfix.release()
    intake.tell("sweep", "--until-horizon")
    tell_until_clean(intake)

    assert (first.exit, said(first.canary)) == (1, ("breached", "mailbox.arrival", "mailbox_full"))
    assert verdict_at_last(intake) == "late"


@pytest.mark.parametrize(("how", "hop"), [(FullMailbox.DEFER, "smtp.accept"), (FullMailbox.REJECT, "smtp.accept"), (FullMailbox.BOUNCE, "mailbox.arrival")])  # fmt: skip
def test_full_mailbox__that_is_told__is_blamed_where_it_was_told(
    chain: Chain, tmp_path: Path, how: FullMailbox, hop: str
) -> None:
    intake = intake_of(chain, tmp_path, deadline="6s", horizon="12s")
    chain.mail.rules.full_mailbox = how
    fill(chain)

    answer = intake.tell("run")

    assert (answer.exit, said(answer.canary)) == (1, ("breached", hop, "mailbox_full"))


def test_poller_stopped__blames_ticket_created_by_the_backlog__and_late_once_it_goes_on(
    chain: Chain, tmp_path: Path
) -> None:
    intake = intake_of(chain, tmp_path, deadline="6s")
    chain.tracker.fetcher.is_paused = True

    first = intake.tell("run")
    chain.tracker.fetcher.is_paused = False
    intake.tell("sweep", "--until-horizon")
    tell_until_clean(intake)

    assert (first.exit, said(first.canary)) == (1, ("breached", "ticket.created", "backlog_growing"))
    assert verdict_at_last(intake) == "late"


def test_mail_that_the_platform_drops__is_breached_and_lost(chain: Chain, tmp_path: Path) -> None:
    intake = intake_of(chain, tmp_path, deadline="6s", horizon="12s")
    chain.mail.rules.is_dropped = True

    first = intake.tell("run")
    intake.tell("sweep", "--until-horizon")

    assert (first.exit, said(first.canary)) == (1, ("breached", "mailbox.arrival", "not_seen"))
    assert verdict_at_last(intake) == "lost"


def test_unknown_user_that_bounces__is_breached_by_the_bounce_before_the_deadline(
    chain: Chain, tmp_path: Path
) -> None:
    intake = intake_of(chain, tmp_path, to=GHOST, mailbox=None, horizon="30s")

    answer = intake.tell("run")

    assert (answer.exit, answer.canary["verdict"], answer.canary["blame"]) == (
        1,
        "breached",
        "mailbox.arrival",
    )
    assert answer.canary["side"] == "target"
    launched_at, settled_at = (
        datetime.fromisoformat(answer.canary[one]) for one in ("launched_at", "settled_at")
    )
    assert settled_at - launched_at < timedelta(seconds=15)


def test_greylisting__is_waited_out_with_one_mail(chain: Chain, tmp_path: Path) -> None:
    intake = intake_of(chain, tmp_path, deadline="40s", horizon="60s")
    chain.mail.rules.greylist_seconds = 3.0

    answer = intake.tell("run")

    assert (answer.exit, said(answer.canary), answer.canary["flaws"]) == (0, ("confirmed", None, None), [])


def test_wrong_password_of_ours__is_inconclusive(chain: Chain, tmp_path: Path) -> None:
    intake = intake_of(chain, tmp_path, deadline="6s", horizon="12s")
    text = intake.configuration.read_text()
    intake.configuration.write_text(text.replace(chain.mail.account(CANARY).password, "not-the-password", 1))

    answer = intake.tell("run")

    assert (answer.exit, said(answer.canary)) == (3, ("inconclusive", "smtp.auth", "credentials_rejected"))
    assert "not-the-password" not in str(answer.said) + answer.notes


def test_user_and_password__reach_request_tracker_as_a_token_does(chain: Chain, tmp_path: Path) -> None:
    intake = intake_of(chain, tmp_path)
    tree = yaml.safe_load(intake.configuration.read_text())
    del tree["ticketing"]["rt"]["token"]
    tree["ticketing"]["rt"] |= {"username": "root", "password": ROOT_PASSWORD}
    intake = write_intake(tmp_path, tree)

    answer = intake.tell("check")

    found = {one["name"]: one["state"] for one in answer.said["checks"] if one["place"] == "rt"}
    assert found["ticket.search"] == "ok"
    assert ROOT_PASSWORD not in str(answer.said) + answer.notes
