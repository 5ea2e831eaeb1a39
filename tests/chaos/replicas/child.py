"""`python -m tests.chaos.replicas.child JSON`: one replica, on the shared fast clock, until SIGTERM."""

import asyncio
import json
import random
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import httpx

from canary.canary import Canary
from canary.hop import Channel, Hop, route
from canary.observation import Depth, Evidence, LookFacts, Observation, Outcome
from canary.path import Path, PathName, Slo
from canary.reason import Reason
from canary.slot import Slot, due_slot
from canary.ticket import Ticket, TicketId, TicketRef
from probes.contracts import Check, Clock, RemovalState, Removed, Report
from probes.masking import Masker
from runners.alerts.contracts import AlertSink
from runners.alerts.delivery import Delivery
from runners.alerts.refreshing import refreshing_loops
from runners.clock import ScaledClock
from runners.daemon import Daemon
from runners.notices import Notices
from runners.prober import Place, Prober
from runners.progress import Silent
from runners.situation import AlertRules
from runners.store import open_store
from runners.surroundings import Surroundings
from runners.telemetry.process_figures import ProcessFigures, this_build
from tests.chaos.replicas.alertmanager import NAME, alertmanager_sink
from tests.chaos.replicas.sink import PlainHook
from tests.fakes.timer import ClockTimer

DESKS = ("desk-0", "desk-1", "desk-2", "desk-3")
"""Incidents of one ticketing system are one alert: only several make people hear of several."""
KEY = b"0123456789abcdef0123456789abcdef"


@dataclass(frozen=True)
class Setting:
    """What the test gives a replica."""

    store: str
    intake: str
    alertmanager: str
    origin: datetime
    began: datetime
    speed: float
    paths: int
    interval_seconds: float
    deadline_seconds: float
    holder: str

    @classmethod
    def of(cls, text: str) -> "Setting":
        raw = json.loads(text)
        return cls(
            **{
                **raw,
                "origin": datetime.fromisoformat(raw["origin"]),
                "began": datetime.fromisoformat(raw["began"]),
            }
        )


class Everyone:
    """Routes all to both sinks."""

    def sinks_for(self, *_: object) -> tuple[str, ...]:
        return ("hook", NAME)


