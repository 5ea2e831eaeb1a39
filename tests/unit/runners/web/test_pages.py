"""What the pages say, and that they are whole documents whatever they are told."""

import asyncio
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from lxml import etree, html

from canary.gauge import Gauge, GaugeName
from canary.incident import Bisected, Incident
from canary.path import PathName, bisect_name
from canary.verdict import Verdict
from runners.alert_contracts import OutboxState
from runners.config.build_maintenance import MaintenanceWindow
from runners.config.cron import parse_cron
from runners.contracts import StoreError
from runners.history import Glance
from runners.web.app import build_app
from tests.fakes.memory_store import MemoryStore
from tests.fakes.page_scene import BILLING, FORM, HOSTILE, MAIL, NOW, OLD, PORTAL, SECRET, Scene, night
from tests.unit.runners.web.asked import Asker, asker


@pytest.fixture(scope="module")
def page() -> Asker:
    return asker()


def words(text: str) -> str:
    """What a reader of the page reads, pictures and the head left out."""
    root = html.document_fromstring(text)
    for one in root.xpath("//*[local-name()='svg'] | //head | //script"):
        one.drop_tree()
    return " ".join(root.text_content().split())


def addresses(page: Asker) -> Iterator[str]:
    yield from (
        "/",
        "/incidents",
        "/canaries",
        "/silences",
        "/nowhere",
        "/paths/support-email",
        "/paths/legacy-form",
    )
    yield f"/canaries/{page.newest(MAIL)}"
    yield f"/canaries/{page.newest(MAIL, Verdict.BREACHED)}"
    yield f"/canaries/{page.newest(OLD, Verdict.INCONCLUSIVE)}"
    yield f"/incidents/{page.incident(MAIL)}"
    yield f"/incidents/{page.incident(OLD)}"


def test_every_page__is_a_document_with_one_heading_landmarks_and_unique_ids(page: Asker) -> None:
    for address in addresses(page):
        root = html.document_fromstring(page.ask(address).text)
        ids = [one.get("id") for one in root.xpath("//*[@id]")]

        assert root.get("lang") == "en"
        assert len(root.xpath("//h1")) == 1, address
        assert len(root.xpath("//main")) == 1, address
        assert root.xpath("//a[@class='skip']/@href") == ["#content"]
        assert len(ids) == len(set(ids)), address
        levels = [int(one.tag[1]) for one in root.xpath("//h1|//h2|//h3|//h4")]
        assert all(after <= before + 1 for before, after in pairwise(levels)), address


def test_every_page__has_no_style_or_script_of_its_own_and_nothing_from_elsewhere(page: Asker) -> None:
    for address in addresses(page):
        root = html.document_fromstring(page.ask(address).text)

        assert root.xpath("//style | //*[@style] | //script[not(@src)]") == [], address
        loaded = root.xpath("//script/@src | //link/@href | //img/@src")
        assert {one[:8] for one in loaded} <= {"/static/", "/canarie"}, address
        assert not [name for one in root.iter() for name in one.keys() if str(name).startswith("on")]  # noqa: SIM118


def test_every_time__is_in_utc_and_for_machines_too(page: Asker) -> None:
    for address in addresses(page):
        for one in html.document_fromstring(page.ask(address).text).xpath("//time"):
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", one.get("datetime")), address


def test_overview__says_first_what_is_broken_whose_it_is_and_what_still_works(page: Asker) -> None:
    said = words(page.ask("/").text)

    assert said.index("2 of 5 paths are broken") < said.index("Open incidents") < said.index("Gauges")
    assert "smtp.accept: mailbox_full It is the mail platform." in said
    assert "Paths billing-email, support-email Still works support-portal, contact-form" in said
    assert "It is the prober (ours)." in said
    assert "silenced" in said
    assert re.search(r"Error budget 7\d\.\d % left", said)
    assert "support mailbox.capacity storage page 100 % 2.0 GiB of 2.0 GiB" in said


def test_overview__shows_paths_in_the_order_of_their_urgency(page: Asker) -> None:
    root = html.document_fromstring(page.ask("/").text)

    names = root.xpath("//ul[contains(@class,'paths')]/li//h3/a/text()")

    assert names == ["support-email", "billing-email", "legacy-form", "support-portal", "contact-form"]


