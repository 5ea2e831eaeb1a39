"""`portal`: what helps to write the steps of a portal path."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runners.cli.exits import Exit
from runners.cli.interrupt import run_loop
from runners.cli.options import Options, command
from runners.cli.output import Style, plain

if TYPE_CHECKING:
    from canary.hop import Hop
    from runners.config.config import Config, PathConfig
    from runners.portal_import.imported import Imported
    from runners.portal_shapes import StepAnswer
    from runners.rehearsal import Tried

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
    slow: Annotated[bool, typer.Option("--slow", help="Wait a second before each action.")] = False,
    screenshot: Annotated[
        Path | None,
        typer.Option("--screenshot", metavar="FILE", help="Where the picture goes; default PATH.png here."),
    ] = None,
) -> None:
    """Run the steps of a path up to its submit, which is left out: each step's time, and a screenshot of the end.

    Nothing is sent, and the store is told nothing, so it may be repeated while a configuration is written. A step that
    fails leaves its evidence in the folder of artifacts, as a canary's does.

    Exit: 0 all steps can be done; 2 one can't, or the configuration is wrong; 3 the prober can't try them: no browser,
    a credential that can't be had or is refused, a bot defence.

    Example: intake-prober portal try support-portal --headed --slow
    """
    from probes.servers import SecretUnavailable
    from runners.portal_shapes import TryAnswer
    from runners.rehearsal import NoPortal, ScreenshotUnwritable, Tried, portal_path

    config = options.load()
    try:
        chosen = portal_path(config, path)
    except NoPortal as error:
        raise options.fail(str(error)) from None
    if headed and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise options.fail("--headed needs a display, and there is none", "Leave it out, or set DISPLAY.")
    picture = screenshot if screenshot is not None else Path(f"{chosen.path.name}.png")
    steps: list[StepAnswer] = []
    try:
        tried: Tried = run_loop(
            _rehearsed(options, config, chosen, steps, picture, is_headed=headed, is_slow=slow)
        )
    except ScreenshotUnwritable as error:
        raise options.fail(
            f"{picture} can't be written: {error}", "Name another file with --screenshot."
        ) from None
    except SecretUnavailable as error:
        raise options.fail(config.masker.mask(str(error)).rstrip("."), status=Exit.BLIND) from None
    code = Exit.OK if not tried.reason else Exit.BLIND if tried.is_ours else Exit.USAGE
    if options.as_json:
        answer: TryAnswer = {
            "path": chosen.path.name,
            "steps": steps,
            "reason": tried.reason or None,
            "detail": tried.detail or None,
            "screenshot": str(tried.screenshot) if tried.screenshot is not None else None,
            "facts": tried.facts,
            "exit": code,
        }
        options.output.answer_json(answer)
        raise typer.Exit(code)
    output = options.output
    if tried.reason:
        output.answer(f"{output.paint('fail', Style.BAD)}  {tried.reason}: {plain(tried.detail)}")
        output.tell(tried.remedy)
    if tried.screenshot is not None:
        output.answer(f"screenshot: {plain(str(tried.screenshot))}")
    raise typer.Exit(code)


async def _rehearsed(
    options: Options,
    config: "Config",
    path: "PathConfig",
    steps: "list[StepAnswer]",
    screenshot: Path,
    *,
    is_headed: bool,
    is_slow: bool,
) -> "Tried":
    import secrets

    from runners.clock import SystemClock
    from runners.rehearsal import rehearse

    output = options.output
    output.tell("starting the browser")

    def show(hop: "Hop", doing: str, seconds: float) -> None:
        steps.append({"hop": hop, "step": doing, "seconds": seconds})
        if not options.as_json:
            output.answer(f"{output.paint('ok', Style.GOOD)}    {seconds:6.2f} s  {hop:<13} {plain(doing)}")

    return await rehearse(
        config,
        path,
        clock=SystemClock(),
        randomness=secrets.token_bytes,
        show=show,
        screenshot=screenshot,
        is_headed=is_headed,
        slow_seconds=1.0 if is_slow else 0.0,
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
    from runners.portal_import.writing import path_data
    from runners.portal_shapes import ImportAnswer

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
