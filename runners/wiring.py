"""The composition root: a configuration becomes a prober. Only here and in tests are concrete parts constructed."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from canary.canary import Canary
from canary.hop import Hop
from canary.path import PathName, Proof
from probes.certificates import Start
from probes.contracts import Check, Clock, Disposal, DisposalAction, Triable
from probes.http import Authorise, open_api
from probes.http_exchange import Witness
from probes.http_wire import HttpSettings
from probes.mailbox.check import QuotaRule, check_mailbox
from probes.mailbox.settings import MailboxSettings
from probes.mailbox.watcher import SenderMailboxWatcher, SupportMailboxWatcher
from probes.request_outcome import Asked
from probes.servers import SecretUnavailable, TlsMode
from probes.ticketing.basic import basic
from probes.ticketing.listening import Listening
from probes.ticketing.settings import HelpdeskSettings, RtSettings, TicketWatcherSettings
from probes.ticketing.watcher import TicketWatcher
from probes.user_agent import user_agent
from runners.alerts.building import build_heartbeats, build_sinks, known_of
from runners.alerts.routing import PathRouting
from runners.bisecting import with_bisects
from runners.check_places import placer
from runners.checks import CheckSource
from runners.config.config import Config, TicketingConfig
from runners.config.document_places import Cleanup, TicketingType
from runners.config.places import own_mailbox
from runners.contracts import Store
from runners.controls import StoredControls, Untold
from runners.counted_calls import CountedCalls, Kept, counted_late
from runners.prober import Place, Prober
from runners.progress import Progress, Silent
from runners.quieting import quiet
from runners.site import Site, open_site, watched_mailboxes
from runners.site_gauges import gauges_of
from runners.site_portals import open_portals
from runners.site_probes import bears_attachment, expectations, probe_of, selfcheck
from runners.situation import AlertRules, NoSinks
from runners.telemetry.process_figures import ProcessFigures
from runners.ways_out import one_shot_routes

if TYPE_CHECKING:
    from runners.config.build_ticketing_http import GenericConfig

_START = {TlsMode.IMPLICIT: Start.AT_ONCE, TlsMode.STARTTLS: Start.SMTP}


@asynccontextmanager
async def wired(config: Config, *, clock: Clock, store: Store, progress: Progress) -> AsyncIterator[Prober]:
    """The prober of a configuration, its connections closed at the end of the scope.

    Raises:
        SecretUnavailable: a signing key can't be had.
    """
    config = with_bisects(config)
    site = await open_site(config, clock=clock, tell=progress, gone=await store.path_names())
    async with AsyncExitStack() as stack:
        figures = ProcessFigures(config.prober.name, systems=config.ticketing, began_at=clock.now())
        kept = Kept(CountedCalls(store), walks=store)
        systems = {
            name: Listening(
                quiet(
                    await _system(site, one, stack, partial(figures.api_request, name), kept=kept),
                    one,
                    kept,
                    clock,
                ),
                clock,
            )
            for name, one in config.ticketing.items()
        }
        places = await _places(site, systems, stack)
        portals = await stack.enter_async_context(open_portals(site))
        probes = {name: probe_of(site, one, store, portals) for name, one in config.paths.items()}
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
                account.address.lower(): own_mailbox(name)
                for name, account in config.accounts.items()
                if own_mailbox(name) in places
            },
            gauges=tuple(gauges_of(site)),
            outside=site.outside,
            controls=selfcheck(site, StoredControls(store)) if config.prober.controls else None,
            archives=() if portals is None else (portals.artifacts,),
            alerts=alert_rules(config),
            sinks=build_sinks(
                config,
                clock=clock,
                tokens=site.tokens,
                known=known_of(config),
            ),
            heartbeats=build_heartbeats(config, clock=clock),
            retention=config.prober.retention,
            figures=figures,
            routes=one_shot_routes(config, clock=clock),
            placed=placer(config.file, config.keys),
            keys=site.signed.keys,
            masker=config.masker,
            schedules={name: one.due_slot for name, one in config.paths.items() if one.schedule is not None},
            timetable={name: one.next_due for name, one in config.paths.items() if one.schedule is not None},
            disposals_per_hour={
                name: max(1, int(one.cleanup_per_hour))
                for name, one in config.ticketing.items()
                if one.cleanup_per_hour is not None
            },
            cap_per_hour={
                name: max(1, int(one.cap_per_hour))
                for name, one in config.ticketing.items()
                if one.cap_per_hour is not None
            },
        )


def alert_rules(config: Config) -> AlertRules:
    """How people are told, by the configuration; nobody is where no sink is named."""
    alerts = config.alerts
    return AlertRules(
        namespace=alerts.namespace or config.prober.name,
        routing=PathRouting(alerts.router) if alerts.sink_names else NoSinks(),
        reminding=alerts.reminding,
        pages_per_hour=alerts.pages_per_hour,
        sinks=frozenset(alerts.sink_names),
        windows=config.maintenance,
    )


@asynccontextmanager
async def checkable(config: Config, *, clock: Clock) -> AsyncIterator[tuple[CheckSource, ...]]:
    """What `intake-prober check` tries of the targets; connections are closed at the end of the scope."""
    try:
        site = await open_site(config, clock=clock, tell=Silent())
    except SecretUnavailable:
        yield ()  # the check of the signing keys says it
        return
    async with AsyncExitStack() as stack:
        portals = await stack.enter_async_context(open_portals(site))
        sources = [
            CheckSource(name, probe_of(site, one, None, portals).check) for name, one in config.paths.items()
        ]
        for name, mailbox in watched_mailboxes(site).items():
            sources.append(CheckSource(name, _MailboxCheck(mailbox, site)))
        if config.prober.controls:
            sources.append(CheckSource("controls", selfcheck(site, Untold()).rehearse))
        kept = Kept(await stack.enter_async_context(counted_late(config, clock)))
        for name, one in config.ticketing.items():
            system = quiet(await _system(site, one, stack, kept=kept), one, kept, clock)
            sources.append(CheckSource(name, system.check))
        yield tuple(sources)


@asynccontextmanager
async def triable(
    config: Config, name: str, *, clock: Clock, witness: Witness | None = None
) -> AsyncIterator[tuple[Site, Triable]]:
    """One ticketing system with what is shared, for `intake-prober ticketing try`; closed at the end of the scope.

    Raises:
        SecretUnavailable: a signing key, or the system's credential, can't be had.
    """
    site = await open_site(config, clock=clock, tell=Silent())
    async with AsyncExitStack() as stack:
        kept = Kept(await stack.enter_async_context(counted_late(config, clock)))
        one = config.ticketing[name]
        yield site, quiet(await _system(site, one, stack, witness=witness, kept=kept), one, kept, clock)


async def _system(
    site: Site,
    one: TicketingConfig,
    stack: AsyncExitStack,
    asked: Asked = lambda _: None,
    witness: Witness | None = None,
    *,
    kept: Kept,
) -> Triable:
    http = HttpSettings(
        name=one.name,
        url=one.url,
        ca_files=one.ca_files,
        user_agent=user_agent(site.config.prober.contact_url),
    )
    if one.generic is not None:
        return await _generic(
            site, one, one.generic, http=http, stack=stack, asked=asked, witness=witness, kept=kept
        )
    secret = one.token or one.password
    if secret is None:
        raise SecretUnavailable(f"ticketing.{one.name}: neither a token nor a password is configured")
    match one.type:
        case TicketingType.HELPDESK:
            from probes.ticketing import helpdesk

            api = await stack.enter_async_context(
                open_api(
                    http,
                    clock=site.clock,
                    masker=site.masker,
                    secret=secret,
                    authorise=helpdesk.authorise,
                    asked=asked,
                    witness=witness,
                )
            )
            desk = HelpdeskSettings(
                name=one.name,
                url=one.url,
                marker=site.config.prober.marker,
                tag=one.tag,
                reads_files=_bears_files(site, one),
            )
            return helpdesk.Helpdesk(desk, api, clock=site.clock, masker=site.masker)
        case TicketingType.RT:
            from probes.ticketing import rt

            api = await stack.enter_async_context(
                open_api(
                    http,
                    clock=site.clock,
                    masker=site.masker,
                    secret=secret,
                    authorise=_rt_authorise(site, one),
                    asked=asked,
                    witness=witness,
                )
            )
            tracker = RtSettings(
                name=one.name,
                url=one.url,
                marker=site.config.prober.marker,
                queue=one.queue,
                quarantine_queue=one.mark.group if one.mark is not None else None,
                tag=one.tag,
                custom_field=one.custom_field,
            )
            return rt.RequestTracker(tracker, api, clock=site.clock, masker=site.masker)
        case TicketingType.HTTP:
            raise SecretUnavailable(f"ticketing.{one.name}: nothing is configured of it")


async def _generic(
    site: Site,
    one: TicketingConfig,
    generic: "GenericConfig",
    *,
    http: HttpSettings,
    stack: AsyncExitStack,
    asked: Asked,
    witness: Witness | None,
    kept: Kept,
) -> Triable:
    from probes.ticketing.generic.opening import open_generic

    settings = replace(
        generic.settings,
        marker=site.config.prober.marker,
        own_addresses=tuple(sorted(own_addresses(site))),
        targets=frozenset(path.target.lower() for path in site.config.paths.values() if path.target),
        reads_files=_bears_files(site, one),
    )
    limits = replace(http, total_seconds=generic.timeout_seconds)
    return await stack.enter_async_context(
        open_generic(
            settings,
            limits,
            generic.secrets,
            clock=site.clock,
            masker=site.masker,
            asked=asked,
            walks=kept.walks,
            shared=kept.shared,
            witness=witness,
        )
    )


def own_addresses(site: Site) -> set[str]:
    """Senders and listed forwarders of all paths."""
    own = {account.address.lower() for account in site.config.accounts.values()}
    for path in site.config.paths.values():
        own |= path.path.requesters
    return own


def _bears_files(site: Site, one: TicketingConfig) -> bool:
    """Whether a canary of any path that ends in this system has an attachment to compare."""
    paths = [path for path in site.config.paths.values() if path.path.ticketing == one.name]
    return any(bears_attachment(path) for path in paths)


def _rt_authorise(site: Site, one: TicketingConfig) -> Authorise:
    from probes.ticketing import rt

    return rt.authorise if one.token is not None else basic(one.username or "", site.masker)


async def _places(site: Site, systems: Mapping[str, Listening], stack: AsyncExitStack) -> dict[str, Place]:
    places: dict[str, Place] = {}
    for name, settings in watched_mailboxes(site).items():
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
                target_of=_TargetOf({path: one.target for path, one in site.config.paths.items()}),
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
            tickets=ticket_watcher,
            listening=system,
        )
    return places


@dataclass(frozen=True, slots=True)
class _NeedsTicketNumber:
    """Whether only an answer that quotes a ticket number is proof for a canary."""

    paths: frozenset[PathName]

    def __call__(self, canary: Canary) -> bool:
        return canary.path in self.paths


@dataclass(frozen=True, slots=True)
class _TargetOf:
    """The support address that a canary was sent to; None where it is none, or its path is no longer configured."""

    addresses: Mapping[PathName, str | None]

    def __call__(self, canary: Canary) -> str | None:
        return self.addresses.get(canary.path)


def _ticket_settings(site: Site, one: TicketingConfig) -> TicketWatcherSettings:
    action = None if one.cleanup is Cleanup.NONE else DisposalAction(one.cleanup.value)
    return TicketWatcherSettings(
        recognise=site.signed.recognise,
        expectation=expectations(site),
        disposal=Disposal(action, one.tag) if action is not None else None,
        own_addresses=own_addresses(site),
        mark=one.mark,
    )


@dataclass(frozen=True, slots=True)
class _MailboxCheck:
    """`check_mailbox` of one mailbox."""

    settings: MailboxSettings
    site: Site

    async def __call__(self) -> Sequence[Check]:
        configured = self.site.config.mailboxes.get(self.settings.place)
        rule = (
            QuotaRule(configured.capacity.limits) if configured is not None else QuotaRule(can_declare=False)
        )
        return await check_mailbox(self.settings, clock=self.site.clock, masker=self.site.masker, quota=rule)
