"""The gauges of a configuration's places: mailboxes, certificates, mail records."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import assert_never
from urllib.request import getproxies

from probes.certificates import CertificateReader, CertificateSettings, Start
from probes.contracts import GaugeReader
from probes.form.settings import FormSettings
from probes.mail_dns import MailDnsExpectation, MailDnsReader
from probes.mailbox.backlog import MailboxBacklogReader
from probes.mailbox.quota import MailboxCapacityReader
from probes.mailbox.settings import BacklogSettings, CapacitySettings
from probes.mailbox.visits import Visits
from probes.message.addresses import ascii_domain
from probes.portal.settings import PortalSettings
from probes.servers import TlsMode
from runners.config.document_email import Via
from runners.config.places import web_site
from runners.config.sending import EmailConfig
from runners.prober import GaugedPlace
from runners.site import Site, mailbox_settings


def gauges_of(site: Site) -> list[GaugedPlace]:
    """The readers of every place that the configuration names."""
    places = []
    for one in site.config.mailboxes.values():
        settings = mailbox_settings(site, one)
        capacity = CapacitySettings(
            declared_bytes=one.capacity.declared_bytes,
            declared_messages=one.capacity.declared_messages,
            command=one.capacity.command or (),
        )
        backlog = BacklogSettings(folder=settings.folder)
        if one.backlog_search is not None:
            backlog = replace(backlog, criteria=one.backlog_search)
        clock, masker, visits = site.clock, site.masker, Visits(settings, clock=site.clock)
        # On one connection one waits for the other: without QUOTA, the capacity may ask for the size of every folder.
        readers: list[GaugeReader] = [
            MailboxBacklogReader(settings, backlog, clock=clock, masker=masker, visits=visits),
            MailboxCapacityReader(settings, capacity, clock=clock, masker=masker, visits=visits),
        ]
        places += [
            GaugedPlace(reader, one.capacity.limits, timedelta(seconds=one.backlog_age_seconds))
            for reader in readers
        ]
    return places + _certificates(site) + _mail_dns(site)


def _mail_dns(site: Site) -> list[GaugedPlace]:
    """The records of each domain that customers write to; where a relay delivers for us, MX is its business."""
    expected: dict[str, MailDnsExpectation] = {}
    sendings = [path.sending for path in site.config.paths.values()]
    for one in [sending for sending in sendings if isinstance(sending, EmailConfig)]:
        domain = ascii_domain(one.to).rpartition("@")[2]
        known = expected.get(domain, MailDnsExpectation(must_have_mx=False))
        expected[domain] = MailDnsExpectation(
            must_have_mx=known.must_have_mx or one.via is Via.MX,
            dkim_selectors=tuple(dict.fromkeys((*known.dkim_selectors, *one.dkim_selectors))),
        )
    return [
        GaugedPlace(MailDnsReader(domain, domain, wanted, resolver=site.resolver, clock=site.clock))
        for domain, wanted in expected.items()
        if wanted.must_have_mx or wanted.dkim_selectors
    ]


def _certificates(site: Site) -> list[GaugedPlace]:
    settings = [
        CertificateSettings(
            place=f"{one.imap.host}:{one.imap.port}",
            host=one.imap.host,
            port=one.imap.port,
            start=Start.AT_ONCE if one.imap.tls is TlsMode.IMPLICIT else Start.IMAP,
            ca_files=one.imap.ca_files,
        )
        for one in site.config.mailboxes.values()
        if one.imap.tls is not TlsMode.NONE
    ]
    readers = {one.place: one for one in (*settings, *_web_certificates(site))}
    return [
        GaugedPlace(CertificateReader(one, clock=site.clock, contexts=site.contexts))
        for one in readers.values()
    ]


def _web_certificates(site: Site) -> Iterator[CertificateSettings]:
    """Those of the portals and forms that we reach ourselves; what a proxy lets us see is its own business."""
    browser = site.config.prober.browser
    for path in site.config.paths.values():
        sending = path.sending
        match sending:
            case EmailConfig():
                continue
            case PortalSettings():
                by_proxy = (browser is not None and browser.proxy is not None) or "https" in getproxies()
            case FormSettings():
                by_proxy = sending.proxy is not None
            case _:
                assert_never(sending)
        if (known := web_site(sending.url)) is not None and not by_proxy:
            host, port = known
            yield CertificateSettings(
                place=f"{host}:{port}", host=host, port=port, start=Start.AT_ONCE, ca_files=sending.ca_files
            )
