"""What all parts of a wired prober share: configuration, clock, resolver, signing keys, access tokens."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import SystemRandom

from canary.path import PathName
from probes.contracts import Clock
from probes.dns import Resolver
from probes.mailbox.settings import USUAL_JUNK, MailboxSettings
from probes.masking import Masker
from probes.oauth import TokenSource
from probes.oauth_command import TokenCommand as CommandGrant
from probes.oauth_grants import GoogleServiceAccount, MicrosoftClientCredentials, RefreshToken
from probes.servers import SecretSource, Server
from probes.tls import Contexts
from runners.config.config import (
    Config,
    Google,
    MailboxConfig,
    MailServer,
    Microsoft,
    Oauth,
    Refresh,
    TokenCommand,
)
from runners.config.places import own_mailbox
from runners.config.secrets import read_signing_keys
from runners.outside import Outside
from runners.prober import SignedPaths
from runners.progress import Progress


@dataclass(frozen=True, slots=True)
class Site:
    """What all parts share."""

    config: Config
    clock: Clock
    resolver: Resolver
    contexts: Contexts
    signed: SignedPaths
    tell: Progress
    token_sources: dict[tuple[Oauth, str], SecretSource]
    outside: Outside = field(default_factory=Outside)

    @property
    def masker(self) -> Masker:
        """Masks the secrets that the configuration named."""
        return self.config.masker

    def server(self, mail_server: MailServer) -> Server:
        """A mail server with its credential."""
        return mail_server.server(self.tokens)

    def tokens(self, oauth: Oauth, username: str) -> SecretSource:
        """One source of access tokens an account, shared by its SMTP and IMAP."""
        key = (oauth, username)
        if key not in self.token_sources:
            grant = _grant(oauth, clock=self.clock, masker=self.masker, tell=self.tell)
            self.token_sources[key] = TokenSource(grant, clock=self.clock, masker=self.masker)
        return self.token_sources[key]


async def open_site(config: Config, *, clock: Clock, tell: Progress, gone: Sequence[PathName] = ()) -> Site:
    """What all parts share; canaries of paths that are ``gone`` from the configuration are still known as ours."""
    keys = await read_signing_keys(config.prober.signing_keys)
    return Site(
        config=config,
        clock=clock,
        resolver=Resolver(config.prober.resolver, clock=clock, random=SystemRandom()),
        contexts=Contexts(),
        signed=SignedPaths(keys, tuple(dict.fromkeys((*config.paths, *gone)))),
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


def watched_mailboxes(site: Site) -> dict[str, MailboxSettings]:
    """Support mailboxes by name, and the mailboxes of the accounts that send."""
    support = {name: mailbox_settings(site, one) for name, one in site.config.mailboxes.items()}
    senders = {name for path in site.config.paths.values() for name in path.senders}
    own = {
        own_mailbox(name): MailboxSettings(
            place=own_mailbox(name), server=site.server(account.imap), may_remove=True
        )
        for name, account in site.config.accounts.items()
        if account.imap is not None and name in senders
    }
    return {**support, **own}


def mailbox_settings(site: Site, one: MailboxConfig) -> MailboxSettings:
    """What the watcher and the gauges of a support mailbox are told."""
    return MailboxSettings(
        place=one.name,
        server=site.server(one.imap),
        folder=one.folders[0],
        more_folders=one.folders[1:],
        junk_folders=tuple(dict.fromkeys((*one.junk_folders, *USUAL_JUNK))),
        may_remove=one.may_remove,
    )
