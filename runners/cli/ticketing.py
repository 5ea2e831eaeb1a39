"""`ticketing`: what helps to connect a ticketing system."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runners.cli.exits import Exit
from runners.cli.interrupt import run_loop
from runners.cli.options import Options, command
from runners.cli.output import plain
from runners.cli.selecting import SinceOption, since_when

if TYPE_CHECKING:
    from datetime import datetime

    from runners.config.config import Config, TicketingConfig
    from runners.ticketing_rights import Step
    from runners.ticketing_trial import Understood
    from runners.transcript import Transcript
    from runners.trying import Tried

ticketing = typer.Typer(
    help=(
        "Connect a ticketing system: see what of its tickets is understood, and whether our rights do.\n\n"
        "Example: intake-prober ticketing try desk"
    ),
    no_args_is_help=True,
    rich_markup_mode=None,
)


@ticketing.callback()
def _group() -> None:
    """Keep `try` a command of its own, also while it is the only one."""


@ticketing.command("try")
@command
def try_system(
    options: Options,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The system's name below `ticketing:`.")],
    *,
    since: SinceOption = None,
    create: Annotated[
        bool, typer.Option("--create", help="Open one ticket by the API, find it, tag and close it.")
    ] = False,
    transcript: Annotated[
        Path | None,
        typer.Option("--transcript", metavar="FILE", help="Write what was asked and answered, redacted."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="With --transcript: write over FILE.")] = False,
) -> None:
    """Read recent tickets of a ticketing system, a day's if --since says nothing, and show what was understood.

    Changes nothing. Of strangers' tickets only counts are shown: in how many of them each field could be read. With
    --create one ticket is opened, found, tagged and closed; it is closed also when interrupted.

    The transcript holds every request and answer with other values of the same shape: no secret, nobody's words, names
    or addresses. Read it before you give it away.

    Exit: 0 understood; 2 a pick, a right or the configuration is wrong; 3 the system can't be read.

    Example: intake-prober ticketing try desk --since 2h --transcript desk.json
    """
    from runners.clock import SystemClock

    config = options.load()
    system = _system(options, config, name)
    now = SystemClock().now()
    begin = since_when(options, since, now)
    if begin is not None and begin >= now:
        raise options.fail(f"--since {since} is not in the past", "Write how far back to look: 24h.")
    if transcript is not None:
        _check_file(options, transcript, force=force)
    tried = run_loop(_tried(options, config, system, begin, creates=create))
    if transcript is not None:
        _write(options, transcript, tried, force=force)
    if tried.error:
        status = Exit.USAGE if tried.is_ours else Exit.BLIND
        raise options.fail(tried.error.rstrip("."), status=status)
    raise typer.Exit(_answer(options, system, tried, transcript))


def _system(options: Options, config: "Config", name: str) -> "TicketingConfig":
    if name in config.ticketing:
        return config.ticketing[name]
    from runners.config.errors import did_you_mean

    if not config.ticketing:
        raise options.fail(f"there is no ticketing system {plain(name)}", "None is configured.")
    known = f"There are: {', '.join(config.ticketing)}."
    raise options.fail(
        f"there is no ticketing system {plain(name)}", f"{did_you_mean(name, list(config.ticketing))} {known}"
    )


def _check_file(options: Options, file: Path, *, force: bool) -> None:
    """Find out before anything is asked whether the file can be written."""
    from runners.own_files import why_not_writable

    if file.exists() and not force:
        raise options.fail(f"{file} exists and is left as it is", "Give --force, or name another file.")
    why = "it is a folder" if file.is_dir() else why_not_writable(file.parent)
    if why is not None:
        raise options.fail(f"{file} can't be written: {why}", "Name another file with --transcript.")


async def _tried(
    options: Options, config: "Config", system: "TicketingConfig", since: "datetime | None", *, creates: bool
) -> "Tried":
    import secrets

    from runners.cli.ticketing_words import read_lines, step_lines
    from runners.clock import SystemClock
    from runners.trying import try_ticketing

    output = options.output

    def read(understood: "Understood") -> None:
        if not options.as_json:
            for line in read_lines(understood, output):
                output.answer(line)

    def step(one: "Step") -> None:
        for line in step_lines(one, output):
            (output.tell if options.as_json else output.answer)(line)

    return await try_ticketing(
        config,
        system,
        since,
        creates=creates,
        clock=SystemClock(),
        randomness=secrets.token_bytes,
        progress=output.tell,
        read=read,
        step=step,
    )


def _write(options: Options, file: Path, tried: "Tried", *, force: bool) -> None:
    from runners.transcript import FileExists, write_whole

    transcript: Transcript = tried.transcript
    if tried.shapes is None or not len(transcript):
        options.output.tell(f"intake-prober: nothing was asked: {file} was not written")
        return
    try:
        write_whole(file, transcript.text(tried.shapes, kind=tried.kind), force=force)
    except FileExists:
        raise options.fail(
            f"{file} exists and is left as it is", "Give --force, or name another file."
        ) from None
    except OSError as error:
        raise options.fail(
            f"{file} can't be written: {error.strerror}", "Name another file with --transcript."
        ) from None
    options.output.tell(
        f"Wrote {file}: {len(transcript)} exchanges, redacted. Read it before you give it away."
    )


def _answer(options: Options, system: "TicketingConfig", tried: "Tried", transcript: Path | None) -> int:
    from runners.cli.ticketing_words import result_lines
    from runners.trial_answers import trial_answer, trial_exit

    if tried.understood is None:  # interrupted before anything was read
        return tried.interrupted_by
    status = tried.interrupted_by or trial_exit(tried.understood, tried.steps)
    if options.as_json:
        file = str(transcript) if transcript is not None and len(tried.transcript) else None
        options.output.answer_json(
            trial_answer(system, tried.understood, tried.steps, transcript=file, status=status)
        )
        return status
    if tried.interrupted_by:
        options.output.tell("interrupted")
        return status
    for line in result_lines(tried.understood, system.name, tried.steps, options.output):
        options.output.answer(line)
    return status
