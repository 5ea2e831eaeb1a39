"""`init`: write a commented starter configuration."""

import secrets
from pathlib import Path
from typing import Annotated

import typer

from runners.cli.options import Options, command


@command
def init(
    options: Options,
    file: Annotated[
        Path | None, typer.Argument(help="Where to write it; default --config.", show_default=False)
    ] = None,
) -> None:
    """Write a commented starter configuration, and beside it a signing key.

    Example: intake-prober init intake.yaml
    """
    from runners.config.starter import write_starter

    target = file if file is not None else options.config
    try:
        key = write_starter(target, randomness=secrets.token_bytes)
    except FileExistsError:
        raise options.fail(
            f"{target} exists and is left as it is", "Name another file, or remove it."
        ) from None
    except OSError as error:
        raise options.fail(
            f"{target} can't be written: {error.strerror}", "Look at the folder's permissions."
        ) from None
    output = options.output
    written = [str(target)] if key is None else [str(target), str(key)]
    if options.as_json:
        output.answer_json({"written": written, "exit": 0})
        return
    output.answer(f"Wrote {target}: put your own addresses and servers in.")
    if key is not None:
        output.answer(f"Wrote {key}: the key that signs canaries. Keep it secret; replicas share it.")
    output.answer("Then: export CANARY_PASSWORD=…; intake-prober check; intake-prober run")