def test_state__is_told_by_word_and_shape_and_not_by_colour_alone(page: Asker) -> None:
    root = html.document_fromstring(page.ask("/").text)

    shapes = {}
    for one in root.xpath("//span[contains(@class,'state')]"):
        (drawn,) = one.xpath("./*[local-name()='svg']")
        shapes[" ".join(one.text_content().split())] = etree.tostring(drawn[0])
    assert {"broken", "blind", "degraded", "ok"} <= set(shapes)
    assert len({shapes[word] for word in ("broken", "blind", "degraded", "ok")}) == 4


def test_path__pages_through_its_canaries_without_a_gap(page: Asker) -> None:
    seen: list[str] = []
    address: str | None = "/paths/support-email"
    while address is not None:
        root = html.document_fromstring(page.ask(address).text)
        seen += root.xpath("//ol[contains(@class,'canaries')]//p[@class='who']/a/@href")
        older = root.xpath("//p[@class='paging']/a[text()='Older']/@href")
        address = older[0] if older else None
        assert len(seen) < 200

    everything = asyncio.run(page.scene.store.points(MAIL, since=NOW - timedelta(days=9), limit=1000))
    assert seen == [f"/canaries/{one.canary_id}" for one in everything]


def test_canary__names_hop_reason_remedy_and_runbook(page: Asker) -> None:
    text = page.ask(f"/canaries/{page.newest(MAIL, Verdict.BREACHED)}").text
    said = words(text)

    assert "Broken at smtp.accept: mailbox_full." in said
    assert "See what mailbox_full means" in said
    assert html.document_fromstring(text).xpath("//a[contains(@href,'wiki.acme')]/@href") == [
        "https://wiki.acme.example/intake?page=7"
    ]


def test_canary_that_we_could_not_see__blames_nobody_else(page: Asker) -> None:
    said = words(page.ask(f"/canaries/{page.newest(OLD, Verdict.INCONCLUSIVE)}").text)

    assert "The target is not blamed." in said


def test_incident__tells_onset_detection_impact_and_the_paths_of_its_cause(page: Asker) -> None:
    said = words(page.ask(f"/incidents/{page.incident(MAIL)}").text)

    assert "Whoever wrote between 2026-03-02 01:27:00 UTC and now may be affected." in said
    assert "Detected 20 min after the onset" in said
    assert "Customers still reach support by support-portal, contact-form." in said
    assert "Paths with the same cause open billing-email" in said
    failed = page.newest(MAIL, Verdict.BREACHED)
    assert f"{failed} breached, launched 2026-03-0" in said


def test_long_incident__shows_its_first_failed_canaries_and_its_last_and_counts_all() -> None:
    async def long() -> tuple[Asker, list[str]]:
        scene = Scene()
        begin = NOW - timedelta(minutes=450)
        await scene.settled(MAIL, begin - timedelta(minutes=1))
        failed = [
            await scene.settled(MAIL, begin + timedelta(minutes=number), Verdict.BREACHED)
            for number in range(430)
        ]
        return Asker(scene), [one.id for one in failed]

    page, failed = asyncio.run(long())
    text = page.ask(f"/incidents/{page.incident(MAIL)}").text
    (listed,) = html.document_fromstring(text).xpath("//section[@aria-labelledby='stopped']")

    assert [one.text_content() for one in listed.xpath(".//code")] == [*failed[:10], *failed[-10:]]
    assert "410 more between them" in words(text)


def test_incident_that_is_over__tells_when_it_recovered() -> None:
    async def over() -> Asker:
        scene = Scene()
        at = NOW - timedelta(hours=3)
        for number in range(8):
            failed = 2 <= number < 5
            await scene.settled(
                MAIL, at + timedelta(minutes=10 * number), Verdict.BREACHED if failed else Verdict.CONFIRMED
            )
        return Asker(scene)

    page = asyncio.run(over())
    said = words(page.ask(f"/incidents/{page.incident(MAIL)}").text)

    assert "support-email: was broken at smtp.accept" in said
    assert "Launch of the first confirmed canary: the impact window ends." in said
    assert "Resolved" in said
    assert "No other path" not in said


def test_silences__have_reason_and_author(page: Asker) -> None:
    said = words(page.ask("/silences").text)

    assert "legacy-form in force the old form moves to the new desk, CHG-1182" in said
    assert "by m.okafor" in said


def test_silences_as_json__are_those_of_the_command(page: Asker) -> None:
    answer = page.ask("/silences.json").json()

    assert answer["exit"] == 0
    assert {"id", "about", "who", "why"} <= set(answer["silences"][0])


