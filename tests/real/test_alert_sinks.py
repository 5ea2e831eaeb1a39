"""The sinks over real sockets: a simulator of each published contract receives, refuses, and is down."""

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from canary.alert import Alert, AlertTransition, Subject
from probes.masking import Masker, Secret
from runners.alert_contracts import AlertStep
from runners.alerts import posting
from runners.alerts.contracts import AlertSink, ReadSecret, Undelivered
from runners.alerts.delivery import Delivery
from runners.alerts.heartbeat import Heartbeat
from runners.alerts.outward import Address
from runners.alerts.pagerduty import PagerDuty
from runners.alerts.posting import Poster
from runners.alerts.slack import Slack
from runners.alerts.webhook import Webhook
from runners.clock import SystemClock
from tests.fakes.memory_store import MemoryStore
from tests.real.alert_receivers import PagerDutySimulator, PingSimulator, SlackSimulator, WebhookReceiver
from tests.real.scripted_http import HTML, Break, Reply, Request, Site, closed_port, running
from tests.unit.runners.alerts.cases import KNOWN, a_concern, an_alert, resolved

KEY = "planted0routing0key0of0pagerduty"
SLACK_PATH = "/services/T000/B000/plantedslacksecret"
OLD = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
NEW = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PING_PATH = "/ping/planted-ping-id"
PLANTED = (
    KEY,
    "plantedslacksecret",
    OLD.removeprefix("whsec_"),
    NEW.removeprefix("whsec_"),
    "planted-ping-id",
)


@dataclass
class Bench:
    """Receivers on one loopback server, and the sinks that post to them."""

    pagerduty: PagerDutySimulator = field(default_factory=lambda: PagerDutySimulator(KEY))
    slack: SlackSimulator = field(default_factory=SlackSimulator)
    hook: WebhookReceiver = field(default_factory=lambda: WebhookReceiver(NEW))
    ping: PingSimulator = field(default_factory=lambda: PingSimulator(PING_PATH))
    masker: Masker = field(default_factory=Masker)
    timeout_seconds: float = 10.0
    site: Site = field(default_factory=lambda: Site({}))

    def __post_init__(self) -> None:
        self.site.answers |= {
            "POST /v2/enqueue": self.pagerduty,
            f"POST {SLACK_PATH}": self.slack,
            "POST /hook": self.hook,
            **{f"POST {PING_PATH}{one}": self.ping.reply for one in ("", "/start", "/fail")},
        }

    def poster(self, name: str, *, is_public_only: bool = False) -> Poster:
        return Poster(
            name, SystemClock(), self.masker.mask, self.timeout_seconds, is_public_only=is_public_only
        )

    def secret(self, value: str) -> ReadSecret:
        async def read() -> str:
            return self.masker.register(Secret(value)).reveal()

        return read

    def pager(self, key: str = KEY) -> PagerDuty:
        url = f"{self.site.url}/v2/enqueue"
        return PagerDuty("pager", self.secret(key), self.poster("pager"), KNOWN, url)

    def chat(self) -> Slack:
        return Slack("chat", self.secret(f"{self.site.url}{SLACK_PATH}"), self.poster("chat"), KNOWN)

    def webhook(self, *secrets: str, allow_private: bool = True, url: str | None = None) -> Webhook:
        return Webhook(
            name="hook",
            url=self.secret(url or f"{self.site.url}/hook"),
            secrets=[self.secret(one) for one in secrets],
            poster=self.poster("hook", is_public_only=not allow_private),
            clock=SystemClock(),
            known=KNOWN,
        )

    def alive(self) -> Heartbeat:
        return Heartbeat("alive", self.secret(f"{self.site.url}{PING_PATH}"), self.poster("alive"))


def on_bench(scenario: Callable[[Bench], Awaitable[None]], bench: Bench | None = None) -> None:
    async def main() -> None:
        made = bench or Bench()
        async with running(made.site), asyncio.timeout(30):
            await scenario(made)

    asyncio.run(main())


async def refusal(sink: AlertSink, alert: Alert | None = None) -> Undelivered:
    with pytest.raises(Undelivered) as refused:
        await sink.deliver(alert or an_alert())
    return refused.value


def drained(
    bench: Bench, *sinks: AlertSink, alerts: list[list[Alert]]
) -> Callable[[], Awaitable[MemoryStore]]:
    """Some alerts are written and delivered, then the next ones."""

    async def run() -> MemoryStore:
        store = MemoryStore()
        named = {one.name: one for one in sinks}
        for version, some in enumerate(alerts):
            await store.store_alerts(
                AlertStep(Subject("incident/x"), None, version, tuple(some)), at=SystemClock().now()
            )
            await Delivery(store, named, SystemClock(), "a", lambda: 0.5, bench.masker.mask).drain(20)
        return store

    return run


def to(sink: str, alert: Alert, number: int) -> Alert:
    from dataclasses import replace

    return replace(alert, id=f"{sink}-{number}", sink=sink, seq=number)


