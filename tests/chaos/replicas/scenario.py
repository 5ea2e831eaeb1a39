"""Some replicas on one store for a while, with accidents by chance; then what the store and the receivers must agree on.

Alerts go to a server of the test, which is busy now and then, and to a real Alertmanager, whose own notifications the
same server takes. Alertmanager knows the machine's time only, so the wire between the sink and it turns the stamps of
the fast clock into the machine's: to both it looks as if Alertmanager ran on the fast clock. The sink is the
project's own, its arithmetic included: an alert that nobody refreshes for five fast minutes (15 s at speed 20) ends
by itself, and the test sees that as a lie, for its incident goes on or is told of twice. What is compressed is
Alertmanager's side alone: it is told to notify at once, and to look for news of a group every second.

Not tested here: several members of a cluster, and an Alertmanager that is away (its sink's own tests do that).
"""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from canary.slot import due_slot
from runners.launch import LEASE
from runners.launching import OVERDUE
from tests.chaos.replicas.alertmanager import NAME
from tests.chaos.replicas.child import Setting, as_text, path_name
from tests.chaos.replicas.intake import Intake, served
from tests.chaos.replicas.wire import Wire, wire_to
from tests.real.servers.alertmanager import Alertmanager, running_alertmanager
from tests.real.servers.postgresql import PostgreSql
from tests.sandbox import ROOT

