"""What commands that show history are asked for: a path, a verdict, a time, a number."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from runners.cli.options import Options

if TYPE_CHECKING:
    from canary.path import Path
    from canary.signature import CanaryId
    from canary.verdict import Verdict
    from runners.config.config import Config

PathOption = Annotated[str | None, typer.Option("--path", "-p", metavar="PATH", help="Only of this path.")]
SinceOption = Annotated[
    str | None,
    typer.Option("--since", metavar="WHEN", help="Not older than this: 24h, 7d, or 2026-03-01T08:00Z."),
]
LimitOption = Annotated[int, typer.Option("--limit", "-n", min=1, max=10000, help="At most so many.")]


def since_when(options: Options, text: str | None, now: datetime) -> datetime | None:
    """The moment that ``--since`` names.

    Raises:
        typer.Exit: it names none; that was said.
    """
    if text is None:
        return None
    from runners.asking import SINCE_REMEDY, parse_since

    try:
        return parse_since(text, now)
    except ValueError as error:
        raise options.fail(f"--since {error}", SINCE_REMEDY) from None


def paths_of(options: Options, config: "Config", name: str | None) -> "list[Path]":
    """The path that ``--path`` names, or all of them.

    Raises:
        typer.Exit: there is none of that name; that was said.
    """
    known = {str(key): one.path for key, one in config.paths.items()}
    if name is None:
        return list(known.values())
    if name not in known:
        from runners.config.errors import did_you_mean

        raise options.fail(f"there is no path {name}", did_you_mean(name, known))
    return [known[name]]


def verdict_of(options: Options, text: str | None) -> "Verdict | None":
    """The verdict that ``--verdict`` names.

    Raises:
        typer.Exit: there is none of that name; that was said.
    """
    if text is None:
        return None
    from canary.verdict import Verdict
    from runners.config.errors import did_you_mean

    if text not in set(Verdict):
        raise options.fail(f"{text} is not a verdict", did_you_mean(text, list(Verdict)))
    return Verdict(text)


def before_of(options: Options, word: str | None) -> "tuple[datetime, CanaryId] | None":
    """After which canary a list goes on: its launch is in its id.

    Raises:
        typer.Exit: the word is no canary's id; that was said.
    """
    if word is None:
        return None
    from canary.signature import CanaryId, launched_at_of

    try:
        return launched_at_of(CanaryId(word)), CanaryId(word)
    except ValueError:
        raise options.fail(f"--before {word} is no canary's id", "Write the last one's, in full.") from None
