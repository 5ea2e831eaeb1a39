"""What a run does beside its canaries: series begun at 0, paths retired, controls rehearsed, old history dropped."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from canary.hop import LAUNCH_HOPS
from canary.incident import retire
from canary.instruments import metrics
from canary.observation import Evidence, Outcome
from canary.path import Path, PathName, is_bisect
from canary.slot import slots_took
from canary.verdict import Verdict
from probes.contracts import CheckState, Clock, RemovalState
from runners.alerting import Alerting
from runners.contracts import RemovalKind, SettlementConflict, Store
from runners.prober import Prober
from runners.progress import Progress

REHEARSAL_SECONDS = 3600.0
"""A control that worked within this time is not tried again: it excuses us for a day."""
_TRIES = 8
_PAUSES = 3
_LEAST_PATIENCE = timedelta(minutes=10)
_MOST_PATIENCE = timedelta(days=7)
_LAUNCHES = 200
"""So many launches show a path's pace: at one each ten minutes, more than a day."""
_LOOK_BACK = timedelta(days=30)
_ROLLED_OUT = timedelta(days=1)
"""By then every replica has the same configuration, and whoever was down is up again."""
_OUTCOMES = ("delivered", "dead")
"""What becomes of an alert in the end, by the store's words."""


class Housekeeping:
    """Everything here is repeatable, and safe to cancel.

    Args:
        holder: of the slots that this process claims; whoever claims under another name is another replica.
    """

    def __init__(
        self,
        prober: Prober,
        store: Store,
        *,
        clock: Clock,
        progress: Progress,
        alerting: Alerting,
        holder: str,
    ) -> None:
        self._prober = prober
        self._store = store
        self._clock = clock
        self._progress = progress
        self._alerting = alerting
        self._holder = holder

    async def begin(self) -> None:
        """Begin every series of the configured paths at 0.

        Raises:
            StoreError: it could not be stored.
        """
        now = self._clock.now()
        paths = [one for name, one in self._prober.paths.items() if not is_bisect(name)]
        await self._store.seed(_series(paths, self._prober.name, tuple(self._prober.sinks)), at=now)

    async def retire(self) -> None:
        """End the incidents of paths that are not configured here, or disabled, once nobody else probes them.

        Of several replicas, one may have read the new configuration while another still goes by the old one: an
        incident that it ended would open again, and be told as two.

        Raises:
            StoreError: it could not be stored.
        """
        for name in dict.fromkeys(one.path for one in await self._store.open_incidents()):
            path = self._prober.paths.get(name)
            if (path is None or not path.is_enabled) and not await self._is_probed(name):
                await self._retire(name)

    async def others_run(self) -> bool:
        """Whether another replica claimed a slot of any path of late.

        Raises:
            StoreError: the store can't be read.
        """
        return await self._store.others_claimed(self._holder, since=self._clock.now() - self._pulse())

    async def _is_probed(self, path: PathName) -> bool:
        """Whether somebody seems to go on with it: its last slot is no older than its pauses of late are long.

        Where no other replica claimed a slot of any path of late, there is nobody who could.
        """
        now = self._clock.now()
        if not await self.others_run():
            return False
        points = await self._store.points(path, since=now - _LOOK_BACK, limit=_LAUNCHES)
        times = [one.launched_at for one in points]
        slot_at = await self._store.last_slot_at(path)
        last_at = max((*times, *((slot_at,) if slot_at is not None else ())), default=None)
        return last_at is not None and now - last_at < patience(times)

    def _pulse(self) -> timedelta:
        """In what time another replica that runs claims a slot: the busiest path has some in it, also at night."""
        now = self._clock.now()
        took = [slots_took(one, _PAUSES, now) for one in self._prober.paths.values() if one.is_enabled]
        return max(_LEAST_PATIENCE, min((one for one in took if one is not None), default=timedelta(0)))

    async def rehearse(self) -> None:
        """Try the controls that were not tried of late: only one that is known to have worked can excuse us.

        Raises:
            StoreError: what they came to could not be stored.
        """
        if self._prober.controls is None:
            return
        for check in await self._prober.controls.rehearse(older_than_seconds=REHEARSAL_SECONDS):
            if check.state is not CheckState.OK:
                self._progress.note(f"control {check.place} {check.finding}. {check.remedy}")

    async def forget(self) -> bool:
        """Drop what the store and the archives have kept long enough (`Prober.retention`).

        Returns:
            whether anything went, so that more may wait: a round is bounded.

        Raises:
            StoreError: it could not be done.
        """
        for archive in self._prober.archives:
            await archive.forget()
        return await self._store.forget(self._clock.now(), keep=self._prober.retention) > 0

    async def give_up_alerts(self) -> None:
        """Give up the alerts of sinks that are configured no more, once they are a day old: they would wait for ever.

        For whoever goes on alone: that a run's configuration lacks a sink says nothing of that of the others. Nor does
        it that nobody else claims slots: a replica may be down, or launch seldom, and somebody waits for an end.

        Raises:
            StoreError: it could not be done.
        """
        sinks = self._prober.alerts.sinks
        if sinks is None:
            return
        now = self._clock.now()
        count = await self._store.give_up_alerts(
            but=sinks, before=now - _ROLLED_OUT, at=now, error="sink removed"
        )
        if count:
            things = "alert" if count == 1 else "alerts"
            self._progress.note(f"{count} {things} of sinks that are configured no more: given up")

    async def _retire(self, path: PathName) -> None:
        for _ in range(_TRIES):
            progress, version = await self._store.progress(path)
            now = self._clock.now()
            ended, changes = retire(progress, now)
            if not changes:
                return
            alerts = (await self._alerting.situation()).take(changes)
            try:
                await self._store.store_progress(
                    path, ended, version=version, changes=changes, at=now, alerts=alerts
                )
            except SettlementConflict:
                continue
            for change in changes:
                self._progress.changed(change)
            return


