"""Read, check and type a configuration: a `Config`, or all of its mistakes at once."""

import os
from collections.abc import Mapping
from pathlib import Path as FilePath
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from canary.hop import Channel
from canary.path import IncidentPolicy, PathName
from canary.reason import CAUSES, Side
from probes.masking import Masker, Secret
from runners.clock import SystemClock
from runners.config.build_alerts import build_alerts
from runners.config.build_maintenance import build_maintenance
from runners.config.build_paths import Places, build_path, check_references
from runners.config.build_places import build_account, build_mailbox, build_ticketing
from runners.config.build_quarantine import check_required
from runners.config.build_retention import build_retention
from runners.config.build_telemetry import build_telemetry
from runners.config.config import (
    AccountConfig,
    Config,
    PathConfig,
    ProberConfig,
)
from runners.config.document_alerts import AlertsDocument
from runners.config.document_maintenance import MaintenanceDocument
from runners.config.document_page import PageDocument
from runners.config.document_places import AccountDocument, MailboxDocument
from runners.config.document_prober import ProberDocument
from runners.config.document_telemetry import TelemetryDocument
from runners.config.errors import ConfigError, ConfigErrors
from runners.config.mistakes import unknown_key
from runners.config.page import build_page, check_metrics
from runners.config.reading import Loc, Tree, read_tree
from runners.config.sources import Surroundings
from runners.config.validate import block, paths_section, section, sinks_section, ticketing_section

if TYPE_CHECKING:
    from probes.contracts import Clock
    from runners.config.document_channels import AnyPathDocument

KEYS = (
    "prober",
    "accounts",
    "mailboxes",
    "ticketing",
    "paths",
    "alerts",
    "maintenance",
    "telemetry",
    "web",
)
"""The file's own keys; a test holds them equal to the document's, which brings every channel and system with it."""
_STORES = ("sqlite:///", "postgresql+psycopg://")


def load(
    path: FilePath | str,
    *,
    allow_literal_secrets: bool = False,
    needs_secrets: bool = True,
    environ: Mapping[str, str] | None = None,
    clock: "Clock | None" = None,
) -> Config:
    """Read a configuration file.

    Args:
        path: the file; relative names in it are relative to its folder.
        allow_literal_secrets: take secrets that stand in the file as text (the sandbox).
        needs_secrets: whether a secret that can't be had is a mistake; False for who only reads the store.
        environ: where `env` secrets are; the process's own if not given.
        clock: limits commands that print secrets; the system's if not given.

    Raises:
        ConfigErrors: with every mistake, its place and its remedy.
    """
    file = FilePath(path)
    tree = read_tree(str(path), _read_text(file))
    around = Surroundings(
        tree=tree,
        folder=file.absolute().parent,
        environ=os.environ if environ is None else environ,
        masker=Masker(),
        clock=clock if clock is not None else SystemClock(),
        allow_literal_secrets=allow_literal_secrets,
        needs_secrets=needs_secrets,
    )
    config = _build(file, tree, around) if not _is_hopeless(tree) else None
    if tree.errors or config is None:
        raise ConfigErrors(tree.errors)
    return config


def _read_text(file: FilePath) -> str:
    name = str(file)
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        remedy = "Write one with `intake-prober init`, or name it with --config."
        raise ConfigErrors([ConfigError(name, None, None, "", "there is no such file", remedy)]) from None
    except IsADirectoryError:
        remedy = "Name the file in it with --config."
        raise ConfigErrors([ConfigError(name, None, None, "", "this is a directory", remedy)]) from None
    except (OSError, ValueError) as error:
        cause = error.strerror if isinstance(error, OSError) and error.strerror else "it has no such name"
        message = f"the file can't be read: {cause}"
        raise ConfigErrors([ConfigError(name, None, None, "", message, "Look at its permissions.")]) from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        wrong = ConfigError(name, line, column, "", "the file is not UTF-8", "Save it as UTF-8.")
        raise ConfigErrors([wrong]) from None


