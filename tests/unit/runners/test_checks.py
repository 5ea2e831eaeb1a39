"""Checks run at once, within limits, and are handed over as they come."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from canary.path import PathName
from canary.verdict import Verdict
from probes.contracts import Check, CheckState
from probes.masking import Masker, Secret
from runners.advice import advise, detection_seconds, launches_per_hour
from runners.checks import CheckSource, exit_of, own_sources, run_checks, store_source
from runners.clock import SystemClock
from runners.store import open_store
from tests.contracts.quarantine_contract import sight
from tests.contracts.store_cases import after, judged, make_canary, recorded, settlement
from tests.fakes.clock import FakeClock, run_jumping
from tests.unit.runners.config.examples import FULL, changed, read
from tests.unit.runners.config.examples_web import JSON, PORTAL, portal_file


def _ok(place: str, finding: str = "fine") -> Check:
    return Check(place, "login", CheckState.OK, finding)


async def _tried(source: CheckSource) -> Sequence[Check]:
    return await source.check()


def test_sources__that_wait_for_each_other__run_at_once_and_are_sorted_at_the_end() -> None:
    clock = FakeClock()
    heard: list[str] = []
    reached = asyncio.Event()

    async def first() -> Sequence[Check]:
        await reached.wait()
        return [_ok("a")]

    async def second() -> Sequence[Check]:
        reached.set()
        return [_ok("b")]

    checks = run_jumping(
        clock,
        run_checks(
            [CheckSource("a", first), CheckSource("b", second)],
            clock=clock,
            masker=Masker(),
            found=lambda one: heard.append(one.place),
        ),
    )

    assert heard == ["b", "a"]
    assert [one.place for one in checks] == ["a", "b"]


def test_checks_in_order__are_handed_over_as_the_sources_stand_however_long_each_takes() -> None:
    clock = FakeClock()
    heard: list[tuple[str, float]] = []

    def after_seconds(place: str, seconds: float) -> CheckSource:
        async def answer() -> Sequence[Check]:
            await clock.sleep(seconds)
            return [_ok(place, "first"), _ok(place, "second")]

        return CheckSource(place, answer)

    began = clock.monotonic()
    run_jumping(
        clock,
        run_checks(
            [after_seconds("own", 1.0), after_seconds("desk", 5.0), after_seconds("pager", 2.0)],
            clock=clock,
            masker=Masker(),
            found=lambda one: heard.append((f"{one.place} {one.finding}", clock.monotonic() - began)),
            in_order=True,
        ),
    )

    assert heard == [
        ("own first", 1.0),
        ("own second", 1.0),
        ("desk first", 5.0),
        ("desk second", 5.0),
        ("pager first", 5.0),
        ("pager second", 5.0),
    ]


def test_source_that_hangs__fails_at_its_limit_and_holds_up_nobody() -> None:
    clock = FakeClock()

    async def hang() -> Sequence[Check]:
        await clock.sleep(9999)
        return []

    async def answer() -> Sequence[Check]:
        return [_ok("b")]

    checks = run_jumping(
        clock,
        run_checks(
            [CheckSource("a", hang), CheckSource("b", answer)],
            clock=clock,
            masker=Masker(),
            found=lambda _: None,
            limit_seconds=5.0,
        ),
    )

    assert [(one.place, one.state) for one in checks] == [("a", CheckState.FAIL), ("b", CheckState.OK)]
    assert checks[0].finding == "no answer within 5 s"
    assert exit_of(checks) == 2


def test_findings__are_masked() -> None:
    clock = FakeClock()

    async def answer() -> Sequence[Check]:
        return [_ok("a", "login with hunter2-long refused")]

    (check,) = run_jumping(
        clock,
        run_checks(
            [CheckSource("a", answer)],
            clock=clock,
            masker=Masker([Secret("hunter2-long")]),
            found=lambda _: None,
        ),
    )

    assert check.finding == "login with *** refused"


def test_warnings__are_no_failure() -> None:
    assert exit_of([Check("a", "b", CheckState.WARN, "c")]) == 0


def test_store__is_made_and_found_writable(tmp_path: Path) -> None:
    config = read(tmp_path, FULL)

    (check,) = asyncio.run(_tried(store_source(config, clock=SystemClock())))

    assert check.state is CheckState.OK
    assert (tmp_path / "intake.db").exists()


def test_store_in_a_folder_that_is_not_there__fails_with_a_remedy(tmp_path: Path) -> None:
    config = read(tmp_path, changed("sqlite:///intake.db", "sqlite:///gone/intake.db"))

    (check,) = asyncio.run(_tried(store_source(config, clock=SystemClock())))

    assert check.state is CheckState.FAIL
    assert "gone/intake.db" in check.finding


def test_traces_that_nobody_takes__are_a_warning_of_the_store(tmp_path: Path) -> None:
    config = read(tmp_path, FULL)
    clock = FakeClock()

    async def scenario() -> Sequence[Check]:
        async with open_store(config.prober.store_url, clock=clock) as store:
            canary = await recorded(store, make_canary())
            await store.settle(settlement(judged(canary, Verdict.CONFIRMED), version=0))
            (part,) = await store.claim_traces(after(100), holder="a", lease_until=after(160), limit=8)
            await store.trace_given_up(part.key, at=after(101), error="400 too old")
        return await store_source(config, clock=clock).check()

    (found,) = [one for one in asyncio.run(scenario()) if one.name == "traces"]

    assert found.state is CheckState.WARN
    assert found.finding == "0 parts of traces wait, 1 were refused for good; last word: 400 too old"


def test_signing_keys__are_tried(tmp_path: Path) -> None:
    config = read(tmp_path, FULL)
    _, keys, _ = own_sources(config)

    (check,) = asyncio.run(_tried(keys))

    assert (check.name, check.state) == ("signing_keys", CheckState.OK)


def test_launches__are_summed_over_paths_by_sender_and_system(tmp_path: Path) -> None:
    head, _, tail = FULL.partition("  support-email:")
    block, _, rest = tail.partition("alerts:")
    config = read(tmp_path, f"{head}  support-email:{block}  other:{block}alerts:{rest}")

    assert launches_per_hour(config) == {("canary@probe.example", "desk"): 12.0}
    (check,) = [one for one in advise(config) if one.name == "launches"]
    assert (check.state, check.finding) == (CheckState.OK, "12 scheduled launches an hour to desk, cap 12")


def test_launches_above_the_cap__are_a_warning(tmp_path: Path) -> None:
    config = read(tmp_path, changed("every: 10m", "every: 2m"))

    (check,) = [one for one in advise(config) if one.name == "launches"]

    assert check.state is CheckState.WARN
    assert check.finding.startswith("30 scheduled launches an hour to desk, above the cap of 12")


def test_missing_control_of_the_port_that_is_used__is_a_warning(tmp_path: Path) -> None:
    config = read(tmp_path, FULL)
    with_control = read(tmp_path, changed("smtp:mx.example.net", "smtp:mx.example.net:587"))

    (check,) = [one for one in advise(config) if one.name == "controls"]

    assert check.finding.startswith("no control for port 587:")
    assert not [one for one in advise(with_control) if one.name == "controls"]


def test_detection__is_the_fewest_failures_and_the_deadline(tmp_path: Path) -> None:
    config = read(tmp_path, FULL)

    (path,) = config.paths.values()

    assert detection_seconds(path) == 2 * 600 + 600


def test_advice__on_web_paths__names_what_differs_from_a_customer_and_the_controls_that_are_missing(
    tmp_path: Path,
) -> None:
    config = read(tmp_path, changed("[https://www.example.com, ", "[", portal_file(tmp_path, PORTAL + JSON)))

    said = {(one.place, one.name): (one.state, one.finding) for one in advise(config)}

    assert said["support-portal", "customer"] == (
        CheckState.OK,
        "differs from a customer's request: subject begins with the marker and token; a headless browser with header fields X-Synthetic, X-Team",
    )
    assert said["api", "customer"] == (
        CheckState.OK,
        "differs from a customer's request: subject begins with the marker and token; no browser",
    )
    assert said["support-portal", "controls"] == (
        CheckState.WARN,
        "no control for https: there, a time-out can't be told from a fault of our own network",
    )
    assert said["api", "encryption"] == (
        CheckState.WARN,
        "what is sent goes there in clear text, log-ins too",
    )
    assert ("support-portal", "encryption") not in said
    assert ("support-portal", "login") not in said


def test_advice__on_a_log_in_that_nothing_shows_to_have_worked__warns(tmp_path: Path) -> None:
    config = read(tmp_path, portal_file(tmp_path, changed("      - wait: {text: Log out}\n", "", PORTAL)))

    (check,) = [one for one in advise(config) if one.name == "login"]

    assert (check.place, check.state) == ("support-portal", CheckState.WARN)
    assert check.finding == "nothing shows that the log-in worked: if it fails, the form is blamed"


def test_path_whose_ticket_was_not_kept_from_agents__is_warned_of_with_the_rule_to_set_up(
    tmp_path: Path,
) -> None:
    config = read(tmp_path, FULL)

    async def main() -> Sequence[Check]:
        async with open_store(config.prober.store_url, clock=SystemClock()) as store:
            canary = await recorded(store, make_canary(1, path=PathName("support-email")))
            await store.append(sight(canary, 60, is_marked=False))
        return await store_source(config, clock=SystemClock()).check()

    (found,) = [one for one in asyncio.run(main()) if one.name == "quarantine"]

    assert (found.place, found.state) == ("support-email", CheckState.WARN)
    assert "first seen without the mark" in found.finding
    assert found.remedy == "Set the rule up: `intake-prober render quarantine desk`."