def test_maintenance_windows__are_among_the_silences_now_and_before_they_begin() -> None:
    page = asker()
    cron = {"now": "7 2 * * *", "later": "7 4 * * *"}
    windows = [
        MaintenanceWindow(name, MAIL, parse_cron(cron[name]), timedelta(hours=2), f"change {name}")
        for name in cron
    ]
    page.app = build_app(replace(page.scene.parts(), windows=windows))

    said = words(page.ask("/silences").text)
    of_path = words(page.ask(f"/paths/{MAIL}").text)

    assert "support-email in force change now" in said
    assert "support-email to come change later" in said
    assert "by configuration" in said
    assert "silenced until 2026-03-02 04:07:00 UTC by configuration: change now" in of_path
    assert page.ask("/status.json").json()["paths"][0]["silenced"]


@pytest.mark.parametrize(
    "address", ["/nowhere", "/paths/suport-email", "/canaries/nobody", "/incidents/nobody"]
)
def test_wrong_name__is_a_friendly_page(page: Asker, address: str) -> None:
    answer = page.ask(address)

    assert answer.status_code == 404
    assert "Not here" in words(answer.text)
    assert "To the overview" in words(answer.text)


def test_wrong_path__is_told_the_nearest_one(page: Asker) -> None:
    assert "Did you mean support-email?" in words(page.ask("/paths/suport-email").text)


def test_notices__stand_on_every_page_and_are_masked(page: Asker) -> None:
    page.scene.said.append("the new configuration was refused: intake.yaml:14: page-secret-planted-9f31")
    try:
        for address in addresses(page):
            said = words(page.ask(address).text)
            assert "The new configuration was refused: intake.yaml:14: ***" in said, address
    finally:
        page.scene.said.clear()


def test_notice_of_several_lines__is_a_list_of_them_below_the_first_and_masked(page: Asker) -> None:
    page.scene.said.append(
        "it was refused:\nintake.yaml:3:1: paths: <b>. Mend it.\nb: page-secret-planted-9f31"
    )
    try:
        said = page.ask("/").text
    finally:
        page.scene.said.clear()

    assert "<p>It was refused:</p>" in said
    assert re.findall(r"<li>(.*)</li>", said[said.index("mistakes") :])[:2] == [
        "intake.yaml:3:1: paths: &lt;b&gt;. Mend it.",
        "b: ***",
    ]


def test_notice_that_begins_with_a_secret__is_masked_before_it_begins_a_sentence() -> None:
    page = asker()
    page.scene.said.append("page-secret-planted-9f31 is no key")

    said = page.ask("/").text

    assert "secret-planted" not in said
    assert "*** is no key" in said


def test_blind_incident__says_that_nobody_knows_and_no_customer_is_struck(page: Asker) -> None:
    said = words(page.ask(f"/incidents/{page.incident(OLD)}").text)

    assert "Whether customers reach support is not known here, since 2026-03-02 01:" in said
    assert "inconclusive" in said
    assert "impact" not in said
    assert "failed" not in said.lower()
    assert "--escalation" not in said


def test_incident_that_nothing_came_through_before__says_since_when_is_not_known() -> None:
    async def from_the_first() -> Asker:
        scene = Scene()
        for minutes in (40, 30):
            await scene.settled(MAIL, NOW - timedelta(minutes=minutes), Verdict.BREACHED)
        return Asker(scene)

    page = asyncio.run(from_the_first())
    said = words(page.ask(f"/incidents/{page.incident(MAIL)}").text)

    assert (
        "Whoever wrote until now may be affected; since when is not known: no canary came through before."
        in said
    )
    assert f"intake-prober incidents {page.incident(MAIL)} --escalation" in said


def test_hostile_words__are_text_on_every_page() -> None:
    page = Asker(asyncio.run(night(hours=2, detail=HOSTILE)))
    for address in (*addresses(page), f"/paths/{HOSTILE.replace('/', '%2F')}", f"/canaries?path={HOSTILE}"):
        root = html.document_fromstring(page.ask(address).text)
        assert root.xpath("//script[not(@src)] | //img | //*[@onerror or @onload]") == [], address


def test_link_that_is_none__stays_text() -> None:
    page = asker()
    for name, path in page.scene.paths.items():
        page.scene.paths[name] = replace(path, runbook="javascript:alert(1)")

    text = page.ask(f"/canaries/{page.newest(MAIL, Verdict.BREACHED)}").text

    assert "javascript:alert(1)" in text
    assert not html.document_fromstring(text).xpath("//a[starts-with(@href,'javascript')]")


def test_fragment__is_the_content_alone(page: Asker) -> None:
    text = page.ask("/", x_fragment="1").text

    assert text.startswith("<title>2 of 5 paths are broken")
    assert "<nav" not in text
    assert "Open incidents" in text


