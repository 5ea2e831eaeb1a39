"""`serve`: the daemon."""

import logging
import signal
from typing import TYPE_CHECKING

import typer

from probes.program import program_version
from runners.cli.exits import Exit
from runners.cli.options import Options, command

if TYPE_CHECKING:
    from runners.config.config import Config


@command
def serve(options: Options) -> None:
    """Launch by schedule, watch, alert and show it on a page, until SIGTERM or Ctrl-C; SIGHUP reads the file anew.

    A first signal lets launches that are under way end (30 s at most), a second one ends at once. Nothing is lost by
    either: whoever comes next goes on from the store.

    Exit: 0 after an orderly end, 2 configuration or usage, 3 the store can't be opened, 130 or 143 forced to end.

    Example: intake-prober serve --config /etc/intake.yaml
    """
    import asyncio

    from runners.cli.interrupt import run_loop
    from runners.cli.live import progress_for
    from runners.clock import SystemClock
    from runners.config.errors import ConfigErrors
    from runners.config.load import load
    from runners.contracts import StoreError
    from runners.service import Refused
    from runners.serving import Server
    from runners.web.serving import CannotListen

    config = options.load()

    def read() -> "Config":
        try:
            return load(options.config, allow_literal_secrets=options.allow_literal_secrets)
        except ConfigErrors as errors:
            said = [str(one) for one in errors.errors]
            raise Refused("; ".join(said), said) from None

    def opened(url: str) -> None:
        happened("page_opened", f"The page is at {url}; Ctrl-C ends it.", url)

    def happened(event: str, text: str, detail: str | None = None) -> None:
        if options.output.remarks.isatty():
            options.output.tell(text)
        logging.getLogger(__name__).info(event, extra={"detail": detail})

    begins = _begins(config)
    happened("daemon_starting", f"{begins}.", begins)
    server = Server(
        config,
        read=read,
        clock=SystemClock(),
        progress=progress_for(options.output),
        opened=opened,
        happened=happened,
    )
    try:
        run_loop(server.run())
    except asyncio.CancelledError:
        raise typer.Exit(128 + (server.wishes.signal or signal.SIGTERM)) from None
    except StoreError as error:
        raise options.fail(config.masker.mask(str(error)).rstrip("."), status=Exit.BLIND) from None
    except (CannotListen, Refused) as error:
        raise options.fail(config.masker.mask(str(error)).rstrip(".")) from None


def _begins(config: "Config") -> str:
    """What begins, before the store is opened: that may take its time, and a silent start looks like one that hangs."""
    from sqlalchemy.engine import make_url

    enabled = [one for one in config.paths.values() if one.path.is_enabled]
    scheduled = sum(one.schedule is not None for one in enabled)
    store = make_url(config.prober.store_url).render_as_string(hide_password=True)
    return (
        f"intake-prober {program_version()} begins as {config.prober.name}: {len(enabled)} paths, {scheduled} by schedule;"
        f" {len(config.alerts.sinks)} sinks; store {store}"
    )
