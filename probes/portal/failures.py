"""Why Playwright's call failed, as a fault: the browser's own network error codes before its texts."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import TimeoutError as PlaywrightTimeout

from canary.reason import CAUSES, Reason
from probes.reasons import Fault

_NET = re.compile(r"net::(ERR_[A-Z0-9_]+)")
_GONE: Final = (
    "Target page, context or browser has been closed",
    "Target closed",
    "Target crashed",
    "Page crashed",
    "Browser has been closed",
    "Connection closed",
    "Browser closed",
)
_LOG: Final = "Call log:"
_QUOTED: Final = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|<[^>]*>")
_COVERED = re.compile(r"(<[^>]*>.*?) (?:from .*? subtree )?intercepts pointer events")
_ON_ITS_WAY: Final = (
    "Execution context was destroyed",
    "Cannot find context with specified id",
    "interrupted by another navigation",
    "Frame was detached",
    "frame got detached",
    "Unable to adopt element handle",
)
_OTHER_KIND: Final = ("Element is not a", "Not a checkbox", "Node is not a", "cannot be filled")
_STRICT = re.compile(r"strict mode violation:.*resolved to (\d+) elements")

_LOGGED: Final[Mapping[str, tuple[Reason, str]]] = MappingProxyType(
    {
        "element is not enabled": (Reason.FORM_DISABLED, "it is there and disabled"),
        "element is not editable": (Reason.FORM_DISABLED, "it is there and disabled"),
        "did not find some options": (Reason.FORM_CHANGED, "the list has no such option"),
        "element is not stable": (Reason.PAGE_STUCK, "it never stands still"),
        "did not change its state": (Reason.FORM_DISABLED, "a click does not change it"),
    }
)

NET_REASONS: Final[Mapping[str, Reason]] = MappingProxyType(
    {
        # https://source.chromium.org/chromium/chromium/src/+/main:net/base/net_error_list.h
        "ERR_NAME_NOT_RESOLVED": Reason.DNS_UNANSWERED,
        "ERR_NAME_RESOLUTION_FAILED": Reason.DNS_UNANSWERED,
        "ERR_DNS_TIMED_OUT": Reason.DNS_UNANSWERED,
        "ERR_CONNECTION_REFUSED": Reason.REFUSED,
        "ERR_CONNECTION_TIMED_OUT": Reason.CONNECT_TIMEOUT,
        "ERR_TIMED_OUT": Reason.CONNECT_TIMEOUT,
        "ERR_ADDRESS_UNREACHABLE": Reason.NO_ROUTE,
        "ERR_INTERNET_DISCONNECTED": Reason.NO_ROUTE,
        "ERR_NETWORK_ACCESS_DENIED": Reason.NO_ROUTE,
        "ERR_CONNECTION_FAILED": Reason.NO_ROUTE,
        # by the proxy on loopback through which Playwright shows a client certificate
        "ERR_SOCKS_CONNECTION_FAILED": Reason.CONNECT_TIMEOUT,
        "ERR_SOCKS_CONNECTION_HOST_UNREACHABLE": Reason.NO_ROUTE,
        "ERR_NETWORK_CHANGED": Reason.NETWORK_UNAVAILABLE,
        "ERR_NETWORK_IO_SUSPENDED": Reason.NETWORK_UNAVAILABLE,
        "ERR_NO_SUPPORTED_PROXIES": Reason.NETWORK_UNAVAILABLE,
        "ERR_PAC_SCRIPT_FAILED": Reason.NETWORK_UNAVAILABLE,
        "ERR_MANDATORY_PROXY_CONFIGURATION_FAILED": Reason.NETWORK_UNAVAILABLE,
        "ERR_PROXY_CERTIFICATE_INVALID": Reason.NETWORK_UNAVAILABLE,
        "ERR_PROXY_CONNECTION_FAILED": Reason.NETWORK_UNAVAILABLE,
        "ERR_TUNNEL_CONNECTION_FAILED": Reason.NETWORK_UNAVAILABLE,
        "ERR_PROXY_AUTH_REQUESTED": Reason.NETWORK_UNAVAILABLE,
        "ERR_CONNECTION_RESET": Reason.CONNECTION_LOST,
        "ERR_CONNECTION_CLOSED": Reason.CONNECTION_LOST,
        "ERR_CONNECTION_ABORTED": Reason.CONNECTION_LOST,
        "ERR_EMPTY_RESPONSE": Reason.CONNECTION_LOST,
        "ERR_SOCKET_NOT_CONNECTED": Reason.CONNECTION_LOST,
        "ERR_INCOMPLETE_CHUNKED_ENCODING": Reason.CONNECTION_LOST,
        "ERR_CONTENT_LENGTH_MISMATCH": Reason.CONNECTION_LOST,
        "ERR_HTTP2_PROTOCOL_ERROR": Reason.CONNECTION_LOST,
        "ERR_HTTP2_SERVER_REFUSED_STREAM": Reason.CONNECTION_LOST,
        "ERR_QUIC_PROTOCOL_ERROR": Reason.CONNECTION_LOST,
        "ERR_TOO_MANY_REDIRECTS": Reason.REDIRECT_LOOP,
        "ERR_CERT_DATE_INVALID": Reason.CERTIFICATE_EXPIRED,
        "ERR_CERT_COMMON_NAME_INVALID": Reason.CERTIFICATE_WRONG_NAME,
        "ERR_BAD_SSL_CLIENT_AUTH_CERT": Reason.CREDENTIALS_REJECTED,
        "ERR_SSL_CLIENT_AUTH_CERT_NEEDED": Reason.CREDENTIALS_REJECTED,
        "ERR_INVALID_AUTH_CREDENTIALS": Reason.CREDENTIALS_REJECTED,
        "ERR_INVALID_RESPONSE": Reason.PROTOCOL_ERROR,
        "ERR_INVALID_HTTP_RESPONSE": Reason.PROTOCOL_ERROR,
        "ERR_RESPONSE_HEADERS_TRUNCATED": Reason.CONNECTION_LOST,
        "ERR_HTTP_RESPONSE_CODE_FAILURE": Reason.PAGE_ERROR,
        "ERR_UNSAFE_PORT": Reason.JOURNEY_INVALID,
        "ERR_UNKNOWN_URL_SCHEME": Reason.JOURNEY_INVALID,
        "ERR_INVALID_URL": Reason.JOURNEY_INVALID,
        "ERR_BLOCKED_BY_CLIENT": Reason.JOURNEY_INVALID,
        "ERR_BLOCKED_BY_ADMINISTRATOR": Reason.JOURNEY_INVALID,
        "ERR_INSUFFICIENT_RESOURCES": Reason.BROWSER_CRASHED,
        "ERR_OUT_OF_MEMORY": Reason.BROWSER_CRASHED,
    }
)


_OUR_MACHINE: Final = frozenset(
    {
        "ERR_INTERNET_DISCONNECTED",
        "ERR_NETWORK_CHANGED",
        "ERR_NETWORK_IO_SUSPENDED",
        "ERR_NETWORK_ACCESS_DENIED",
    }
)


def is_of_our_machine(code: str) -> bool:
    """Whether Chromium's network error speaks of the machine that it runs on, whatever was asked for."""
    return code.removeprefix("net::") in _OUR_MACHINE