def _is_hopeless(tree: Tree) -> bool:
    """Whether nothing more can be said; notes why."""
    if tree.value is None and not tree.errors:
        tree.errors.append(tree.error((), "the file is empty", "Write one with `intake-prober init`."))
    elif tree.value is not None and not isinstance(tree.value, dict):
        tree.errors.append(
            tree.error((), "the file is not a mapping", "It begins with prober:, accounts:, paths:.")
        )
    is_broken = any(not one.key and one.message.startswith("this is not YAML") for one in tree.errors)
    return is_broken or not isinstance(tree.value, dict)


def _build(file: FilePath, tree: Tree, around: Surroundings) -> Config | None:
    top = tree.value if isinstance(tree.value, dict) else {}
    tree.errors.extend(unknown_key(tree, (key,), list(KEYS)) for key in top if key not in KEYS)
    for key in ("prober", "accounts", "paths"):
        if key not in top:
            tree.errors.append(
                tree.error((key,), f"the key {key} is missing", "Add it; `intake-prober init` shows how.")
            )
    prober = block(tree, "prober", ProberDocument) if "prober" in top else None
    alerts = block(tree, "alerts", AlertsDocument)
    telemetry = block(tree, "telemetry", TelemetryDocument)
    page = block(tree, "web", PageDocument)
    web = build_page(page, around) if page is not None else None
    if web is not None and telemetry is not None:
        check_metrics(telemetry.metrics.listen, web, around)
    account_documents = section(tree, "accounts", AccountDocument, is_needed=True)
    mailbox_documents = section(tree, "mailboxes", MailboxDocument, is_needed=False)
    ticketing_documents = ticketing_section(tree)
    path_documents = paths_section(tree)
    sink_documents = sinks_section(tree)
    _check_shared_names(top, around)
    has_portal = any(one.channel is Channel.PORTAL for one in path_documents.values())
    built_prober = _prober(prober, around, needs_browser=has_portal)
    trusted = built_prober.ca_files if built_prober is not None else ()
    accounts = {name: build_account(name, one, around, trusted) for name, one in account_documents.items()}
    mailboxes = {
        name: built
        for name, one in mailbox_documents.items()
        if (built := build_mailbox(name, one, around, trusted)) is not None
    }
    ticketing = {
        name: build_ticketing(name, one, around, trusted) for name, one in ticketing_documents.items()
    }
    check_required(path_documents, ticketing_documents, around)
    policy = _policy(alerts)
    places = Places(_names(top, "accounts"), _names(top, "mailboxes"), _names(top, "ticketing"), accounts)
    paths = _paths(top, path_documents, places, around, policy=policy, trusted=trusted)
    built_alerts = build_alerts(
        alerts if alerts is not None else AlertsDocument(),
        sink_documents,
        around,
        policy=policy,
        accounts=accounts,
        named_accounts=places.account_names,
        named_paths=_names(top, "paths"),
        prober=prober.name if prober is not None else "",
        trusted=trusted,
    )
    windows = [
        window
        for name, one in section(tree, "maintenance", MaintenanceDocument, is_needed=False).items()
        for window in build_maintenance(
            name,
            one,
            around,
            paths=paths,
            path_names=_names(top, "paths"),
            place_names=[*_names(top, "mailboxes"), *_names(top, "ticketing")],
        )
    ]
    built_telemetry = None
    if telemetry is not None and prober is not None:
        built_telemetry = build_telemetry(telemetry, around, prober=prober.name)
    if tree.errors or built_prober is None or alerts is None or built_telemetry is None or web is None:
        return None
    return Config(
        file=file,
        prober=built_prober,
        accounts=MappingProxyType(accounts),
        mailboxes=MappingProxyType(mailboxes),
        ticketing=MappingProxyType(ticketing),
        paths=MappingProxyType(paths),
        alerts=built_alerts,
        maintenance=tuple(windows),
        telemetry=built_telemetry,
        masker=around.masker,
        own_addresses=_own_addresses(accounts, paths, [one.address for one in mailboxes.values()]),
        web=web,
        needs=around.needs,
        keys=MappingProxyType(tree.keys),
    )


def _names(top: Mapping[str, Any], key: str) -> list[str]:
    raw = top.get(key)
    return list(raw) if isinstance(raw, dict) else []


