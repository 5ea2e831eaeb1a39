"""Try the ways out of figures: whether each would take a snapshot, without pushing one."""

import asyncio
import os
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from canary.instruments import METRICS
from probes.contracts import Check, CheckState, Clock
from runners.checks import CheckSource
from runners.config.config import Config
from runners.config.telemetry import MetricsByOtlp
from runners.telemetry.routes import NotPushed
from runners.ways_out import otlp_metrics_of, pushgateway_of

PLACE = "telemetry.metrics"
_SUFFIX = ".prom"


def push_sources(config: Config, *, clock: Clock) -> tuple[CheckSource, ...]:
    """A source for each way out that is configured."""
    telemetry = config.telemetry
    sources = []
    if telemetry.textfile is not None:
        sources.append(CheckSource(PLACE, partial(_try_textfile, Path(telemetry.textfile))))
    if telemetry.pushgateway_url is not None:
        sources.append(CheckSource(PLACE, partial(_try_pushgateway, config, clock)))
    if telemetry.by_otlp is not MetricsByOtlp.NEVER and telemetry.otlp_metrics is not None:
        sources.append(CheckSource(PLACE, partial(_try_otlp, config, clock)))
    return tuple(sources)


async def _try_textfile(file: Path) -> Sequence[Check]:
    return [await asyncio.to_thread(_tried_textfile, file)]


def _tried_textfile(file: Path) -> Check:
    from runners.telemetry.textfile import why

    try:
        with tempfile.TemporaryFile(prefix=f"{file.name}.{os.getpid()}.", dir=file.parent):
            pass
        if file.is_dir():
            raise IsADirectoryError(21, os.strerror(21))
    except OSError as error:
        finding, _, remedy = why(error).partition(". ")
        return Check(PLACE, "textfile", CheckState.FAIL, f"{file} can't be written: {finding}", remedy)
    if file.suffix != _SUFFIX:
        remedy = f"Name a file that ends in {_SUFFIX}: the node exporter reads no other."
        return Check(
            PLACE, "textfile", CheckState.WARN, f"{file} can be written, and is read by nobody", remedy
        )
    return Check(PLACE, "textfile", CheckState.OK, f"{file} can be written")


async def _try_pushgateway(config: Config, clock: Clock) -> Sequence[Check]:
    gateway = pushgateway_of(config, clock=clock)
    if gateway is None:
        return []
    began = clock.monotonic()
    try:
        await gateway.read("-/ready")
        held = await gateway.read("metrics")
    except NotPushed as error:
        finding, _, remedy = str(error).partition(". ")
        return [Check(PLACE, "pushgateway", CheckState.FAIL, finding, remedy)]
    seconds = clock.monotonic() - began
    wrong = await asyncio.to_thread(differing_types, held)
    if wrong:
        finding = f"another group has {', '.join(wrong[:3])} with another type: our group would be refused"
        remedy = f"Look at {gateway.url}, and delete that group or rename its metrics."
        return [Check(PLACE, "pushgateway", CheckState.FAIL, finding, remedy)]
    finding = f"{gateway.url} would take our group; nothing was pushed"
    return [Check(PLACE, "pushgateway", CheckState.OK, finding, seconds=seconds)]


def differing_types(text: str) -> list[str]:
    """Our metrics that a page of Prometheus' text format has with another type than ours."""
    ours = {one.prometheus: one.kind.value for one in METRICS}
    told = [line.split() for line in text.splitlines() if line.startswith("# TYPE ")]
    return sorted({name for _, _, name, kind in told if ours.get(name, kind) != kind})


async def _try_otlp(config: Config, clock: Clock) -> Sequence[Check]:
    otlp = config.telemetry.otlp_metrics
    if otlp is None:
        return []
    began = clock.monotonic()
    try:
        await otlp_metrics_of(otlp, config).knock(clock.now())
    except NotPushed as error:
        finding, _, remedy = str(error).partition(". ")
        return [Check(PLACE, "otlp", CheckState.FAIL, finding, remedy)]
    seconds = clock.monotonic() - began
    return [Check(PLACE, "otlp", CheckState.OK, f"{otlp.url} takes metrics", seconds=seconds)]
