"""Make a journey through a portal of its document, and note what contradicts itself. Loaded with the first portal."""

import shutil
from collections.abc import Collection, Sequence
from pathlib import Path

from canary.hop import Channel, Hop
from probes.portal.settings import ArtifactSettings, BrowserSettings, PortalLimits, PortalSettings, Session
from runners.config.build_locators import build_locator
from runners.config.build_steps import build_steps
from runners.config.build_web import (
    ascii_host,
    build_headers,
    build_request,
    check_limits,
    client_certificate,
    expected_hosts,
    http_login,
    senders_of,
)
from runners.config.built import Built
from runners.config.config import AccountConfig
from runners.config.document_browser import DIRECTORY, ArtifactsDocument, BrowserDocument
from runners.config.document_portal import PortalLimitsDocument, PortalPathDocument
from runners.config.journey import check_journey
from runners.config.reading import Loc
from runners.config.sources import Surroundings

_SQLITE = "sqlite:///"


def build_portal(
    document: PortalPathDocument,
    accounts: Sequence[AccountConfig],
    around: Surroundings,
    loc: Loc,
    *,
    account_names: Collection[str],
    trusted: tuple[str, ...],
) -> Built:
    """What channel `portal` makes of a path; ``accounts`` are those of its senders that could be read."""
    login = build_steps(document.login, around, (*loc, "login"))
    steps = build_steps(document.steps, around, (*loc, "steps"))
    check_journey(document, login, steps, around, loc)
    given = {f"limits.{key}": getattr(document.limits, key) for key in document.limits.model_fields_set}
    if "pace" in document.model_fields_set:
        given["pace"] = document.pace
    check_limits(given, document, around, loc)
    host = ascii_host(document.url, around, (*loc, "url"))
    settings = PortalSettings(
        path=str(loc[-1]),
        url=document.url,
        expect_hosts=expected_hosts(document, host),
        steps=steps,
        login=login,
        request=build_request(document.request, accounts, around, (*loc, "request")),
        session=Session(document.session.value),
        dismiss=tuple(
            build_locator(one, around, (*loc, "dismiss", index)) for index, one in enumerate(document.dismiss)
        ),
        headers=build_headers(document.headers, around, (*loc, "headers")),
        http_login=http_login(document, around, loc),
        client_certificate=client_certificate(document, document.url, around, loc),
        ca_files=(*trusted, *around.authorities(document.ca, (*loc, "ca"))),
        propagate=document.propagate,
        pace_seconds=document.pace,
        limits=_limits(document.limits),
        locale=document.locale,
        time_zone=document.time_zone,
        user_agent=document.user_agent,
        viewport=document.viewport,
    )
    return Built(
        channel=Channel.PORTAL,
        sending=settings,
        senders=senders_of(document, account_names, around, loc),
        without=frozenset() if document.login else frozenset({Hop.PORTAL_LOGIN}),
        domain=host,
    )


def build_browser(document: BrowserDocument, around: Surroundings) -> BrowserSettings:
    """The browser; a program that is named with its folder is relative to the configuration."""
    executable = document.executable
    if executable is not None:
        found = shutil.which(executable, path=around.environ.get("PATH")) or executable
        executable = str(around.folder / executable) if "/" in executable else found
    return BrowserSettings(
        executable=executable,
        recycle_after=document.recycle_after,
        start_seconds=document.start,
        arguments=tuple(document.arguments),
        proxy=document.proxy,
    )


def build_artifacts(document: ArtifactsDocument, folder: Path, store_url: str) -> ArtifactSettings:
    """Where evidence lies: by default beside the store, where it is a file, else in the working directory."""
    if document.directory is not None:
        directory = folder / document.directory
    elif store_url.startswith(_SQLITE):
        directory = Path(store_url.removeprefix(_SQLITE)).parent / DIRECTORY
    else:
        directory = Path(DIRECTORY)
    return ArtifactSettings(directory, document.most, document.age, document.size)


def _limits(document: PortalLimitsDocument) -> PortalLimits:
    return PortalLimits(
        dns_seconds=document.dns,
        load_seconds=document.load,
        login_seconds=document.login,
        form_seconds=document.form,
        submit_seconds=document.submit,
        confirmation_seconds=document.confirmation,
        step_seconds=document.step,
    )
