"""The report of a launch, which ends the launch once another process has taken it over."""

from collections.abc import Sequence

from canary.canary import Canary
from canary.observation import Observation
from probes.contracts import Clock, Report
from runners.contracts import Store, StoreError


class LeasedReport:
    """Satisfies `probes.contracts.Report`.

    A process that was stopped (SIGSTOP, a suspended machine) for longer than its lease may find its launch declared
    stopped, with nothing sent. It must not go on to the next hop then. While it was awake it need not ask: it
    renews its lease three times as often. Both clocks are asked: on Linux the monotonic one stands still while the
    machine is suspended, and one that was set forward costs a question, no more.
    """

    def __init__(
        self, canary: Canary, report: Report, store: Store, *, clock: Clock, lease_seconds: float
    ) -> None:
        self._canary = canary
        self._report = report
        self._store = store
        self._clock = clock
        self._lease_seconds = lease_seconds
        self._awake_at = (clock.monotonic(), clock.now())

    async def __call__(self, *observations: Observation) -> None:
        """Report, unless the launch is another's by now.

        Raises:
            StoreError: it is, or the observations could not be stored: the launch ends here.
        """
        monotonic, now = self._clock.monotonic(), self._clock.now()
        seconds = max(monotonic - self._awake_at[0], (now - self._awake_at[1]).total_seconds())
        if seconds >= self._lease_seconds / 3 and not await self._is_ours(observations):
            raise StoreError(
                f"{self._canary.path}: this process stood still, and another one has taken the launch of canary"
                f" {self._canary.id} over. Nothing more is sent."
            )
        self._awake_at = (monotonic, now)
        await self._report(*observations)

    async def _is_ours(self, observations: Sequence[Observation]) -> bool:
        try:
            found = await self._store.find(self._canary.id)
        except StoreError:
            await self._report(
                *observations
            )  # what was seen was seen: the ledger keeps it until the store is back
            raise
        return any(one.canary.id == self._canary.id and not one.launch_ended for one in found)