def net_reason(code: str) -> Reason | None:
    """The reason behind Chromium's network error, ``ERR_…`` with or without ``net::``; None: not known."""
    code = code.removeprefix("net::")
    if code in NET_REASONS:
        return NET_REASONS[code]
    if code.startswith("ERR_CERT_"):
        return Reason.CERTIFICATE_INVALID
    return Reason.TLS_FAILED if code.startswith("ERR_SSL_") else None


def is_gone(error: PlaywrightError) -> bool:
    """Whether browser, driver or page died under the call."""
    said = _own_words(error.message)
    return any(words in said for words in _GONE)


def is_on_its_way(error: PlaywrightError) -> bool:
    """Whether the page went to another address under the call: nothing failed, and it may be asked again."""
    said = _own_words(error.message)
    return any(words in said for words in _ON_ITS_WAY)


def _own_words(message: str) -> str:
    """Playwright's own words: without its log and its quotations, in which the page speaks."""
    return _QUOTED.sub("", message.partition(_LOG)[0])


def fault_of(error: PlaywrightError) -> Fault | None:
    """The fault that the call's own error tells; None where only the page can tell (it waited in vain)."""
    if is_gone(error):
        return _fault(Reason.BROWSER_CRASHED, "the browser died in the middle of it")
    if is_on_its_way(error):
        return None
    if "Download is starting" in error.message:
        return _fault(Reason.PAGE_ERROR, "a file came instead of a page")
    found = _NET.search(error.message)
    if found is not None:
        return _fault(net_reason(found[1]) or Reason.PAGE_ERROR, f"the browser says {found[1]}")
    of_element = _of_element(error.message)
    if of_element is not None or isinstance(error, PlaywrightTimeout):
        return of_element
    return _fault(Reason.JOURNEY_INVALID, first_line(error.message))


def _of_element(message: str) -> Fault | None:
    """What Playwright's log says of the element that it waited for."""
    covered = _COVERED.search(message)
    if covered is not None:
        return _fault(Reason.ELEMENT_COVERED, f"it is covered by {covered[1].strip()[:120]}")
    strict = _STRICT.search(message)
    if strict is not None:
        found = f"{strict[1]} elements match it: make the locator unique, or add nth"
        return _fault(Reason.FORM_CHANGED, found)
    if any(words in message for words in _OTHER_KIND):
        return _fault(Reason.FORM_CHANGED, f"it is another kind of element now: {first_line(message)}")
    said = next((fault for words, fault in _LOGGED.items() if words in message), None)
    return _fault(*said) if said is not None else None


def first_line(message: str) -> str:
    """The first line of Playwright's text, without the name of the call."""
    return (
        message.strip().splitlines()[0].split(": ", 1)[-1].removeprefix("Error: ")
        if message.strip()
        else "no words"
    )


def _fault(reason: Reason, detail: str) -> Fault:
    return Fault(reason, detail, is_transient=not CAUSES[reason].is_final)
