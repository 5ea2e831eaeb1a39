"""The web page as configured: where it listens, who may read it; and what is wrong with that."""

import ipaddress
from dataclasses import dataclass

from probes.servers import SecretSource
from runners.config.document_page import PageDocument
from runners.config.reading import Loc
from runners.config.sources import Surroundings

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
LEAST_TOKEN_BYTES = 16
"""128 bits, if they are random: nobody guesses it over a network."""


@dataclass(frozen=True, slots=True)
class ProxyConfig:
    """A proxy that signs readers in: the header by which it names them, and where it connects from."""

    header: str
    sources: tuple[Network, ...]


@dataclass(frozen=True, slots=True)
class PageConfig:
    """The web page.

    Attributes:
        host, port: where it listens; port 0: any that is free.
        hosts: names by which it is called, beside localhost and the address, lower case.
        url: where people reach it, for links; None: alerts bear none.
        token: what a reader must show; None with ``proxy`` None: whoever reaches loopback may read.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    hosts: frozenset[str] = frozenset()
    token: SecretSource | None = None
    proxy: ProxyConfig | None = None
    url: str | None = None


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def build_page(document: PageDocument, around: Surroundings) -> PageConfig:
    """The page; notes a mistake where anybody could read it."""
    loc: Loc = ("web",)
    host, port = document.listen
    if not is_loopback(host) and document.token is None and document.proxy is None:
        around.note(
            (*loc, "listen"),
            f"{host} is reached from other machines, and anybody there could read the page",
            "Add token: {env: INTAKE_PAGE_TOKEN} or proxy:, or listen on 127.0.0.1.",
        )
    if document.proxy is not None and any(one.prefixlen == 0 for one in document.proxy.sources):
        around.note(
            (*loc, "proxy", "from"),
            "the header would be believed from every address",
            "Name the addresses of the proxy alone.",
        )
    token = around.optional_secret(document.token, (*loc, "token"))
    if token is not None and around.is_short(token, LEAST_TOKEN_BYTES):
        around.note(
            (*loc, "token"),
            f"the token has fewer than {LEAST_TOKEN_BYTES} bytes",
            "Make one: openssl rand -hex 32",
        )
    proxy = document.proxy
    return PageConfig(
        host=host,
        port=port,
        hosts=frozenset(one.lower() for one in document.hosts),
        token=token,
        proxy=ProxyConfig(proxy.header, tuple(proxy.sources)) if proxy is not None else None,
        url=document.url.rstrip("/") if document.url is not None else None,
    )


def check_metrics(listen: tuple[str, int] | None, page: PageConfig, around: Surroundings) -> None:
    """Note a mistake where anybody could read the metrics, or where they stand in the page's place."""
    loc: Loc = ("telemetry", "metrics", "listen")
    if listen is None:
        return
    host, port = listen
    if not is_loopback(host) and page.token is None and page.proxy is None:
        around.note(
            loc,
            f"{host} is reached from other machines, and anybody there could read the metrics",
            "Add web.token: {env: INTAKE_PAGE_TOKEN} or web.proxy:, or listen on 127.0.0.1.",
        )
    if port and (host, port) == (page.host, page.port):
        around.note(
            loc,
            "that is the page's own address",
            "Leave it out: the page has /metrics. Or name another port.",
        )
