"""What the command line and the page ask the store, and that the cheap way to ask gives the same."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from canary.blame import Flaw
from canary.hop import Hop
from canary.path import IncidentPolicy, OpenRule
from canary.reason import Reason
from canary.silence import Silence, SilenceId
from canary.verdict import Verdict
from runners.asking import ask_status, exit_of, parse_since, status_answer, view_paths
from runners.cli.exits import Exit
from runners.contracts import CanaryQuery
from runners.history import RECENT, Gist
from runners.states import view_path
from tests.fakes.page_scene import BLIND, FORM, NOW, Scene

FIRST = (Verdict.CONFIRMED, Verdict.BREACHED, Verdict.INCONCLUSIVE, Verdict.PENDING)


@settings(max_examples=25)
@given(
    some.lists(some.tuples(some.sampled_from(FIRST), some.booleans(), some.booleans()), max_size=50),
    some.sampled_from([(OpenRule(2, 3),), (OpenRule(1, 1), OpenRule(3, 10))]),
)
def test_state_by_the_few_canaries_that_matter__is_that_by_the_last_forty(
    history: list[tuple[Verdict, bool, bool]], rules: tuple[OpenRule, ...]
) -> None:
    async def both() -> None:
        scene = Scene()
        path = replace(scene.paths[FORM], incidents=IncidentPolicy(open=rules))
        scene.paths = {FORM: path}
        for number, (verdict, is_slow, is_flawed) in enumerate(history):
            is_good = verdict is Verdict.CONFIRMED
            await scene.settled(
                FORM,
                NOW - timedelta(minutes=15 * (len(history) - number)),
                verdict,
                slow=(Hop.TICKET_CREATED,) if is_slow and is_good else (),
                flaws=(Flaw(Hop.TICKET_CREATED, Reason.DUPLICATE),) if is_flawed and is_good else (),
                **({"stop": BLIND} if verdict is Verdict.INCONCLUSIVE else {}),  # type: ignore[arg-type]
            )
        store = scene.store
        expected = view_path(
            path,
            await store.path_facts(FORM),
            incidents=await store.incidents(path=FORM, since=NOW, limit=5),
            recent=[
                Gist.of(one.judgement)
                for one in await store.canaries(CanaryQuery(path=FORM, limit=RECENT))
                if one.judgement is not None
            ],
            gauges=(),
            now=NOW,
        )

        (seen,) = await view_paths(store, [path], (), now=NOW)

        assert seen.view == expected
        assert seen.facts == await store.path_facts(FORM)

    asyncio.run(both())


@pytest.mark.parametrize(("begins", "ends", "expected"), [(-1, 1, True), (1, 2, False), (-2, -1, False)])
def test_path_under_a_silence__says_so_and_stays_what_it_is(begins: int, ends: int, expected: bool) -> None:
    async def ask() -> tuple[bool, str]:
        scene = Scene()
        scene.paths = {FORM: scene.paths[FORM]}
        await scene.settled(FORM, NOW - timedelta(minutes=5))
        hour = timedelta(hours=1)
        await scene.store.add_silence(
            Silence(SilenceId("s"), FORM, NOW + begins * hour, NOW + ends * hour, "move", "ada", NOW)
        )
        (path,) = status_answer(await ask_status(scene.store, list(scene.paths.values()), now=NOW))["paths"]
        return path["silenced"], path["state"]

    assert asyncio.run(ask()) == (expected, "ok")


def test_path_that_is_disabled__decides_no_exit_status() -> None:
    async def ask() -> Exit:
        scene = Scene()
        path = replace(scene.paths[FORM], is_enabled=False)
        scene.paths = {FORM: path}
        for minutes in (30, 20):
            await scene.settled(FORM, NOW - timedelta(minutes=minutes), Verdict.BREACHED)
        return exit_of([one.view for one in await view_paths(scene.store, [path], (), now=NOW)])

    assert asyncio.run(ask()) is Exit.OK


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90m", NOW - timedelta(minutes=90)),
        ("7d", NOW - timedelta(days=7)),
        ("2026-03-01T08:00Z", datetime(2026, 3, 1, 8, tzinfo=UTC)),
    ],
)
def test_since__is_a_time_back_or_a_moment(text: str, expected: datetime) -> None:
    assert parse_since(text, NOW) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "7", "2026-03-01", "999999w", "٣d"])
def test_since_that_is_no_time__is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time"):
        parse_since(text, NOW)
