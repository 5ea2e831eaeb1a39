"""Where a URL leads: scheme, host and port; and which places a launch may be sent on to."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import httpx

from canary.reason import Reason
from probes.reasons import Failure

HTTPS: Final = "https"
_PORTS: Final = {"http": 80, HTTPS: 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port (RFC 6454 section 4).

    Attributes:
        host: as it is looked up and shown to TLS: ASCII, lower case, an IPv6 address without brackets.
    """

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: httpx.URL | str) -> "Origin":
        """The origin of an absolute URL by http or https.

        Raises:
            ValueError: it is no such URL.
        """
        try:
            url = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise ValueError(f"not an address: {error}") from error
        if url.scheme not in _PORTS or not url.host:
            raise ValueError(f"neither http:// nor https:// with a host: {shown(url)}")
        port = url.port or _PORTS[url.scheme]
        if not 0 < port < 1 << 16:
            raise ValueError(f"there is no port {port}")
        return cls(url.scheme, url.raw_host.decode("ascii").strip("[]").lower(), port)

    @property
    def is_secure(self) -> bool:
        """Whether it is spoken to by TLS."""
        return self.scheme == HTTPS

    @property
    def place(self) -> str:
        """``host:port``, for people and for the controls."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def allowed(target: str, *, base: httpx.URL, expect_hosts: Collection[str]) -> httpx.URL:
    """The absolute address of what an answer, or a form, refers to.

    Raises:
        Failure: `redirected`: it is no address of one of the expected hosts, or gives TLS up.
    """
    try:
        url = base.join(target)
        origin = Origin.of(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise Failure(
            Reason.REDIRECTED, f"sent on to what is no web address ({error})", is_answer=True
        ) from None
    if origin.host not in expect_hosts and url.host.lower() not in expect_hosts:
        raise Failure(
            Reason.REDIRECTED,
            f"sent on to {shown(url)}, which is none of expect_host",
            facts={"url.full": shown(url)},
            is_answer=True,
        )
    if base.scheme == HTTPS and not origin.is_secure:
        raise Failure(Reason.REDIRECTED, f"sent on to {shown(url)}, without TLS", is_answer=True)
    return url


def shown(url: httpx.URL) -> str:
    """The address without what may be private: user, query and fragment."""
    port = f":{url.port}" if url.port is not None else ""
    host = f"[{url.host}]" if ":" in url.host else url.host
    return (
        f"{url.scheme}://{host}{port}{url.path}"
        if url.host
        else str(url.copy_with(query=None, fragment=None))
    )
