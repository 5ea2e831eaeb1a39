"""What `init` writes is a configuration, and nothing of the user's is overwritten."""

import json
import stat
from pathlib import Path

import pytest

from canary.path import PathName
from runners.answer_schemas import answers_schema
from runners.config.load import load
from runners.config.schema import configuration_page, configuration_schema
from runners.config.starter import STARTER, write_starter

PAGE = Path(__file__).parents[4] / "docs" / "configuration.md"


def test_starter__when_loaded__is_a_configuration(tmp_path: Path) -> None:
    key = write_starter(tmp_path / "intake.yaml", randomness=lambda count: b"\x01" * count)

    config = load(tmp_path / "intake.yaml", environ={"CANARY_PASSWORD": "x" * 8})

    assert list(config.paths) == ["support-email"]
    assert key == tmp_path / "intake.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_starter__with_all_its_comments_taken_in__is_a_configuration(tmp_path: Path) -> None:
    write_starter(tmp_path / "intake.yaml", randomness=lambda count: b"\x01" * count)
    whole = STARTER.replace("    proof: reply ", "    # proof: reply ").splitlines()
    text = "\n".join(_uncommented(line) for line in whole)
    (tmp_path / "whole.yaml").write_text(text)
    environ = {"CANARY_PASSWORD": "x" * 8, "SUPPORT_PASSWORD": "y" * 8, "DESK_TOKEN": "z" * 8}
    environ |= {"PORTAL_PASSWORD": "p" * 8, "PD_KEY": "k" * 32, "PING_URL": "https://ping.example/id"}

    config = load(tmp_path / "whole.yaml", environ=environ)

    assert list(config.ticketing) == ["desk"]
    assert list(config.mailboxes) == ["support"]
    assert list(config.paths) == ["support-email", "support-portal", "contact-form"]


@pytest.mark.parametrize("name", ["support-portal", "contact-form"])
def test_starter__with_one_example_of_a_web_channel_taken_in__is_a_configuration(
    tmp_path: Path, name: str
) -> None:
    write_starter(tmp_path / "intake.yaml", randomness=lambda count: b"\x01" * count)
    before, mark, block = STARTER.partition(f"  # {name}:")
    example, end, after = (mark + block).partition("\n\n")
    text = before + "\n".join(line.replace("# ", "", 1) for line in example.splitlines()) + end + after
    (tmp_path / "whole.yaml").write_text(text)

    config = load(tmp_path / "whole.yaml", environ={"CANARY_PASSWORD": "x" * 8, "PORTAL_PASSWORD": "p" * 8})

    assert list(config.paths) == ["support-email", name]
    assert config.paths[PathName(name)].senders == ("canary",)


def _uncommented(line: str) -> str:
    """The line with its leading comment mark removed where it holds a key."""
    bare = line.lstrip()
    if (
        bare.startswith("# ")
        and ":" in bare
        and not line.startswith(("# intake-prober", "# Every"))
        and not line.startswith("    # proof: reply")
    ):
        return line.replace("# ", "", 1)
    return line


def test_starter__where_a_file_is__overwrites_nothing(tmp_path: Path) -> None:
    file = tmp_path / "intake.yaml"
    file.write_text("mine")

    with pytest.raises(FileExistsError):
        write_starter(file, randomness=lambda count: b"\x01" * count)

    assert file.read_text() == "mine"
    assert not (tmp_path / "intake.key").exists()


def test_starter__where_a_key_is__keeps_it(tmp_path: Path) -> None:
    (tmp_path / "intake.key").write_text("mine")

    written = write_starter(tmp_path / "intake.yaml", randomness=lambda count: b"\x01" * count)

    assert written is None
    assert (tmp_path / "intake.key").read_text() == "mine"


def test_page_of_the_configuration__is_what_the_models_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == configuration_page(), "run python -m runners.config.schema"


def test_schema__tells_the_paths_apart_by_channel() -> None:
    schema = json.loads(json.dumps(configuration_schema()))

    (path,) = schema["properties"]["paths"]["patternProperties"].values()
    assert path["discriminator"]["propertyName"] == "channel"
    assert set(path["discriminator"]["mapping"]) == {"email", "portal", "form"}
    assert [
        schema["$defs"][one["$ref"].rpartition("/")[2]]["properties"]["channel"]["const"]
        for one in path["oneOf"]
    ] == [
        "email",
        "portal",
        "form",
    ]


def test_schema_of_a_step__allows_the_short_ways_of_writing_it() -> None:
    step = configuration_schema()["$defs"]["StepDocument"]["properties"]

    assert step["press"]["anyOf"] == [{"type": "string"}, {"$ref": "#/$defs/PressDocument"}]
    assert step["frame"]["anyOf"] == [
        {"type": "string", "const": "main"},
        {"$ref": "#/$defs/LocatorDocument"},
    ]
    assert "with" in configuration_schema()["$defs"]["FillDocument"]["required"]


def test_schema__names_the_keys_as_they_are_written() -> None:
    schema = json.loads(json.dumps(configuration_schema()))

    assert "from" in schema["$defs"]["EmailPathDocument"]["properties"]
    assert schema["required"] == ["prober", "accounts", "paths"]


def test_schema_of_the_answers__has_every_command() -> None:
    schema = json.loads(json.dumps(answers_schema()))

    assert set(schema["properties"]) >= {
        "run",
        "sweep",
        "status",
        "canaries",
        "trace",
        "incidents",
        "audit",
        "check",
        "errors",
    }