ORIGIN = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
_PAUSE = threading.Event()
_SETTLE_SECONDS = 120
_LIVES = 3
"""So often a replica that left something to tell is started again."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Plan:
    """What is played.

    Attributes:
        minutes: of the fast clock, in which accidents happen; then one replica settles what is left.
        speed: how fast the clock is.
    """

    seed: int
    replicas: int = 3
    paths: int = 200
    minutes: float = 60.0
    speed: float = 20.0
    interval_seconds: float = 600.0
    deadline_seconds: float = 120.0


@dataclass
class Outcome:
    """What came of it; ``wrong``: the laws that were broken, in words."""

    accidents: Counter[str] = field(default_factory=Counter)
    slots: int = 0
    launched: int = 0
    missed: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    incidents: int = 0
    alerts: int = 0
    notified: int = 0
    wrong: list[str] = field(default_factory=list)


@dataclass
class _Replica:
    number: int
    wire: Wire
    process: subprocess.Popen[str] | None = None
    generation: int = 0


class _Scene:
    def __init__(
        self, plan: Plan, server: PostgreSql, intake: Intake, alertmanager: Alertmanager, stack: ExitStack
    ) -> None:
        self.plan = plan
        self.chance = random.Random(plan.seed)  # noqa: S311 -- accidents, not secrets
        self.database = server.new_database()
        self.server = server
        self.began = datetime.now(UTC)
        self.up_at = ORIGIN
        self.ended_at = ORIGIN
        self.setting = Setting(
            store="",
            intake=intake.url,
            alertmanager=alertmanager.url,
            origin=ORIGIN,
            began=self.began,
            speed=plan.speed,
            paths=plan.paths,
            interval_seconds=plan.interval_seconds,
            deadline_seconds=plan.deadline_seconds,
            holder="",
        )
        intake.now = self.now
        self.replicas = [
            _Replica(number, stack.enter_context(wire_to(server.port))) for number in range(plan.replicas)
        ]
        stack.callback(self.kill_all)

    def now(self) -> datetime:
        return ORIGIN + (datetime.now(UTC) - self.began) * self.plan.speed

    def start(self, replica: _Replica) -> None:
        replica.generation += 1
        replica.wire.mend()
        store = self.database.replace(f":{self.server.port}/", f":{replica.wire.port}/")
        setting = replace(self.setting, store=store, holder=f"r{replica.number}.{replica.generation}")
        replica.process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.replicas.child", as_text(setting)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=None,
            text=True,
        )
        assert replica.process.stdout is not None
        assert replica.process.stdout.readline() == "up\n", "a replica did not start"

    def end(self, replica: _Replica, number: signal.Signals) -> None:
        process = replica.process
        if process is None:
            return
        process.send_signal(number)
        if number is signal.SIGTERM:
            process.wait(30)
        else:
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
        replica.process = None

    def kill_all(self) -> None:
        for one in self.replicas:
            if one.process is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(one.process.pid, signal.SIGCONT)
                self.end(one, signal.SIGKILL)

    def accident(self, outcome: Outcome) -> None:
        """One replica is killed, frozen, cut off or stopped in good order, and comes back after a while."""
        replica = self.chance.choice([one for one in self.replicas if one.process is not None])
        assert replica.process is not None
        kind = self.chance.choice(["killed", "frozen", "cut off", "stopped"])
        outcome.accidents[kind] += 1
        match kind:
            case "killed":
                self.end(replica, signal.SIGKILL)
                self.wait(self.chance.uniform(5, 60))
                self.start(replica)
            case "stopped":
                self.end(replica, signal.SIGTERM)
                self.start(replica)
            case "frozen":
                replica.process.send_signal(signal.SIGSTOP)
                self.wait(60)
                replica.process.send_signal(signal.SIGCONT)
            case _:
                replica.wire.cut()
                self.wait(self.chance.uniform(20, 90))
                replica.wire.mend()

    def wait(self, scaled_seconds: float) -> None:
        _PAUSE.wait(scaled_seconds / self.plan.speed)

    def query(self, text: str) -> list[Any]:
        with psycopg.connect(self.database.replace("+psycopg", ""), autocommit=True) as connection:
            return connection.execute(text).fetchall()


def play(plan: Plan, server: PostgreSql) -> Outcome:
    """Play a plan, and hold the store, the intake and the receiver against each other."""
    outcome = Outcome()
    outage = (ORIGIN + timedelta(minutes=plan.minutes * 0.25), ORIGIN + timedelta(minutes=plan.minutes * 0.6))
    broken = {path_name(number) for number in range(0, plan.paths, 10)}

    def is_down(path: str, at: datetime) -> bool:
        return path in broken and outage[0] <= at < outage[1]

    intake = Intake(now=lambda: ORIGIN, is_down=is_down, chance=random.Random(plan.seed + 1))  # noqa: S311
    with ExitStack() as stack:
        stack.enter_context(served(intake))
        alertmanager = stack.enter_context(running_alertmanager(f"{intake.url}/notified"))
        scene = _Scene(plan, server, intake, alertmanager, stack)
        scene.start(scene.replicas[0])
        # On a busy machine a slot may pass before: nobody can know of it.
        scene.up_at = scene.now()
        for one in scene.replicas[1:]:
            scene.start(one)
        ends_at = ORIGIN + timedelta(minutes=plan.minutes)
        while scene.now() < ends_at:
            scene.wait(scene.chance.uniform(10, 60))
            scene.accident(outcome)
        for one in scene.replicas[1:]:
            if one.process is not None:
                scene.end(one, signal.SIGTERM)
        _end(scene, intake)
        scene.ended_at = scene.now()
        _judge(scene, intake, outcome, until=ends_at)
        _judge_notifications(scene, intake, alertmanager, outcome)
    return outcome


def _end(scene: _Scene, intake: Intake) -> None:
    """Have one replica settle what is left, and end it when all is told; what it wrote last is the next one's to tell.

    A replica that stops has five seconds of the fast clock to deliver in, and a receiver that is busy now and then: a
    message that is left then is not lost, as long as whoever comes next delivers it.
    """
    for _ in range(_LIVES):
        _settle(scene, intake)
        scene.end(scene.replicas[0], signal.SIGTERM)
        if not _left_to_tell(scene, intake):
            return
        scene.start(scene.replicas[0])
    _settle(scene, intake)
    scene.end(scene.replicas[0], signal.SIGTERM)


def _settle(scene: _Scene, intake: Intake) -> None:
    """Wait, in the machine's time, until nothing is pending or open any more and everybody was told.

    Blindness counts too: what a busy machine could not see opens and ends alerts as an outage does.
    """
    last = time.perf_counter() + _SETTLE_SECONDS
    while time.perf_counter() < last:
        (pending,) = scene.query("SELECT count(*) FROM canary WHERE verdict = 'pending'")[0]
        (open_ones,) = scene.query("SELECT count(*) FROM incident WHERE resolved_at IS NULL")[0]
        if pending <= scene.plan.paths // 4 and open_ones == 0 and not _left_to_tell(scene, intake):
            return
        _PAUSE.wait(0.2)


def _left_to_tell(scene: _Scene, intake: Intake) -> bool:
    """Whether a message still waits, or Alertmanager has not told of all; it looks for news of a group every second."""
    (waiting,) = scene.query("SELECT count(*) FROM alert_outbox WHERE state = 'pending'")[0]
    with intake.lock:
        last_word = dict(intake.notified)
    over = _keys_over(scene)
    return bool(waiting) or any(last_word.get(key) is not (key not in over) for key in _keys_written(scene))


def _keys_written(scene: _Scene) -> set[str]:
    """The keys of which anything was written for Alertmanager."""
    rows = scene.query(f"SELECT DISTINCT dedup_key FROM alert_outbox WHERE sink = '{NAME}'")  # noqa: S608
    return {key for (key,) in rows}


def _keys_over(scene: _Scene) -> set[str]:
    """The keys whose end was written for Alertmanager."""
    rows = scene.query(
        f"SELECT dedup_key FROM alert_outbox WHERE sink = '{NAME}' AND transition = 'resolved'"  # noqa: S608
    )
    return {key for (key,) in rows}


def _judge(scene: _Scene, intake: Intake, outcome: Outcome, *, until: datetime) -> None:
    _judge_slots(scene, outcome, until)
    for canary_id, count in intake.submitted.items():
        if count > 1:
            outcome.wrong.append(f"canary {canary_id} was submitted {count} times")
    _judge_verdicts(scene, outcome)
    _judge_alerts(scene, intake, outcome)


def _judge_slots(scene: _Scene, outcome: Outcome, until: datetime) -> None:
    plan = scene.plan
    canaries: Counter[tuple[str, int]] = Counter()
    for path, slot_at in scene.query("SELECT path, slot_at FROM canary WHERE slot_at IS NOT NULL"):
        canaries[path, slot_at] += 1
    missed = set(scene.query("SELECT path, slot_at FROM missed_slot"))
    claimed = {
        (path, slot_at): _EPOCH + timedelta(microseconds=claimed_at)
        for path, slot_at, claimed_at in scene.query("SELECT path, slot_at, claimed_at FROM slot")
    }
    interval = timedelta(seconds=plan.interval_seconds)
    for number in range(plan.paths):
        name = path_name(number)
        at = due_slot(name, interval, scene.up_at).at + interval
        while at < until - interval:
            key = (name, (at - _EPOCH) // timedelta(microseconds=1))
            outcome.slots += 1
            if canaries[key] > 1:
                outcome.wrong.append(f"slot {name} {at} has {canaries[key]} canaries")
            if canaries[key] == 0 and key not in missed:
                claimed_at = claimed.get(key)
                if claimed_at is None:
                    outcome.wrong.append(f"slot {name} {at} was neither launched nor kept as missed")
                elif not may_still_be_noted(claimed_at, scene.ended_at, interval):
                    outcome.wrong.append(
                        f"slot {name} {at} was claimed, and neither launched nor kept as missed"
                    )
            outcome.launched += canaries[key] == 1
            outcome.missed += canaries[key] == 0
            at += interval


def may_still_be_noted(claimed_at: datetime, ended_at: datetime, interval: timedelta) -> bool:
    """Whether a slot that was claimed in vain may not be kept as missed yet.

    It is noted by whoever comes for the path's first slot that is due when the launch can't be under way any more.
    """
    return ended_at - claimed_at <= LEASE + interval + OVERDUE


def _judge_verdicts(scene: _Scene, outcome: Outcome) -> None:
    rows = Counter(verdict for (verdict,) in scene.query("SELECT verdict FROM canary"))
    outcome.verdicts = rows
    counted: Counter[str] = Counter()
    for labels, value in scene.query(
        "SELECT labels, value FROM counter WHERE name = 'intake.canary.verdicts'"
    ):
        counted[json.loads(labels)["verdict"]] += int(value)
    expected = {
        "confirmed": rows["confirmed"],
        "inconclusive": rows["inconclusive"],
        "breached": rows["breached"] + rows["late"] + rows["lost"],
        "late": rows["late"],
        "lost": rows["lost"],
    }
    for verdict, number in expected.items():
        if counted[verdict] != number:
            outcome.wrong.append(f"{verdict} was counted {counted[verdict]} times for {number} canaries")


def _judge_alerts(scene: _Scene, intake: Intake, outcome: Outcome) -> None:
    sent = {
        row[0]
        for row in scene.query("SELECT id FROM alert_outbox WHERE state = 'delivered' AND sink = 'hook'")
    }
    pending = scene.query("SELECT id, dedup_key, transition FROM alert_outbox WHERE state <> 'delivered'")
    heard: dict[str, dict[str, Any]] = {}
    by_key: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for message_id, body in intake.heard:
        if message_id not in heard:
            heard[message_id] = body
            by_key[body["key"]].append((body["seq"], body["transition"]))
    outcome.alerts = len(heard)
    outcome.wrong += [f"alert {one} is marked as delivered, and nobody heard it" for one in sent - set(heard)]
    outcome.wrong += [f"alert {row} was not delivered" for row in pending]
    for key, heard_of in by_key.items():
        if [seq for seq, _ in heard_of] != list(range(1, len(heard_of) + 1)):
            outcome.wrong.append(f"{key} was heard in the order {heard_of}")
        elif heard_of[0][1] != "opened" or "resolved" in [what for _, what in heard_of[:-1]]:
            outcome.wrong.append(f"{key} tells no story: {heard_of}")
    incidents = scene.query("SELECT id, group_id, resolved_at FROM incident WHERE kind = 'target'")
    outcome.incidents = len(incidents)
    for incident_id, group_id, resolved_at in incidents:
        told = by_key.get(f"intake/replicas/{group_id}", [])
        if not told:
            outcome.wrong.append(f"incident {incident_id} of group {group_id} was never alerted")
        elif resolved_at is not None and told[-1][1] != "resolved":
            open_too = any(group == group_id and end is None for _, group, end in incidents)
            if not open_too:
                outcome.wrong.append(f"incident {incident_id} is over, and its alert is not: {told}")


def _judge_notifications(scene: _Scene, intake: Intake, alertmanager: Alertmanager, outcome: Outcome) -> None:
    """Alertmanager fires once for each key, and then ends it once; what nobody was told of fires nowhere."""
    told: dict[str, list[bool]] = defaultdict(list)
    for key, is_firing in intake.notified:
        # Its webhook is told at least once: the same word again is no second incident.
        if not told[key] or told[key][-1] is not is_firing:
            told[key].append(is_firing)
    outcome.notified = len(intake.notified)
    written = _keys_written(scene)
    over = _keys_over(scene)
    outcome.wrong += [f"Alertmanager was never told of {key}" for key in written - set(told)]
    outcome.wrong += [f"Alertmanager tells of {key}, of which nobody wrote" for key in set(told) - written]
    for incident_id, group_id in scene.query("SELECT id, group_id FROM incident WHERE kind = 'target'"):
        if f"intake/replicas/{group_id}" not in told:
            outcome.wrong.append(f"Alertmanager was never told of incident {incident_id} of {group_id}")
    for key, story in told.items():
        if story != ([True, False] if key in over else [True]):
            words = ["firing" if one else "resolved" for one in story]
            outcome.wrong.append(f"Alertmanager told of {key}: {words}")
    firing = {one["labels"]["key"] for one in alertmanager.alerts()}
    outcome.wrong += [f"{key} is over, and fires at Alertmanager" for key in firing & over]


@contextmanager
def printed(plan: Plan) -> Iterator[None]:
    """Say the seed when something goes wrong."""
    try:
        yield
    except BaseException:
        sys.stderr.write(f"replicas: {plan}\n")
        raise
