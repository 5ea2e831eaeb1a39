"""Ticketing systems that come as a file: what is yours goes over it, and what is wrong with yours is told."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from canary.observation import Depth
from probes.ticketing.generic.settings import LookSettings
from runners.config.build_ticketing_http import GenericConfig
from runners.config.config import TicketingConfig
from runners.config.document_places import TicketingType
from runners.config.load import load
from runners.config.presets import preset_names, preset_text, with_preset
from runners.config.schema import configuration_schema
from tests.unit.runners.config.examples import ENVIRON, changed, only_mistake

DESK = '  desk: {type: helpdesk, url: "https://desk.acme.example/", token: {env: DESK_TOKEN}, tag: synthetic, cap: 12/h}\n'
REDMINE = """\
  desk:
    type: redmine
    url: https://redmine.acme.example/
    secrets: {key: {env: DESK_TOKEN}}
"""
WHOLE = changed(DESK, REDMINE)
WORDS = {
    "since": datetime(2026, 11, 30, tzinfo=UTC),
    "until": datetime(2026, 12, 1, tzinfo=UTC),
    "marker": "intakecanary",
}


def redmine(folder: Path, more: str = "") -> TicketingConfig:
    """The Redmine with further keys."""
    file = folder / "intake.yaml"
    file.write_text(WHOLE.replace(REDMINE, REDMINE + more), encoding="utf-8")
    return load(file, environ=ENVIRON).ticketing["desk"]


def look(generic: GenericConfig | None, name: str) -> LookSettings:
    """One look of a system."""
    assert generic is not None
    (found,) = [one for one in generic.settings.looks if one.name == name]
    return found


@pytest.mark.parametrize("name", preset_names())
def test_preset__needs_an_address_and_secrets_only(tmp_path: Path, name: str) -> None:
    file = tmp_path / "intake.yaml"
    system = f"  desk: {{type: {name}, url: 'https://acme.example/desk'}}\n"
    file.write_text(changed(DESK, system), encoding="utf-8")

    config = load(file, environ=ENVIRON, needs_secrets=False).ticketing["desk"]

    assert config.type is TicketingType.HTTP
    assert config.generic is not None
    assert {depth for one in config.generic.settings.looks for depth in one.depths} == set(Depth)
    assert config.generic.settings.clean.read is not None
    assert config.generic.secrets


@pytest.mark.parametrize("name", preset_names())
def test_preset__says_whom_it_has_met_and_which_rights_it_needs_and_names_no_host(name: str) -> None:
    text = preset_text(name)

    assert "about:" in text
    assert "  rights:" in text
    assert re.search(r"^  (met|contract): ", text, re.MULTILINE)
    assert [one for one in text.splitlines() if not one.startswith("#") and "://" in one] == []


def test_value_of_yours__goes_where_the_preset_names_it(tmp_path: Path) -> None:
    config = redmine(tmp_path, "    given: {project: helpdesk}\n")

    request = look(config.generic, "wide").asking.request(WORDS)

    assert ("project_id", "helpdesk") in list(request.query or ())


def test_key_beside_a_preset__changes_that_and_leaves_its_neighbours(tmp_path: Path) -> None:
    more = "    find: {marked: {max_pages: 7, query: {tracker_id: '3'}}}\n    tag: probe\n"

    config = redmine(tmp_path, more)

    marked = look(config.generic, "marked")
    query = dict(marked.asking.request(WORDS).query or ())
    assert (marked.most_pages, config.tag) == (7, "probe")
    assert (query["tracker_id"], query["project_id"]) == ("3", "support")
    assert look(config.generic, "wide").most_pages == 20


def test_nothing_beside_a_preset__takes_a_key_away(tmp_path: Path) -> None:
    generic = redmine(tmp_path, "    sight: null\n").generic

    assert generic is not None
    assert not generic.settings.sight


def test_another_method__takes_the_place_of_the_presets(tmp_path: Path) -> None:
    config = redmine(tmp_path, "    find: {wide: {post: /search.json}}\n")

    assert look(config.generic, "wide").asking.method == "POST"


def test_what_is_one_thing__is_yours_as_a_whole() -> None:
    merged = with_preset({"type": "zendesk", "auth": {"bearer": "{{ secret.key }}"}, "secrets": {"key": 1}})

    assert merged["auth"] == {"bearer": "{{ secret.key }}"}
    assert set(merged["secrets"]) == {"id", "key"}
    assert merged["secrets"]["key"] == 1
    assert merged["type"] == "http"


def test_preset__is_the_same_for_the_next_who_takes_it() -> None:
    with_preset({"type": "redmine", "find": {"wide": {"query": {"x": 1}}}, "ticket": {"also": {"y": "z"}}})

    assert "x" not in with_preset({"type": "redmine"})["find"]["wide"]["query"]
    assert "y" not in with_preset({"type": "redmine"})["ticket"]["also"]


@pytest.mark.parametrize(
    ("more", "key", "message"),
    [
        ("    find: {wide: {rowz: x}}\n", "find.wide.rowz", "unknown key rowz"),
        ("    find: {wide: {max_pages: many}}\n", "find.wide.max_pages", "a whole number belongs here"),
        ("    ticket: {subject: 'a['}\n", "ticket.subject.pick", "not JMESPath"),
        ("    token: {env: DESK_TOKEN}\n", "token", "unknown key token"),
        ("    clean: {close: null}\n", "clean", "clean.close says no request"),
    ],
)
def test_mistake_beside_a_preset__names_its_key_and_its_line(
    tmp_path: Path, more: str, key: str, message: str
) -> None:
    text = WHOLE.replace(REDMINE, REDMINE + more)

    error = only_mistake(tmp_path, text)

    assert error.key == f"ticketing.desk.{key}"
    assert message in f"{error.message}. {error.remedy}"
    assert error.line == text[: text.index(more)].count("\n") + 1


def test_schema__knows_the_presets_and_asks_for_no_looks_of_them() -> None:
    schema = configuration_schema()["$defs"]["PresetTicketingDocument"]

    assert schema["properties"]["type"]["enum"] == list(preset_names())
    assert sorted(schema["required"]) == ["type", "url"]


def test_address_that_is_missing__is_told(tmp_path: Path) -> None:
    error = only_mistake(tmp_path, changed("    url: https://redmine.acme.example/\n", "", WHOLE))

    assert (error.key, error.message) == ("ticketing.desk.url", "the key url is missing")


def test_secret_of_the_preset__that_is_not_set__names_the_key_where_it_can_be_given(tmp_path: Path) -> None:
    error = only_mistake(tmp_path, changed("    secrets: {key: {env: DESK_TOKEN}}\n", "", WHOLE))

    assert error.key == "ticketing.desk.secrets.key"
    assert "REDMINE_KEY is not set" in error.message
    assert error.line is not None


def test_name_that_is_nearly_a_preset__is_told_which_was_meant(tmp_path: Path) -> None:
    error = only_mistake(tmp_path, changed("type: redmine", "type: redmin", WHOLE))

    assert error.key == "ticketing.desk.type"
    assert "redmine" in error.remedy


def test_preset_that_is_no_configuration__is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runners.config.presets.preset_text", lambda _: "- a list")

    with pytest.raises(ValueError, match="is no configuration"):
        with_preset({"type": "a-preset-of-this-test"})