def test_incident__pages_once_is_reminded_and_ends_at_every_receiver() -> None:
    async def scenario(bench: Bench) -> None:
        told = [an_alert(), an_alert(transition=AlertTransition.REMINDER), resolved()]
        sinks = (bench.pager(), bench.chat(), bench.webhook(OLD, NEW))
        alerts = [[to(one.name, alert, number) for one in sinks] for number, alert in enumerate(told, 1)]

        store = await drained(bench, *sinks, alerts=alerts)()

        assert await store.outbox() == {}
        assert (bench.pagerduty.pages, bench.pagerduty.closed) == ([an_alert().key], [an_alert().key])
        assert [one["text"].split(" ")[0] for one in bench.slack.messages] == ["PAGE:", "PAGE,", "RESOLVED"]
        assert [one["data"]["transition"] for one in bench.hook.taken.values()] == [
            "opened",
            "reminder",
            "resolved",
        ]

    on_bench(scenario)


def test_pagerduty_that_was_told_twice__pages_once() -> None:
    async def scenario(bench: Bench) -> None:
        for _ in range(2):
            await bench.pager().deliver(an_alert())

        assert len(bench.pagerduty.pages) == 1

    on_bench(scenario)


def test_concern_of_a_hundred_paths__is_within_every_receivers_limits() -> None:
    async def scenario(bench: Bench) -> None:
        concern = a_concern(paths=tuple(f"path-{one}" for one in range(100)), detail="<&>" * 400)
        for sink in (bench.pager(), bench.chat(), bench.webhook(NEW)):
            await sink.deliver(an_alert(concern))

    on_bench(scenario)


def test_wrong_routing_key__is_for_good_and_the_key_that_the_vendor_repeats_is_masked() -> None:
    async def scenario(bench: Bench) -> None:
        error = await refusal(bench.pager("planted0wrong0key0of0pagerduty00"))

        assert error.permanent is True
        assert "answered 400" in str(error)
        assert "planted" not in str(error)

    on_bench(scenario)


@pytest.mark.parametrize(
    ("gone", "permanent"),
    [
        (Reply(403, "action_prohibited"), True),
        (Reply(404, "channel_not_found"), True),
        (Reply(410, "channel_is_archived"), True),
        (Reply(500, "rollup_error"), False),
        (Reply(429, "rate_limited", {**HTML, "Retry-After": "30"}), False),
    ],
)
def test_slack_that_refuses__says_whether_it_is_for_good(gone: Reply, permanent: bool) -> None:
    async def scenario(bench: Bench) -> None:
        bench.slack.gone = gone
        error = await refusal(bench.chat())

        assert error.permanent is permanent
        assert error.retry_after_seconds == (30.0 if gone.status == 429 else None)
        assert str(gone.body) in str(error)

    on_bench(scenario)


def test_webhook_with_an_old_and_a_new_secret__is_verified_by_who_knows_either() -> None:
    async def scenario(bench: Bench) -> None:
        for knows in (OLD, NEW):
            bench.hook.secret = knows
            await bench.webhook(OLD, NEW).deliver(an_alert())
        bench.hook.secret = NEW

        assert (await refusal(bench.webhook(OLD))).permanent is True

    on_bench(scenario)


def test_webhook_sent_again__has_the_same_id() -> None:
    async def scenario(bench: Bench) -> None:
        for _ in range(2):
            await bench.webhook(NEW).deliver(an_alert())

        assert (len(bench.hook.taken), bench.hook.repeated) == (1, 1)

    on_bench(scenario)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_webhook_to_a_private_address__is_not_even_connected(host: str) -> None:
    async def scenario(bench: Bench) -> None:
        url = f"http://{host}:{bench.site.port}/hook"
        error = await refusal(bench.webhook(NEW, allow_private=False, url=url))

        assert error.permanent is False
        assert "not public" in str(error)
        assert bench.site.connections == 0

    on_bench(scenario)


def test_redirect__is_not_followed() -> None:
    async def scenario(bench: Bench) -> None:
        bench.site.answers["POST /hook"] = Reply(307, "", {"Location": f"{bench.site.url}/elsewhere"})
        error = await refusal(bench.webhook(NEW))

        assert error.permanent is False
        assert [one.path for one in bench.site.requests] == ["/hook"]

    on_bench(scenario)


@pytest.mark.parametrize("broken", [Break.CLOSED, Break.RESET, Break.GARBAGE, Break.SILENT])
def test_receiver_that_breaks__may_pass(broken: Break) -> None:
    async def scenario(bench: Bench) -> None:
        bench.site.answers["POST /v2/enqueue"] = Reply(202, "{}", broken=broken)
        error = await refusal(bench.pager())

        assert error.permanent is False

    on_bench(scenario, Bench(timeout_seconds=0.5))


@pytest.mark.parametrize("status", [202, 400])
def test_answer_without_end__is_cut_off_and_counts_by_its_status(status: int) -> None:
    async def scenario(bench: Bench) -> None:
        bench.site.answers["POST /v2/enqueue"] = Reply(status, "x" * 4096, broken=Break.CUT)
        bench.site.answers[f"POST {SLACK_PATH}"] = Reply(status, "y" * 1_000_000)
        if status == 202:
            await bench.chat().deliver(an_alert())
        else:
            assert len(str(await refusal(bench.chat()))) < 300

    on_bench(scenario)


