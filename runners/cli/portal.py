"""`portal`: what helps to write the steps of a portal path."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runners.cli.options import Options, command
from runners.cli.output import plain

if TYPE_CHECKING:
    from runners.portal_import.imported import Imported

portal = typer.Typer(
    help=(
        "Write the steps of a portal path: from a recording, and tried without a submit.\n\n"
        "Example: intake-prober portal import recorded.py"
    ),
    no_args_is_help=True,
    rich_markup_mode=None,
)


@portal.command("import")
@command
def import_steps(
    options: Options,
    file: Annotated[Path, typer.Argument(help="What `playwright codegen --target python` wrote.")],
    path: Annotated[str, typer.Option("--path", metavar="NAME", help="What the path is called.")] = "portal",
) -> None:
    """Turn what Playwright's recorder wrote (Python: sync, async or pytest) into a path of the configuration.

    The path goes to standard output; what steps can't say, and what must be completed, to standard error, with its
    line. The file is read, never run. What was typed into a field for passwords is shown nowhere.

    Exit: 0, also where something is left to a person; 2 the file can't be read.

    Example: intake-prober portal import recorded.py --path support-portal
    """
    from runners.portal_import.recording import import_recording
    from runners.portal_import.source import NoRecording
    from runners.portal_import.writing import path_text

    _check_name(options, path)
    try:
        imported = import_recording(file.read_bytes())
    except (OSError, ValueError) as error:
        cause = error.strerror if isinstance(error, OSError) and error.strerror else "it has no such name"
        raise options.fail(
            f"{file} can't be read: {cause}", "Name the file that the recorder wrote."
        ) from None
    except NoRecording as error:
        raise options.fail(
            f"{file}: {error}", "Record with `playwright codegen --target python -o FILE URL`."
        ) from None
    if options.as_json:
        _answer_json(options, imported, path)
        return
    options.output.answer(path_text(imported, name=path, source=plain(file.name)).rstrip("\n"))
    for note in imported.notes:
        options.output.tell(plain(f"{file}:{note}"))


@portal.command("try")
@command
def try_steps(
    options: Options,
    path: Annotated[
        str | None,
        typer.Argument(metavar="[PATH]", help="Which path; default the only portal path there is."),
    ] = None,
    headed: Annotated[bool, typer.Option("--headed", help="Show the browser (needs a display).")] = False,
    slow: Annotated[bool, typer.Option("--slow", help="Wait a second after each step.")] = False,
) -> None:
    """Run the steps of a path up to its submit, which is left out: each step's time, and a screenshot of the end.

    Example: intake-prober portal try support-portal --headed --slow
    """
    del path, headed, slow
    raise options.fail(
        "portal try is not in this version", "Launch the path by hand: intake-prober run PATH."
    )


def _check_name(options: Options, name: str) -> None:
    from pydantic import TypeAdapter, ValidationError

    from runners.config.fields import Name

    try:
        TypeAdapter(Name).validate_python(name)
    except ValidationError:
        raise options.fail(
            f"{name!r} is no name for a path",
            "Write letters, digits, dots, hyphens and underscores, at most 63.",
        ) from None


def _answer_json(options: Options, imported: "Imported", name: str) -> None:
    from runners.answer_shapes import ImportAnswer
    from runners.portal_import.writing import path_data

    answer: ImportAnswer = {
        "name": name,
        "path": dict(path_data(imported)),
        "guesses": [str(one) for one in imported.guesses],
        "notes": [
            {
                "line": one.line,
                "code": one.code,
                "why": one.why,
                "remedy": one.remedy,
            }
            for one in imported.notes
        ],
        "exit": 0,
    }
    options.output.answer_json(answer)