def test_store_that_can_t_be_read__is_said_and_is_nobody_s_green() -> None:
    class Gone(MemoryStore):
        async def glances(
            self, windows: Mapping[PathName, int], *, now: datetime, points: int = 0
        ) -> Mapping[PathName, Glance]:
            del windows, now, points
            raise StoreError("store postgresql://intake:page-secret-planted-9f31@db: it does not answer")

    page = Asker(Scene(store=Gone()))

    answer, as_json = page.ask("/"), page.ask("/status.json")

    assert (answer.status_code, as_json.status_code) == (503, 503)
    assert "nobody can say" in words(answer.text)
    assert "page-secret" not in answer.text + as_json.text
    assert as_json.json()["exit"] == 3


def test_prober_without_a_past__says_so() -> None:
    said = words(Asker(Scene()).ask("/").text)

    assert "5 of 5 paths are unknown" in said
    assert "no canary was launched yet" in said
    assert words(Asker(Scene(paths={})).ask("/").text).count("No path is configured.") == 1


def test_error_budget__is_the_same_on_both_pages_and_none_without_a_canary() -> None:
    async def past() -> Scene:
        scene = Scene(paths={FORM: Scene().paths[FORM]})
        await scene.settled(FORM, NOW - timedelta(minutes=3))
        for back, failed in ((29, 1), (30, 50)):
            day = (NOW - timedelta(days=back)).replace(hour=0, minute=0, second=0)
            scene.store._days[FORM, day] = {Verdict.CONFIRMED: 199, Verdict.BREACHED: failed}
        return scene

    page = Asker(asyncio.run(past()))

    assert "Error budget 50.2 % left" in words(page.ask("/").text)
    assert "Error budget 50.2 % left" in words(page.ask(f"/paths/{FORM}").text)
    for address in ("/", f"/paths/{FORM}"):
        assert "Error budget no canary counted yet" in words(Asker(Scene()).ask(address).text)


def test_one_path_that_is_well__is_a_headline() -> None:
    async def well() -> Scene:
        scene = Scene()
        scene.paths = {FORM: scene.paths[FORM]}
        await scene.settled(FORM, NOW - timedelta(minutes=3))
        return scene

    assert "The path is ok" in words(Asker(asyncio.run(well())).ask("/").text)


class TestEvidence:
    @pytest.fixture
    def kept(self, tmp_path: Path) -> Asker:
        page = Asker(asyncio.run(night(hours=2)), artifacts=tmp_path / "artifacts")
        word = page.newest(MAIL, Verdict.BREACHED)
        folder = tmp_path / "artifacts" / MAIL / word
        folder.mkdir(parents=True)
        (folder / "screenshot.png").write_bytes(b"\x89PNG")
        (folder / "console.txt").write_text("<script>")
        (folder / "notes.html").write_text("<script>")
        (tmp_path / "secret.txt").write_text("outside")
        return page

    def at(self, page: Asker, name: str) -> str:
        return f"/canaries/{page.newest(MAIL, Verdict.BREACHED)}/evidence/{name}"

    def test_screenshot__is_shown_and_all_else_is_downloaded(self, kept: Asker) -> None:
        shown, loaded = kept.ask(self.at(kept, "screenshot.png")), kept.ask(self.at(kept, "console.txt"))

        assert (shown.headers["content-type"], shown.content) == ("image/png", b"\x89PNG")
        assert shown.headers["content-disposition"].startswith("inline")
        assert loaded.headers["content-disposition"].startswith("attachment")
        page = kept.ask(f"/canaries/{kept.newest(MAIL, Verdict.BREACHED)}").text
        assert html.document_fromstring(page).xpath("//img/@src") == [self.at(kept, "screenshot.png")]
        assert "notes.html" not in page

    @pytest.mark.parametrize(
        "name",
        ["notes.html", "trace.zip", "..%2F..%2F..%2Fsecret.txt", "%2e%2e", "screenshot.png%00", ".", "a"],
    )
    def test_file_that_is_none_of_ours__is_not_there(self, kept: Asker, name: str) -> None:
        assert kept.ask(self.at(kept, name)).status_code == 404

    def test_link_that_leads_out_of_the_folder__is_not_followed(self, kept: Asker, tmp_path: Path) -> None:
        folder = tmp_path / "artifacts" / MAIL / kept.newest(MAIL, Verdict.BREACHED)
        (folder / "screenshot.png").unlink()
        (folder / "screenshot.png").symlink_to(tmp_path / "secret.txt")

        assert kept.ask(self.at(kept, "screenshot.png")).status_code == 404

    def test_canary_without_a_folder__has_no_evidence(self, kept: Asker) -> None:
        text = kept.ask(f"/canaries/{kept.newest(BILLING, Verdict.BREACHED)}").text

        assert "Evidence" not in words(text)


