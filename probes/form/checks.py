"""What `intake-prober check` tries of a form path: everything up to, but without, the post."""

from collections.abc import Sequence
from types import MappingProxyType
from typing import Final

import httpx

from canary.reason import Reason
from probes.checklist import Checklist, Step, StepFailed
from probes.contracts import Check, CheckState
from probes.form import judging
from probes.form.confirmation import page_of
from probes.form.exchange import Answer, Exchange
from probes.form.filling import chosen_form, filled
from probes.form.html import Form
from probes.form.identity import identity_of
from probes.form.origin import Origin, shown
from probes.form.parts import Parts, accepted
from probes.form.settings import HtmlForm
from probes.form.signs import captcha_in
from probes.form.wire import Wire

_REMEDIES: Final = MappingProxyType(
    {
        Reason.FORM_CHANGED: "Compare `fields`, `form` and `button` with the page; a customer may be at a loss, too.",
        Reason.REDIRECTED: "Correct `url`, or add the host to `expect_host` if customers belong there.",
        Reason.UNEXPECTED: "Correct what is named.",
    }
)


async def check_path(parts: Parts) -> Sequence[Check]:
    """Try name, connection, TLS, and the page with all fields where there is one. Nothing is posted."""
    origin = Origin.of(parts.settings.url)
    lines = Checklist(origin.place, clock=parts.clock, masker=parts.masker, remedies=_REMEDIES)
    wires: list[Wire] = []
    try:
        await _check_way(parts, origin, lines, wires)
        if isinstance(parts.settings.submission, HtmlForm):
            await _check_page(parts, parts.settings.submission, lines, wires[0])
    except StepFailed:
        pass
    finally:
        for wire in wires:
            await wire.aclose()
    return lines.checks


async def _check_way(parts: Parts, origin: Origin, lines: Checklist, wires: list[Wire]) -> None:
    limits = parts.settings.limits
    async with lines.step("dns.route", limits.dns_seconds) as step:
        wires.append(await parts.wire())
        route = await wires[0].look_up(origin)
        place = wires[0].first_place(origin)
        by = f"the proxy {place.host}: " if place != origin else ""
        step.finding = by + ", ".join(one for found in route.hosts for one in found.addresses)
    async with lines.step("form.connect", limits.connect_seconds) as step:
        facts = await wires[0].connect(origin)
        step.finding = f"connected to {facts.get('network.peer.address', place.host)}"
    if not origin.is_secure:
        return
    async with lines.step("form.tls", limits.tls_seconds) as step:
        facts = await wires[0].secure(origin)
        step.finding = f"TLS {facts.get('tls.protocol.version', '?')}, {facts.get('tls.cipher', '?')}"
    lines.certificate(dict(facts), parts.clock.now())


async def _check_page(parts: Parts, submission: HtmlForm, lines: Checklist, wire: Wire) -> None:
    settings = parts.settings
    names = tuple(submission.fields)
    async with lines.step("form.page", settings.limits.read_seconds) as step:
        identity = await identity_of(settings, parts.contexts)
        exchange = Exchange(wire, settings, identity, headers=accepted(is_page=True))
        answer = await exchange.page(httpx.URL(settings.url))
        judging.check_page(answer, shows_credentials=identity.shows_credentials(Origin.of(answer.url)))
        step.finding = f"HTTP {answer.status} from {shown(answer.url)}, {len(answer.content)} bytes"
        if captcha := captcha_in(answer):
            step.state, step.finding = CheckState.WARN, f"{step.finding}; it has a captcha ({captcha})"
            step.remedy = "Let the canary through by a header or its address; captchas are never solved."
    async with lines.step("form.fields", settings.limits.read_seconds) as step:
        form = _form(answer, submission, parts)
        target = exchange.allowed(form.action, base=answer.url)
        step.finding = f"all there: {', '.join(names)}; posted to {shown(target)}"
        _note_required(step, form, names, upload=submission.upload)


def _form(answer: Answer, submission: HtmlForm, parts: Parts) -> Form:
    page = page_of(answer)
    with judging.another_page(answer, page):
        form = chosen_form(page, submission.form, tuple(submission.fields))
        templates = {name: value for name, value in submission.fields.items() if isinstance(value, str)}
        filled(
            form,
            templates,
            button=submission.button,
            upload=submission.upload,
            attachment=parts.settings.request.attachment,
            encoding=submission.encoding,
        )
    return form


def _note_required(step: Step, form: Form, names: Sequence[str], *, upload: str | None) -> None:
    missing = sorted(form.required - {*names, upload})
    if missing:
        step.state = CheckState.WARN
        step.finding = f"{step.finding}; the page demands {', '.join(missing)} too"
        step.remedy = "Add these fields to `fields`: a browser would not send the form without them."
