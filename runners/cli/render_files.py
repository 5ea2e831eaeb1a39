"""Where rendered files go: to standard output, a file or a folder, and over nothing that is there already."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from runners.cli.options import Options

OutputOption = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE|DIR", help="Where it goes; default standard output."),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Overwrite what is there.")]


def target_of(output: Path, name: str) -> Path:
    """The file that is meant: in a folder, the one of this name."""
    return output / name if output.is_dir() else output


def put(options: Options, files: Mapping[Path, str], *, force: bool) -> None:
    """Write all files, or none of them; each appears whole or not at all.

    Raises:
        typer.Exit: one is there already, or can't be written; it was said which.
    """
    if not force and (there := [path for path in files if path.exists()]):
        raise options.fail(
            f"{there[0]} exists and is left as it is", "Overwrite it with --force, or name another one."
        )
    for path, text in files.items():
        beside = path.with_name(f".{path.name}.new")
        try:
            beside.write_text(text, encoding="utf-8")
            beside.replace(path)
        except OSError as error:
            beside.unlink(missing_ok=True)
            raise options.fail(
                f"{path} can't be written: {error.strerror}", "Look at the folder and its permissions."
            ) from None
    for path in files:
        options.output.tell(f"Wrote {path}.")


def answer(options: Options, texts: Mapping[str, str], written: Mapping[Path, str]) -> None:
    """Print what was not written to a file: as it is, or with ``--json`` as one object."""
    if options.as_json:
        options.output.answer_json(
            {"files": dict(texts), "written": [str(path) for path in written], "exit": 0}
        )
        return
    for text in texts.values():
        options.output.answer(text.rstrip("\n"))
