"""The composition root: a configuration becomes a prober. Only here and in tests are concrete parts constructed."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from random import SystemRandom

from canary.canary import Canary
from canary.hop import Hop
from canary.path import PathName, Proof
from probes.certificates import CertificateReader, CertificateSettings, Start
from probes.contracts import Check, Clock, Disposal, DisposalAction, GaugeReader, Probe, TicketingSystem
from probes.dns import Resolver
from probes.email.probe import EmailProbe
from probes.email.settings import DkimSettings, EmailSettings, SenderAccount
from probes.email.settings import MxTls as EmailMxTls
from probes.email.settings import Via as EmailVia
from probes.http import HttpSettings, open_api
from probes.mailbox.backlog import MailboxBacklogReader
from probes.mailbox.check import check_mailbox
from probes.mailbox.quota import MailboxCapacityReader
from probes.mailbox.settings import BacklogSettings, CapacitySettings, MailboxSettings
from probes.mailbox.watcher import SenderMailboxWatcher, SupportMailboxWatcher
from probes.masking import Masker
from probes.message.compose import AttachedFile, MailSettings, Subaddress, expected_content
from probes.oauth import TokenSource
from probes.oauth_command import TokenCommand as CommandGrant
from probes.oauth_grants import GoogleServiceAccount, MicrosoftClientCredentials, RefreshToken
from probes.selfcheck import Selfcheck, parse_control
from probes.servers import SecretSource, SecretUnavailable, Server, TlsMode
from probes.ticketing.settings import (
    Expectation,
    HelpdeskSettings,
    RtSettings,
    TicketWatcherSettings,
)
from probes.ticketing.watcher import TicketWatcher
from probes.tls import Contexts
from runners.checks import CheckSource
from runners.config.config import (
    Config,
    Google,
    MailboxConfig,
    MailServer,
    Microsoft,
    Oauth,
    PathConfig,
    Refresh,
    TicketingConfig,
    TokenCommand,
)
from runners.config.document_places import Cleanup, TicketingType
from runners.config.secrets import read_signing_keys
from runners.contracts import Store
from runners.controls import Heard, StoredControls
from runners.prober import GaugedPlace, Place, Prober, SignedPaths
from runners.progress import Progress, Silent

_START = {TlsMode.IMPLICIT: Start.AT_ONCE, TlsMode.STARTTLS: Start.SMTP}


@dataclass(frozen=True, slots=True)
class _Site:
    """What all parts share."""

    config: Config
    clock: Clock
    resolver: Resolver
    contexts: Contexts
    signed: SignedPaths
    tell: Progress
    token_sources: dict[tuple[Oauth, str], SecretSource]

    @property
    def masker(self) -> Masker:
        return self.config.masker

    def server(self, mail_server: MailServer) -> Server:
        return mail_server.server(self._tokens)

    def _tokens(self, oauth: Oauth, username: str) -> SecretSource:
        """One source of access tokens an account, shared by its SMTP and IMAP."""
        key = (oauth, username)
        if key not in self.token_sources:
            grant = _grant(oauth, clock=self.clock, masker=self.masker, tell=self.tell)
            self.token_sources[key] = TokenSource(grant, clock=self.clock, masker=self.masker)
        return self.token_sources[key]


@asynccontextmanager
async def wired(config: Config, *, clock: Clock, store: Store, progress: Progress) -> AsyncIterator[Prober]:
    """The prober of a configuration, its connections closed at the end of the scope.

    Raises:
        SecretUnavailable: a signing key can't be had.
    """
    site = await _site(config, clock=clock, tell=progress)
    async with AsyncExitStack() as stack:
        systems = {name: await _system(site, one, stack) for name, one in config.ticketing.items()}
        places = await _places(site, systems, stack)
        probes = {name: _probe(site, one, store) for name, one in config.paths.items()}
        yield Prober(
            name=config.prober.name,
            marker=config.prober.marker,
            paths={name: one.path for name, one in config.paths.items()},
            probes=probes,
            senders={
                name: tuple(config.accounts[sender].address.lower() for sender in one.senders)
                for name, one in config.paths.items()
            },
            places=places,
            sender_places={
                account.address.lower(): _own_mailbox(name)
                for name, account in config.accounts.items()
                if _own_mailbox(name) in places
            },
            gauges=tuple(_gauges(site)),
            keys=site.signed.keys,
            masker=config.masker,
            schedules={name: one.due_slot for name, one in config.paths.items() if one.schedule is not None},
            cap_per_hour={
                name: int(one.cap_per_hour)
                for name, one in config.ticketing.items()
                if one.cap_per_hour is not None
            },
        )


@asynccontextmanager
async def checkable(config: Config, *, clock: Clock) -> AsyncIterator[tuple[CheckSource, ...]]:
    """What `intake-prober check` tries of the targets; connections are closed at the end of the scope."""
    try:
        site = await _site(config, clock=clock, tell=Silent())
    except SecretUnavailable:
        yield ()  # the check of the signing keys says it
        return
    async with AsyncExitStack() as stack:
        sources = [CheckSource(name, _probe(site, one, None).check) for name, one in config.paths.items()]
        for name, mailbox in _watched_mailboxes(site).items():
            sources.append(CheckSource(name, _MailboxCheck(mailbox, site)))
        for name, one in config.ticketing.items():
            sources.append(CheckSource(name, (await _system(site, one, stack)).check))
        yield tuple(sources)


async def _site(config: Config, *, clock: Clock, tell: Progress) -> _Site:
    keys = await read_signing_keys(config.prober.signing_keys)
    return _Site(
        config=config,
        clock=clock,
        resolver=Resolver(config.prober.resolver, clock=clock, random=SystemRandom()),
        contexts=Contexts(),
        signed=SignedPaths(keys, tuple(config.paths)),
        tell=tell,
        token_sources={},
    )


def _grant(
    oauth: Oauth, *, clock: Clock, masker: Masker, tell: Progress
) -> GoogleServiceAccount | MicrosoftClientCredentials | RefreshToken | CommandGrant:
    match oauth:
        case Google():
            return GoogleServiceAccount(
                oauth.key,
                oauth.subject,
                clock=clock,
                masker=masker,
                token_url=oauth.token_url,
                scope=oauth.scope,
            )
        case Microsoft():
            return MicrosoftClientCredentials(
                oauth.tenant,
                client_id=oauth.client_id,
                client_secret=oauth.client_secret,
                token_url=oauth.token_url,
                scope=oauth.scope,
            )
        case Refresh():
            return RefreshToken(
                oauth.token_url,
                client_id=oauth.client_id,
                client_secret=oauth.client_secret,
                refresh_token=oauth.refresh_token,
                masker=masker,
                scope=oauth.scope,
                tell=tell.note,
            )
        case TokenCommand():
            return CommandGrant(oauth.command)


def _probe(site: _Site, path: PathConfig, store: Store | None) -> Probe:
    return EmailProbe(
        _email_settings(site, path),
        clock=site.clock,
        resolver=site.resolver,
        masker=site.masker,
        contexts=site.contexts,
        controls=_selfcheck(site, path, store) if store is not None else None,
    )


def _selfcheck(site: _Site, path: PathConfig, store: Store) -> Selfcheck:
    return Selfcheck(
        [parse_control(text) for text in site.config.prober.controls],
        history=StoredControls(store),
        outside=Heard(site.clock),
        resolver=site.resolver,
        clock=site.clock,
        interval_seconds=path.path.interval_seconds or 600.0,
        contexts=lambda: site.contexts.verified(site.config.prober.ca_files),
    )


def _email_settings(site: _Site, path: PathConfig) -> EmailSettings:
    accounts = [site.config.accounts[name] for name in path.senders]
    dkim = path.mail.dkim
    return EmailSettings(
        mail=_mail(site, path),
        senders={
            one.address.lower(): SenderAccount(
                address=one.address,
                server=site.server(one.smtp) if one.smtp is not None else None,
                side=one.smtp_side,
            )
            for one in accounts
        },
        via=EmailVia(path.via.value),
        mx_port=path.mx_port,
        mx_tls=EmailMxTls(path.mx_tls.value),
        ca_files=path.ca_files,
        dkim=DkimSettings(dkim.domain, dkim.selector, dkim.key) if dkim is not None else None,
        dkim_selectors=path.dkim_selectors,
        helo_name=path.helo_name,
    )


def _mail(site: _Site, path: PathConfig) -> MailSettings:
    configured = path.mail
    names = [site.config.accounts[name].display_name for name in path.senders]
    attachment = configured.attachment
    default = MailSettings(recipient=path.to)
    return MailSettings(
        recipient=path.to,
        display_name=next((name for name in names if name is not None), default.display_name),
        subject=configured.subject if configured.subject is not None else default.subject,
        body=configured.body if configured.body is not None else default.body,
        headers=configured.headers,
        attachment=AttachedFile(attachment.name, attachment.content) if attachment is not None else None,
        subaddress=Subaddress(configured.subaddress.value),
    )


async def _system(site: _Site, one: TicketingConfig, stack: AsyncExitStack) -> TicketingSystem:
    http = HttpSettings(name=one.name, url=one.url, ca_files=one.ca_files)
    secret = one.token or one.password
    if secret is None:
        raise SecretUnavailable(f"ticketing.{one.name}: neither a token nor a password is configured")
    match one.type:
        case TicketingType.HELPDESK:
            from probes.ticketing import helpdesk

            api = await stack.enter_async_context(
                open_api(
                    http, clock=site.clock, masker=site.masker, secret=secret, authorise=helpdesk.authorise
                )
            )
            desk = HelpdeskSettings(name=one.name, url=one.url, marker=site.config.prober.marker, tag=one.tag)
            return helpdesk.Helpdesk(desk, api, clock=site.clock, masker=site.masker)
        case TicketingType.RT:
            from probes.ticketing import rt

            api = await stack.enter_async_context(
                open_api(http, clock=site.clock, masker=site.masker, secret=secret, authorise=rt.authorise)
            )
            tracker = RtSettings(
                name=one.name, url=one.url, marker=site.config.prober.marker, queue=one.queue, tag=one.tag
            )
            return rt.RequestTracker(tracker, api, clock=site.clock, masker=site.masker)


async def _places(
    site: _Site, systems: Mapping[str, TicketingSystem], stack: AsyncExitStack
) -> dict[str, Place]:
    places: dict[str, Place] = {}
    for name, settings in _watched_mailboxes(site).items():
        watcher: SupportMailboxWatcher | SenderMailboxWatcher
        if name in site.config.mailboxes:
            watcher = SupportMailboxWatcher(
                settings, clock=site.clock, recognise=site.signed.recognise, masker=site.masker
            )
            places[name] = Place(watcher, Hop.MAILBOX_ARRIVAL, may_write=settings.may_remove)
        else:
            watcher = SenderMailboxWatcher(
                settings,
                clock=site.clock,
                recognise=site.signed.recognise,
                masker=site.masker,
                needs_ticket_number=_NeedsTicketNumber(
                    frozenset(
                        path for path, one in site.config.paths.items() if one.path.proof is Proof.REPLY
                    )
                ),
            )
            places[name] = Place(watcher, Hop.REPLY_RECEIVED)
        stack.push_async_callback(watcher.aclose)
    for name, system in systems.items():
        one = site.config.ticketing[name]
        ticket_watcher = TicketWatcher(
            system, _ticket_settings(site, one), clock=site.clock, masker=site.masker
        )
        places[name] = Place(
            ticket_watcher,
            Hop.TICKET_CONTENT,
            may_write=one.cleanup is not Cleanup.NONE,
            strays=ticket_watcher,
        )
    return places


@dataclass(frozen=True, slots=True)
class _NeedsTicketNumber:
    """Whether only an answer that quotes a ticket number is proof for a canary."""

    paths: frozenset[PathName]

    def __call__(self, canary: Canary) -> bool:
        return canary.path in self.paths


def _ticket_settings(site: _Site, one: TicketingConfig) -> TicketWatcherSettings:
    mails = {name: _mail(site, path) for name, path in site.config.paths.items()}

    def expectation(canary: Canary) -> Expectation:
        path = site.config.paths.get(canary.path)
        if path is None:
            return Expectation()
        return Expectation(
            content=expected_content(canary, mails[canary.path]),
            forwarders=path.path.requesters,
            target=path.to.lower(),
        )

    own = {account.address.lower() for account in site.config.accounts.values()}
    for path in site.config.paths.values():
        own |= path.path.requesters
    action = None if one.cleanup is Cleanup.NONE else DisposalAction(one.cleanup.value)
    return TicketWatcherSettings(
        recognise=site.signed.recognise,
        expectation=expectation,
        disposal=Disposal(action, one.tag) if action is not None else None,
        own_addresses=own,
    )


def _own_mailbox(account: str) -> str:
    """The place of an account's own mailbox; it can't have the name of a support mailbox."""
    return f"account {account}"


def _watched_mailboxes(site: _Site) -> dict[str, MailboxSettings]:
    support = {name: _mailbox(site, one) for name, one in site.config.mailboxes.items()}
    senders = {name for path in site.config.paths.values() for name in path.senders}
    own = {
        _own_mailbox(name): MailboxSettings(
            place=_own_mailbox(name), server=site.server(account.imap), may_remove=True
        )
        for name, account in site.config.accounts.items()
        if account.imap is not None and name in senders
    }
    return {**support, **own}


def _mailbox(site: _Site, one: MailboxConfig) -> MailboxSettings:
    return MailboxSettings(
        place=one.name,
        server=site.server(one.imap),
        folder=one.folders[0],
        more_folders=one.folders[1:],
        may_remove=one.may_remove,
    )


@dataclass(frozen=True, slots=True)
class _MailboxCheck:
    """`check_mailbox` of one mailbox."""

    settings: MailboxSettings
    site: _Site

    async def __call__(self) -> Sequence[Check]:
        return await check_mailbox(self.settings, clock=self.site.clock, masker=self.site.masker)


def _gauges(site: _Site) -> list[GaugedPlace]:
    places = []
    for one in site.config.mailboxes.values():
        settings = _mailbox(site, one)
        capacity = CapacitySettings(
            declared_bytes=one.capacity.declared_bytes,
            declared_messages=one.capacity.declared_messages,
            command=one.capacity.command or (),
        )
        backlog = BacklogSettings(folder=settings.folder)
        if one.backlog_search is not None:
            backlog = replace(backlog, criteria=one.backlog_search)
        readers: list[GaugeReader] = [
            MailboxCapacityReader(settings, capacity, clock=site.clock, masker=site.masker),
            MailboxBacklogReader(settings, backlog, clock=site.clock, masker=site.masker),
        ]
        places += [
            GaugedPlace(reader, one.capacity.limits, timedelta(seconds=one.backlog_age_seconds))
            for reader in readers
        ]
    return places + _certificate_gauges(site)


def _certificate_gauges(site: _Site) -> list[GaugedPlace]:
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
    return [GaugedPlace(CertificateReader(one, clock=site.clock, contexts=site.contexts)) for one in settings]
