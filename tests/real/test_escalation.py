"""What a vendor is told of an incident: mails that really passed relays, and never became tickets."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from canary.signature import find_tokens
from tests.real.intake import Intake, new_intake, tell_until_clean
from tests.sandbox import Sandbox, start_sandbox


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@pytest.fixture
def intake(sandbox: Sandbox, tmp_path: Path) -> Intake:
    return new_intake(
        tmp_path / "prober", sandbox.endpoints, {"alerts": {"open": "1 of 1"}, "prober": {"name": "fra-1"}}
    )


def test_mail_that_arrives_and_becomes_no_ticket__is_told_with_its_relays_fields(
    sandbox: Sandbox, intake: Intake
) -> None:
    sandbox.poller(running=False)
    canary = intake.tell("run").canary
    [incident] = intake.tell("incidents").said["incidents"]

    bundle = intake.tell("incidents", incident["id"], "--escalation").said

    assert (canary["verdict"], bundle["blame"]) == ("breached", "ticket.created")
    [told] = bundle["canaries"]
    fields = [one["received"] for one in told["relays"]]
    assert fields
    assert told["queue_id"] in " ".join(fields)
    domain = sandbox.support.address.rpartition("@")[2]
    assert any("for ***" in one for one in fields)
    assert not any(f"@{domain}" in one for one in fields)
    assert find_tokens(str(bundle)) == ()
    assert all(one["by_host"] in one["received"] for one in told["relays"])
    sandbox.poller(running=True)
    tell_until_clean(intake)
