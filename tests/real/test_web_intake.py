"""The portal and the contact form through the command line: launched, seen as tickets, judged, cleaned."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.real.intake import Intake, left_of, merged, standard, tell_until_clean, write_intake
from tests.real.servers.needed import CHROMIUM
from tests.sandbox import Sandbox, start_sandbox

pytestmark = [pytest.mark.real, pytest.mark.browser]
SEALED = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    CHROMIUM.require()
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@pytest.fixture
def intake(sandbox: Sandbox, tmp_path: Path) -> Iterator[Intake]:
    sandbox.clear_faults()
    ends = sandbox.endpoints
    common = {"ticketing": "desk", "reply": True, "deadline": "30s", "horizon": "35s"}
    portal: dict[str, Any] = {
        "channel": "portal",
        "from": ["canary"],
        "url": ends.portal_url,
        "steps": [
            {"go": "/tickets/submit/"},
            {"fill": {"label": "Summary of the problem", "with": "{{ subject }}"}},
            {"fill": {"label": "Description of your issue", "with": "{{ body }}"}},
            {"fill": {"label": "Your E-Mail Address", "with": "{{ sender }}"}},
            {"submit": {"role": "button", "name": "Submit Ticket"}},
            {"confirm": {"text": r"/\[support-(?P<ticket>\d+)\]/"}},
        ],
        "pace": "0s",
        **common,
    }
    form = {
        "channel": "form",
        "from": ["canary"],
        "url": ends.contact_form_url,
        "fields": {
            "name": "{{ name }}",
            "email": "{{ sender }}",
            "subject": "{{ subject }}",
            "message": "{{ body }}",
        },
        "confirm": {"text": r"/number support-(?P<ticket>\d+)/"},
        **common,
    }
    tree = merged(
        standard(tmp_path, ends),
        {
            "prober": {
                "browser": {"arguments": [SEALED]},
                "artifacts": {"directory": str(tmp_path / "evidence")},
            },
            "paths": {"support-email": None, "support-portal": portal, "contact-form": form},
        },
    )
    made = write_intake(tmp_path, tree)
    yield made
    sandbox.clear_faults()
    tell_until_clean(made)


@pytest.mark.parametrize(
    ("path", "channel", "last"),
    [
        ("support-portal", "portal", "portal.confirmation"),
        ("contact-form", "form", "form.confirmation"),
    ],
)
def test_request_by_the_web__becomes_an_intact_ticket_and_is_cleaned(
    sandbox: Sandbox, intake: Intake, path: str, channel: str, last: str
) -> None:
    answer = intake.tell("run", path)

    canary = answer.canary
    assert (answer.exit, canary["verdict"], canary["flaws"]) == (0, "confirmed", [])
    assert canary["channel"] == channel
    assert canary["ticket"]["system"] == "desk"
    hops = {one["name"]: one for one in canary["hops"]}
    assert (hops[last]["outcome"], hops[last]["evidence"]) == ("ok", "reported")
    assert (hops["ticket.content"]["outcome"], hops["reply.received"]["outcome"]) == ("ok", "ok")
    assert left_of(sandbox, [canary["id"]]) == []


def test_portal_sent_to_the_contact_form__is_a_breach_of_its_first_page_with_a_picture(
    sandbox: Sandbox, intake: Intake
) -> None:
    sandbox.faults(portal_redirect_to_form=True)

    answer = intake.tell("run", "support-portal")

    canary = answer.canary
    assert answer.exit == 1
    assert (canary["verdict"], canary["blame"], canary["reason"], canary["side"]) == (
        "breached",
        "portal.load",
        "redirected",
        "target",
    )
    evidence = intake.directory / "evidence" / "support-portal" / canary["id"]
    assert {one.name for one in evidence.iterdir()} >= {"screenshot.png", "trace.zip", "network.har"}


def test_portal_that_loses_its_answer__is_confirmed_by_its_ticket(sandbox: Sandbox, intake: Intake) -> None:
    sandbox.faults(portal_error_after_submit=True)

    answer = intake.tell("run", "support-portal")

    assert (answer.exit, answer.canary["verdict"]) == (0, "confirmed")
    assert {"hop": "portal.submit", "reason": "server_error"} in answer.canary["flaws"]


def test_contact_form_that_is_down__is_a_breach_of_the_form(sandbox: Sandbox, intake: Intake) -> None:
    sandbox.faults(form_down=503)

    answer = intake.tell("run", "contact-form")

    canary = answer.canary
    assert (answer.exit, canary["verdict"], canary["blame"], canary["reason"]) == (
        1,
        "breached",
        "form.submit",
        "server_error",
    )


def test_browser_that_is_missing__is_our_own_fault(intake: Intake, tmp_path: Path) -> None:
    text = intake.configuration.read_text()
    intake.configuration.write_text(
        text.replace("    arguments:", f"    executable: {tmp_path}/no-browser\n    arguments:", 1)
    )

    answer = intake.tell("run", "support-portal")

    canary = answer.canary
    assert (answer.exit, canary["verdict"], canary["reason"], canary["side"]) == (
        3,
        "inconclusive",
        "browser_missing",
        "prober",
    )
