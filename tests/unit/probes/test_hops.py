"""One hop, timed, bounded and reported once."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from canary.canary import Canary, Token, new_canary
from canary.hop import Hop
from canary.observation import Evidence, Observation, Outcome
from canary.reason import Reason, Side
from canary.signature import mint_id, mint_token
from probes.contracts import Clock
from probes.hops import HopFailed, Passage, hop
from probes.masking import Masker, Secret
from probes.reasons import Failure
from probes.selfcheck import ControlProtocol, Question, Ruling
from tests.fakes.clock import START, FakeClock, run_jumping
from tests.fakes.world import KEY, SENDER, email_path


def canary() -> Canary:
    path = email_path()
    canary_id = mint_id(START, b"abcd")
    token = Token(mint_token(canary_id, path.name, KEY))
    return new_canary(path, canary_id=canary_id, token=token, marker="m", sender=SENDER, prober="fra-1")


@dataclass
class Controls:
    side: Side
    asked: list[Reason] = field(default_factory=list)

    async def decide(self, question: Question, reason: Reason) -> Ruling:
        assert question.port == 25
        self.asked.append(reason)
        return Ruling(self.side, "as the control says")


QUESTION = Question(ControlProtocol.SMTP, 25, "mx:25")


def observed(
    body: Callable[[Passage, Clock], Awaitable[None]],
    *,
    name: Hop = Hop.SMTP_CONNECT,
    side: Side | None = None,
    controls: Controls | None = None,
    gives_up: bool = False,
) -> Observation:
    """Run one hop and return its one observation; a failed one raises `HopFailed` after it."""
    clock = FakeClock()
    seen: list[Observation] = []
    failed: list[Reason] = []

    async def report(*observations: Observation) -> None:
        seen.extend(observations)

    async def main() -> None:
        async with hop(
            name,
            canary(),
            clock=clock,
            report=report,
            limit=10,
            place="mx:25",
            side=side,
            controls=controls,
            masker=Masker([Secret("hunter22")]),
            gives_up=lambda _: gives_up,
        ) as stage:
            await body(stage, clock)

    try:
        run_jumping(clock, main())
    except HopFailed as error:
        failed.append(error.fault.reason)
    (one,) = seen
    assert failed == [one.reason for _ in failed]
    return one


def raising(
    error: Exception, *, question: Question | None = None, left: bool = False
) -> Callable[..., Awaitable[None]]:
    async def body(stage: Passage, clock: Clock) -> None:
        await clock.sleep(2)
        stage.question = question
        stage.perhaps_left = left
        raise error

    return body


async def passing(stage: Passage, clock: Clock) -> None:
    await clock.sleep(3)
    stage.facts["server.port"] = 25
    stage.evidence = Evidence.REPORTED


def test_limit_that_runs_out__in_connecting__is_a_connect_timeout() -> None:
    async def body(_: Passage, clock: Clock) -> None:
        await clock.sleep(3600)

    one = observed(body)

    assert (one.outcome, one.reason, one.seconds) == (Outcome.FAILED, Reason.CONNECT_TIMEOUT, 10)


@pytest.mark.parametrize(
    ("name", "reason"), [(Hop.DNS, Reason.DNS_UNANSWERED), (Hop.SMTP_ACCEPT, Reason.ANSWER_TIMEOUT)]
)
def test_limit_that_runs_out__elsewhere__is_the_silence_of_that_hop(name: Hop, reason: Reason) -> None:
    async def body(_: Passage, clock: Clock) -> None:
        await clock.sleep(3600)

    assert observed(body, name=name).reason is reason


def test_failure__of_a_launch_that_gives_up__rules_a_ticket_out() -> None:
    one = observed(raising(ConnectionRefusedError(111, "Connection refused")), gives_up=True)

    assert (one.reason, one.rules_out_ticket) == (Reason.REFUSED, True)


def test_lost_answer__after_something_may_have_left__is_unknown_and_rules_out_nothing() -> None:
    one = observed(
        raising(ConnectionResetError(104, "reset"), left=True), name=Hop.SMTP_ACCEPT, gives_up=True
    )

    assert (one.outcome, one.reason, one.rules_out_ticket) == (Outcome.UNKNOWN, Reason.CONNECTION_LOST, False)


def test_refusal__after_something_may_have_left__is_an_answer_and_final() -> None:
    one = observed(
        raising(Failure(Reason.REJECTED, "554 no", is_answer=True), left=True),
        name=Hop.SMTP_ACCEPT,
        gives_up=True,
    )

    assert (one.outcome, one.rules_out_ticket) == (Outcome.FAILED, True)


def test_disputable_failure__is_laid_before_the_controls() -> None:
    controls = Controls(Side.PROBER)

    one = observed(raising(ConnectionRefusedError(111, "refused"), question=QUESTION), controls=controls)

    assert one.side is Side.PROBER
    assert one.detail.endswith("as the control says")
    assert controls.asked == [Reason.REFUSED]


def test_answer_of_the_target__is_no_matter_for_the_controls() -> None:
    controls = Controls(Side.PROBER)

    one = observed(raising(ssl.SSLError(1, "bad"), question=QUESTION), controls=controls)

    assert (one.reason, one.side, controls.asked) == (Reason.TLS_FAILED, None, [])


def test_failure_of_our_own_relay__is_ours_without_asking() -> None:
    controls = Controls(Side.TARGET)

    one = observed(
        raising(ConnectionRefusedError(111, "refused"), question=QUESTION),
        controls=controls,
        side=Side.PROBER,
    )

    assert (one.side, controls.asked) == (Side.PROBER, [])


def test_success__while_a_control_would_fail__asks_none_and_has_no_side() -> None:
    controls = Controls(Side.PROBER)

    one = observed(passing, controls=controls)

    assert (one.outcome, one.side, one.seconds, one.evidence) == (Outcome.OK, None, 3, Evidence.REPORTED)
    assert (dict(one.facts), controls.asked) == ({"server.port": 25}, [])


def test_detail__with_a_secret_in_it__is_masked() -> None:
    one = observed(raising(Failure(Reason.REJECTED, "no hunter22 here")))

    assert one.detail == "no *** here"


@pytest.mark.parametrize("fails", [False, True])
def test_facts__of_a_page_that_repeats_a_secret__are_masked(fails: bool) -> None:
    async def body(passage: Passage, _: Clock) -> None:
        passage.facts["intake.page.script_error"] = "no user hunter22"
        passage.facts["intake.page.requests"] = 3
        if fails:
            raise Failure(Reason.PAGE_ERROR, "x", facts={"url.full": "https://a.example/hunter22"})

    facts = observed(body).facts

    assert facts["intake.page.script_error"] == "no user ***"
    assert facts["intake.page.requests"] == 3
    assert facts.get("url.full") == ("https://a.example/***" if fails else None)


def test_bug_in_a_hop__propagates_as_itself_and_is_not_reported() -> None:
    with pytest.raises(ZeroDivisionError):
        observed(raising(ZeroDivisionError("a bug")))


def test_missing_file_of_ours__is_no_word_about_the_target() -> None:
    with pytest.raises(FileNotFoundError):
        observed(raising(FileNotFoundError(2, "No such file")))


def test_cancelled_hop__passes_the_cancellation_on_and_reports_nothing() -> None:
    seen: list[Observation] = []

    async def report(*observations: Observation) -> None:
        seen.extend(observations)

    async def main() -> None:
        clock = FakeClock()
        async with asyncio.TaskGroup() as group:

            async def pass_hop() -> None:
                async with hop(Hop.DNS, canary(), clock=clock, report=report, limit=10):
                    await clock.sleep(5)

            task = group.create_task(pass_hop())
            await clock.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())

    assert seen == []
