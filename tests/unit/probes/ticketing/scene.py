"""A watcher of a fake desk, and what it reported."""

from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from canary.canary import Canary
from canary.content import ExpectedContent
from canary.hop import Hop
from canary.observation import Depth, Observation, Outcome
from canary.reason import Reason
from canary.ticket import Attachment
from probes.contracts import Disposal, DisposalAction
from probes.masking import Masker
from probes.ticketing.settings import Expectation, TicketWatcherSettings
from probes.ticketing.watcher import TicketWatcher
from runners.prober import SignedPaths
from tests.contracts.ticketing_contract import BODY, KEY, PATH, SENDER, TAG, new_canary
from tests.fakes.clock import FakeClock, run_jumping
from tests.fakes.desk import FakeDesk

T = TypeVar("T")

FORWARDER = "relay@forwarder.test"


@dataclass(slots=True)
class Scene:
    """A watcher of a fake desk, and what it reported."""

    clock: FakeClock = field(default_factory=FakeClock)
    disposal: Disposal | None = field(default_factory=lambda: Disposal(DisposalAction.CLOSE, TAG))
    seen: list[Observation] = field(default_factory=list)
    desk: FakeDesk = field(init=False)
    watcher: TicketWatcher = field(init=False)

    def __post_init__(self) -> None:
        self.desk = FakeDesk(self.clock)
        settings = TicketWatcherSettings(
            recognise=SignedPaths([KEY], [PATH]).recognise,
            expectation=lambda canary: Expectation(
                ExpectedContent(f"{canary.subject_prefix} hello", BODY),
                forwarders=frozenset({FORWARDER}),
                target="support@acme.test",
            ),
            disposal=self.disposal,
            own_addresses=(SENDER, FORWARDER),
        )
        self.watcher = TicketWatcher(self.desk, settings, clock=self.clock, masker=Masker())

    def canary(self) -> Canary:
        return new_canary(self.clock.now())

    def ticket(
        self,
        canary: Canary,
        *,
        requester: str = SENDER,
        body: str = BODY,
        cause: str | None = None,
        channel: str | None = None,
        attachments: tuple[Attachment, ...] = (),
    ) -> str:
        return self.desk.open_ticket(
            f"{canary.subject_prefix} hello",
            body,
            requester,
            cause=cause,
            channel=channel,
            attachments=attachments,
        )

    async def report(self, *observations: Observation) -> None:
        self.seen.extend(observations)

    def look(self, *canaries: Canary, depth: Depth = Depth.DEADLINE) -> list[Observation]:
        self.seen.clear()
        self.run(self.watcher.look(canaries, depth, self.report))
        return self.seen

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return run_jumping(self.clock, work)


def told(seen: Sequence[Observation]) -> list[tuple[Hop, Outcome, Reason | None]]:
    return [(one.hop, one.outcome, one.reason) for one in seen]
