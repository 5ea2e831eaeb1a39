"""What a recording asks of the browser, and which of it a path can ask for as well."""

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from runners.config.cron import CronError, known_zone
from runners.portal_import.source import Chain, Link, Note, Unknown, Untranslatable, chain_code, value_of


@dataclass(frozen=True, slots=True)
class BrowserOptions:
    """Keys of a path that were found; None: not in the recording."""

    locale: str | None = None
    time_zone: str | None = None
    user_agent: str | None = None
    viewport: str | None = None


_LOCALE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_TEXTS: Final = {"locale": "locale", "timezone_id": "time_zone", "user_agent": "user_agent"}
_CAN_NOT: Final = {
    "http_credentials": ("a password for HTTP authentication", "Write http_login: {username: …, password: {env: …}}."),
    "extra_http_headers": ("extra header fields, which may be secret", "Write headers: {NAME: {env: …}}."),
    "storage_state": ("a stored log-in", "Record the log-in itself; `session: file` keeps it for the next canary."),
    "ignore_https_errors": ("certificates are not verified", "Name your own authority: ca: [FILE]. It is never switched off."),
    "client_certificates": ("a client certificate", "Write client_certificate: {origin: …, certificate: …, key: {env: …}}."),
    "proxy": ("a proxy", "Write browser: {proxy: …} under prober:."),
    "geolocation": ("a place on earth has no key", "Leave it out, if the form does without."),
    "permissions": ("permissions have no key", "Leave it out, if the form does without."),
    "color_scheme": ("a colour scheme has no key", "Leave it out."),
    "base_url": ("addresses are relative to a base", "Write it as the path's url."),
    "is_mobile": ("a telephone is played", "Write viewport and user_agent."),
    "has_touch": ("a telephone is played", "Write viewport and user_agent."),
}  # fmt: skip


def options_of(
    keywords: Mapping[str, ast.expr], names: Mapping[str, ast.expr]
) -> tuple[BrowserOptions, Sequence[tuple[str, Untranslatable]]]:
    """What a new context is told, and what of it can't be said."""
    options, causes = BrowserOptions(), list[tuple[str, Untranslatable]]()
    for name, node in keywords.items():
        if name in _CAN_NOT:
            causes.append((name, Untranslatable(*_CAN_NOT[name])))
        elif name == "viewport":
            options = replace(options, viewport=_viewport(node, names))
        elif name in _TEXTS:
            try:
                value = value_of(node, names)
            except Unknown:
                value = None
            if isinstance(value, str) and _is_good(name, value):
                options = replace(options, **{_TEXTS[name]: value})
    return options, causes


def _is_good(name: str, value: str) -> bool:
    if name == "timezone_id":
        try:
            return bool(known_zone(value))
        except CronError:
            return False
    return bool(_LOCALE.fullmatch(value)) if name == "locale" else value.isprintable() and bool(value.strip())


def _viewport(node: ast.expr, names: Mapping[str, ast.expr]) -> str | None:
    if not isinstance(node, ast.Dict):
        return None
    sizes: dict[str, int] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        try:
            size = value_of(value, names)
        except Unknown:
            return None
        if isinstance(key, ast.Constant) and isinstance(key.value, str) and isinstance(size, int):
            sizes[key.value] = size
    width, height = sizes.get("width", 0), sizes.get("height", 0)
    return f"{width}x{height}" if 100 <= width <= 10_000 and 100 <= height <= 10_000 else None  # noqa: PLR2004 -- sane sizes


_SESSION: Final = {
    "add_cookies": ("cookies are set", "Record the log-in itself; `session: memory` keeps it for the next canary."),
    "add_init_script": ("a script is put into every page", "Write a script: step."),
    "set_extra_http_headers": ("extra header fields, which may be secret", "Write headers: {NAME: {env: …}}."),
    "route_from_har": ("answers come from a file", "Leave it out: a canary needs the real portal."),
    "route": ("requests are answered by the file itself", "Leave it out: a canary needs the real portal."),
    "grant_permissions": ("permissions have no key", "Leave it out, if the form does without."),
    "connect": ("a browser elsewhere is used", "The prober starts its own: browser: {executable: …} under prober:."),
    "connect_over_cdp": ("a browser elsewhere is used", "The prober starts its own: browser: {executable: …} under prober:."),
}  # fmt: skip
_OTHER_BROWSERS = re.compile(r"firefox|webkit")


def session_note(chain: Chain, link: Link) -> Note | None:
    """What of a call on the browser or its context a path can't have."""
    if link.name in _SESSION:
        why, remedy = _SESSION[link.name]
        return Note(chain.line, chain_code(chain), why, remedy)
    if _OTHER_BROWSERS.fullmatch(link.name):
        why = f"it was recorded in {link.name.title()}, and the prober drives Chromium"
        return Note(chain.line, chain_code(chain), why, "Look the steps through with `portal try`.")
    return None
