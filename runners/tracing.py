"""Whoever sends the traces, composed of the configuration; None where nobody wants them."""

import os
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from probes.contracts import Clock
from runners.config.config import Config
from runners.export_contracts import ExportStore
from runners.telemetry.process_figures import ExportKind, ProcessFigures

if TYPE_CHECKING:
    from runners.telemetry.exporting import Exporter

MOST_SECONDS_AT_THE_END = 8.0
"""A request may take no longer where a one-shot run waits for it: below `DRAIN_SECONDS`, so that its end is told."""


def exporter_of(
    config: Config,
    store: ExportStore,
    *,
    clock: Clock,
    failed: Callable[[], None],
    is_oneshot: bool = False,
) -> "Exporter | None":
    """The exporter of a configuration.

    Args:
        config: where traces go, and what is secret.
        store: the outbox.
        clock: waits and stamps.
        failed: told of each part that was not taken.
        is_oneshot: this process ends soon: its requests are shorter, and its failures are counted in the store.
    """
    otlp = config.telemetry.otlp_traces
    if otlp is None:
        return None
    from runners.telemetry.exporting import Exporter
    from runners.telemetry.logs import Redactor
    from runners.telemetry.process_figures import this_build
    from runners.telemetry.traces import OtlpSender

    if is_oneshot:
        otlp = replace(otlp, timeout_seconds=min(otlp.timeout_seconds, MOST_SECONDS_AT_THE_END))
    version = this_build().version
    return Exporter(
        store=store,
        sender=OtlpSender(otlp, clock=clock),
        clock=clock,
        holder=f"{config.prober.name}/{os.getpid()}/{secrets.token_hex(4)}",
        chance=secrets.SystemRandom().random,
        redact=Redactor(config.masker, config.own_addresses).redact,
        resource={**otlp.resource, "service.version": version},
        version=version,
        failed=failed,
        counted_for=config.prober.name if is_oneshot else None,
    )


def tracing_loops(
    config: Config, store: ExportStore, *, clock: Clock, figures: ProcessFigures
) -> Mapping[str, Callable[[], Awaitable[None]]]:
    """A loop of the daemon that sends traces, where somebody wants them; what is not taken is counted in its figures."""
    exporter = exporter_of(
        config, store, clock=clock, failed=partial(figures.export_error, ExportKind.TRACES)
    )
    return {} if exporter is None else {"traces": exporter.run}