def test_group__never_mixes_causes(page: Asker) -> None:
    said = words(page.ask(f"/incidents/{page.incident(OLD)}").text)

    assert "Paths with the same cause" not in said


def test_reading_of_hours_ago__is_unknown_and_what_is_configured_no_more_is_not_shown() -> None:
    async def old() -> Asker:
        scene = Scene()
        await scene.store.add_gauges(
            [
                Gauge(place, GaugeName.MAILBOX_BACKLOG, 3.0, "{message}", None, NOW - timedelta(hours=2))
                for place in ("support", "gone")
            ]
        )
        page = Asker(scene)
        page.app = build_app(replace(scene.parts(), places={"support"}))
        return page

    page = asyncio.run(old())
    said = words(page.ask("/").text)

    assert "support mailbox.backlog unknown it was not read of late read 2026-03-02 01:07:00 UTC" in said
    assert "gone" not in said
    (gauge,) = page.ask("/status.json").json()["gauges"]
    assert (gauge["place"], gauge["state"], gauge["value"]) == ("support", "unknown", None)


def test_path_through_the_place_that_is_blamed_or_that_failed_last__is_nowhere_to_send_customers() -> None:
    page = asker()
    page.scene.paths[FORM] = replace(page.scene.paths[FORM], mailbox="support")

    said = words(page.ask("/").text) + words(page.ask(f"/incidents/{page.incident(MAIL)}").text)

    assert "Still works support-portal Open" not in said
    assert "Customers still reach support by support-portal." in said
    assert "Still works support-portal, contact-form" not in said
    asyncio.run(page.scene.settled(PORTAL, NOW - timedelta(minutes=16), Verdict.BREACHED))
    page.app = None
    again = words(page.ask(f"/incidents/{page.incident(MAIL)}").text)
    assert "No other path that is probed works." in again


def test_incident__tells_what_its_bisect_canary_showed_and_the_backlog() -> None:
    class Known(MemoryStore):
        async def incident(self, incident_id: str) -> Incident | None:
            found = await super().incident(incident_id)
            assert found is not None
            bisected = Bisected(found.first_canary, Verdict.CONFIRMED)
            return replace(found, bisected=bisected)

    page = asker()
    page.scene.store.__class__ = Known

    said = words(page.ask(f"/incidents/{page.incident(MAIL)}").text)

    assert "it is the mail platform, or its forwarding; see its bisect canary." in said
    assert re.search(r"Backlog: \d+ missing, 0 came late; nothing arrives\.", said)


def test_incident_whose_bisect_canary_is_on_its_way__says_so() -> None:
    async def sent() -> Asker:
        page = Asker(await night())
        scene = page.scene
        (incident, *_) = await scene.store.incidents(path=MAIL, since=None, limit=1)
        hidden = replace(scene.paths[MAIL], name=bisect_name(MAIL))
        scene.paths[hidden.name] = hidden
        one = replace(scene.canary(hidden.name, incident.opened_at), slot_at=incident.opened_at)
        await scene.store.record(one, holder="test", lease_until=NOW)
        del scene.paths[hidden.name]
        return page

    page = asyncio.run(sent())

    said = words(page.ask(f"/incidents/{page.incident(MAIL)}").text)

    assert "A canary that was sent past the mail platform is still on its way; see its bisect canary." in said


class Unheard(MemoryStore):
    """A store whose alerts one sink refuses, and says why in words that hold a secret."""

    async def outbox(self, *, dead_since: datetime | None = None) -> Mapping[str, OutboxState]:
        assert dead_since is not None  # else what was refused a year ago would be told
        return {"pager": OutboxState(2, NOW - timedelta(hours=1), 1, last_error=f"403 for {SECRET}")}


def test_alerts_that_are_not_delivered__are_on_the_first_page_and_in_a_path_s_answer() -> None:
    page = asker()
    page.scene.store.__class__ = Unheard

    said = words(page.ask("/").text)
    answer = page.ask(f"/paths/{MAIL}.json").json()

    assert "alerts for pager are not delivered: 2 wait, 1 refused for good (403 for ***)." in said
    assert [(one["sink"], one["dead"]) for one in answer["undelivered"]] == [("pager", 1)]
    assert SECRET not in str(answer)
