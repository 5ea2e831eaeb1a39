"""What the tests of the form probe share: a canary, a probe, what it reported, and a contact form on a page."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random
from typing import Any

from canary.canary import Canary, Token, new_canary
from canary.hop import Channel, Hop, route
from canary.observation import Observation, Outcome
from canary.path import Path, PathName, Slo
from canary.reason import Reason
from canary.signature import mint_id, mint_token
from probes.dns import Resolver
from probes.form.probe import FormProbe
from probes.form.settings import Confirmation, FormLimits, FormSettings, HtmlForm
from probes.masking import Masker, Secret
from probes.selfcheck import SideJudge
from runners.clock import SystemClock
from tests.fakes.world import KEY, SENDER

LIMITS = FormLimits(  # where a limit is waited for; else a busy machine would make faults of its own
    dns_seconds=2,
    connect_seconds=2,
    tls_seconds=2,
    write_seconds=1,
    read_seconds=1,
    confirmation_seconds=1,
)
FIELDS = {"title": "{{ subject }}", "body": "{{ body }}", "email": "{{ sender }}"}
HOSTS = frozenset({"127.0.0.1", "localhost"})
FORM = HtmlForm(FIELDS)
FORM_ELEMENT = """<form method="post" action="/contact"><input type="hidden" name="csrf" value="c5rf-t0ken">
<input name="title" required><textarea name="body"></textarea><input type="email" name="email">
<input name="website" style="display:none" value=""><button name="send" value="yes">Send</button></form>"""
PAGE = f"""<!doctype html><html><head><title>Contact us</title></head><body><h1>Contact us</h1>
{FORM_ELEMENT}</body></html>"""
THANKS = "<html><head><title>Thanks</title></head><body><h1>Thank you</h1><p>Your request #4711 was received.</p></body></html>"


@dataclass
class Source:
    """A secret that may be renewed."""

    values: list[str]
    renewals: int = 0

    async def read(self, *, renew: bool = False) -> Secret:
        if renew:
            self.renewals += 1
            if len(self.values) > 1:
                self.values.pop(0)
        return Secret(self.values[0])


@dataclass
class Seen:
    observations: list[Observation] = field(default_factory=list)

    async def __call__(self, *observations: Observation) -> None:
        self.observations.extend(observations)

    def last(self, hop: Hop) -> Observation:
        return [one for one in self.observations if one.hop is hop][-1]

    @property
    def end(self) -> Observation:
        return self.observations[-1]

    def story(self) -> list[tuple[Hop, Outcome, Reason | None]]:
        return [(one.hop, one.outcome, one.reason) for one in self.observations]


def form_path(deadline_seconds: float = 60.0) -> Path:
    return Path(
        name=PathName("contact-form"),
        channel=Channel.FORM,
        route=route(Channel.FORM, without=(Hop.REPLY_RECEIVED,)),
        slo=Slo(deadline_seconds=deadline_seconds, horizon_seconds=3600.0),
        interval_seconds=600.0,
        ticketing="desk",
    )


def new(deadline_seconds: float = 60.0) -> Canary:
    now = SystemClock().now()
    path = form_path()
    canary_id = mint_id(now, b"abcd")
    made = new_canary(
        path,
        canary_id=canary_id,
        token=Token(mint_token(canary_id, path.name, KEY)),
        marker="intakecanary",
        sender=SENDER,
        prober="fra-1",
    )
    return replace(made, deadline_at=now + timedelta(seconds=deadline_seconds))


def settings(url: str, **changes: Any) -> FormSettings:  # noqa: ANN401 -- the fields of FormSettings
    standard: Mapping[str, Any] = {
        "url": url,
        "expect_hosts": HOSTS,
        "submission": FORM,
        "confirmation": Confirmation(),
    }
    return FormSettings(**{**standard, **changes})


def probe(
    of: FormSettings,
    *,
    names_port: int | None = None,
    masker: Masker | None = None,
    controls: SideJudge | None = None,
) -> FormProbe:
    clock = SystemClock()
    server = "system" if names_port is None else f"127.0.0.1:{names_port}"
    resolver = Resolver(server, clock=clock, random=Random(7), try_seconds=0.3, limit_seconds=0.8)  # noqa: S311 -- an order
    return FormProbe(of, clock=clock, resolver=resolver, masker=masker or Masker(), controls=controls)


async def launched(of: FormSettings, canary: Canary | None = None, **parts: Any) -> Seen:  # noqa: ANN401 -- of `probe`
    """Launch one canary; what was reported."""
    seen = Seen()
    await probe(of, **parts).launch(canary or new(), seen)
    return seen
