"""A real Alertmanager beside a fast clock: the sink lives by the fast clock, the wire tells it in the machine's time."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from probes.contracts import Clock
from runners.alerts.alertmanager import Alertmanager
from runners.alerts.posting import JSON, Answer, Poster
from runners.alerts.wording import Known
from runners.clock import SystemClock

NAME = "am"
"""What the sink is called."""


@dataclass(slots=True)
class MachinePoster(Poster):
    """Turns the stamps of what it posts into the machine's time.

    Attributes:
        on_machine: the machine's time of a moment of the fast clock.
    """

    on_machine: Callable[[datetime], datetime] = field(kw_only=True)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str] = JSON) -> Answer:
        entries = json.loads(body)
        for one in entries:
            for stamp in ("startsAt", "endsAt"):
                one[stamp] = self.on_machine(datetime.fromisoformat(one[stamp])).isoformat()
        return await Poster.post(self, url, json.dumps(entries).encode(), headers)


def alertmanager_sink(
    url: str, clock: Clock, *, origin: datetime, began: datetime, speed: float
) -> Alertmanager:
    """The project's own sink, on a clock that showed ``origin`` when the machine's showed ``began``."""

    def on_machine(at: datetime) -> datetime:
        return began + (at - origin) / speed

    return Alertmanager(
        NAME, (url,), MachinePoster(NAME, SystemClock(), str, on_machine=on_machine), clock, Known()
    )
