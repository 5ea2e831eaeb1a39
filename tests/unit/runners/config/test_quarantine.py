"""What a quarantine rule sets, and that none is required which could never be seen."""

from pathlib import Path

import pytest

from canary.path import PathName
from canary.quarantine import Mark
from tests.unit.runners.config.examples import FULL, changed, mistakes, only_mistake, read

DESK = (
    '{type: helpdesk, url: "https://desk.acme.example/", token: {env: DESK_TOKEN}, tag: synthetic, cap: 12/h}'
)
REQUIRED = changed("    every: 10m\n", "    every: 10m\n    require_quarantine: true\n")
SECRETS = {
    "zendesk": "{id: {env: DESK_TOKEN}, key: {env: DESK_TOKEN}}",
    "salesforce": "{id: {env: DESK_TOKEN}, key: {env: DESK_TOKEN}}",
    "glpi": "{app: {env: DESK_TOKEN}, user: {env: DESK_TOKEN}}",
    "servicenow": "{password: {env: DESK_TOKEN}}",
    "zammad": "{token: {env: DESK_TOKEN}}",
    "roundup": "{password: {env: DESK_TOKEN}}",
    "redmine": "{key: {env: DESK_TOKEN}}",
    "freshdesk": "{key: {env: DESK_TOKEN}}",
}


def desk(kind: str, quarantine: str, more: str = "", text: str = REQUIRED) -> str:
    """A configuration whose desk is of that type and has that quarantine."""
    credential = f"secrets: {SECRETS[kind]}" if kind in SECRETS else "token: {env: DESK_TOKEN}"
    system = (
        f"{{type: {kind}, url: 'https://desk.acme.example/', {credential}, quarantine: {quarantine}{more}}}"
    )
    return changed(DESK, system, text)


def test_path_that_requires_it__of_a_system_without_one__is_a_mistake_that_names_the_rule(
    tmp_path: Path,
) -> None:
    found = only_mistake(tmp_path, REQUIRED)

    assert found.key == "paths.support-email.require_quarantine"
    assert found.message == "it is not said what the quarantine rule of desk sets"
    assert "render quarantine desk" in found.remedy


def test_path_that_is_proved_by_its_reply__can_require_none(tmp_path: Path) -> None:
    text = changed("    ticketing: desk\n", "    proof: reply\n", REQUIRED)

    found = [one for one in mistakes(tmp_path, text) if one.key.endswith("require_quarantine")]

    assert [one.message for one in found] == [
        "no ticket of this path is read, so that its quarantine can't be seen"
    ]


def test_misses_without_the_requirement__are_a_mistake(tmp_path: Path) -> None:
    found = only_mistake(tmp_path, changed("    every: 10m\n", "    every: 10m\n    quarantine_misses: 5\n"))

    assert found.message == "it does nothing without require_quarantine"


@pytest.mark.parametrize(
    ("kind", "quarantine", "message"),
    [
        ("helpdesk", "{}", "django-helpdesk keeps no tags that a rule could set"),
        ("rt", "{tag: synthetic}", "Request Tracker keeps tags in a custom field, and none is named"),
        ("glpi", "{}", "the look that sees a ticket first does not say where its tags are"),
        ("zammad", "{tag: synthetic}", "the look that sees a ticket first does not say where its tags are"),
        ("roundup", "{group: support}", "the look that sees a ticket first does not say where its group is"),
    ],
)
def test_mark_that_the_system_never_shows__is_a_mistake_and_no_miss(
    tmp_path: Path, kind: str, quarantine: str, message: str
) -> None:
    found = only_mistake(tmp_path, desk(kind, quarantine))

    assert found.key.startswith("ticketing.desk.quarantine")
    assert message in found.message
    assert found.remedy


@pytest.mark.parametrize(
    ("kind", "quarantine", "more", "mark"),
    [
        ("helpdesk", "{group: '3'}", "", Mark(group="3")),
        ("rt", "{}", ", custom_field: Tag", Mark(tag="synthetic")),
        ("rt", "{group: Canaries}", "", Mark(group="Canaries")),
        ("zendesk", "{}", ", tag: probe", Mark(tag="probe")),
        ("zendesk", "{tag: quarantined, group: '360001'}", "", Mark("quarantined", "360001")),
        ("zammad", "{group: Canaries}", "", Mark(group="Canaries")),
        ("servicenow", "{group: Canaries}", "", Mark(group="Canaries")),
        ("freshdesk", "{}", "", Mark(tag="synthetic")),
        ("redmine", "{}", "", Mark(tag="synthetic")),
        ("roundup", "{}", "", Mark(tag="synthetic")),
        ("salesforce", "{}", "", Mark(tag="synthetic")),
    ],
)
def test_mark__is_the_tag_unless_a_group_is_named(
    tmp_path: Path, kind: str, quarantine: str, more: str, mark: Mark
) -> None:
    config = read(tmp_path, desk(kind, quarantine, more))

    assert config.ticketing["desk"].mark == mark
    assert config.ticketing["desk"].vendor == kind
    assert config.paths[PathName("support-email")].path.quarantine_misses == 3


def test_configuration_that_says_nothing_of_it__judges_nothing(tmp_path: Path) -> None:
    config = read(tmp_path, FULL)

    assert config.ticketing["desk"].mark is None
    assert config.paths[PathName("support-email")].path.quarantine_misses is None