def patience(launches: Sequence[datetime]) -> timedelta:
    """How long after the last launch of a path somebody may still go on with it. Pure.

    A replica's configuration is known to it alone; its pace shows. Three times the longest pause of late covers a
    night's rest too, where the launches reach back to one.

    Args:
        launches: the times of the last ones, in any order.
    """
    times = sorted(launches)
    longest = max((after - before for before, after in pairwise(times)), default=timedelta(0))
    return min(max(_LEAST_PATIENCE, _PAUSES * longest), _MOST_PATIENCE)


def _series(
    paths: list[Path], prober: str, sinks: Sequence[str]
) -> Mapping[str, Sequence[Mapping[str, str]]]:
    """What `rate()` and absence need from the start: each series that a configured path or sink can come to have.

    Failures are left out: of every hop and reason, they would be hundreds a path, nearly all of them 0 for ever.
    """
    channels = [{"path": path.name, "channel": path.channel} for path in paths]
    names = [{"path": path.name} for path in paths]
    verdicts = [verdict for verdict in Verdict if verdict is not Verdict.PENDING]
    hops = [{"path": path.name, "hop": hop} for path in paths for hop in path.route]
    return {
        metrics.CANARY_LAUNCHED.name: channels,
        metrics.CANARY_VERDICTS.name: [
            {**one, "verdict": verdict} for one in channels for verdict in verdicts
        ],
        metrics.CANARY_DURATION.name: [
            {**one, "verdict": verdict} for one in channels for verdict in (Verdict.CONFIRMED, Verdict.LATE)
        ],
        metrics.SLO_GOOD.name: names,
        metrics.SLO_ELIGIBLE.name: names,
        metrics.INCIDENTS.name: [{"path": one["path"], "blame": one["hop"]} for one in hops],
        metrics.INCIDENT_DETECTION_DELAY.name: names,
        metrics.PROBER_MISFIRES.name: [{**one, "prober": prober} for one in names],
        metrics.HOP_OBSERVATIONS.name: [
            {**one, "outcome": outcome, "evidence": Evidence.OBSERVED}
            for one in hops
            if one["hop"] in LAUNCH_HOPS
            for outcome in (Outcome.OK, Outcome.FAILED)
        ],
        metrics.PROBER_ALERTS_SENT.name: [
            {"sink": sink, "outcome": outcome} for sink in sinks for outcome in _OUTCOMES
        ],
        metrics.CLEANUP_ATTEMPTS.name: [
            {**one, "kind": kind, "outcome": state}
            for one in names
            for kind in RemovalKind
            for state in (RemovalState.DONE, RemovalState.FAILED)
        ],
    }
