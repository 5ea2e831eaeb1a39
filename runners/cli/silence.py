"""`silence`: hold alerts about a path or a place back for a while. Canaries go on, and incidents open as ever."""

from typing import TYPE_CHECKING, Annotated

import typer

from runners.cli.options import Options, command

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from canary.silence import Silence
    from runners.config.config import Config
    from runners.contracts import Store


@command
def silence(
    options: Options,
    name: Annotated[
        str | None, typer.Argument(metavar="[PATH]", help="The path, mailbox or ticketing system.")
    ] = None,
    *,
    span: Annotated[
        str | None, typer.Option("--for", metavar="SPAN", help="How long: 45m, 2h, 1d; at most 30d.")
    ] = None,
    why: Annotated[str | None, typer.Option("--why", help="The reason, for whoever wonders.")] = None,
    who: Annotated[str | None, typer.Option("--who", help="Who wants it; default: your login.")] = None,
    begins: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="When it begins; default: now.")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--end", metavar="ID", help="End a silence before its time.")
    ] = None,
) -> None:
    """Hold alerts about a path or place back for a while, or list the silences that there are.

    What opens meanwhile is told when the silence ends, if it still lasts. With a place go all the paths through it; a
    path's silence mutes no gauge.

    Exit: 0, 2 configuration or usage, 3 the store can't be read or written.

    Example: intake-prober silence support-email --for 2h --why "the mailbox is moved"
    """
    from runners.clock import SystemClock

    config = options.load(needs_secrets=False)
    now = SystemClock().now()
    if end is not None:
        _end(options, config, end, now)
        return
    if name is None:
        if span is not None or why is not None:
            raise options.fail("no path is named", "intake-prober silence PATH --for 2h --why …")
        _list(options, config, now)
        return
    _add(options, config, _made(options, config, name, span=span, why=why, who=who, begins=begins, now=now))


def _made(
    options: Options,
    config: "Config",
    name: str,
    *,
    span: str | None,
    why: str | None,
    who: str | None,
    begins: str | None,
    now: "datetime",
) -> "list[Silence]":
    """The silence, and for a place those of the paths through it."""
    from uuid import uuid4

    from canary.silence import Silence, SilenceId
    from runners.config.errors import did_you_mean

    domains = {one.path.domain for one in config.paths.values()} - {""}
    known = [*config.paths, *config.mailboxes, *config.ticketing, *sorted(domains)]
    if name not in known:
        raise options.fail(f"there is no path or place {name}", did_you_mean(name, known))
    if span is None or not (why or "").strip():
        missing = "--for" if span is None else "--why"
        raise options.fail(f"{missing} is missing", f"intake-prober silence {name} --for 2h --why …")
    begins_at = _begin(options, begins, now)
    through = [
        path_name
        for path_name, one in config.paths.items()
        if name in {one.path.mailbox, one.path.ticketing, one.path.domain}
    ]
    return [
        Silence(
            id=SilenceId(str(uuid4())),
            about=about,
            begins_at=begins_at,
            ends_at=begins_at + _span(options, span),
            why=(why or "").strip(),
            who=who or _login(),
            created_at=now,
        )
        for about in dict.fromkeys((name, *through))
    ]


def _begin(options: Options, text: str | None, now: "datetime") -> "datetime":
    from datetime import datetime

    if text is None:
        return now
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise options.fail(f"--from {text} is not a time", "Write a time with its zone: 2026-03-01T08:00Z.")
    return at


def _span(options: Options, text: str) -> "timedelta":
    import re
    from datetime import timedelta

    seconds = {"m": 60, "h": 3600, "d": 86400}
    match = re.fullmatch(r"([0-9]{1,5})([mhd])", text)
    span = timedelta(seconds=int(match[1]) * seconds[match[2]]) if match is not None else timedelta(0)
    if not timedelta(0) < span <= timedelta(days=30):
        raise options.fail(f"--for {text} is not a span", "Write 45m, 2h or 1d; at most 30d.")
    return span


def _login() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user has no name
        return "unknown"


def _add(options: Options, config: "Config", made: "list[Silence]") -> None:
    from runners.cli.storing import ask_store
    from runners.cli.words import clock

    async def write(store: "Store") -> None:
        for one in made:
            await store.add_silence(one)

    ask_store(options, config, write, writes=True)
    if options.as_json:
        _answer(options, made)
        return
    for one in made:
        options.output.answer(f"{one.id}  {one.about} is silenced until {clock(one.ends_at)}")


def _end(options: Options, config: "Config", wanted: str, now: "datetime") -> None:
    from runners.cli.storing import ask_store

    async def write(store: "Store") -> "list[Silence]":
        found = [one for one in await store.silences(now) if one.id.startswith(wanted)]
        if len(found) == 1:
            await store.end_silence(found[0].id, at=now)
        return found

    found = ask_store(options, config, write, writes=True)
    if len(found) != 1:
        finding = "there is no silence" if not found else "there is more than one silence"
        raise options.fail(f"{finding} whose id begins with {wanted}", "`intake-prober silence` lists them.")
    if options.as_json:
        _answer(options, [])
        return
    options.output.answer(f"{found[0].id}  {found[0].about} is silenced no more")


def _list(options: Options, config: "Config", now: "datetime") -> None:
    from canary.silence import with_windows
    from runners.asking import AHEAD
    from runners.cli.output import plain
    from runners.cli.storing import ask_store
    from runners.cli.words import clock

    async def ask(store: "Store") -> "list[Silence]":
        return list(await store.silences(now))

    found = with_windows(ask_store(options, config, ask), config.maintenance, now, ahead=AHEAD)
    if options.as_json:
        _answer(options, found)
        return
    for one in found:
        state = "" if one.is_in_force(now) else "to come: "
        line = f"{one.id}  {state}{one.about}  {clock(one.begins_at)} to {clock(one.ends_at)}  {one.who}: {one.why}"
        options.output.answer(plain(line))
    if not found:
        options.output.tell("Nothing is silenced.")


def _answer(options: Options, silences: "list[Silence]") -> None:
    from runners.answer_shapes import SilencesAnswer
    from runners.answers import silence_answer

    answer: SilencesAnswer = {"silences": [silence_answer(one) for one in silences], "exit": 0}
    options.output.answer_json(answer)
