"""`render quarantine`: what it says and writes for each vendor, made of the configuration, and what it refuses."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from runners.quarantine.facts import PRODUCTS, UnknownTarget, facts_of
from runners.quarantine.guide import NOT_VERIFIED, Part, Step, guide_text
from runners.quarantine.vendors import rendered_for
from tests.unit.runners.cli.conftest import Run
from tests.unit.runners.config.examples import FULL, changed
from tests.unit.runners.config.test_quarantine import DESK, SECRETS, desk

ODD = "o'brien+x@probe.example"
MARKER = "probeword"


def configured(kind: str, quarantine: str = "{group: Canaries}", more: str = "") -> None:
    """A desk of that type, a sender with a quote in its address, a forwarder, and a marker of its own."""
    text = desk(kind, quarantine, more, FULL) if quarantine else changed(DESK, _without(kind), FULL)
    text = changed("canary@probe.example", json.dumps(ODD), text)
    text = changed("  name: fra-1\n", f"  name: fra-1\n  marker: {MARKER}\n", text)
    text = changed("    every: 10m\n", "    every: 10m\n    requesters: [relay@acme.example]\n", text)
    Path("intake.yaml").write_text(text)


def _without(kind: str) -> str:
    credential = f"secrets: {SECRETS[kind]}" if kind in SECRETS else "token: {env: DESK_TOKEN}"
    return f"{{type: {kind}, url: 'https://desk.acme.example/', {credential}}}"


def files_of(folder: Path) -> dict[str, str]:
    """What was written, by name."""
    return {
        str(one.relative_to(folder)): one.read_text() for one in sorted(folder.rglob("*")) if one.is_file()
    }


def read_as_what_it_is(name: str, text: str) -> None:
    """Raises where a file is not what its ending says."""
    match Path(name).suffix:
        case ".json":
            json.loads(text)
        case ".xml":
            ET.fromstring(text)  # noqa: S314 -- our own text
        case ".py":
            compile(text, name, "exec")
        case _:
            assert text.strip()


@pytest.mark.parametrize("target", ["desks", "jira", "http"])
def test_target_that_is_neither_a_system_nor_a_vendor__is_named_with_those_there_are(
    run: Run, target: str
) -> None:
    configured("zendesk")

    said = run("render", "quarantine", target)

    assert said.status == 2
    assert f"there is no ticketing system and no vendor {target}. There are desk, zendesk" in said.err


def test_system_by_configuration_alone__is_told_that_its_own_rules_are_not_known(run: Run) -> None:
    text = changed(
        DESK,
        "{type: http, url: 'https://desk.acme.example/', cleanup: none, find: {all: {get: /t, ticket: {id: id, subject: s, created_at: c}}}}",
    )
    Path("intake.yaml").write_text(text)

    said = run("render", "quarantine", "desk")

    assert said.status == 2
    assert "of type http, whose own rules are not known" in said.err


def test_vendor_of_several_systems__asks_which(run: Run) -> None:
    configured("zendesk")
    text = Path("intake.yaml").read_text().replace("paths:\n", f"  other: {_without('zendesk')}\npaths:\n")
    Path("intake.yaml").write_text(text)

    said = run("render", "quarantine", "zendesk")

    assert said.status == 2
    assert "several ticketing systems are of type zendesk. Name one of desk, other." in said.err


def test_file_that_is_there__is_left_as_it_is_unless_forced(run: Run) -> None:
    configured("zendesk")
    Path("rules").mkdir()
    Path("rules/trigger.json").write_text("mine")

    said = run("render", "quarantine", "desk", "--output", "rules")

    assert said.status == 2
    assert "rules/trigger.json exists and is left as it is" in said.err
    assert files_of(Path("rules")) == {"trigger.json": "mine"}
    assert run("render", "quarantine", "desk", "--output", "rules", "--force").status == 0


def test_secret_in_what_is_rendered__is_refused(run: Run) -> None:
    configured("zendesk", "{tag: desk-token-planted}")

    said = run("render", "quarantine", "desk")

    assert said.status == 2
    assert "the value of the secret DESK_TOKEN stands in the configuration" in said.err
    assert "desk-token-planted" not in said.out + said.err


@pytest.mark.parametrize("vendor", PRODUCTS)
def test_vendor_without_a_configuration__is_shown_with_placeholders(run: Run, vendor: str) -> None:
    said = run("render", "quarantine", vendor)

    assert said.status == 0
    assert "addresses and names are placeholders" in said.err
    assert said.out.startswith(f"# Quarantine of canaries in {PRODUCTS[vendor]}\n")
    assert "canary@probe.example" in said.out


@pytest.mark.parametrize("vendor", PRODUCTS)
def test_vendor__has_a_step_for_each_thing_that_a_canary_is_kept_from_with_its_source_or_not_verified(
    vendor: str,
) -> None:
    facts = facts_of(None, vendor)
    rendered = rendered_for(facts)
    text = guide_text(facts, rendered, with_files=True)

    assert set(rendered.steps) == set(Part)
    assert all(rendered.steps[part] for part in Part)
    assert set(rendered.uses) == set(rendered.files)
    steps = [one for part in Part for one in rendered.steps[part]]
    assert all(
        one.source or one.tried or NOT_VERIFIED in one.words for one in [*steps, *rendered.uses.values()]
    )
    assert all(one.source is None or one.source.startswith("https://") for one in steps)
    assert all(f"### {name}" in text for name in rendered.files)


@pytest.mark.parametrize("vendor", [one for one in PRODUCTS if one != "roundup"])
def test_files_of_a_vendor__are_what_they_should_be_and_bear_senders_marker_and_group(
    run: Run, vendor: str
) -> None:
    by_tag = vendor == "salesforce"
    configured(vendor, "{tag: synthetic}" if by_tag else "{group: Canaries}")

    said = run("render", "quarantine", "desk", "--output", "made")

    assert said.status == 0, said.err
    files = files_of(Path("made"))
    assert len(files) > 1
    for name, text in files.items():
        read_as_what_it_is(name, text)
    whole = "\n".join(files.values())
    guide = files["QUARANTINE.md"]
    assert all(word in whole for word in (MARKER, "relay@acme.example", "Canaries"))
    assert f"`{ODD}`" in guide
    assert "require_quarantine: true" in guide
    setting = "tag: 'synthetic'" if by_tag else "group: 'Canaries'"
    assert f"quarantine: {{{setting}}}" in guide
    assert "support@acme.example" in guide
    assert "planted" not in whole


@pytest.mark.parametrize(
    ("vendor", "more"), [("zendesk", ""), ("roundup", ""), ("rt", ", custom_field: Tag")]
)
def test_tag_of_the_configuration__is_what_the_rule_sets(run: Run, vendor: str, more: str) -> None:
    configured(vendor, "{tag: kept-apart}", more)

    said = run("render", "quarantine", "desk", "--output", "made")

    assert said.status == 0, said.err
    files = files_of(Path("made"))
    made = "\n".join(text for name, text in files.items() if name != "QUARANTINE.md")
    assert "kept-apart" in made
    for name, text in files.items():
        read_as_what_it_is(name, text)


def test_one_page__has_the_bodies_in_it(run: Run) -> None:
    configured("zammad")

    assert run("render", "quarantine", "desk", "--output", "page.md").status == 0

    page = Path("page.md").read_text()
    body = page.partition("### postmaster-filter.json\n\n```json\n")[2].partition("```")[0]
    assert json.loads(body)["perform"]["x-zammad-ticket-tags"] == {"operator": "add", "value": "synthetic"}


def test_json__names_the_files(run: Run) -> None:
    configured("redmine")

    answer = run("--json", "render", "quarantine", "desk", "--output", "made").answer("render")

    assert answer["written"] == ["made/QUARANTINE.md", "made/mail-handler.txt"]
    assert answer["text"] is None


def test_vendor__is_the_configured_system_where_there_is_one(run: Run) -> None:
    configured("servicenow", "")

    said = run("render", "quarantine", "servicenow")

    assert said.status == 0
    assert said.out.startswith("# Quarantine of canaries in ServiceNow desk\n")
    assert "placeholders" not in said.err


def test_unknown_vendor__without_a_configuration__is_refused() -> None:
    with pytest.raises(UnknownTarget, match="no ticketing system and no vendor desk"):
        facts_of(None, "desk")


@pytest.mark.parametrize("vendor", PRODUCTS)
def test_mark_that_the_page_says_to_configure__is_one_that_the_configuration_takes(
    run: Run, vendor: str
) -> None:
    configured(vendor, "")
    page = run("render", "quarantine", "desk").out
    (said,) = re.findall(r"^    quarantine: (\{.*\})$", page, re.MULTILINE)

    configured(vendor, said)

    again = run("render", "quarantine", "desk")
    assert again.status == 0, again.err
    assert f"    quarantine: {said}\n" in again.out


def test_tag_with_a_quote__is_quoted_in_the_page(run: Run) -> None:
    configured("zendesk", "{tag: o'brien}")

    assert "quarantine: {tag: 'o''brien'}" in run("render", "quarantine", "desk").out


def test_request_tracker__by_tag_alone__is_not_moved__by_both_it_is(run: Run) -> None:
    configured("rt", "{tag: kept-apart}", ", custom_field: Tag")
    assert "SetQueue" not in run("render", "quarantine", "desk").out

    configured("rt", "{tag: kept-apart, group: Canaries}", ", custom_field: Tag")
    page = run("render", "quarantine", "desk").out
    assert "SetQueue('Canaries')" in page
    assert "Value => 'kept-apart'" in page


def test_step__tells_where_it_was_tried_and_what_it_rests_on__or_that_it_has_neither() -> None:
    assert Step("Do.", "https://a.example", "Desk 1").words == (
        "Do. (tried on Desk 1; source: <https://a.example>)"
    )
    assert Step("Do.", tried="Desk 1").words == "Do. (tried on Desk 1)"
    assert Step("Do.").words == "Do. (not verified)"
