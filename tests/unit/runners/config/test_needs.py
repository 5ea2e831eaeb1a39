"""What a configuration needs of the place where it runs is noted while it is read."""

from pathlib import Path

from runners.config.needs import NamedFile
from tests.unit.runners.config.examples import FULL, changed, read
from tests.unit.runners.config.examples_web import portal_file


def test_variables_files_and_commands__are_noted_once_each(tmp_path: Path) -> None:
    text = changed("token: {env: DESK_TOKEN}", "token: {exec: [vault, read, desk]}")
    text = changed("[{env: INTAKE_SIGNING_KEY}]", "[{file: keys/intake.key}]", text)

    needs = read(tmp_path, text, needs_secrets=False).needs

    assert needs.variables == {"CANARY_PASSWORD", "SUPPORT_PASSWORD"}
    assert needs.secret_files == {NamedFile("keys/intake.key", tmp_path / "keys/intake.key")}
    assert needs.commands == {("vault", "read", "desk")}
    assert needs.store_name == "intake.db"


def test_files_that_are_no_secret__are_noted_by_the_names_that_are_written(tmp_path: Path) -> None:
    text = portal_file(tmp_path).replace("  name: fra-1\n", "  name: fra-1\n  ca: pki/acme.pem\n")

    needs = read(tmp_path, text, needs_secrets=False).needs

    assert {one.name for one in needs.files} == {"pki/acme.pem", "steps.py"}


def test_secret_that_stands_as_text__is_noted_by_its_key_alone(tmp_path: Path) -> None:
    text = changed("token: {env: DESK_TOKEN}", "token: planted-desk-token")

    needs = read(tmp_path, text, allow_literal_secrets=True).needs

    assert needs.literals == {"ticketing.desk.token"}
    assert "planted" not in repr(needs)


def test_password_in_the_stores_address__is_a_secret_as_text(tmp_path: Path) -> None:
    text = changed("sqlite:///intake.db", "postgresql+psycopg://intake:planted-word@db/intake")

    needs = read(tmp_path, text, allow_literal_secrets=True).needs

    assert (needs.literals, needs.store_name) == ({"prober.store"}, None)


def test_configuration_without_any__needs_nothing_more(tmp_path: Path) -> None:
    needs = read(tmp_path, FULL).needs

    assert (needs.secret_files, needs.files, needs.commands, needs.literals) == (set(), set(), set(), set())
    assert needs.artifacts_name is None