def test_nobody_listens__may_pass() -> None:
    async def scenario(bench: Bench) -> None:
        error = await refusal(bench.webhook(NEW, url=f"http://127.0.0.1:{closed_port()}/hook"))

        assert error.permanent is False
        assert "ConnectError" in str(error)

    on_bench(scenario)


@pytest.mark.parametrize("url", ["ftp://planted.example/x", "planted", "http://", "http://planted:port/"])
def test_secret_that_is_no_url__may_be_corrected_and_is_not_shown(url: str) -> None:
    async def scenario(bench: Bench) -> None:
        error = await refusal(bench.webhook(NEW, url=url))

        assert error.permanent is False
        assert "planted" not in str(error)

    on_bench(scenario)


def test_receiver_that_comes_back__gets_what_waited_in_order() -> None:
    async def scenario(bench: Bench) -> None:
        failures = [Reply(503, "down"), Reply(502, "down", {**HTML, "Retry-After": "1"})]

        def recovering(request: Request) -> Reply:
            return failures.pop() if failures else bench.pagerduty(request)

        bench.site.answers["POST /v2/enqueue"] = recovering
        pager = bench.pager()
        alerts = [to("pager", an_alert(), 1), to("pager", resolved(), 2)]

        store = await drained(bench, pager, alerts=[alerts])()

        assert await store.outbox() == {}
        assert (bench.pagerduty.pages, bench.pagerduty.closed) == ([an_alert().key], [an_alert().key])

    on_bench(scenario)


def test_heartbeat__pings_start_success_and_failure_of_one_run() -> None:
    async def scenario(bench: Bench) -> None:
        run_id = str(uuid.uuid4())
        alive = bench.alive()

        assert [
            await alive.start(run_id),
            await alive.success(run_id, "ok"),
            await alive.failure(run_id),
        ] == [True] * 3
        assert bench.ping.pings == [("/start", run_id, ""), ("", run_id, "ok"), ("/fail", run_id, "")]

    on_bench(scenario)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_heartbeat_whose_url_was_rotated__reads_it_anew_and_pings_again(status: int) -> None:
    async def scenario(bench: Bench) -> None:
        bench.site.answers["POST /ping/old"] = Reply(status, "no")
        path = ["/ping/old"]

        async def read() -> str:
            return f"{bench.site.url}{path[0]}"

        async def renew() -> bool:
            path[0] = PING_PATH
            return True

        alive = Heartbeat("alive", read, bench.poster("alive"), renew)
        assert (await alive.success(str(uuid.uuid4())), len(bench.ping.pings)) == (True, 1)

    on_bench(scenario)


def test_address_that_nobody_answers_at__does_not_lose_the_alert_where_the_host_has_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def both(*_: object) -> tuple[Address, ...]:
        return (Address("127.0.0.2"), Address("127.0.0.1"))

    # Addresses of the public internet can't be had here; the site listens at the second one alone.
    monkeypatch.setattr(posting, "public_addresses", both)

    async def scenario(bench: Bench) -> None:
        await bench.webhook(NEW, allow_private=False).deliver(an_alert())
        assert list(bench.hook.taken) == [an_alert().id]

    on_bench(scenario)


def test_heartbeat_that_can_not_be_sent__is_only_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(bench: Bench) -> None:
        bench.site.answers[f"POST {PING_PATH}"] = Reply(503, "down")

        assert await bench.alive().success(str(uuid.uuid4())) is False
        assert [one.message for one in caplog.records if one.levelno >= logging.WARNING] == [
            "heartbeat_failed"
        ]

    on_bench(scenario)


def test_planted_secrets__are_in_no_error_log_stored_word_or_alert(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="runners")

    async def scenario(bench: Bench) -> None:
        def repeats(request: Request) -> Reply:
            return Reply(503, f"{request.target} {request.headers} {request.body.decode()}")

        for one in list(bench.site.answers):
            bench.site.answers[one] = repeats
        sinks = (bench.pager(), bench.chat(), bench.webhook(OLD, NEW))
        store = MemoryStore()
        alerts = tuple(to(one.name, an_alert(), 1) for one in sinks)
        await store.store_alerts(AlertStep(Subject("incident/x"), None, 0, alerts), at=SystemClock().now())
        named = {one.name: one for one in sinks}
        await Delivery(store, named, SystemClock(), "a", lambda: 0.5, bench.masker.mask).drain(1)
        await bench.alive().success(str(uuid.uuid4()), f"said {KEY}")

        states = await store.outbox()
        assert set(states) == {"pager", "chat", "hook"}
        said = [str(one.last_error) for one in states.values()]
        said += [f"{one.getMessage()} {vars(one)} {one.exc_info}" for one in caplog.records]
        said += [str(one) for one in alerts] + [repr(one) for one in (*sinks, bench.alive())]
        assert said
        for secret in PLANTED:
            assert not [one for one in said if secret in one], secret

    on_bench(scenario)
