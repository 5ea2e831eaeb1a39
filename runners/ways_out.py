"""The ways out of figures that a configuration names; made when figures are pushed, since each loads libraries."""

import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from probes.contracts import Clock
from runners.config.config import Config
from runners.config.telemetry import MetricsByOtlp, OtlpConfig
from runners.leases import new_holder
from runners.telemetry.routes import Route

if TYPE_CHECKING:
    from runners.contracts import Store
    from runners.prober import Prober
    from runners.telemetry.otlp_metrics import OtlpMetrics
    from runners.telemetry.pushgateway import Pushgateway
    from runners.telemetry.snapshot import Snapshots

INSTANCE: Final = "service.instance.id"


def one_shot_routes(config: Config, *, clock: Clock) -> Callable[[], Sequence[Route]] | None:
    """What makes the ways out of a one-shot run; None where none is configured."""
    telemetry = config.telemetry
    by_otlp = telemetry.by_otlp is not MetricsByOtlp.NEVER
    if not (
        telemetry.textfile or telemetry.pushgateway_url or (by_otlp and telemetry.otlp_metrics is not None)
    ):
        return None

    def made() -> Sequence[Route]:
        routes: list[Route] = []
        if telemetry.textfile is not None:
            from runners.telemetry.textfile import Textfile

            routes.append(Textfile(Path(telemetry.textfile)))
        if (gateway := pushgateway_of(config, clock=clock)) is not None:
            routes.append(gateway)
        if by_otlp and telemetry.otlp_metrics is not None:
            routes.append(otlp_metrics_of(telemetry.otlp_metrics, config))
        return routes

    return made


def serving_routes(config: Config) -> Sequence[Route]:
    """What a daemon pushes by, beside the page that is scraped."""
    telemetry = config.telemetry
    if telemetry.by_otlp is not MetricsByOtlp.ALWAYS or telemetry.otlp_metrics is None:
        return ()
    # Replicas share a name. Under one id a gauge would be that of whoever sent last, and a counter go up and down; so each
    # process is an instance of its own, as it is to whoever scrapes (OpenTelemetry, "Service attributes").
    resource = {**telemetry.otlp_metrics.resource, INSTANCE: instance_of(config.prober.name)}
    return (otlp_metrics_of(replace(telemetry.otlp_metrics, resource=resource), config),)


def instance_of(prober: str) -> str:
    """What tells a lasting process from others of its name at one time; the next in the same pod goes on under it."""
    return f"{prober}/{socket.gethostname()}/{os.getpid()}"


def pushing_loops(
    snapshots: "Snapshots", prober: "Prober", config: Config, store: "Store", *, clock: Clock
) -> Mapping[str, Callable[[], Awaitable[None]]]:
    """A loop of the daemon that pushes the figures, where that is wanted beside the page."""
    routes = serving_routes(config)
    if not routes:
        return {}
    from runners.telemetry.pushing import Pushing

    holder = new_holder(prober.name, secrets.token_bytes)
    pushing = Pushing(
        routes,
        snapshots,
        prober.figures,
        store,
        clock=clock,
        holder=holder,
        mask=prober.masker.mask,
    )
    return {"metrics": pushing.run}


def pushgateway_of(config: Config, *, clock: Clock) -> "Pushgateway | None":
    """The Pushgateway, if one is named."""
    url = config.telemetry.pushgateway_url
    if url is None:
        return None
    from runners.telemetry.pushgateway import Pushgateway

    prober = config.prober
    return Pushgateway(url, prober.name, clock=clock, masker=config.masker, ca_files=prober.ca_files)


def otlp_metrics_of(otlp: OtlpConfig, config: Config) -> "OtlpMetrics":
    """The receiver of metrics."""
    from runners.telemetry.otlp_metrics import OtlpMetrics
    from runners.telemetry.process_figures import this_build

    return OtlpMetrics(otlp, version=this_build().version, mask=config.masker.mask)