def _check_shared_names(top: Mapping[str, Any], around: Surroundings) -> None:
    """Accounts, mailboxes and ticketing systems are all places: two of one name could not be told apart."""
    first: dict[str, str] = {}
    for key in ("accounts", "mailboxes", "ticketing"):
        for name in _names(top, key):
            if name in first:
                around.note(
                    (key, name),
                    f"{first[name]} has a {name} too",
                    "Give each place a name of its own.",
                    at_key=True,
                )
            first.setdefault(name, key)


def _prober(
    document: ProberDocument | None, around: Surroundings, *, needs_browser: bool
) -> ProberConfig | None:
    if document is None:
        return None
    keys = tuple(
        around.secret(ref, ("prober", "signing_keys", index), is_key=True)
        for index, ref in enumerate(document.signing_keys)
    )
    store_url = _store_url(document.store, around)
    browser, artifacts = None, None
    if needs_browser:
        from runners.config.build_portal import build_artifacts, build_browser

        browser = build_browser(document.browser, around)
        artifacts = build_artifacts(document.artifacts, around.folder, store_url)
        around.needs.artifacts_name = document.artifacts.directory
    return ProberConfig(
        name=document.name,
        store_url=store_url,
        signing_keys=keys,
        marker=document.marker,
        ca_files=around.authorities(document.ca, ("prober", "ca")),
        controls=tuple(document.controls),
        resolver=document.resolver,
        contact_url=document.contact,
        browser=browser,
        artifacts=artifacts,
        retention=build_retention(document.retention, around),
    )


def _store_url(url: str, around: Surroundings) -> str:
    """The store's URL; a relative SQLite file lies beside the configuration, wherever cron starts us."""
    loc: Loc = ("prober", "store")
    if not url.startswith(_STORES) or url in _STORES or url == "sqlite:///:memory:":
        around.note(
            loc,
            "this is not a store",
            "Write sqlite:///intake.db or postgresql+psycopg://user@host/database (password: PGPASSWORD or ~/.pgpass).",
        )
        return url
    if url.startswith("sqlite:///"):
        around.needs.store_name = url.removeprefix("sqlite:///")
        return f"sqlite:///{around.folder / url.removeprefix('sqlite:///')}"
    userinfo = url.removeprefix("postgresql+psycopg://").partition("/")[0].rpartition("@")[0]
    password = userinfo.partition(":")[2]
    if password:
        around.masker.register(Secret(password))
        around.needs.literals.add("prober.store")
        if not around.allow_literal_secrets:
            around.note(
                loc,
                "a secret stands here as text",
                "Leave the password out; set PGPASSWORD or PGPASSFILE instead.",
            )
    return url


def _policy(document: AlertsDocument | None) -> IncidentPolicy:
    if document is None:
        return IncidentPolicy()
    return IncidentPolicy(tuple(document.open), document.resolve, frozenset(document.at_once))


def _paths(
    top: Mapping[str, Any],
    documents: Mapping[str, "AnyPathDocument"],
    places: Places,
    around: Surroundings,
    *,
    policy: IncidentPolicy,
    trusted: tuple[str, ...],
) -> dict[PathName, PathConfig]:
    raw = top.get("paths")
    if isinstance(raw, dict):
        for name, value in raw.items():
            if isinstance(value, dict):
                check_references(name, value, places, around)
    for index, reason in enumerate(sorted(policy.at_once)):
        if CAUSES[reason].side is Side.PROBER:
            remedy = "It lies on our side and never breaches; see docs/runbook for each reason's side."
            around.note(("alerts", "at_once", index), f"{reason} opens no incident", remedy)
    paths: dict[PathName, PathConfig] = {}
    for name, one in documents.items():
        built = build_path(name, one, places, around, policy=policy, trusted=trusted)
        if built is not None:
            paths[PathName(name)] = built
    return paths


def _own_addresses(
    accounts: Mapping[str, AccountConfig], paths: Mapping[PathName, PathConfig], others: list[str | None]
) -> frozenset[str]:
    found = {one.address for one in accounts.values()}
    for path in paths.values():
        found |= path.path.requesters
    found |= {one for one in (*others, *(path.target for path in paths.values())) if one is not None}
    return frozenset(one.lower() for one in found)
