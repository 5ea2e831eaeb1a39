"""status --since: the hand-over of a shift, as text, Markdown and JSON."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from canary.alert import Alert, AlertKind, AlertTransition, Concern, Severity, Subject
from canary.gauge import Gauge, GaugeName, GaugeState, Resource
from canary.review import Standing, Told
from canary.silence import Silence, SilenceId
from canary.slot import MissedCause, MissedSlot, Slot
from runners.alert_contracts import AlertStep
from runners.clock import SystemClock
from runners.contracts import AuditEntry, CanaryQuery, RemovalKind, TriedRemoval
from runners.store import open_store
from tests.unit.runners.cli.conftest import Run
from tests.unit.runners.cli.evidence import broken
from tests.unit.runners.cli.filled import History, fill
from tests.unit.runners.config.examples import changed

HOUR = timedelta(hours=1)
SINKS = "sinks: {pager: {type: slack, url: {env: PAGER}}, mail: {type: slack, url: {env: MAIL}}}"
HOSTILE = "move | <b>all</b>\n# to a new server"


def trouble(history: History) -> None:
    """A full mailbox, a silence in force and one to come, leftovers, missed slots, and a pager that refuses us."""
    now, mail = history.now, history.path.name

    async def write() -> None:
        async with open_store(history.config.prober.store_url, clock=SystemClock(), prober="fra-1") as store:
            full = Gauge(
                "support",
                GaugeName.MAILBOX_CAPACITY,
                1020.0,
                "By",
                1024.0,
                now,
                GaugeState.PAGE,
                Resource.STORAGE,
            )
            await store.add_gauges([full])
            for name, begin, who in (("now", -HOUR, "eva"), ("later", HOUR, "ben")):
                one = Silence(SilenceId(name), mail, now + begin, now + 2 * HOUR, HOSTILE, who, now)
                await store.add_silence(one)
            (record, *_) = await store.canaries(CanaryQuery(path=mail))
            since = now - 3 * HOUR
            entry = AuditEntry(
                since,
                "fra-1",
                record.canary.id,
                RemovalKind.TICKET,
                "desk",
                "18",
                "close",
                "failed",
                "HTTP 500",
            )
            await store.note_removed(TriedRemoval(entry, next_at=now + HOUR))
            await store.note_missed(
                [MissedSlot(Slot(mail, now - minutes * HOUR / 60), MissedCause.CAP) for minutes in (15, 5)],
                at=now,
            )
            subject = Subject("incident/x")
            told = Concern(subject, AlertKind.INCIDENT, Severity.PAGE, now)
            alert = Alert("one", "key", 1, "pager", AlertTransition.OPENED, Severity.PAGE, now, told, "fra-1")
            await store.store_alerts(AlertStep(subject, Standing(told, "one", now), 0, (alert,)), at=now)
            await store.alert_given_up("one", at=now, error="HTTP 400 routing key | unknown")

    asyncio.run(write())
    text = history.file.read_text()
    history.file.write_text(changed("alerts: {open", f"alerts: {{{SINKS}, open", text))


@pytest.mark.parametrize(
    "words", [("--since", "tomorrow"), ("--since", "2999-01-01T00:00Z"), ("--markdown",)]
)
def test_shift_that_is_none__is_told(run: Run, tmp_path: Path, words: tuple[str, ...]) -> None:
    fill(tmp_path, broken=False)

    said = run("status", *words)

    assert said.status == 2
    assert said.out == ""
    assert said.err.startswith("intake-prober: --")


def test_hand_over_without_a_store__exits_3(run: Run, tmp_path: Path) -> None:
    (tmp_path / "intake.yaml").write_text(changed("every: 10m", "every: 1h"))

    assert run("status", "--since", "12h").status == 3


def test_quiet_shift__needs_nobody(run: Run, tmp_path: Path) -> None:
    fill(tmp_path, broken=False, text=changed("every: 10m", "every: 1h"))

    said = run("status", "--since", "12h")
    answer = run("status", "--since", "12h", "--json").answer("status --since")

    assert said.status == 0
    assert "Nothing is open that needs somebody." in said.out
    assert answer["needs"] == []
    (path,) = answer["paths"]
    assert (path["launched"], path["verdicts"], path["missed"]) == (1, {"confirmed": 1}, [])
    assert path["coverage_share"] == 1.0


@pytest.mark.parametrize("place", ["support", "left"])
def test_gauge_that_is_well_and_not_told_as_over__is_handed_over_as_open(
    run: Run, tmp_path: Path, place: str
) -> None:
    history = fill(tmp_path, broken=False, text=changed("every: 10m", "every: 1h"))
    now = history.now
    concern = Concern(
        Subject("gauge/support/mailbox.capacity/storage"),
        AlertKind.GAUGE,
        Severity.PAGE,
        now,
        place=place,
        headline="mailbox support is 100 % full",
    )
    standing = Standing(
        concern, "one", now, told=(Told("pager", "key", Severity.PAGE, 1),), told_at=now, gone_at=now
    )

    async def write() -> None:
        async with open_store(history.config.prober.store_url, clock=SystemClock(), prober="fra-1") as store:
            await store.store_alerts(AlertStep(concern.subject, standing, 0), at=now)

    asyncio.run(write())
    (need,) = run("status", "--since", "12h", "--json").answer("status --since")["needs"]

    if place == "support":
        assert need.startswith("the alert 'mailbox support is 100 % full' is still open: well since ")
        assert need.endswith("its end is told once it stayed well for 5 min")
    else:
        assert f"is still open: {place} is configured no more, and is not read since " in need


def test_shift_with_trouble__says_all_of_it(run: Run, tmp_path: Path) -> None:
    history = broken(tmp_path)
    trouble(history)

    said = run("status", "--since", "12h", "--json")
    answer = said.answer("status --since")

    assert said.status == 1
    mail, form = answer["paths"]
    assert (mail["path"], mail["state"], form["state"]) == ("support-email", "broken", "broken")
    assert mail["verdicts"] == {"breached": 2, "confirmed": 1}
    assert mail["missed"] == [{"cause": "cap", "slots": 2}]
    assert mail["coverage_share"] == 0.6
    assert [one["party"] for one in answer["incidents"]] == ["the website or portal", "the mail platform"]
    assert [(one["place"], one["state"]) for one in answer["gauges"]] == [("support", "page")]
    silences = {one["who"]: one["in_force"] for one in answer["silences"]}
    assert silences == {"eva": True, "ben": False}
    assert (mail["silenced"], form["silenced"]) == (True, False)
    assert [(one["path"], one["things"]) for one in answer["leftovers"]] == [("support-email", 1)]
    assert [(one["sink"], one["dead"]) for one in answer["undelivered"]] == [("pager", 1)]
    since = f"{history.now - timedelta(minutes=35):%Y-%m-%d %H:%M} UTC"
    until = f"{history.now + 2 * HOUR:%Y-%m-%d %H:%M} UTC"
    assert [one.partition(" (")[0] for one in answer["needs"]] == [
        f"contact-form is broken at form.submit since {since}: server_error; it lies with the website or portal",
        (
            f"support-email is broken at mailbox.arrival since {since}: misrouted; it lies with the mail platform; "
            f"silenced until {until}"
        ),
        "mailbox support is 99 % full",
        "1 thing of canaries could not be removed for more than an hour; see intake-prober audit",
        "alerts for pager are not delivered: 1 refused for good",
    ]


def test_hand_over_in_markdown__keeps_its_tables_whatever_somebody_wrote(run: Run, tmp_path: Path) -> None:
    history = broken(tmp_path)
    trouble(history)

    said = run("status", "--since", "12h", "--markdown")

    assert r"move \| \<b\>all\</b\> \# to a new server" in said.out
    assert [line for line in said.out.splitlines() if line.startswith("#")] == [
        said.out.splitlines()[0],
        "## Open now",
        "## Paths",
        "## Incidents",
        "## Gauges at warn or page",
        next(line for line in said.out.splitlines() if line.startswith("## Silences and maintenance")),
        "## Leftovers",
        "## Alerts that could not be delivered",
    ]
    for block in (one.splitlines() for one in said.out.split("## ")):
        rows = [line.replace(r"\|", "") for line in block if line.startswith("|")]
        assert len({row.count("|") for row in rows}) <= 1


def test_hand_over_as_text__has_what_needs_somebody_first(run: Run, tmp_path: Path) -> None:
    history = broken(tmp_path)
    trouble(history)

    lines = run("status", "--since", "12h").out.splitlines()

    assert lines[1].startswith("! contact-form is broken at form.submit since ")
    assert not any("broken: mailbox" in one for one in lines)
    assert "\x1b" not in "".join(lines)
    assert any(line.startswith("Silences and maintenance, also those to come until ") for line in lines)


def test_shift_before_which_all_happened__has_no_canary_of_then(run: Run, tmp_path: Path) -> None:
    broken(tmp_path)

    answer = run("status", "--since", "10m", "--json").answer("status --since")

    assert [one["launched"] for one in answer["paths"]] == [0, 0]
    assert len(answer["incidents"]) == 2


def test_prober_that_does_not_run__has_missed_slots_that_nobody_noted(run: Run, tmp_path: Path) -> None:
    history = fill(tmp_path, broken=False)

    async def claim() -> None:
        async with open_store(history.config.prober.store_url, clock=SystemClock(), prober="fra-1") as store:
            at = history.now - 2 * HOUR
            await store.claim(Slot(history.path.name, at), holder="host-a", at=at)

    asyncio.run(claim())
    (path,) = run("status", "--since", "12h", "--json").answer("status --since")["paths"]

    (missed,) = path["missed"]
    assert missed["cause"] == "not_running"
    assert missed["slots"] in {10, 11}
    assert path["coverage_share"] < 0.2


def test_status__warns_of_alerts_that_were_refused_or_did_not_reach_everybody(
    run: Run, tmp_path: Path
) -> None:
    history = fill(tmp_path, broken=False, text=changed("every: 10m", "every: 1h"))
    trouble(history)

    async def refuse_one() -> None:
        async with open_store(history.config.prober.store_url, clock=SystemClock(), prober="fra-1") as store:
            now, subject = SystemClock().now(), Subject("incident/mail")
            told = Concern(subject, AlertKind.INCIDENT, Severity.PAGE, now)
            mail = Alert("two", "key", 1, "mail", AlertTransition.OPENED, Severity.PAGE, now, told, "fra-1")
            await store.store_alerts(AlertStep(subject, None, 0, (mail,)), at=now)
            await store.alert_delivered("two", at=now, refused="b@acme.example: 550 nobody")

    asyncio.run(refuse_one())

    lines = run("status").out.splitlines()
    assert (
        "alerts for mail are not delivered: 1 did not reach everybody (b@acme.example: 550 nobody)" in lines
    )
    assert any(one.startswith("alerts for pager are not delivered: 1 refused for good") for one in lines)
    answer = run("status", "--json").answer("status")["undelivered"]
    assert [(one["sink"], one["dead"], one["partial"]) for one in answer] == [("mail", 0, 1), ("pager", 1, 0)]


def test_status_without_since__is_as_it_was(run: Run, tmp_path: Path) -> None:
    broken(tmp_path)

    assert set(run("status", "--json").answer("status")) == {
        "paths",
        "gauges",
        "leftovers",
        "undelivered",
        "exit",
    }


def test_maintenance_window_that_is_open__is_a_silence_of_the_shift(run: Run, tmp_path: Path) -> None:
    window = 'maintenance:\n  vendor: {cron: "* * * * * UTC", for: 2h, about: [support-email], why: their release}\nalerts:'
    fill(tmp_path, broken=False, text=changed("alerts:", window, changed("every: 10m", "every: 1h")))

    answer = run("status", "--since", "12h", "--json").answer("status --since")

    (now,) = [one for one in answer["silences"] if one["in_force"]]
    assert (now["about"], now["why"]) == ("support-email", "their release")
    assert answer["paths"][0]["silenced"]


def window(begins_at: datetime) -> str:
    """A configuration with a window over the mailbox at that time of each day, for half an hour."""
    cron = f"{begins_at.minute} {begins_at.hour} * * *"
    text = (
        f'maintenance:\n  vendor: {{cron: "{cron}", for: 30m, about: [support], why: their release}}\nalerts:'
    )
    return changed("alerts:", text, changed("every: 10m", "every: 1h"))


def test_maintenance_window_of_the_next_shift__is_handed_over_with_its_paths(
    run: Run, tmp_path: Path
) -> None:
    begins_at = (SystemClock().now() + 11 * HOUR).replace(second=0, microsecond=0)
    fill(tmp_path, broken=False, text=window(begins_at))

    answer = run("status", "--since", "1h", "--json").answer("status --since")
    said = run("status", "--since", "1h").out

    told = {one["about"]: (one["begins_at"][:16], one["in_force"], one["who"]) for one in answer["silences"]}
    begin = f"{begins_at:%Y-%m-%dT%H:%M}"
    assert told == {
        "support": (begin, False, "configuration"),
        "support-email": (begin, False, "configuration"),
    }
    assert not answer["paths"][0]["silenced"]
    assert f"{begins_at:%Y-%m-%d %H:%M} to {begins_at + HOUR / 2:%Y-%m-%d %H:%M}  their release" in said


@pytest.mark.parametrize(("since", "windows"), [("1h", 0), ("12h", 0), ("20h", 2), ("9d", 14)])
def test_window_after_the_next_shift__is_handed_over_by_whoever_sees_so_far(
    run: Run, tmp_path: Path, since: str, windows: int
) -> None:
    fill(tmp_path, broken=False, text=window(SystemClock().now() + 18 * HOUR))

    answer = run("status", "--since", since, "--json").answer("status --since")

    assert len(answer["silences"]) == windows


def test_status__shows_the_windows_that_begin_within_a_day(run: Run, tmp_path: Path) -> None:
    begins_at = SystemClock().now() + 18 * HOUR
    fill(tmp_path, broken=False, text=window(begins_at))

    said = run("status").out

    assert f"support-email will be silenced from {begins_at:%Y-%m-%d %H:%M}:00Z until " in said
    assert said.count(": their release") == 2


def test_gauge_of_a_mailbox_that_is_configured_no_more__needs_nobody(run: Run, tmp_path: Path) -> None:
    history = broken(tmp_path)
    trouble(history)
    text = history.file.read_text().replace("support:\n    imap", "other:\n    imap")
    history.file.write_text(text.replace("mailbox: support", "mailbox: other"))

    answer = run("status", "--since", "12h", "--json").answer("status --since")

    assert answer["gauges"] == []
    assert not any("capacity" in one for one in answer["needs"])
