"""What people are told of incidents, gauges, leftovers and silence, by what the store knows."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from canary.alert import Alert, AlertKind, AlertTransition, Concern, Severity, Subject
from canary.blame import Stop
from canary.canary import Token, new_canary
from canary.gauge import Gauge, GaugeName, GaugeState, Resource
from canary.hop import Hop
from canary.incident import Change, Incident, IncidentId, IncidentKind, Progress, Settled, Transition
from canary.path import Path, PathName
from canary.reason import Reason, Side
from canary.signature import CanaryId, mint_id, mint_token
from canary.silence import Silence, SilenceId
from canary.verdict import Verdict
from runners.alert_contracts import AlertStep
from runners.alerting import Alerting
from runners.contracts import RemovalKind, TriedRemoval
from runners.prober import Place, Prober
from runners.situation import AlertRules
from tests.contracts.store_cases import judged as judged_as
from tests.contracts.store_cases import recorded, removal, settlement
from tests.fakes.clock import START, FakeClock
from tests.fakes.memory_store import MemoryStore
from tests.fakes.world import FakeDeskWatcher, World, email_path, prober_of

OPENED, CHANGED, REMINDER, RESOLVED = AlertTransition
NOT_SEEN = Stop(Hop.TICKET_CREATED, Reason.NOT_SEEN, Side.TARGET)
REFUSED = Stop(Hop.TICKET_CREATED, Reason.CREDENTIALS_REJECTED, Side.PROBER)


@dataclass
class Everyone:
    """Routes all to two sinks; tickets to the second alone."""

    sinks: frozenset[str] | None = None

    def sinks_for(
        self, severity: Severity, kind: AlertKind, paths: Sequence[Path], now: datetime
    ) -> tuple[str, ...]:
        del kind, paths, now
        routed = ("pager", "chat") if severity is Severity.PAGE else ("chat",)
        return tuple(one for one in routed if self.sinks is None or one in self.sinks)


@dataclass
class Scene:
    clock: FakeClock = field(default_factory=FakeClock)
    store: MemoryStore = field(default_factory=lambda: MemoryStore(prober="test"))
    paths: tuple[Path, ...] = ()
    pages_per_hour: int = 10
    sinks: frozenset[str] | None = None
    reminds_from: datetime | None = None

    def prober(self) -> Prober:
        world = World(self.clock)
        prober = prober_of(world, *(self.paths or (mail_path(),)))
        support = Place(FakeDeskWatcher(world, "support"), Hop.MAILBOX_ARRIVAL)
        return replace(
            prober,
            alerts=AlertRules(
                "test", Everyone(self.sinks), pages_per_hour=self.pages_per_hour, sinks=self.sinks
            ),
            places={**prober.places, "support": support},
        )

    def alerting(self) -> Alerting:
        return Alerting(self.prober(), self.store, clock=self.clock, reminds_from=self.reminds_from)

    def opened(
        self, path: Path, stop: Stop = NOT_SEEN, *, kind: IncidentKind = IncidentKind.TARGET
    ) -> Incident:
        """An incident that opened now, told of as the settler does."""
        now = self.clock.now()
        incident = Incident(
            id=IncidentId(f"{kind}-{path.name}-{now:%H%M%S}"),
            path=path.name,
            kind=kind,
            first_canary=CanaryId(f"canary-{path.name}"),
            onset_at=now - timedelta(minutes=20),
            opened_at=now,
            stop=stop,
            impact_from=None,
            failures=2,
        )
        is_target = kind is IncidentKind.TARGET
        progress = Progress(target=incident) if is_target else Progress(blindness=incident)
        self.change(path.name, progress, Change(incident, Transition.OPENED))
        return incident

    def change(self, path: PathName, progress: Progress, change: Change) -> None:
        async def store() -> None:
            before, version = await self.store.progress(path)
            merged = replace(
                progress,
                target=progress.target or (before.target if progress.blindness else None),
                blindness=progress.blindness or (before.blindness if progress.target else None),
            )
            alerts = (await self.alerting().situation()).take([change])
            await self.store.store_progress(
                path, merged, version=version, changes=[change], at=self.clock.now(), alerts=alerts
            )

        asyncio.run(store())

    def resolved(self, incident: Incident) -> None:
        ended = replace(incident, resolved_at=self.clock.now(), impact_until=self.clock.now())
        self.change(incident.path, Progress(), Change(ended, Transition.RESOLVED))

    def read(self, state: GaugeState, share: float | None = 0.97) -> None:
        gauge = Gauge(
            "support",
            GaugeName.MAILBOX_CAPACITY,
            None if share is None else share * 100,
            "By",
            100.0,
            self.clock.now(),
            state,
            Resource.STORAGE,
        )
        asyncio.run(self.store.add_gauges([gauge]))

    def review(self) -> None:
        asyncio.run(self.alerting().review())

    def heard(self) -> list[Alert]:
        """All that waits, taken and delivered."""

        async def take() -> list[Alert]:
            found: list[Alert] = []
            while taken := await self.store.claim_alerts(
                self.clock.now(),
                sinks=["pager", "chat"],
                holder="x",
                lease_until=self.clock.now(),
                limit=50,
            ):
                for one in taken:
                    await self.store.alert_delivered(one.alert.id, at=self.clock.now())
                    found.append(one.alert)
            return found

        return asyncio.run(take())

    def told(self) -> list[tuple[str, AlertTransition, AlertKind]]:
        return sorted((one.sink, one.transition, one.concern.kind) for one in self.heard())


def mail_path(name: str = "support-mail") -> Path:
    return replace(email_path(name), mailbox="support", domain=f"{name}.example")


def form_path() -> Path:
    return replace(email_path("contact-form"), domain="www.example")


def test_two_paths_of_one_ticketing_system__are_one_alert_that_grows() -> None:
    mail, form = mail_path(), form_path()
    s = Scene(paths=(mail, form))

    first = s.opened(mail)
    s.opened(form)
    heard = s.heard()

    assert [(one.sink, one.transition, one.concern.paths) for one in heard if one.sink == "pager"] == [
        ("pager", OPENED, (mail.name,)),
        ("pager", CHANGED, (form.name, mail.name)),
    ]
    assert len({one.key for one in heard}) == 1
    groups = asyncio.run(s.store.groups([first.id, IncidentId(f"target-{form.name}-120000")]))
    assert set(groups.values()) == {first.id}


def test_group__is_resolved_only_when_its_last_incident_is() -> None:
    mail, form = mail_path(), form_path()
    s = Scene(paths=(mail, form))
    first, second = s.opened(mail), s.opened(form)
    s.heard()

    s.resolved(first)
    between = s.heard()
    s.resolved(second)
    after = s.heard()

    assert {one.transition for one in between} == {CHANGED}
    assert {one.transition for one in after} == {RESOLVED}
    assert all(one.ending is not None and not one.ending.is_retired for one in after)


def test_another_incident_of_the_same_cause_after_the_end__is_a_new_alert() -> None:
    mail = mail_path()
    s = Scene(paths=(mail,))
    s.resolved(s.opened(mail))
    s.clock.advance(60)
    s.opened(mail)

    keys = {one.key for one in s.heard()}

    assert len(keys) == 2


def test_double_fault__capacity_pages_by_itself_and_blindness_within_its_limit() -> None:
    mail = mail_path()
    s = Scene(paths=(mail,))
    s.opened(mail, REFUSED, kind=IncidentKind.BLIND)
    assert s.told() == [("chat", OPENED, AlertKind.BLINDNESS)]

    s.clock.advance(600)
    s.read(GaugeState.PAGE)
    s.review()
    assert s.told() == [("chat", OPENED, AlertKind.GAUGE), ("pager", OPENED, AlertKind.GAUGE)]

    s.clock.advance(30 * 60)
    s.read(GaugeState.PAGE)
    s.review()
    assert ("pager", OPENED, AlertKind.BLINDNESS) in s.told()


def test_gauge_that_can_t_be_read__ends_no_alert_and_is_told_after_half_an_hour() -> None:
    s = Scene()
    s.read(GaugeState.PAGE)
    s.review()
    s.heard()
    for _ in range(5):
        s.clock.advance(300)
        s.read(GaugeState.UNKNOWN, None)
        s.review()
    assert s.told() == []

    s.clock.advance(600)
    s.read(GaugeState.UNKNOWN, None)
    s.review()

    found = s.told()
    assert ("chat", OPENED, AlertKind.UNREADABLE) in found
    assert RESOLVED not in {transition for _, transition, _ in found}


def test_gauge_that_is_well_again__is_over_after_five_minutes() -> None:
    s = Scene()
    s.read(GaugeState.PAGE)
    s.review()
    s.heard()
    s.read(GaugeState.OK, 0.5)
    s.clock.advance(1)
    s.read(GaugeState.OK, 0.5)
    s.review()
    early = s.told()
    s.clock.advance(301)
    s.read(GaugeState.OK, 0.5)
    s.review()

    assert early == []
    assert {transition for _, transition, _ in s.told()} == {RESOLVED}


def test_path_that_is_not_enabled_here__is_not_reminded_of_while_it_waits_to_be_retired() -> None:
    mail = mail_path()
    s = Scene(paths=(mail,))
    s.opened(mail)
    s.heard()
    s.clock.advance(31 * 60)

    for paths in ((replace(mail, is_enabled=False),), (form_path(),)):
        s.paths = paths
        s.review()
        assert (REMINDER, AlertKind.INCIDENT) not in {(how, kind) for _, how, kind in s.told()}

    s.paths = (mail,)
    s.review()
    assert (REMINDER, AlertKind.INCIDENT) in {(how, kind) for _, how, kind in s.told()}


def test_gauge_that_flaps_for_an_hour__pages_once_and_is_not_over() -> None:
    s = Scene()
    for number in range(12):
        is_ill = number % 2 == 0
        s.read(GaugeState.PAGE if is_ill else GaugeState.OK, 0.97 if is_ill else 0.5)
        for _ in range(20):
            s.review()
            s.clock.advance(15)

    said = [(to, how) for to, how, kind in s.told() if kind is AlertKind.GAUGE and how is not REMINDER]

    assert said == [("chat", OPENED), ("pager", OPENED)]


def test_gauge_that_lasts__is_told_each_time_since_it_began_and_by_its_newest_reading() -> None:
    s = Scene()
    began_at = s.clock.now()
    s.read(GaugeState.PAGE)
    s.review()
    for _ in range(7):
        s.clock.advance(300)
        s.read(GaugeState.PAGE)
        s.review()

    opened, reminded = (
        one for one in s.heard() if one.sink == "pager" and one.concern.kind is AlertKind.GAUGE
    )

    assert (opened.transition, reminded.transition) == (OPENED, REMINDER)
    assert {opened.concern.since, reminded.concern.since} == {began_at}
    assert reminded.concern.read_at == began_at + timedelta(minutes=30)


def test_gauge_that_is_over__tells_since_when_it_is_well_and_what_is_read_now() -> None:
    s = Scene()
    s.read(GaugeState.PAGE)
    s.review()
    s.heard()
    s.clock.advance(600)
    well_since = s.clock.now()
    s.read(GaugeState.OK, 0.1)
    s.clock.advance(14)
    s.review()
    s.clock.advance(286)
    s.read(GaugeState.OK, 0.2)
    s.clock.advance(1)
    s.review()

    (ended, _) = s.heard()

    assert ended.ending is not None
    assert ended.ending.well_since == well_since
    assert ended.ending.detail == "mailbox support is 20 % full (20 B of 100 B)"


def test_incident_of_a_mailbox_that_paged__says_that_it_is_the_same_cause() -> None:
    mail = replace(mail_path(), mailbox="support")
    s = Scene(paths=(mail,))
    s.read(GaugeState.PAGE)
    s.review()
    s.heard()
    s.opened(mail, Stop(Hop.MAILBOX_ARRIVAL, Reason.MAILBOX_FULL, Side.TARGET))

    (broken, _) = s.heard()

    assert (broken.transition, broken.severity) == (OPENED, Severity.PAGE)
    assert broken.beside == ("mailbox support is 97 % full (97 B of 100 B)",)


def test_more_pages_than_an_hour_may_have__are_held_back_with_one_word_of_it_and_told_later() -> None:
    paths = tuple(replace(email_path(f"path-{n}"), ticketing=None, domain=f"{n}.example") for n in range(5))
    dns = Stop(Hop.DNS, Reason.DNS_NO_RECORD, Side.TARGET)
    s = Scene(paths=paths, pages_per_hour=3)
    for path in paths:
        s.opened(path, dns)
    s.review()
    pages = [one for one in s.heard() if one.sink == "pager"]

    assert [one.concern.kind for one in pages].count(AlertKind.INCIDENT) == 3
    (flood,) = [one for one in pages if one.concern.kind is AlertKind.FLOOD]
    assert flood.concern.detail.startswith("2 more concerns would page")

    s.clock.advance(3700)
    s.review()
    later = [one for one in s.heard() if one.sink == "pager" and one.transition is OPENED]
    assert [one.concern.kind for one in later] == [AlertKind.INCIDENT, AlertKind.INCIDENT]


def test_silence__holds_back_and_its_end_tells_what_is_still_open() -> None:
    mail = mail_path()
    s = Scene(paths=(mail,))
    now = s.clock.now()
    silence = Silence(SilenceId("a"), mail.name, now, now + timedelta(hours=1), "moved", "pat", now)
    asyncio.run(s.store.add_silence(silence))
    s.opened(mail)
    s.review()
    assert s.told() == []

    s.clock.advance(3600)
    s.review()

    assert s.told() == [("chat", OPENED, AlertKind.INCIDENT), ("pager", OPENED, AlertKind.INCIDENT)]


def test_silence_of_a_path__holds_no_gauge_back() -> None:
    mail = mail_path()
    s = Scene(paths=(mail,))
    now = s.clock.now()
    asyncio.run(
        s.store.add_silence(
            Silence(SilenceId("a"), mail.name, now, now + timedelta(hours=1), "moved", "pat", now)
        )
    )
    s.read(GaugeState.PAGE)
    s.review()

    assert ("pager", OPENED, AlertKind.GAUGE) in s.told()


def test_path_that_is_retired__ends_its_alert_without_a_word_of_recovery() -> None:
    mail = mail_path()
    s = Scene(paths=(mail,))
    incident = s.opened(mail)
    s.heard()
    ended = replace(incident, resolved_at=s.clock.now(), is_retired=True)
    s.change(mail.name, Progress(), Change(ended, Transition.RETIRED))

    endings = {one.ending.is_retired for one in s.heard() if one.ending is not None}

    assert endings == {True}


def test_sink_that_takes_nothing__is_told_of_to_the_others() -> None:
    mail = mail_path()
    s = Scene(paths=(mail,))
    stuck = Alert(
        id="stuck",
        key="k",
        seq=1,
        sink="pager",
        transition=OPENED,
        severity=Severity.PAGE,
        at=s.clock.now(),
        concern=Concern(Subject("x"), AlertKind.GAUGE, Severity.PAGE, s.clock.now()),
        prober="test",
    )
    asyncio.run(s.store.store_alerts(AlertStep(Subject("x"), None, 0, (stuck,)), at=s.clock.now()))
    asyncio.run(s.store.alert_deferred("stuck", next_at=START + timedelta(minutes=10), error="503"))
    s.clock.advance(301)
    s.review()

    (told,) = s.heard()
    assert (told.sink, told.concern.kind, told.concern.place) == ("chat", AlertKind.DELIVERY, "pager")
    assert told.concern.detail == "sink pager: 1 alerts wait, 0 were refused for good: 503"


def test_leftovers_of_an_hour__are_told_of_as_a_ticket() -> None:
    mail = mail_path()
    s = Scene(paths=(mail,))
    canary = new_canary(
        mail,
        canary_id=mint_id(START, b"1234"),
        token=Token(mint_token(mint_id(START, b"1234"), mail.name, b"a key of the tests")),
        marker="intakecanary",
        sender="canary@probe.example",
        prober="test",
    )
    asyncio.run(recorded(s.store, canary))
    failed = removal(canary.id, outcome="failed", at=0)
    asyncio.run(s.store.note_removed(TriedRemoval(failed, START + timedelta(hours=9))))
    s.clock.advance(3601)
    s.review()

    assert ("chat", OPENED, AlertKind.LEFTOVERS) in s.told()
    assert failed.kind is RemovalKind.TICKET


def test_scheduled_path_of_which_nothing_is_heard__is_told_of_as_not_probed() -> None:
    mail = mail_path()
    s = Scene(paths=(mail,))
    canary = new_canary(
        mail,
        canary_id=mint_id(START, b"1234"),
        token=Token(mint_token(mint_id(START, b"1234"), mail.name, b"a key of the tests")),
        marker="intakecanary",
        sender="canary@probe.example",
        prober="test",
    )
    asyncio.run(recorded(s.store, canary))
    judged = judged_as(canary, Verdict.CONFIRMED, at=5)
    judged_at = judged.settled_at
    asyncio.run(s.store.settle(settlement(judged)))
    s.clock.advance(3 * 600 + 60 + 120)
    s.review()

    (told,) = s.heard()
    assert (told.concern.kind, told.severity) == (AlertKind.NOT_PROBED, Severity.TICKET)
    assert told.concern.detail.startswith("no verdict for 32 min")
    assert told.concern.since == judged_at


def test_second_review_at_once__writes_nothing() -> None:
    mail = mail_path()
    s = Scene(paths=(mail,))
    s.read(GaugeState.PAGE)
    s.opened(mail)
    s.review()
    s.heard()

    assert asyncio.run(s.alerting().review()) == 0
    assert s.heard() == []


def test_place_that_is_called_by_another_name__makes_no_other_concern_of_an_incident_that_lasts() -> None:
    mail = mail_path()
    s = Scene(paths=(mail,))
    s.opened(mail)
    s.heard()
    s.paths = (replace(mail, ticketing="zendesk"),)
    s.review()

    assert s.told() == []


def test_daemon_that_does_not_know_a_path__tells_nobody_that_it_recovered() -> None:
    mail, form = mail_path(), form_path()
    s = Scene(paths=(mail, form))
    s.opened(mail)
    s.heard()
    s.paths = (form,)
    s.review()

    assert s.told() == []


def test_group_of_which_one_path_was_retired__ends_without_a_word_of_recovery() -> None:
    mail, form = mail_path(), form_path()
    s = Scene(paths=(mail, form))
    first, second = s.opened(mail), s.opened(form)
    s.change(
        mail.name,
        Progress(),
        Change(replace(first, resolved_at=s.clock.now(), is_retired=True), Transition.RETIRED),
    )
    s.heard()
    s.resolved(second)

    assert [one.ending.is_retired for one in s.heard() if one.ending is not None] == [True, True]


def test_path_that_shares_a_mailbox_with_the_broken_one__is_not_named_as_working() -> None:
    mail, other, form = mail_path(), mail_path("billing-mail"), form_path()
    form = replace(form, ticketing="other-desk")
    s = Scene(paths=(mail, other, form))
    for path in (other, form):
        progress = Progress(confirmed=(s.clock.now(),))
        asyncio.run(s.store.store_progress(path.name, progress, version=0, changes=[], at=s.clock.now()))
    s.opened(mail)

    assert {one.working for one in s.heard()} == {(form.name,)}


def test_path_whose_last_canary_was_breached__is_not_named_as_working() -> None:
    mail, form = mail_path(), replace(form_path(), ticketing="other-desk")
    s = Scene(paths=(mail, form))
    breached = Settled(CanaryId("x"), s.clock.now(), s.clock.now(), Verdict.BREACHED, NOT_SEEN)
    progress = Progress(confirmed=(s.clock.now(),), recent=(breached,))
    asyncio.run(s.store.store_progress(form.name, progress, version=0, changes=[], at=s.clock.now()))
    s.opened(mail)

    assert {one.working for one in s.heard()} == {()}


def test_mail_that_did_not_reach_everybody__is_told_to_the_others_once_and_wakes_nobody() -> None:
    mail = mail_path()
    s = Scene(paths=(mail,))
    s.opened(mail)
    never = "recipients who will never get it: b@acme.example: 550"
    asyncio.run(s.store.alert_delivered(first_of(s, "pager"), at=s.clock.now(), refused=never))
    s.heard()
    s.clock.advance(60)
    s.review()
    s.clock.advance(60)
    s.review()

    (told,) = s.heard()
    assert (told.sink, told.severity, told.concern.place) == ("chat", Severity.TICKET, "pager")
    assert told.concern.detail.endswith(f"1 did not reach everybody: {never}")


def test_sink_that_left_the_configuration__pages_nobody_for_ever() -> None:
    mail = mail_path()
    s = Scene(paths=(mail,))
    s.opened(mail)
    asyncio.run(s.store.alert_deferred(first_of(s, "chat"), next_at=START + timedelta(days=9), error="gone"))
    asyncio.run(s.store.alert_delivered(first_of(s, "pager"), at=s.clock.now()))
    s.sinks = frozenset({"pager"})
    for _ in range(3):
        s.clock.advance(3600)
        s.review()

    assert {one.concern.kind for one in s.heard()} == {AlertKind.INCIDENT}


def first_of(scene: Scene, sink: str) -> str:
    taken = asyncio.run(
        scene.store.claim_alerts(
            scene.clock.now() + timedelta(seconds=1),
            sinks=[sink],
            holder="x",
            lease_until=scene.clock.now(),
            limit=1,
        )
    )
    return taken[0].alert.id
