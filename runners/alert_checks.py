"""Try the sinks: a test message to each, where `check --send` asks for it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from canary.alert import Alert, AlertKind, AlertTransition, Concern, Severity
from probes.contracts import Check, CheckState, Clock
from runners.alerts.building import Tokens, build_heartbeats, build_sinks
from runners.alerts.contracts import AlertSink, Undelivered
from runners.alerts.heartbeat import Heartbeat
from runners.alerts.wording import TEST
from runners.checks import CheckSource
from runners.config.config import Config

_REMEDY = "Look at its settings under alerts.sinks, and at the way out from here."


def sink_sources(
    config: Config, *, clock: Clock, tokens: Tokens, new_id: Callable[[], str]
) -> tuple[CheckSource, ...]:
    """A source a sink and heartbeat; each sends a test message, and its end, when it is asked.

    Args:
        config: the whole configuration.
        clock: limits and stamps.
        tokens: where an account's access tokens come from.
        new_id: a new UUID.
    """
    sinks = build_sinks(config, clock=clock, tokens=tokens)
    return (
        *(
            CheckSource(
                name, partial(_try_sink, one, trial_alert(config, name, new_id(), clock.now()), clock)
            )
            for name, one in sinks.items()
        ),
        *(
            CheckSource(one.name, partial(_try_heartbeat, one, new_id(), clock))
            for one in build_heartbeats(config, clock=clock)
        ),
    )


def trial_alert(config: Config, sink: str, new_id: str, now: datetime) -> Alert:
    """The message by which a sink is tried."""
    return Alert(
        id=new_id,
        key=f"intake/{config.alerts.namespace}/test/{new_id}",
        seq=1,
        sink=sink,
        transition=AlertTransition.OPENED,
        severity=Severity.TICKET,
        at=now,
        concern=Concern(TEST, AlertKind.DELIVERY, Severity.TICKET, now, place=sink),
        prober=config.prober.name,
        opened_at=now,
    )


async def _try_sink(sink: AlertSink, alert: Alert, clock: Clock) -> Sequence[Check]:
    began = clock.monotonic()
    ended = replace(alert, id=f"{alert.id}/end", seq=2, transition=AlertTransition.RESOLVED, at=clock.now())
    try:
        await sink.deliver(alert)
        await sink.deliver(ended)
    except Undelivered as error:
        return [Check(sink.name, "send", CheckState.FAIL, str(error), _REMEDY)]
    seconds = clock.monotonic() - began
    return [Check(sink.name, "send", CheckState.OK, "took a test message and its end", seconds=seconds)]


async def _try_heartbeat(heartbeat: Heartbeat, run_id: str, clock: Clock) -> Sequence[Check]:
    began = clock.monotonic()
    try:
        await heartbeat.test(run_id)
    except Undelivered as error:
        remedy = (
            f"{_REMEDY} A service without `/log` can't be tried without a sign of life: `serve` will tell."
        )
        return [Check(heartbeat.name, "send", CheckState.FAIL, str(error), remedy)]
    seconds = clock.monotonic() - began
    finding = "took a line for its log; that is no sign of life"
    return [Check(heartbeat.name, "send", CheckState.OK, finding, seconds=seconds)]
