"""What a form canary costs beside a bare script with the same client: page, post, confirmation, on the helpdesk's form."""

import asyncio
import re
import secrets
import ssl
from collections.abc import Callable, Iterator
from statistics import median

import httpx

from canary.canary import Canary
from canary.observation import Observation, Outcome
from probes.form.probe import FormProbe
from probes.form.settings import Confirmation, HtmlForm
from probes.message.compose import DEFAULT_BODY, DEFAULT_SUBJECT
from probes.user_agent import ANONYMOUS
from tests.benchmarks.report import Table, ratio
from tests.benchmarks.scene import Cost, costing
from tests.fakes.world import SENDER
from tests.real.forms import new, probe, settings
from tests.sandbox import Sandbox

_CONTEXT = ssl.create_default_context()
"""Made once on both sides: the authorities would otherwise be most of what the bare script does."""
ROUNDS = 60
AIM = 1.2
_CONFIRMED = re.compile(r"/view/\?ticket=(?P<ticket>[\w-]+)")
_CSRF = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


def tables(sandbox: Sandbox) -> Iterator[Table]:
    """Rounds alternate, so that both meet the same helpdesk, with the same number of tickets."""
    url = f"{sandbox.endpoints.desk_url}/tickets/submit/"
    form = HtmlForm({"title": "{{ subject }}", "body": "{{ body }}", "submitter_email": "{{ sender }}"})
    ours = probe(settings(url, submission=form, confirmation=Confirmation(url=_CONFIRMED)))
    theirs_cost, our_cost = [], []
    with asyncio.Runner() as loop:
        loop.run(_bare(url))  # the first of each loads what both need
        loop.run(_canary(ours, new()))
        for _ in range(ROUNDS):
            theirs_cost.append(_cost(lambda: loop.run(_bare(url))))
            our_cost.append(_cost(lambda: loop.run(_canary(ours, new()))))
    yield _table(our_cost, theirs_cost)


async def _bare(url: str) -> None:
    """The same exchange with the same library: no limits, no evidence, nothing told."""
    token = f"x{secrets.token_hex(16)}"
    async with httpx.AsyncClient(
        follow_redirects=True,
        timeout=30,
        trust_env=False,
        verify=_CONTEXT,
        headers={"User-Agent": ANONYMOUS},
    ) as client:
        page = await client.get(url)
        csrf = _CSRF.search(page.text)
        assert csrf is not None, page.text[:200]
        fields = {
            "csrfmiddlewaretoken": csrf[1],
            "title": f"bare {token} {DEFAULT_SUBJECT}",
            "body": f"Reference: {token}\n\n{DEFAULT_BODY}",
            "submitter_email": SENDER,
            "priority": "3",
            "due_date": "",
        }
        # in parts, as the page's form is sent
        answer = await client.post(url, files=[(name, (None, value)) for name, value in fields.items()])
        assert _CONFIRMED.search(str(answer.url)), answer.text[:200]


async def _canary(ours: FormProbe, canary: Canary) -> None:
    told: list[Observation] = []

    async def report(*observations: Observation) -> None:
        told.extend(observations)

    await ours.launch(canary, report)
    assert told[-1].outcome is Outcome.OK, told[-1].detail


def _cost(work: Callable[[], object]) -> Cost:
    with costing() as cost:
        work()
    return cost[0]


def _table(ours: list[Cost], theirs: list[Cost]) -> Table:
    rows = []
    for name, of, aim in (
        ("wall", lambda one: one.wall_seconds, f"{AIM}"),
        ("CPU of this process", lambda one: one.cpu_seconds, "-"),
    ):
        mine, other = median(map(of, ours)), median(map(of, theirs))
        rows.append((name, f"{other * 1000:.1f} ms", f"{mine * 1000:.1f} ms", ratio(mine, other), aim))
    return Table(
        "A form canary beside a bare script",
        ("per canary", "bare httpx", "intake-prober", "ratio", "aim"),
        rows,
        f"Medians of {ROUNDS} rounds of each, alternating, on the helpdesk's public form: page, post and confirmation.",
    )
