"""`check --send`: every sink that is configured gets a test message and its end, and says what it made of them."""

import asyncio
import uuid
from collections.abc import Mapping
from pathlib import Path

import pytest

from probes.contracts import Check, CheckState
from probes.masking import Masker
from runners.alert_checks import sink_sources
from runners.checks import run_checks
from runners.clock import SystemClock
from runners.config.config import Oauth
from runners.config.secrets import LiteralSecret
from tests.real.alert_receivers import PagerDutySimulator, PingSimulator, SlackSimulator, WebhookReceiver
from tests.real.scripted_http import Reply, Site, running
from tests.unit.runners.config.examples import read
from tests.unit.runners.config.test_alerts import SECRETS, with_alerts

ALERTS = """\
alerts:
  sinks:
    pager: {{type: pagerduty, routing_key: {key}, url: "{url}/v2/enqueue"}}
    chat: {{type: slack, url: "{url}/slack"}}
    hook: {{type: webhook, url: "{url}/hook", secret: {secret}, allow_private: true}}
    closed: {{type: webhook, url: "{url}/hook", secret: {secret}}}
    alive: {{type: heartbeat, url: "{url}/ping"}}
"""


def no_tokens(oauth: Oauth, username: str) -> LiteralSecret:
    raise AssertionError((oauth, username))


def checked(folder: Path, site: Site) -> Mapping[str, Check]:
    async def main() -> Mapping[str, Check]:
        async with running(site):
            text = with_alerts(
                ALERTS.format(url=site.url, key=SECRETS["PD_KEY"], secret=SECRETS["HOOK_SECRET"])
            )
            config = read(folder, text, allow_literal_secrets=True)
            clock = SystemClock()
            sources = sink_sources(config, clock=clock, tokens=no_tokens, new_id=lambda: str(uuid.uuid4()))
            checks = await run_checks(sources, clock=clock, masker=Masker(), found=lambda _: None)
            return {one.place: one for one in checks}

    return asyncio.run(main())


def test_sinks_that_work__take_a_test_that_says_so_and_its_end(tmp_path: Path) -> None:
    pagerduty, slack = PagerDutySimulator(SECRETS["PD_KEY"]), SlackSimulator()
    hook, ping = WebhookReceiver(SECRETS["HOOK_SECRET"]), PingSimulator("/ping")
    site = Site(
        {
            "POST /v2/enqueue": pagerduty,
            "POST /slack": slack,
            "POST /hook": hook,
            "POST /ping/log": ping.reply,
        }
    )

    found = checked(tmp_path, site)

    assert {name: one.state for name, one in found.items()} == {
        "pager": CheckState.OK,
        "chat": CheckState.OK,
        "hook": CheckState.OK,
        "closed": CheckState.FAIL,
        "alive": CheckState.OK,
    }
    assert "`allow_private: true` allows it" in found["closed"].finding
    assert (pagerduty.open, len(pagerduty.closed)) == ({}, 1)
    assert [one["text"] for one in slack.messages] == [
        "TEST of intake-prober: nothing is broken",
        "TEST of intake-prober ended",
    ]
    assert [one["data"]["transition"] for one in hook.taken.values()] == ["opened", "resolved"]
    assert [what for what, _, _ in ping.pings] == ["/log"], "no sign of life: the daemon may be dead"


@pytest.mark.parametrize("status", [401, 503])
def test_sinks_that_refuse__fail_and_say_what_they_were_told(tmp_path: Path, status: int) -> None:
    refusing = Reply(status, "no such integration")
    site = Site({f"POST {path}": refusing for path in ("/v2/enqueue", "/slack", "/hook", "/ping/log")})

    found = checked(tmp_path, site)

    assert {one.state for one in found.values()} == {CheckState.FAIL}
    assert found["pager"].finding == f"pager: answered {status}: no such integration"
    assert found["pager"].remedy
