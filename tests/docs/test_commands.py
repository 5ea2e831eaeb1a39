"""Every command that a page shows exists, with every option that it is given."""

from pathlib import Path

import pytest
import typer.main

from runners.cli.app import COMMANDS, build_app
from tests.docs.pages import PROGRAM, Command, commands, pages

SHOWN = sorted({command for page in pages() for command in commands(page)}, key=str)
APP = typer.main.get_command(build_app())


def mistake_in(words: tuple[str, ...]) -> str | None:
    """What the command line would say of these words, without running them."""
    try:
        with APP.make_context(PROGRAM, list(words), resilient_parsing=False) as context:
            name, *rest = context._protected_args + context.args
            command = APP.get_command(context, name)  # type: ignore[attr-defined] # the app is a group
            if command is None:
                return f"there is no command {name}"
            with command.make_context(name, rest, parent=context) as inner:
                if not hasattr(command, "get_command"):
                    return None
                name, *rest = inner._protected_args + inner.args
                within = command.get_command(inner, name)
                if within is None:
                    return f"there is no command {name}"
                within.make_context(name, rest, parent=inner).close()
    except SystemExit as exited:
        return None if exited.code == 0 else f"exit {exited.code}"
    except Exception as error:  # noqa: BLE001 -- whatever the parser raises is what a reader would meet
        return None if type(error).__name__ == "Exit" else f"{type(error).__name__}: {error}"
    return None


@pytest.mark.parametrize("command", SHOWN, ids=str)
def test_command_on_a_page__is_one_that_the_program_takes(command: Command) -> None:
    assert mistake_in(command.words) is None, str(command)


@pytest.mark.parametrize(
    "words",
    [
        ("walk",),
        ("run", "--slowly"),
        ("trace",),
        ("canaries", "--limit", "none"),
        ("schema", "everything"),
        ("portal", "walk"),
        ("portal", "import"),
    ],
)
def test_command_that_is_wrong__would_be_found(words: tuple[str, ...]) -> None:
    assert mistake_in(words) is not None


@pytest.mark.parametrize("name", COMMANDS)
def test_command__is_shown_somewhere(name: str) -> None:
    assert name in {one.words[0] for one in SHOWN if one.words}


def test_first_screen__shows_a_command() -> None:
    assert list(commands(Path("README.md")))
