"""Where a rendered file goes: to standard output, or into a file that is not there yet."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runners.cli.options import Options

if TYPE_CHECKING:
    from runners.answer_shapes import RenderAnswer

OutputOption = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Where it goes; default standard output."),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Take the place of a file that is there.")]


def emit(options: Options, texts: Mapping[Path | None, str], *, force: bool) -> None:
    """Print the one text that has no file; else write each into its file, whole or not at all.

    Readable for all, since nothing in it is secret.

    Raises:
        typer.Exit: one is there already, and stays as it is; or can't be written.
    """
    files = {file: text for file, text in texts.items() if file is not None}
    if files:
        _write_all(options, files, force=force)
        return
    [text] = texts.values()
    if options.as_json:
        answer: RenderAnswer = {"written": [], "text": text, "exit": 0}
        options.output.answer_json(answer)
    else:
        options.output.answer(text.rstrip("\n"))


def _write_all(options: Options, texts: Mapping[Path, str], *, force: bool) -> None:
    for file in texts:
        if file.exists() and not force:
            raise options.fail(f"{file} exists and is left as it is", "Give --force, or name another file.")
    for file, text in texts.items():
        try:
            _write(file, text)
        except OSError as error:
            raise options.fail(
                f"{file} can't be written: {error.strerror}", "Look at the folder's permissions."
            ) from None
    written = [str(one) for one in texts]
    if options.as_json:
        answer: RenderAnswer = {"written": written, "text": None, "exit": 0}
        options.output.answer_json(answer)
    else:
        for one in written:
            options.output.tell(f"Wrote {one}")


def _write(file: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as new:
            new.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
