"""Ticketing systems as the presets describe them, at the addresses where the tests have started them."""

import textwrap
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from probes.contracts import TicketingSystem
from probes.http_wire import HttpSettings
from probes.masking import Masker
from probes.ticketing.generic.opening import open_generic
from runners.clock import SystemClock
from runners.config.build_ticketing_http import GenericConfig
from runners.config.load import load
from tests.contracts.ticketing_contract import MARKER, SENDER
from tests.real.desks_more import Connect

PRESETS = Path(__file__).parents[2] / "probes" / "ticketing" / "presets"
_KEY = "INTAKE_SIGNING_KEY"
_AROUND = """\
prober: {signing_keys: [{env: INTAKE_SIGNING_KEY}], marker: intakecanary}
accounts:
  canary: {address: canary@probe.test, smtp: {host: smtp.probe.test, password: {env: INTAKE_SIGNING_KEY}}}
paths:
  support-email: {channel: email, from: [canary], to: support@acme.test, ticketing: desk, every: 10m, deadline: 10m}
ticketing:
  desk:
"""


def configured(folder: Path, preset: str, *, shown: str, url: str, secret: dict[str, str]) -> GenericConfig:
    """A preset's system at another address.

    Args:
        shown: the address that stands in the preset, without a path.
        url: what takes its place.
        secret: the environment that the preset's secret is read from.
    """
    text = (PRESETS / f"{preset}.yaml").read_text(encoding="utf-8").replace(shown, url)
    file = folder / f"{preset}.yaml"
    file.write_text(_AROUND + textwrap.indent(text, "    "), encoding="utf-8")
    environ = {_KEY: "signing-key-of-32-bytes-for-test", "PATH": "/usr/bin:/bin", **secret}
    generic = load(file, environ=environ).ticketing["desk"].generic
    if generic is None:
        raise ValueError(f"the preset {preset} is not of type http")
    return generic


def connecting(folder: Path, preset: str, *, shown: str, variable: str) -> Connect:
    """What connects a bench to a preset's system."""

    @asynccontextmanager
    async def connect(url: str, secret: str) -> AsyncIterator[TicketingSystem]:
        origin = "/".join(url.split("/")[:3])
        generic = configured(folder, preset, shown=shown, url=origin, secret={variable: secret})
        settings = replace(generic.settings, marker=MARKER, own_addresses=(SENDER,))
        http = HttpSettings(name="desk", url=settings.url, total_seconds=generic.timeout_seconds)
        clock, masker = SystemClock(), Masker()
        async with open_generic(settings, http, generic.secrets, clock=clock, masker=masker) as system:
            yield system

    return connect
