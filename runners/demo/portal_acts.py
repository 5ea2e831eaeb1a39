"""The demonstration's acts of the portal: slow, then redirected (as in 2018), then healed."""

from math import ceil

from canary.hop import Hop
from canary.reason import Reason
from runners.demo.hand import (
    EMAIL,
    FORM,
    PORTAL,
    WAYS,
    Stagehand,
    detail_of,
    has_passed,
    is_breached,
    is_confirmed,
    newest,
    seconds_at,
)
from runners.demo.stage import Patience

SLOW_SECONDS = 60.0
CONFIRMATIONS = {PORTAL: Hop.PORTAL_CONFIRMATION, FORM: Hop.FORM_CONFIRMATION}
NAMES = {EMAIL: "by mail", PORTAL: "through the portal", FORM: "through the contact form"}


def as_long_as_it_takes(load_seconds: float) -> Patience:
    """Some times as long as a healthy page took here just now: the story is short on a fast machine, and true on a slow one."""
    load = max(3, ceil(4 * load_seconds))
    return Patience(portal_load_seconds=load, portal_deadline_seconds=ceil(load / 0.75) + 12)


async def works(hand: Stagehand) -> None:
    """All three ways in."""
    hand.title(1, "The intake works: by mail, through the portal in a real browser, through the contact form")
    result = await hand.run()
    for path in WAYS:
        record = newest(result, path)
        if record is not None:
            await hand.show_waterfall(record)
        hand.expect(f"the canary {NAMES[path]} is confirmed", holds=is_confirmed(record))
        if path in CONFIRMATIONS:
            hand.expect("its page named the ticket", holds=await hand.has_noted(record, CONFIRMATIONS[path]))
        hand.expect("its acknowledgement came back", holds=has_passed(record, Hop.REPLY_RECEIVED))
    hand.expect("the run exits 0", holds=result.exit_code == 0)
    hand.load_seconds = seconds_at(newest(result, PORTAL), Hop.PORTAL_LOAD) or hand.load_seconds


async def is_slow(hand: Stagehand) -> None:
    """The portal answers, a minute later."""
    hand.title(2, "The portal is up, and a page takes a minute: mail and the contact form notice nothing")
    hand.stage.faults(portal_slow_seconds=SLOW_SECONDS)
    hand.wait_at_most(as_long_as_it_takes(hand.load_seconds))
    result = await hand.run()
    record = newest(result, PORTAL)
    if record is not None:
        await hand.show_waterfall(record)
    hand.expect(
        "breached, and blamed on portal.load: page_timeout",
        holds=is_breached(record, Hop.PORTAL_LOAD, Reason.PAGE_TIMEOUT),
    )
    for path in (EMAIL, FORM):
        hand.expect(f"the canary {NAMES[path]} is confirmed", holds=is_confirmed(newest(result, path)))
    hand.expect("the run exits 1", holds=result.exit_code == 1)
    hand.stage.clear_faults()


async def is_redirected(hand: Stagehand) -> None:
    """Every page leads to the contact form."""
    hand.title(3, "The portal is redirected to a contact form: status 200 for whoever looks at its home page")
    hand.stage.faults(portal_redirect_to_form=True)
    result = await hand.run(PORTAL)
    record = newest(result, PORTAL)
    place = hand.stage.endpoints.form_url.rstrip("/")
    detail = detail_of(record, Hop.PORTAL_LOAD)
    hand.say(f"portal.load: {detail}")
    hand.expect(
        "breached, and blamed on portal.load: redirected",
        holds=is_breached(record, Hop.PORTAL_LOAD, Reason.REDIRECTED),
    )
    hand.expect("it says where customers are sent", holds=place in detail)
    hand.expect("a screenshot of it is kept", holds=hand.stage.has_screenshots)
    incidents = await hand.incidents(PORTAL)
    for incident in incidents:
        hand.show_incident(incident)
    hand.expect("one incident is open", holds=[one.is_open for one in incidents] == [True])
    hand.stage.clear_faults()


async def is_healed(hand: Stagehand) -> None:
    """The portal is as it was."""
    hand.title(4, "The portal is healed")
    hand.wait_at_most(Patience())
    result = await hand.run(PORTAL)
    hand.expect("the next canary is confirmed", holds=is_confirmed(newest(result, PORTAL)))
    incidents = await hand.incidents(PORTAL)
    for incident in incidents:
        hand.show_incident(incident)
    hand.expect("the incident is resolved", holds=[one.is_open for one in incidents] == [False])
