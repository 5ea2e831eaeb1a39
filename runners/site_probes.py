"""The probes of a configuration's paths, and what their canaries' tickets must say."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import assert_never

from canary.canary import Canary
from canary.content import ExpectedContent
from probes.contracts import Probe
from probes.email.probe import EmailProbe
from probes.email.settings import DkimSettings, EmailSettings, SenderAccount
from probes.email.settings import MxTls as EmailMxTls
from probes.email.settings import Via as EmailVia
from probes.form.settings import FormSettings
from probes.message import compose, request
from probes.message.compose import AttachedFile, MailSettings, Subaddress
from probes.portal.settings import PortalSettings
from probes.portal.steps import Upload
from probes.selfcheck import ControlHistory, Selfcheck, parse_control
from probes.ticketing.settings import Expectation
from probes.user_agent import user_agent
from runners.config.config import PathConfig
from runners.config.sending import EmailConfig
from runners.contracts import Store
from runners.controls import StoredControls
from runners.site import Site
from runners.site_portals import Portals


def probe_of(site: Site, path: PathConfig, store: Store | None, portals: Portals | None) -> Probe:
    """What submits the canaries of a path; without a store there are no controls, as for `check`.

    Raises:
        ValueError: a portal's path, and no portals: a fault of the wiring.
    """
    controls = selfcheck(site, StoredControls(store), path.path.usual_seconds) if store is not None else None
    match path.sending:
        case EmailConfig():
            return EmailProbe(
                _email_settings(site, path, path.sending),
                clock=site.clock,
                resolver=site.resolver,
                masker=site.masker,
                contexts=site.contexts,
                controls=controls,
            )
        case PortalSettings():
            if portals is None:
                raise ValueError(f"path {path.path.name} needs a browser")
            return portals.probe(path.sending, controls)
        case FormSettings():
            from probes.form.probe import FormProbe

            return FormProbe(
                replace(path.sending, user_agent=user_agent(site.config.prober.contact_url)),
                clock=site.clock,
                resolver=site.resolver,
                masker=site.masker,
                controls=controls,
            )
        case _:
            assert_never(path.sending)


def selfcheck(site: Site, history: ControlHistory, interval_seconds: float | None = None) -> Selfcheck:
    """What decides whose fault a silence is."""
    return Selfcheck(
        [parse_control(text) for text in site.config.prober.controls],
        history=history,
        outside=site.outside,
        resolver=site.resolver,
        clock=site.clock,
        interval_seconds=interval_seconds or 600.0,
        contexts=lambda: site.contexts.verified(site.config.prober.ca_files),
    )


def expectations(site: Site) -> Callable[[Canary], Expectation]:
    """What a canary's ticket should be; of a path that is gone, only the requester is judged."""
    contents = {name: _content_of(site, path) for name, path in site.config.paths.items()}

    def expectation(canary: Canary) -> Expectation:
        path = site.config.paths.get(canary.path)
        if path is None:
            return Expectation()
        return Expectation(
            content=contents[canary.path](canary),
            forwarders=path.path.requesters,
            target=path.target.lower() if path.target is not None else None,
        )

    return expectation


def bears_attachment(path: PathConfig) -> bool:
    """Whether the canaries of a path have an attachment to compare."""
    match path.sending:
        case EmailConfig():
            return path.sending.mail.attachment is not None
        case PortalSettings():
            uploads = any(isinstance(step.action, Upload) for step in path.sending.steps)
            return uploads and path.sending.request.attachment is not None
        case FormSettings():
            return path.sending.request.attachment is not None and path.sending.bears_attachment
        case _:
            assert_never(path.sending)


def _content_of(site: Site, path: PathConfig) -> Callable[[Canary], ExpectedContent]:
    match path.sending:
        case EmailConfig():
            return partial(compose.expected_content, settings=_mail(site, path, path.sending))
        case PortalSettings() | FormSettings():
            return partial(
                request.expected_content,
                request=path.sending.request,
                bears_attachment=bears_attachment(path),
            )
        case _:
            assert_never(path.sending)


def _email_settings(site: Site, path: PathConfig, sending: EmailConfig) -> EmailSettings:
    accounts = [site.config.accounts[name] for name in path.senders]
    dkim = sending.mail.dkim
    return EmailSettings(
        mail=_mail(site, path, sending),
        senders={
            one.address.lower(): SenderAccount(
                address=one.address,
                server=site.server(one.smtp) if one.smtp is not None else None,
                side=one.smtp_side,
            )
            for one in accounts
        },
        via=EmailVia(sending.via.value),
        mx_port=sending.mx_port,
        mx_tls=EmailMxTls(sending.mx_tls.value),
        ca_files=sending.ca_files,
        dkim=DkimSettings(dkim.domain, dkim.selector, dkim.key) if dkim is not None else None,
        dkim_selectors=sending.dkim_selectors,
        helo_name=sending.helo_name,
    )


def _mail(site: Site, path: PathConfig, sending: EmailConfig) -> MailSettings:
    configured = sending.mail
    accounts = [site.config.accounts[name] for name in path.senders]
    attachment = configured.attachment
    default = MailSettings(recipient=sending.to)
    return MailSettings(
        recipient=sending.to,
        display_names={
            one.address.lower(): one.display_name for one in accounts if one.display_name is not None
        },
        subject=configured.subject if configured.subject is not None else default.subject,
        body=configured.body if configured.body is not None else default.body,
        headers=configured.headers,
        attachment=AttachedFile(attachment.name, attachment.content) if attachment is not None else None,
        subaddress=Subaddress(configured.subaddress.value),
    )