class PostProbe:
    """Submits by one POST, once."""

    channel = Channel.EMAIL

    def __init__(self, client: httpx.AsyncClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock

    async def launch(self, canary: Canary, report: Report) -> None:
        for hop in (Hop.DNS, Hop.SMTP_CONNECT, Hop.SMTP_TLS, Hop.SMTP_AUTH):
            await report(self._seen(canary, hop))
        answer = await self._client.post("/submit", json={"id": canary.id, "path": canary.path})
        answer.raise_for_status()
        await report(self._seen(canary, Hop.SMTP_ACCEPT))

    async def check(self) -> Sequence[Check]:
        return ()

    def _seen(self, canary: Canary, hop: Hop) -> Observation:
        now = self._clock.now()
        return Observation(canary.id, hop, Outcome.OK, Evidence.OBSERVED, now, now, seconds=0.0)


class PostWatcher:
    """Asks for all tickets in one request."""

    def __init__(self, place: str, client: httpx.AsyncClient, clock: Clock) -> None:
        self.place = place
        self._client = client
        self._clock = clock

    async def look(self, canaries: Sequence[Canary], depth: Depth, report: Report) -> None:
        began_at = self._clock.now()
        found = await self._find(canaries)
        await report(*(seen for one in canaries for seen in self._seen(one, found, depth, began_at)))

    async def _find(self, canaries: Sequence[Canary]) -> dict[str, str] | None:
        try:
            answer = await self._client.post("/find", json={"ids": [one.id for one in canaries]})
            answer.raise_for_status()
        except httpx.HTTPError:
            return None
        found: dict[str, str] = answer.json()
        return found

    def _seen(
        self, canary: Canary, found: dict[str, str] | None, depth: Depth, began_at: datetime
    ) -> list[Observation]:
        now = self._clock.now()
        facts = LookFacts(depth, is_complete=found is not None, is_blind=found is None)
        seen = Observation(
            canary.id,
            Hop.TICKET_CREATED,
            Outcome.UNKNOWN,
            Evidence.OBSERVED,
            began_at,
            now,
            reason=Reason.TICKET_API_UNREADABLE if found is None else Reason.NOT_SEEN,
            place=self.place,
            look=facts,
        )
        if found is None or canary.id not in found:
            return [seen]
        created_at = datetime.fromisoformat(found[canary.id])
        ticket = Ticket(
            TicketRef(self.place, TicketId(canary.id)), requester=canary.sender, remote_created_at=created_at
        )
        created = replace(
            seen, outcome=Outcome.OK, reason=None, ticket=ticket, remote_at=created_at, skew_seconds=0.0
        )
        return [created, replace(created, hop=Hop.TICKET_CONTENT)]

    async def news(self) -> None:
        await self._clock.sleep(5.0)

    async def remove(self, canaries: Sequence[Canary], *, at_most: int) -> Sequence[Removed]:
        del at_most
        found = await self._find(canaries)
        if found is None:
            return [
                Removed(one, "ticket", self.place, "", RemovalState.FAILED, "no answer") for one in canaries
            ]
        await self._client.post("/remove", json={"ids": list(found)})
        return [
            Removed(one, "ticket", self.place, one.id, RemovalState.DONE)
            for one in canaries
            if one.id in found
        ]


def path_name(number: int) -> PathName:
    """What a path is called."""
    return PathName(f"path-{number:03}")


def desk_of(number: int) -> str:
    """The ticketing system of a path; the broken ones, each tenth, are spread over all of them."""
    return DESKS[number // 10 % len(DESKS)]


def prober_of(setting: Setting, client: httpx.AsyncClient, clock: Clock) -> Prober:
    """The prober of the setting's paths."""
    paths = {
        path_name(number): Path(
            name=path_name(number),
            channel=Channel.EMAIL,
            route=route(Channel.EMAIL, without=(Hop.MAILBOX_ARRIVAL, Hop.REPLY_RECEIVED)),
            slo=Slo(setting.deadline_seconds, 3600.0),
            interval_seconds=setting.interval_seconds,
            ticketing=desk_of(number),
            domain=f"{number % 5}.example",
        )
        for number in range(setting.paths)
    }
    probe = PostProbe(client, clock)
    return Prober(
        name="replicas",
        marker="intakecanary",
        paths=paths,
        probes=dict.fromkeys(paths, probe),
        senders=dict.fromkeys(paths, ("canary@probe.example",)),
        places={one: Place(PostWatcher(one, client, clock), Hop.TICKET_CONTENT) for one in DESKS},
        sender_places={},
        gauges=(),
        keys=(KEY,),
        masker=Masker(),
        schedules={name: _latest(name, setting.interval_seconds) for name in paths},
        timetable={name: _next(name, setting.interval_seconds) for name in paths},
        disposals_per_hour=dict.fromkeys(DESKS, 100_000),
        alerts=AlertRules("replicas", Everyone(), pages_per_hour=1000),
    )


def _latest(name: PathName, seconds: float) -> Callable[[datetime], Slot | None]:
    return lambda now: due_slot(name, timedelta(seconds=seconds), now)


def _next(name: PathName, seconds: float) -> Callable[[datetime], datetime | None]:
    interval = timedelta(seconds=seconds)
    return lambda now: due_slot(name, interval, now).at + interval


async def run(setting: Setting) -> None:
    """Serve until SIGTERM."""
    clock = ScaledClock(setting.speed, origin=setting.origin, began=setting.began)
    async with (
        open_store(setting.store, clock=clock, prober="replicas") as store,
        httpx.AsyncClient(base_url=setting.intake, timeout=5.0) as client,
    ):
        sinks: dict[str, AlertSink] = {
            "hook": PlainHook("hook", client),
            NAME: alertmanager_sink(
                setting.alertmanager,
                clock,
                origin=setting.origin,
                began=setting.began,
                speed=setting.speed,
            ),
        }
        delivery = Delivery(
            store,
            sinks,
            clock,
            setting.holder,
            chance=random.random,
            mask=str,
        )
        daemon = Daemon(
            prober_of(setting, client, clock),
            Surroundings(
                store=store,
                clock=clock,
                progress=Silent(),
                timer=ClockTimer(clock),
                since_boot=clock.monotonic,
                notices=Notices(),
                figures=ProcessFigures("replicas", build=this_build()),
                delivery=delivery,
                beside=refreshing_loops(store, sinks, prober="replicas", clock=clock),
            ),
            holder=setting.holder,
        )
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, daemon.stop)
        sys.stdout.write("up\n")
        sys.stdout.flush()
        await daemon.run()


def main(words: Sequence[str]) -> int:
    asyncio.run(run(Setting.of(words[0])))
    return 0


def as_text(setting: Setting) -> str:
    """The argument that makes a child of it."""
    raw: dict[str, Any] = {name: getattr(setting, name) for name in setting.__dataclass_fields__}
    return json.dumps({**raw, "origin": setting.origin.isoformat(), "began": setting.began.isoformat()})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
