"""Ticketing systems that are known by configuration alone, made of the configurations that the documentation shows."""

import re
import textwrap
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx

from probes.contracts import Clock
from probes.http_wire import HttpSettings
from probes.masking import Masker
from probes.ticketing.generic.adapter import Generic
from probes.ticketing.generic.opening import open_generic
from probes.ticketing.walks import Walks
from runners.config.build_ticketing_http import GenericConfig
from runners.config.load import load
from runners.config.presets import preset_text

GUIDES = Path(__file__).parents[1] / "docs" / "guides"
_BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
ENVIRON = {"INTAKE_SIGNING_KEY": "signing-key-of-32-bytes-for-test", "PATH": "/usr/bin:/bin"}
_AROUND = """\
prober: {signing_keys: [{env: INTAKE_SIGNING_KEY}], marker: intakecanary}
accounts:
  canary: {address: canary@probe.test, smtp: {host: smtp.probe.test, password: {env: INTAKE_SIGNING_KEY}}}
paths:
  support-email: {channel: email, from: [canary], to: support@acme.test, ticketing: desk, every: 10m, deadline: 10m}
"""


def shown_in(guide: str, word: str) -> str:
    """The one block of a guide that holds a word."""
    text = (GUIDES / guide).read_text(encoding="utf-8")
    (block,) = [one for one in _BLOCK.findall(text) if word in one]
    return str(block)


def configured(
    folder: Path, system: str, environ: Mapping[str, str] | None = None, *, kind: str = "http"
) -> GenericConfig:
    """The system ``desk`` of a configuration: ``system`` is all that stands below its name, besides its type."""
    file = folder / "intake.yaml"
    body = textwrap.indent(textwrap.dedent(system), "    ")
    file.write_text(f"{_AROUND}ticketing:\n  desk:\n    type: {kind}\n{body}", encoding="utf-8")
    return of_file(file, environ)


def of_preset(
    folder: Path,
    preset: str,
    url: str,
    environ: Mapping[str, str],
    changed: Mapping[str, str] | None = None,
) -> GenericConfig:
    """The system ``desk`` by a preset alone; ``changed``: other words in place of the preset's, as in a copy of it."""
    if not changed:
        return configured(folder, f'url: "{url}"\n', environ, kind=preset)
    text = preset_text(preset)
    for before, after in changed.items():
        assert before in text, f"the preset {preset} has no {before}"
        text = text.replace(before, after)
    return configured(folder, f'url: "{url}"\n{text}', environ)


def of_file(file: Path, environ: Mapping[str, str] | None = None) -> GenericConfig:
    """The system ``desk`` of a whole file."""
    generic = load(file, environ={**ENVIRON, **(environ or {})}).ticketing["desk"].generic
    assert generic is not None
    return generic


def of_guide(folder: Path, guide: str, word: str, url: str, environ: Mapping[str, str]) -> GenericConfig:
    """The system ``desk`` as a guide shows it, at another address."""
    block = re.sub(r"https://[a-z.]+\.example(?=[/\"\s])", url, shown_in(guide, word))
    file = folder / "intake.yaml"
    file.write_text(_AROUND + block, encoding="utf-8")
    return of_file(file, environ)


@asynccontextmanager
async def opened(
    generic: GenericConfig,
    *,
    clock: Clock,
    masker: Masker | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
    reads_files: bool = True,
    walks: Walks | None = None,
) -> AsyncIterator[Generic]:
    """The system, connected."""
    settings = replace(
        generic.settings,
        marker="intakecanary",
        own_addresses=("canary@probe.test",),
        targets=("support@acme.test",),
        reads_files=reads_files,
    )
    http = HttpSettings(name="desk", url=settings.url, total_seconds=generic.timeout_seconds)
    async with open_generic(
        settings,
        http,
        generic.secrets,
        clock=clock,
        masker=masker or Masker(),
        transport=transport,
        walks=walks,
    ) as system:
        yield system
