"""What all of `render` does with the texts that it made: no secret leaves, nothing that is there is overwritten."""

import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runners.cli.options import Options

if TYPE_CHECKING:
    from runners.answer_shapes import RenderAnswer
    from runners.config.config import Config

OutputOption = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE|DIR", help="Where it goes; default standard output."),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Take the place of a file that is there.")]
PrefixOption = Annotated[
    str,
    typer.Option(
        "--uid-prefix",
        metavar="P",
        help="Before each dashboard's uid, where several probers share one Grafana; the same for rules and dashboards.",
    ),
]

_SHORTEST_SECRET = 8


def target_of(output: Path, name: str) -> Path:
    """The file that is meant: in a folder, the one of this name."""
    return output / name if output.is_dir() else output


def make_folders(options: Options, folders: Iterable[Path]) -> None:
    """Make folders that are not there yet.

    Raises:
        typer.Exit: one can't be made.
    """
    for folder in dict.fromkeys(folders):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise options.fail(f"{folder} can't be made: {error.strerror}", "Name another folder.") from None


def deliver(
    options: Options, config: "Config | None", texts: Mapping[Path | None, str], *, force: bool
) -> None:
    """Write each text into its file, whole or not at all, and print the one that has none.

    The files are readable for all, since nothing in them is secret; without a configuration nothing can be.

    Raises:
        typer.Exit: a file is there already, and stays as it is; or can't be written; or a secret stands in a text.
    """
    files = {file: text for file, text in texts.items() if file is not None}
    if config is not None:
        for text in texts.values():
            _refuse_secrets(options, config, text)
    for file in files:
        if file.exists() and not force:
            raise options.fail(f"{file} exists and is left as it is", "Give --force, or name another file.")
    for file, text in files.items():
        try:
            _write(file, text)
        except OSError as error:
            raise options.fail(
                f"{file} can't be written: {error.strerror}", "Look at the folder and its permissions."
            ) from None
    if options.as_json:
        answer: RenderAnswer = {"written": [str(one) for one in files], "text": texts.get(None), "exit": 0}
        options.output.answer_json(answer)
        return
    for file in files:
        options.output.tell(f"Wrote {file}")
    if None in texts:
        options.output.answer(texts[None].rstrip("\n"))


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


def _refuse_secrets(options: Options, config: "Config", text: str) -> None:
    """Refuse a text with a secret's value in it, as far as the secrets can be had here: in a comment, say."""
    from probes.servers import SecretUnavailable
    from runners.config.secrets import EnvSecret, FileSecret

    sources: list[EnvSecret | FileSecret] = [
        *(EnvSecret(one, environ=os.environ, masker=config.masker) for one in sorted(config.needs.variables)),
        *(FileSecret(one.path, masker=config.masker) for one in sorted(config.needs.secret_files)),
    ]
    for source in sources:
        try:
            value = source.now().reveal()
        except SecretUnavailable:
            continue
        if len(value) >= _SHORTEST_SECRET and value in text:
            where = source.name if isinstance(source, EnvSecret) else str(source.path)
            raise options.fail(
                f"the value of the secret {where} stands in the configuration",
                "Take it out, also of comments; nothing was written.",
            )
